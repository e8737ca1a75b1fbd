#include "client/bundle.hh"

#include <fmt/format.h>

#include <algorithm>

#include "dns/rdata.hh"
#include "sign/rrsig.hh"

namespace steward::client {
namespace {

using dns::Name;
using dns::NameView;
using dns::RrType;

constexpr std::string_view magic = "stewprf1";

void append_rr(Bytes& out, NameView owner, RrType type, uint32_t ttl, ByteView rdata) {
  append(out, owner.wire());
  append_u16(out, dns::value(type));
  append_u16(out, dns::value(dns::RrClass::IN));
  append_u32(out, ttl);
  append_u16(out, static_cast<uint16_t>(rdata.size()));
  append(out, rdata);
}

/// Reads what append_rr() wrote, one record after the other; the first rule that is broken ends it.
class RecordSequence {
 public:
  RecordSequence(ByteView octets, size_t at) : octets_(octets), at_(at) {}

  [[nodiscard]] bool more() const { return at_ < octets_.size(); }
  [[nodiscard]] size_t at() const { return at_; }

  Result<Name> name() {
    const auto name = NameView::from_wire(octets_.subspan(std::min(at_, octets_.size())));
    if (!name) return broken(name.error().what);
    const Name folded = Name(*name).folded();
    if (!std::equal(folded.data(), folded.data() + folded.size(), name->data()))
      return broken("a name that is not in lower case");
    at_ += name->size();
    return folded;
  }

  Result<dns::Record> record() {
    const auto owner = name();
    if (!owner) return tl::unexpected(owner.error());
    ByteReader in(octets_, at_);
    dns::Record record{.owner = *owner, .rdata = {}};
    record.type = static_cast<RrType>(in.u16());
    record.klass = static_cast<dns::RrClass>(in.u16());
    record.ttl = in.u32();
    const ByteView rdata = in.bytes(in.u16());
    if (!in.ok()) return broken("a record that ends early");
    if (record.klass != dns::RrClass::IN || dns::is_meta_type(record.type))
      return broken("a record of another class, or of no zone");
    if (const auto sound = dns::check_rdata(record.type, rdata); !sound) return broken(sound.error().what);
    record.rdata.assign(rdata.begin(), rdata.end());
    dns::canonicalize_rdata(record.type, record.rdata);
    if (!std::equal(rdata.begin(), rdata.end(), record.rdata.begin()))
      return broken("RDATA that is not in canonical form");
    at_ = in.at();
    return record;
  }

  [[nodiscard]] tl::unexpected<Error> broken(std::string_view rule) const {
    return fail(Errc::Invalid, fmt::format("bundle, octet {}: {}", at_, rule));
  }

 private:
  ByteView octets_;
  size_t at_;
};

/// Whether the record goes on with the RRset, or signs it; where it does, it is put there. False: a new RRset begins.
Result<bool> goes_on(SignedRrset& rrset, const dns::Record& record, const RecordSequence& from) {
  if (record.owner != rrset.owner) return false;
  if (record.type == RrType::RRSIG) {
    const auto view = sign::RrsigView::from_rdata(record.rdata);
    if (!view || view->type_covered != rrset.type) return from.broken("an RRSIG that does not follow what it covers");
    if (record.ttl != rrset.ttl || view->original_ttl != rrset.ttl)
      return from.broken("a TTL that is not the one that was signed");
    if (!rrset.rrsigs.empty() && dns::compare_rdata(rrset.rrsigs.back(), record.rdata) >= 0)
      return from.broken("RRSIGs out of order");
    rrset.rrsigs.push_back(record.rdata);
    return true;
  }
  if (record.type != rrset.type) return false;
  if (!rrset.rrsigs.empty()) return from.broken("an RRset that stands there in pieces");
  if (record.ttl != rrset.ttl) return from.broken("an RRset with two TTLs");
  if (dns::compare_rdata(rrset.rdatas.back(), record.rdata) >= 0) return from.broken("records out of canonical order");
  rrset.rdatas.push_back(record.rdata);
  return true;
}

Result<std::vector<SignedRrset>> read_rrsets(RecordSequence& from) {
  std::vector<SignedRrset> rrsets;
  while (from.more()) {
    const auto record = from.record();
    if (!record) return tl::unexpected(record.error());
    if (!rrsets.empty()) {
      const auto taken = goes_on(rrsets.back(), *record, from);
      if (!taken) return tl::unexpected(taken.error());
      if (*taken) continue;
      if (rrsets.back().rrsigs.empty()) return from.broken("an RRset without a signature behind it");
    }
    if (record->type == RrType::RRSIG) return from.broken("an RRSIG that does not follow what it covers");
    if (find_rrset(rrsets, record->owner, record->type) != nullptr)
      return from.broken("an RRset that stands there twice");
    rrsets.push_back(
        {.owner = record->owner, .type = record->type, .ttl = record->ttl, .rdatas = {record->rdata}, .rrsigs = {}});
  }
  if (rrsets.empty() || rrsets.back().rrsigs.empty()) return from.broken("an RRset without a signature behind it");
  return rrsets;
}

}  // namespace

Bytes Bundle::to_octets() const {
  Bytes out;
  append(out, as_bytes(magic));
  append_u8(out, static_cast<uint8_t>(what));
  append(out, agent.view().wire());
  for (const SignedRrset& rrset : rrsets) {
    for (const Bytes& rdata : rrset.rdatas) append_rr(out, rrset.owner, rrset.type, rrset.ttl, rdata);
    for (const Bytes& rrsig : rrset.rrsigs) append_rr(out, rrset.owner, RrType::RRSIG, rrset.ttl, rrsig);
  }
  return out;
}

Result<Bundle> Bundle::from_octets(ByteView octets) {
  if (octets.size() > max_bundle_size)
    return fail(Errc::Invalid, fmt::format("bundle: over {} octets", max_bundle_size));
  if (octets.size() <= magic.size() || as_text(octets.first(magic.size())) != magic)
    return fail(Errc::Invalid, fmt::format("bundle: does not begin with '{}'", magic));
  const uint8_t kind = octets[magic.size()];
  if (kind > static_cast<uint8_t>(ProofOf::Absence))
    return fail(Errc::Invalid, "bundle: neither a proof of presence nor of absence");
  Bundle bundle{.what = static_cast<ProofOf>(kind), .rrsets = {}};
  RecordSequence from(octets, magic.size() + 1);
  const auto agent = from.name();
  if (!agent) return tl::unexpected(agent.error());
  bundle.agent = *agent;
  auto rrsets = read_rrsets(from);
  if (!rrsets) return tl::unexpected(rrsets.error());
  bundle.rrsets = std::move(*rrsets);
  return bundle;
}

}  // namespace steward::client
