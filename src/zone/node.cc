#include "zone/node.hh"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

#include "base/checksum.hh"

namespace steward::zone {
namespace {

static_assert(std::endian::native == std::endian::little, "a stored node is read in place: little-endian (FORMAT.md)");

// The layout of src/store/FORMAT.md, "Node". All integers little-endian, but for those inside RRs.
struct Header {
  uint32_t size;       // of the whole blob, a multiple of 8
  uint32_t checksum;   // CRC-32C of everything after this field
  uint16_t flags;
  uint16_t rrset_count;
  uint8_t owner_size;
  uint8_t negative_soa;  // 1: one more entry follows those of the RRsets
  uint16_t reserved;
  uint64_t file_digest;
  uint32_t provenance_offset;
  uint32_t provenance_size;
  uint32_t earliest_expiration;  // of its RRSIGs, in their own seconds (RFC 4034 §3.1.5); 0 where it has none
  uint32_t zone;                 // id of the zone that it belongs to
};
static_assert(sizeof(Header) == 40);

struct Entry {
  uint16_t type;
  uint16_t rr_count;
  uint16_t sig_count;
  uint16_t rr_size;
  uint32_t offset;
  uint32_t total_size;  // RRs and RRSIGs
};
static_assert(sizeof(Entry) == 16);

constexpr size_t rr_head = 12;         // owner pointer, type, class, TTL, RDLENGTH
constexpr uint16_t owner_pointer = 0xc00c;
constexpr size_t question_offset = 12;

// An RRset has to fit in a message of 65,535 octets with its header, question (255 + 4) and OPT.
constexpr size_t max_rrset_size = 65535 - 12 - 259 - 11;

const Header& header_of(const uint8_t* blob) { return *reinterpret_cast<const Header*>(blob); }
const Entry* entries_of(const uint8_t* blob) { return reinterpret_cast<const Entry*>(blob + sizeof(Header)); }
size_t entry_count(const Header& header) { return header.rrset_count + size_t{header.negative_soa}; }
const uint8_t* owner_of(const uint8_t* blob) {
  return blob + sizeof(Header) + entry_count(header_of(blob)) * sizeof(Entry);
}

StoredRrset stored(const uint8_t* blob, const Entry& entry) {
  const uint8_t* at = blob + entry.offset;
  return {static_cast<RrType>(entry.type), entry.rr_count, entry.sig_count, ByteView(at, entry.rr_size),
          ByteView(at, entry.total_size)};
}

// The names in RDATA that may be compressed: the well-known types of RFC 1035 (RFC 3597 §4).
struct CompressibleNames {
  uint8_t offset;
  uint8_t count;
};
CompressibleNames compressible_names(RrType type) {
  switch (type) {
    case RrType::NS:
    case RrType::CNAME:
    case RrType::PTR:
    case RrType::MB:
    case RrType::MD:
    case RrType::MF:
    case RrType::MG:
    case RrType::MR: return {0, 1};
    case RrType::SOA:
    case RrType::MINFO: return {0, 2};
    case RrType::MX: return {2, 1};
    default: return {0, 0};
  }
}

// Steps over a name's labels; returns the offset of its final octet or of its pointer.
size_t end_of_labels(const uint8_t* octets, size_t at) {
  while (octets[at] != 0 && octets[at] < 0xc0) at += octets[at] + size_t{1};
  return at;
}

// Calls `found(offset)` for each compression pointer in stored RDATA.
template <class F>
void for_each_pointer(RrType type, const uint8_t* rdata, F found) {
  const CompressibleNames names = compressible_names(type);
  size_t at = names.offset;
  for (int i = 0; i < names.count; ++i) {
    at = end_of_labels(rdata, at);
    if (rdata[at] == 0) {
      at += 1;
    } else {
      found(at);
      at += 2;
    }
  }
}

// The longest tail of `name` that is, octet for octet, a tail of `owner`: how many octets of `name` stand before it, or
// its whole size where there is none worth a pointer. Case counts, so that expanding gives back what was written.
size_t common_tail(NameView name, NameView owner) {
  // "*" stands for whatever the QNAME has there: only what is behind it is common with every answer.
  const NameView usable = owner.is_wildcard() ? owner.parent() : owner;
  for (NameView tail = name; !tail.is_root(); tail = tail.parent()) {
    if (tail.size() > usable.size()) continue;
    NameView candidate = usable;
    while (candidate.size() > tail.size()) candidate = candidate.parent();
    if (candidate.size() == tail.size() && std::memcmp(candidate.data(), tail.data(), tail.size()) == 0)
      return name.size() - tail.size();
  }
  return name.size();
}

void append_compressed(RrType type, ByteView rdata, NameView owner, Bytes& out) {
  const CompressibleNames names = compressible_names(type);
  size_t at = names.offset;
  append(out, rdata.first(at));
  for (int i = 0; i < names.count; ++i) {
    const size_t size = end_of_labels(rdata.data(), at) + 1 - at;
    const size_t kept = common_tail(NameView(rdata.data() + at, size), owner);
    append(out, rdata.subspan(at, kept));
    if (kept < size) append_u16(out, static_cast<uint16_t>(0xc000 | (question_offset + owner.size() - (size - kept))));
    at += size;
  }
  append(out, rdata.subspan(at));
}

void append_rr(RrType type, uint32_t ttl, ByteView rdata, NameView owner, Bytes& out) {
  const size_t start = out.size();
  append_u16(out, owner_pointer);
  append_u16(out, value(type));
  append_u16(out, value(dns::RrClass::IN));
  append_u32(out, ttl);
  append_u16(out, 0);
  append_compressed(type, rdata, owner, out);
  store_u16(&out[start + 10], static_cast<uint16_t>(out.size() - start - rr_head));
}

// Appends one RRset and its signatures; `blob` is where the node starts in `out`.
Result<Entry> append_rrset(const RrsetInput& rrset, uint32_t ttl, NameView owner, size_t blob, Bytes& out) {
  const size_t start = out.size();
  for (const ByteView rdata : rrset.rdatas) append_rr(rrset.type, ttl, rdata, owner, out);
  const size_t rr_size = out.size() - start;
  for (const ByteView rdata : rrset.rrsigs) append_rr(RrType::RRSIG, ttl, rdata, owner, out);
  const size_t total = out.size() - start;
  if (total > max_rrset_size)
    return fail(Errc::Full, owner.to_text() + " " + to_text(rrset.type) + ": " + std::to_string(total) +
                                " octets with its signatures, over the " + std::to_string(max_rrset_size) +
                                " that a message can carry (RFC 1035 §4.2.2)");
  return Entry{value(rrset.type),
               static_cast<uint16_t>(rrset.rdatas.size()),
               static_cast<uint16_t>(rrset.rrsigs.size()),
               static_cast<uint16_t>(rr_size),
               static_cast<uint32_t>(start - blob),
               static_cast<uint32_t>(total)};
}

// The RRSIG that expires first; 0 where there is none. Compared as RFC 1982 does.
uint32_t earliest_expiration_of(std::span<const RrsetInput> rrsets) {
  uint32_t earliest = 0;
  for (const RrsetInput& rrset : rrsets)
    for (const ByteView rrsig : rrset.rrsigs) {
      const uint32_t expiration = load_u32(rrsig.data() + 8);
      if (earliest == 0 || static_cast<int32_t>(expiration - earliest) < 0) earliest = expiration;
    }
  return earliest;
}

// min(TTL, MINIMUM) of a SOA (RFC 2308 §3).
uint32_t negative_ttl(const RrsetInput& soa) {
  const ByteView rdata = soa.rdatas.front();
  return std::min(soa.ttl, load_u32(rdata.data() + rdata.size() - 4));
}

// Where each tail of a name in a message stands: `remaining` octets of it, uncompressed, start at `offset`.
struct MessageTails {
  struct Tail {
    uint16_t offset;
    uint8_t remaining;
  };
  std::array<Tail, dns::max_labels> tails;
  size_t count = 0;

  MessageTails(const uint8_t* message, size_t at) {
    size_t total = 1;
    while (true) {
      // Pointers in our own message always point backwards, to a name that was checked.
      while (message[at] >= 0xc0) at = load_u16(message + at) & 0x3fff;
      if (message[at] == 0) break;
      tails[count++] = {static_cast<uint16_t>(at), message[at]};
      total += message[at] + size_t{1};
      at += message[at] + size_t{1};
    }
    for (size_t i = 0; i < count; ++i) {
      const size_t label = tails[i].remaining + size_t{1};
      tails[i].remaining = static_cast<uint8_t>(total);
      total -= label;
    }
  }
  [[nodiscard]] uint16_t offset_of(size_t remaining) const {
    for (size_t i = 0; i < count; ++i)
      if (tails[i].remaining == remaining) return tails[i].offset;
    return question_offset;  // not reached: the tail is one of the owner's
  }
};

// The name that stands in the message at `at`, without compression.
dns::Name name_in_message(const uint8_t* message, size_t at) {
  std::array<uint8_t, dns::max_name_size> wire;
  size_t size = 0;
  while (true) {
    while (message[at] >= 0xc0) at = load_u16(message + at) & 0x3fff;
    std::memcpy(&wire[size], message + at, message[at] + size_t{1});
    size += message[at] + size_t{1};
    if (message[at] == 0) return NameView(wire.data(), size);
    at += message[at] + size_t{1};
  }
}

// Makes a copied RRset right for an owner that stands at `place` in the message. `copy` is where its first RR starts, `rrs` what was
// copied; the owners of the RRs from the octet `first` on are written too.
void settle_pointers(uint8_t* message, uint8_t* copy, ByteView rrs, size_t first, const StoredRrset& rrset, NameView owner,
                     OwnerPlace place) {
  const auto owner_here = static_cast<uint16_t>(0xc000 | place.offset);
  for (size_t at = first; at < rrs.size(); at += rr_head + load_u16(copy + at + 10)) store_u16(copy + at, owner_here);
  if (compressible_names(rrset.type).count == 0) return;

  const MessageTails tails(message, place.offset);
  for (size_t at = 0; at < rrset.rrs.size(); at += rr_head + load_u16(copy + at + 10)) {
    uint8_t* const rdata = copy + at + rr_head;
    for_each_pointer(rrset.type, rdata, [&](size_t pointer) {
      const size_t remaining = owner.size() - ((load_u16(rdata + pointer) & 0x3fffU) - question_offset);
      store_u16(rdata + pointer, static_cast<uint16_t>(0xc000 | tails.offset_of(remaining)));
    });
  }
}

// Past 16 KiB nothing can be pointed at: the RRs go out in full.
bool write_in_full(ByteWriter& out, const StoredRrset& rrset, NameView owner, OwnerPlace place, bool with_sigs) {
  const size_t start = out.at();
  const dns::Name owner_here = name_in_message(out.data(), place.offset);
  const ByteView rrs = with_sigs ? rrset.rrs_with_sigs : rrset.rrs;
  Bytes rdata;
  for (StoredRrReader reader(rrs); !reader.done();) {
    const uint8_t* head = rrs.data() + (rrs.size() - reader.left());
    const StoredRr rr = reader.next();
    const auto type = static_cast<RrType>(load_u16(head + 2));
    rdata.clear();
    expand_rdata(type, rr.rdata, owner, rdata);
    out.bytes(owner_here.view().wire());
    out.bytes(ByteView(head + 2, 8));
    out.u16(static_cast<uint16_t>(rdata.size()));
    out.bytes(rdata);
  }
  if (out.ok()) return true;
  out.rewind(start);
  return false;
}

}  // namespace

size_t NodeView::size() const { return header_of(blob_).size; }
uint32_t NodeView::zone() const { return header_of(blob_).zone; }
uint16_t NodeView::flags() const { return header_of(blob_).flags; }
NameView NodeView::owner() const { return {owner_of(blob_), header_of(blob_).owner_size}; }
size_t NodeView::rrset_count() const { return header_of(blob_).rrset_count; }
uint32_t NodeView::earliest_expiration() const { return header_of(blob_).earliest_expiration; }
uint64_t NodeView::file_digest() const { return header_of(blob_).file_digest; }
ByteView NodeView::provenance() const {
  return {blob_ + header_of(blob_).provenance_offset, header_of(blob_).provenance_size};
}

StoredRrset NodeView::rrset(size_t index) const { return stored(blob_, entries_of(blob_)[index]); }

std::optional<StoredRrset> NodeView::find(RrType type) const {
  const Entry* entry = entries_of(blob_);
  for (size_t left = header_of(blob_).rrset_count; left > 0; --left, ++entry)
    if (entry->type >= value(type)) {
      if (entry->type == value(type)) return stored(blob_, *entry);
      return std::nullopt;
    }
  return std::nullopt;
}

std::optional<StoredRrset> NodeView::negative_soa() const {
  const Header& header = header_of(blob_);
  if (header.negative_soa == 0) return std::nullopt;
  return stored(blob_, entries_of(blob_)[header.rrset_count]);
}

void expand_rdata(RrType type, ByteView stored_rdata, NameView owner, Bytes& out) {
  size_t copied = 0;
  for_each_pointer(type, stored_rdata.data(), [&](size_t at) {
    append(out, stored_rdata.subspan(copied, at - copied));
    const size_t in_owner = (load_u16(stored_rdata.data() + at) & 0x3fffU) - question_offset;
    append(out, owner.wire().subspan(in_owner));
    copied = at + 2;
  });
  append(out, stored_rdata.subspan(copied));
}

bool write_rrset(ByteWriter& out, const StoredRrset& rrset, NameView owner, OwnerPlace place, bool with_sigs) {
  constexpr size_t last_safe_offset = 0x3fff - dns::max_name_size;
  if (place.offset > last_safe_offset) return write_in_full(out, rrset, owner, place, with_sigs);

  const ByteView rrs = with_sigs ? rrset.rrs_with_sigs : rrset.rrs;
  const size_t start = out.at();
  out.bytes(rrs);
  if (!out.ok()) {
    out.rewind(start);
    return false;
  }
  uint8_t* const copy = out.data() + start;
  const bool has_names = compressible_names(rrset.type).count > 0;
  if (place.offset == question_offset) {
    // The QNAME itself, or matched by the wildcard that is the owner.
    if (!has_names || !owner.is_wildcard()) return true;
  }

  settle_pointers(out.data(), copy, rrs, 0, rrset, owner, place);
  return true;
}

bool write_rrset_behind_owner(ByteWriter& out, const StoredRrset& rrset, NameView owner, OwnerPlace place) {
  constexpr size_t owner_pointer_size = 2;
  const size_t start = out.at();
  const ByteView rrs = rrset.rrs_with_sigs;
  out.bytes(rrs.subspan(owner_pointer_size));
  if (!out.ok()) {
    out.rewind(start);
    return false;
  }
  uint8_t* const copy = out.data() + start - owner_pointer_size;
  const size_t second = rr_head + load_u16(rrs.data() + 10);
  settle_pointers(out.data(), copy, rrs, second, rrset, owner, place);
  return true;
}

Result<void> build_node(const NodeInput& node, Bytes& out) {
  const size_t blob = out.size();
  const bool apex = (node.flags & node_apex) != 0;
  const RrsetInput* soa = nullptr;
  if (apex)
    for (const RrsetInput& rrset : node.rrsets)
      if (rrset.type == RrType::SOA && !rrset.rdatas.empty()) soa = &rrset;

  const size_t entries = node.rrsets.size() + (soa != nullptr ? 1U : 0U);
  out.resize(blob + sizeof(Header) + entries * sizeof(Entry));
  append(out, node.owner.wire());
  for (size_t i = 0; i < entries; ++i) {
    const bool negative = i == node.rrsets.size();
    const RrsetInput& rrset = negative ? *soa : node.rrsets[i];
    const auto entry = append_rrset(rrset, negative ? negative_ttl(rrset) : rrset.ttl, node.owner, blob, out);
    if (!entry) {
      out.resize(blob);
      return tl::unexpected<Error>(entry.error());
    }
    std::memcpy(&out[blob + sizeof(Header) + i * sizeof(Entry)], &*entry, sizeof(Entry));
  }

  Header header{};
  header.zone = node.zone;
  header.flags = node.flags;
  header.rrset_count = static_cast<uint16_t>(node.rrsets.size());
  header.owner_size = static_cast<uint8_t>(node.owner.size());
  header.negative_soa = soa != nullptr ? 1 : 0;
  header.file_digest = node.file_digest;
  header.earliest_expiration = earliest_expiration_of(node.rrsets);
  header.provenance_offset = static_cast<uint32_t>(out.size() - blob);
  header.provenance_size = static_cast<uint32_t>(node.provenance.size());
  append(out, node.provenance);
  out.resize((out.size() + 7) / 8 * 8);
  header.size = static_cast<uint32_t>(out.size() - blob);
  std::memcpy(&out[blob], &header, sizeof header);
  header.checksum = crc32c(ByteView(out).subspan(blob + 8));
  std::memcpy(&out[blob + 4], &header.checksum, sizeof header.checksum);
  return {};
}

Bytes with_flags(NodeView node, uint16_t flags) {
  Bytes blob(node.data(), node.data() + node.size());
  std::memcpy(&blob[offsetof(Header, flags)], &flags, sizeof flags);
  const uint32_t checksum = crc32c(ByteView(blob).subspan(8));
  std::memcpy(&blob[offsetof(Header, checksum)], &checksum, sizeof checksum);
  return blob;
}

}  // namespace steward::zone
