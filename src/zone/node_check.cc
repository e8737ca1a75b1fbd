// Whether octets are a node: what stands between a damaged file and the answer path, which trusts what it reads.

#include <cstring>

#include "base/checksum.hh"
#include "zone/node.hh"

namespace steward::zone {
namespace {

constexpr size_t header_size = 40;
constexpr size_t entry_size = 16;
constexpr size_t rr_head_size = 12;

template <class N>
N little(ByteView blob, size_t at) {
  N value;
  std::memcpy(&value, blob.data() + at, sizeof value);
  return value;
}

// `count` RRs of `type` in exactly `rrs`, each with the owner pointer and a complete RDATA.
bool rrs_hold(ByteView rrs, RrType type, size_t count) {
  size_t at = 0;
  for (; count > 0; --count) {
    if (rrs.size() - at < rr_head_size) return false;
    if (load_u16(&rrs[at]) != 0xc00c || load_u16(&rrs[at + 2]) != value(type)) return false;
    const size_t size = load_u16(&rrs[at + 10]);
    if (rrs.size() - at - rr_head_size < size) return false;
    at += rr_head_size + size;
  }
  return at == rrs.size();
}

// Names that end inside `rdata`, or in a pointer to a label border of the owner.
bool names_hold(RrType type, ByteView rdata, NameView owner) {
  size_t at = type == RrType::MX ? 2 : 0;
  const int names = type == RrType::SOA || type == RrType::MINFO ? 2 : 1;
  for (int i = 0; i < names; ++i) {
    size_t size = 0;
    while (true) {
      if (at >= rdata.size()) return false;
      const uint8_t length = rdata[at];
      if (length < 0xc0) {
        size += length + size_t{1};
        at += length + size_t{1};
        if (length > dns::max_label_size || size > dns::max_name_size) return false;
        if (length == 0) break;
        continue;
      }
      if (rdata.size() - at < 2) return false;
      const size_t target = load_u16(&rdata[at]) & 0x3fffU;
      if (target < 12 || target >= 12 + owner.size()) return false;
      NameView tail = owner;
      while (!tail.is_root() && owner.size() - tail.size() < target - 12) tail = tail.parent();
      if (owner.size() - tail.size() != target - 12 || size + tail.size() > dns::max_name_size) return false;
      at += 2;
      break;
    }
  }
  return type == RrType::SOA ? at + 20 == rdata.size() : at == rdata.size();
}

bool has_compressible_names(RrType type) {
  switch (type) {
    case RrType::NS:
    case RrType::CNAME:
    case RrType::PTR:
    case RrType::MB:
    case RrType::MD:
    case RrType::MF:
    case RrType::MG:
    case RrType::MR:
    case RrType::SOA:
    case RrType::MINFO:
    case RrType::MX: return true;
    default: return false;
  }
}

}  // namespace

Result<NodeView> NodeView::check(ByteView blob) {
  const auto corrupt = [](std::string_view what) { return fail(Errc::Corrupt, "stored node: " + std::string(what)); };
  if (blob.size() < header_size) return corrupt("shorter than its header");
  const auto size = little<uint32_t>(blob, 0);
  if (size % 8 != 0 || size < header_size || size > blob.size()) return corrupt("size out of range");
  blob = blob.first(size);
  if (little<uint32_t>(blob, 4) != crc32c(blob.subspan(8))) return corrupt("checksum does not match");

  const size_t rrsets = little<uint16_t>(blob, 10);
  const uint8_t owner_size = blob[12];
  const uint8_t negative = blob[13];
  if (negative > 1) return corrupt("unknown marker of the negative SOA");
  const size_t owner_at = header_size + (rrsets + negative) * entry_size;
  if (owner_at + owner_size > size) return corrupt("directory runs past the end");
  const auto owner = NameView::from_wire(blob.subspan(owner_at, owner_size));
  if (!owner || owner->size() != owner_size) return corrupt("owner is not a name");
  const auto provenance_at = little<uint32_t>(blob, 24);
  if (provenance_at > size || little<uint32_t>(blob, 28) > size - provenance_at) return corrupt("provenance runs past the end");

  uint16_t last_type = 0;
  for (size_t i = 0; i < rrsets + negative; ++i) {
    const size_t entry = header_size + i * entry_size;
    const auto type = little<uint16_t>(blob, entry);
    const auto rr_size = little<uint16_t>(blob, entry + 6);
    const auto offset = little<uint32_t>(blob, entry + 8);
    const auto total = little<uint32_t>(blob, entry + 12);
    if (i < rrsets && i > 0 && type <= last_type) return corrupt("RRsets are not in order of type");
    if (i == rrsets && type != value(RrType::SOA)) return corrupt("negative SOA is not a SOA");
    last_type = type;
    if (offset > size || total > size - offset || rr_size > total) return corrupt("RRset runs past the end");
    const ByteView rrs = blob.subspan(offset, rr_size);
    const auto rr_count = little<uint16_t>(blob, entry + 2);
    if (rr_count == 0) return corrupt("RRset without a record");
    if (!rrs_hold(rrs, static_cast<RrType>(type), rr_count)) return corrupt("RRset does not hold its records");
    if (!rrs_hold(blob.subspan(offset + rr_size, total - rr_size), RrType::RRSIG, little<uint16_t>(blob, entry + 4)))
      return corrupt("RRset does not hold its signatures");
    if (has_compressible_names(static_cast<RrType>(type)))
      for (StoredRrReader reader(rrs); !reader.done();)
        if (!names_hold(static_cast<RrType>(type), reader.next().rdata, *owner)) return corrupt("name in RDATA does not hold");
  }
  return NodeView(blob.data());
}

}  // namespace steward::zone
