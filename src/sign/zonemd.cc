#include "sign/zonemd.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "crypto/digest.hh"
#include "dns/rdata.hh"

namespace steward::sign {
namespace {

using dns::NameView;
using dns::RrType;
using zone::RecordSource;
using zone::RrsetInput;

constexpr uint16_t class_in = 1;
constexpr size_t fixed_size = 6;  // serial, scheme, hash algorithm
// Handed to the hash in pieces that stay in the cache.
constexpr size_t piece = 32768;

crypto::DigestAlgorithm algorithm_of(ZonemdHash hash) {
  return hash == ZonemdHash::Sha384 ? crypto::DigestAlgorithm::Sha384 : crypto::DigestAlgorithm::Sha512;
}

std::optional<ZonemdHash> known_hash(uint8_t number) {
  if (number == static_cast<uint8_t>(ZonemdHash::Sha384)) return ZonemdHash::Sha384;
  if (number == static_cast<uint8_t>(ZonemdHash::Sha512)) return ZonemdHash::Sha512;
  return std::nullopt;
}

// RFC 8976 §3.3.1: the records as they go into the digest.
class Digester {
 public:
  Digester(NameView apex, std::span<const ZonemdHash> hashes) : apex_(apex) {
    for (const ZonemdHash hash : hashes) hashers_.emplace_back(algorithm_of(hash));
  }

  void add(const RecordSource::Node& node) {
    // §3.3.1.1: what is not of the zone is left out.
    if (!node.owner.is_at_or_below(apex_)) return;
    at_apex_ = node.owner == apex_.view();
    owner_ = dns::Name(node.owner).folded();
    gather_rrsigs(node);
    bool signatures_written = rrsigs_.empty();
    for (const RrsetInput& rrset : node.rrsets) {
      if (rrset.type == RrType::RRSIG || (at_apex_ && rrset.type == RrType::ZONEMD)) continue;
      if (!signatures_written && rrset.type > RrType::RRSIG) {
        write(RrType::RRSIG, rrsigs_);
        signatures_written = true;
      }
      records_.clear();
      for (const ByteView rdata : rrset.rdatas) records_.push_back({rrset.ttl, rdata});
      write(rrset.type, records_);
    }
    if (!signatures_written) write(RrType::RRSIG, rrsigs_);
    if (out_.size() >= piece) flush();
  }

  /// In the order of the hashes.
  Bytes finish(size_t index) {
    flush();
    Bytes digest(crypto::max_digest_size);
    digest.resize(hashers_[index].finish(digest.data()));
    return digest;
  }

 private:
  struct Record {
    uint32_t ttl;
    ByteView rdata;
  };
  struct Place {
    size_t at;  // in canonical_
    size_t size;
    uint32_t ttl;
  };

  // RRSIGs stand with what they cover, but are one RRset of type 46 in canonical order, each with its own TTL (RFC 4034
  // §3).
  void gather_rrsigs(const RecordSource::Node& node) {
    rrsigs_.clear();
    for (const RrsetInput& rrset : node.rrsets) {
      if (at_apex_ && rrset.type == RrType::ZONEMD) continue;
      for (const ByteView rdata : rrset.rrsigs) rrsigs_.push_back({rrset.ttl, rdata});
      if (rrset.type != RrType::RRSIG) continue;
      // Those that cover nothing that stands here.
      for (const ByteView rdata : rrset.rdatas) {
        const bool covers_zonemd = rdata.size() >= 2 && load_u16(rdata.data()) == static_cast<uint16_t>(RrType::ZONEMD);
        if (!at_apex_ || !covers_zonemd) rrsigs_.push_back({rrset.ttl, rdata});
      }
    }
  }

  void write(RrType type, const std::vector<Record>& records) {
    canonical_.clear();
    places_.clear();
    for (const Record& record : records) {
      places_.push_back({canonical_.size(), record.rdata.size(), record.ttl});
      append(canonical_, record.rdata);
      dns::canonicalize_rdata(type, MutableByteView(canonical_).subspan(places_.back().at));
    }
    const auto rdata_of = [this](const Place& place) { return ByteView(canonical_).subspan(place.at, place.size); };
    const auto before = [&](const Place& a, const Place& b) {
      return dns::compare_rdata(rdata_of(a), rdata_of(b)) < 0;
    };
    if (!std::is_sorted(places_.begin(), places_.end(), before)) std::sort(places_.begin(), places_.end(), before);
    const Place* last = nullptr;
    for (const Place& place : places_) {
      // §3.3.1.1: of equal records one is digested. Names that differ in case make equal records too.
      if (last != nullptr && dns::compare_rdata(rdata_of(*last), rdata_of(place)) == 0) continue;
      last = &place;
      append(out_, owner_.view().wire());
      append_u16(out_, value(type));
      append_u16(out_, class_in);
      append_u32(out_, place.ttl);
      append_u16(out_, static_cast<uint16_t>(place.size));
      append(out_, rdata_of(place));
    }
  }

  void flush() {
    for (crypto::Hasher& hasher : hashers_) hasher.update(out_);
    out_.clear();
  }

  dns::Name apex_;
  std::vector<crypto::Hasher> hashers_;
  Bytes out_;
  // One name's.
  dns::Name owner_;
  bool at_apex_ = false;
  std::vector<Record> records_;
  std::vector<Record> rrsigs_;
  Bytes canonical_;
  std::vector<Place> places_;
};

const RrsetInput* find(const RecordSource::Node& node, RrType type) {
  const auto at =
      std::find_if(node.rrsets.begin(), node.rrsets.end(), [type](const RrsetInput& r) { return r.type == type; });
  return at == node.rrsets.end() ? nullptr : &*at;
}

std::optional<uint32_t> serial_of(const RecordSource::Node& apex) {
  const RrsetInput* soa = find(apex, RrType::SOA);
  if (soa == nullptr || soa->rdatas.size() != 1 || soa->rdatas[0].size() < 22) return std::nullopt;
  // RFC 1035 §3.3.13: SERIAL is the first of the five numbers that end the RDATA.
  return load_u32(&soa->rdatas[0][soa->rdatas[0].size() - 20]);
}

// §4 for one ZONEMD among `all`, as far as it can be told without the digest.
ZonemdVerdict judge(const ZonemdView& one, const std::vector<ZonemdView>& all, uint32_t serial) {
  const auto same = [&one](const ZonemdView& other) { return other.scheme == one.scheme && other.hash == one.hash; };
  if (std::count_if(all.begin(), all.end(), same) > 1) return ZonemdVerdict::Duplicate;
  const auto hash = known_hash(one.hash);
  if (one.scheme != zonemd_scheme_simple || !hash) return ZonemdVerdict::Unsupported;
  if (one.serial != serial) return ZonemdVerdict::SerialDiffers;
  if (one.digest.size() != crypto::digest_size(algorithm_of(*hash))) return ZonemdVerdict::Mismatch;
  return ZonemdVerdict::Verified;
}

std::string sentence(ZonemdVerdict verdict, const ZonemdView& zonemd, uint32_t serial) {
  const auto hash = known_hash(zonemd.hash);
  switch (verdict) {
    case ZonemdVerdict::Absent: return "no ZONEMD";
    case ZonemdVerdict::Verified: return fmt::format("ZONEMD verified: {} digest of serial {}", to_text(*hash), serial);
    case ZonemdVerdict::Mismatch:
      return fmt::format("ZONEMD: the {} digest is not that of the zone, serial {} (RFC 8976 section 4)",
                         to_text(*hash), serial);
    case ZonemdVerdict::SerialDiffers:
      return fmt::format("ZONEMD: made for serial {}, the SOA has {} (RFC 8976 section 4)", zonemd.serial, serial);
    case ZonemdVerdict::Duplicate:
      return fmt::format("ZONEMD: several with scheme {} and hash algorithm {} (RFC 8976 section 4)", zonemd.scheme,
                         zonemd.hash);
    case ZonemdVerdict::Unsupported:
      return fmt::format("ZONEMD: scheme {} with hash algorithm {} is not known here", zonemd.scheme, zonemd.hash);
    case ZonemdVerdict::NoSoa: return "ZONEMD: not exactly one SOA at the apex";
  }
  return {};
}

int rank(ZonemdVerdict verdict) {
  constexpr std::array order = {ZonemdVerdict::Verified, ZonemdVerdict::Mismatch, ZonemdVerdict::SerialDiffers,
                                ZonemdVerdict::Duplicate, ZonemdVerdict::Unsupported};
  return static_cast<int>(std::find(order.begin(), order.end(), verdict) - order.begin());
}

struct Apex {
  std::optional<uint32_t> serial;
  std::vector<Bytes> zonemds;
};

Apex read_apex(RecordSource& records) {
  Apex apex;
  records.rewind();
  RecordSource::Node node;
  // It is the first but for what is out of zone.
  while (records.next(node)) {
    if (!(node.owner == records.apex())) continue;
    apex.serial = serial_of(node);
    if (const RrsetInput* zonemd = find(node, RrType::ZONEMD))
      for (const ByteView rdata : zonemd->rdatas) apex.zonemds.emplace_back(rdata.begin(), rdata.end());
    break;
  }
  records.rewind();
  return apex;
}

void digest_all(RecordSource& records, Digester& digester) {
  records.rewind();
  RecordSource::Node node;
  while (records.next(node)) digester.add(node);
  records.rewind();
}

}  // namespace

std::string_view to_text(ZonemdHash hash) { return hash == ZonemdHash::Sha384 ? "sha384" : "sha512"; }

Result<ZonemdView> ZonemdView::from_rdata(ByteView rdata) {
  if (rdata.size() < fixed_size) return fail(Errc::Invalid, "ZONEMD: RDATA ends before its digest (RFC 8976 §2.2)");
  return ZonemdView{load_u32(rdata.data()), rdata[4], rdata[5], rdata.subspan(fixed_size)};
}

void append_zonemd_rdata(uint32_t serial, ZonemdHash hash, ByteView digest, Bytes& out) {
  append_u32(out, serial);
  append_u8(out, zonemd_scheme_simple);
  append_u8(out, static_cast<uint8_t>(hash));
  append(out, digest);
}

Bytes zonemd_placeholder(uint32_t serial, ZonemdHash hash) {
  Bytes rdata;
  append_zonemd_rdata(serial, hash, Bytes(crypto::digest_size(algorithm_of(hash)), 0), rdata);
  return rdata;
}

Result<Bytes> make_zonemd(RecordSource& records, ZonemdHash hash) {
  const Apex apex = read_apex(records);
  if (!apex.serial)
    return fail(Errc::Invalid, records.apex().to_text() + ": not exactly one SOA at the apex (RFC 1035 §5.2)");
  Digester digester(records.apex(), std::array{hash});
  digest_all(records, digester);
  Bytes rdata;
  append_zonemd_rdata(*apex.serial, hash, digester.finish(0), rdata);
  return rdata;
}

ZonemdVerification verify_zonemd(RecordSource& records) {
  const Apex apex = read_apex(records);
  if (apex.zonemds.empty()) return {ZonemdVerdict::Absent, "no ZONEMD"};
  if (!apex.serial) return {ZonemdVerdict::NoSoa, sentence(ZonemdVerdict::NoSoa, {}, 0)};
  std::vector<ZonemdView> all;
  for (const Bytes& rdata : apex.zonemds)
    if (const auto view = ZonemdView::from_rdata(rdata)) all.push_back(*view);

  std::vector<ZonemdHash> hashes;
  for (const ZonemdView& one : all)
    if (judge(one, all, *apex.serial) == ZonemdVerdict::Verified) hashes.push_back(*known_hash(one.hash));
  Digester digester(records.apex(), hashes);
  if (!hashes.empty()) digest_all(records, digester);
  std::vector<Bytes> digests;
  for (size_t i = 0; i < hashes.size(); ++i) digests.push_back(digester.finish(i));

  ZonemdVerification best{ZonemdVerdict::Unsupported, "ZONEMD: malformed"};
  for (const ZonemdView& one : all) {
    ZonemdVerdict verdict = judge(one, all, *apex.serial);
    if (verdict == ZonemdVerdict::Verified) {
      const auto at = std::find(hashes.begin(), hashes.end(), *known_hash(one.hash)) - hashes.begin();
      const Bytes& digest = digests[static_cast<size_t>(at)];
      if (!std::equal(digest.begin(), digest.end(), one.digest.begin(), one.digest.end()))
        verdict = ZonemdVerdict::Mismatch;
    }
    if (&one == all.data() || rank(verdict) < rank(best.verdict))
      best = {verdict, sentence(verdict, one, *apex.serial)};
  }
  return best;
}

bool is_acceptable(ZonemdVerdict verdict, ZonemdPolicy policy) {
  if (policy == ZonemdPolicy::Ignore) return true;
  switch (verdict) {
    case ZonemdVerdict::Verified: return true;
    case ZonemdVerdict::Absent:
    case ZonemdVerdict::Unsupported: return policy == ZonemdPolicy::WhenPresent;
    case ZonemdVerdict::Mismatch:
    case ZonemdVerdict::SerialDiffers:
    case ZonemdVerdict::Duplicate:
    case ZonemdVerdict::NoSoa: return false;
  }
  return false;
}

}  // namespace steward::sign
