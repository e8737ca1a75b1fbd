#include "client/chain.hh"

#include <fmt/format.h>

#include <algorithm>

#include "client/names.hh"
#include "dns/rr_type.hh"
#include "sign/delegation.hh"

namespace steward::client {
namespace {

using dns::Name;
using dns::NameView;
using dns::Record;
using dns::RrType;
using sign::Verdict;

/// Most that is tried for one RRset or one key set: whoever sends more wants the work, not the answer (CVE-2023-50387).
constexpr size_t max_signatures = 8;
constexpr size_t max_keys = 16;

std::string described(const SignedRrset& rrset) {
  return fmt::format("{} {}", plain_text(rrset.owner), dns::to_text(rrset.type));
}

tl::unexpected<Error> untrusted(const SignedRrset& rrset, std::string_view why) {
  return fail(Errc::Corrupt, fmt::format("{}: {}", described(rrset), why));
}

/// Whether this anchor or DS record stands for the key.
bool stands_for(NameView zone, RrType type, ByteView secure, ByteView dnskey) {
  if (type == RrType::DNSKEY) return std::equal(secure.begin(), secure.end(), dnskey.begin(), dnskey.end());
  // RFC 8624 §3.3: a DS with SHA-1 is not enough.
  constexpr uint8_t sha1 = 1;
  if (secure.size() < 4 || secure[3] == sha1) return false;
  return sign::ds_matches(zone, dnskey, secure).value_or(false);
}

}  // namespace

Result<Chain> Chain::build(std::span<const Record> anchors, std::span<const SignedRrset> rrsets, UnixTime now,
                           Need need) {
  Chain chain(now, need);
  std::string reason = "no DNSKEY RRset of a trust anchor's zone is there";
  // A zone is proved once its parent is: as many rounds as there are zones.
  for (bool more = true; more;) {
    more = false;
    for (const SignedRrset& rrset : rrsets) {
      if (rrset.type != RrType::DNSKEY || chain.find_zone(rrset.owner) != nullptr) continue;
      const auto added = chain.add_zone(anchors, rrsets, rrset);
      if (!added)
        reason = added.error().what;
      else
        more = more || *added;
    }
  }
  if (chain.zones_.empty()) return fail(Errc::Corrupt, reason);
  return chain;
}

std::vector<Name> Chain::zones() const {
  std::vector<Name> names;
  for (const Zone& zone : zones_) names.push_back(zone.name);
  return names;
}

Chain::Zone* Chain::find_zone(NameView name) {
  for (Zone& zone : zones_)
    if (zone.name == name) return &zone;
  return nullptr;
}

Result<bool> Chain::add_zone(std::span<const Record> anchors, std::span<const SignedRrset> rrsets,
                             const SignedRrset& dnskeys) {
  const NameView zone = dnskeys.owner;
  if (dnskeys.rdatas.size() > max_keys) return untrusted(dnskeys, "too many keys");
  std::vector<Record> secure;
  for (const Record& anchor : anchors)
    if (anchor.owner == zone) secure.push_back(anchor);
  // RFC 4035 §5.2: the DS RRset is the parent's, and signed by it.
  if (const SignedRrset* ds = find_rrset(rrsets, zone, RrType::DS); secure.empty() && ds != nullptr) {
    const auto parent = check(*ds);
    if (!parent) return tl::unexpected(parent.error());
    if (!zone.is_below(*parent)) return untrusted(*ds, "is not signed by a zone above");
    for (const Bytes& rdata : ds->rdatas) secure.push_back({.owner = Name(zone), .type = RrType::DS, .rdata = rdata});
  }
  if (secure.empty()) return false;

  // RFC 4035 §5.2: a key that DS or anchor names signs the DNSKEY RRset; then all of its keys are good.
  Zone entry{.name = Name(zone), .keys = {}, .proof = {}};
  for (const Bytes& rdata : dnskeys.rdatas) {
    const bool named = std::any_of(secure.begin(), secure.end(),
                                   [&](const Record& r) { return stands_for(zone, r.type, r.rdata, rdata); });
    auto key = named ? sign::ZoneKey::from_dnskey(rdata) : tl::unexpected(Error{});
    if (key) entry.keys.push_back(std::move(*key));
  }
  if (entry.keys.empty()) return untrusted(dnskeys, "no key in it is the one that DS or trust anchor name");
  zones_.push_back(std::move(entry));
  const auto signer = check(dnskeys);
  if (!signer || *signer != zone) {
    zones_.pop_back();
    return signer ? Result<bool>(untrusted(dnskeys, "is not signed by its own zone")) : tl::unexpected(signer.error());
  }
  Zone& proved = zones_.back();
  proved.proof = first_that_holds(dnskeys).value();
  proved.keys.clear();
  for (const Bytes& rdata : dnskeys.rdatas)
    if (auto key = sign::ZoneKey::from_dnskey(rdata)) proved.keys.push_back(std::move(*key));
  return true;
}

Result<void> Chain::check_signature(const SignedRrset& rrset, ByteView rrsig) {
  const auto view = sign::RrsigView::from_rdata(rrsig);
  if (!view) return untrusted(rrset, view.error().what);
  Zone* zone = find_zone(view->signer);
  if (zone == nullptr)
    return untrusted(rrset, fmt::format("signed by {}, whose keys are not proved", view->signer.to_text()));
  if (view->labels != sign::rrsig_labels(rrset.owner)) return untrusted(rrset, "made from a wildcard");
  const std::vector<ByteView> rdatas(rrset.rdatas.begin(), rrset.rdatas.end());
  const sign::Rrset input{.owner = rrset.owner, .type = rrset.type, .ttl = rrset.ttl, .rdatas = rdatas};
  Verdict verdict = Verdict::KeyMismatch;
  for (sign::ZoneKey& key : zone->keys) {
    const Verdict next = sign::verify_rrset(key, zone->name, input, rrsig, now_, scratch_);
    if (next == Verdict::Valid) return {};
    if (next != Verdict::KeyMismatch) verdict = next;
  }
  return untrusted(rrset, sign::to_text(verdict));
}

Result<Bytes> Chain::first_that_holds(const SignedRrset& rrset) {
  Result<Bytes> held = untrusted(rrset, "is not signed");
  for (size_t i = 0; i < std::min(rrset.rrsigs.size(), max_signatures); ++i) {
    const auto holds = check_signature(rrset, rrset.rrsigs[i]);
    if (holds) return rrset.rrsigs[i];
    held = tl::unexpected(holds.error());
  }
  return held;
}

Result<Bytes> Chain::proving_signature(const SignedRrset& rrset) {
  const Zone* zone = rrset.type == RrType::DNSKEY ? find_zone(rrset.owner) : nullptr;
  return zone != nullptr ? zone->proof : first_that_holds(rrset);
}

Result<Name> Chain::check(const SignedRrset& rrset) {
  // Of a DNSKEY RRset that is proved the other signatures were checked when it was.
  const Zone* zone = rrset.type == RrType::DNSKEY ? find_zone(rrset.owner) : nullptr;
  if (zone != nullptr && !zone->proof.empty()) return zone->name;
  if (need_ == Need::Every && rrset.rrsigs.size() > max_signatures) return untrusted(rrset, "too many signatures");
  for (const Bytes& rrsig : need_ == Need::Every ? rrset.rrsigs : std::vector<Bytes>{})
    if (const auto holds = check_signature(rrset, rrsig); !holds) return tl::unexpected(holds.error());
  const auto held = first_that_holds(rrset);
  if (!held) return tl::unexpected(held.error());
  return Name(sign::RrsigView::from_rdata(*held)->signer);
}

}  // namespace steward::client
