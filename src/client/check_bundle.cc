#include <fmt/format.h>

#include <algorithm>

#include "agent/text_fields.hh"
#include "client/bundle.hh"
#include "client/chain.hh"
#include "client/denial.hh"
#include "client/names.hh"
#include "dns/serial.hh"

namespace steward::client {
namespace {

using dns::Name;
using dns::RrType;

bool is_chain(RrType type) { return type == RrType::DNSKEY || type == RrType::DS; }
bool is_denial(RrType type) { return type == RrType::NSEC || type == RrType::NSEC3; }

tl::unexpected<Error> not_needed(const SignedRrset& rrset) {
  return fail(Errc::Corrupt, fmt::format("bundle: {} {} is not needed for the proof", plain_text(rrset.owner),
                                         dns::to_text(rrset.type)));
}

/// The moment when the first of the signatures ends, in the era of `now` (RFC 4034 §3.1.5).
UnixTime end_of(const Bundle& bundle, UnixTime now) {
  const auto now32 = static_cast<uint32_t>(seconds_of(now));
  uint32_t least = UINT32_MAX;
  for (const SignedRrset& rrset : bundle.rrsets)
    for (const Bytes& rrsig : rrset.rrsigs)
      if (const auto view = sign::RrsigView::from_rdata(rrsig)) least = std::min(least, view->expiration - now32);
  return now + Seconds(least);
}

/// "steward-registry.org, com.steward-registry.org", the anchor's zone first.
std::string words_for(std::vector<Name> zones) {
  std::sort(zones.begin(), zones.end(),
            [](const Name& a, const Name& b) { return a.view().label_count() < b.view().label_count(); });
  std::string words;
  for (const Name& zone : zones) words += (words.empty() ? "" : ", ") + plain_text(zone);
  return words;
}

/// Every zone of the chain is one that something was proved in, or stands above one.
Result<void> check_needed(const Bundle& bundle, const std::vector<Name>& zones, const std::vector<Name>& signers) {
  for (const SignedRrset& rrset : bundle.rrsets) {
    if (!is_chain(rrset.type)) continue;
    const bool proved = rrset.type == RrType::DS ||
                        std::any_of(zones.begin(), zones.end(), [&](const Name& z) { return z == rrset.owner; });
    const bool used = std::any_of(signers.begin(), signers.end(),
                                  [&](const Name& s) { return s.view().is_at_or_below(rrset.owner); });
    if (!proved || !used) return not_needed(rrset);
  }
  return {};
}

}  // namespace

Result<BundleProof> check_bundle(const Bundle& bundle, std::span<const dns::Record> anchors, UnixTime now) {
  auto chain = Chain::build(anchors, bundle.rrsets, now, Need::Every);
  if (!chain) return tl::unexpected(chain.error());
  BundleProof proof{
      .records = {.agent = bundle.agent, .security = Security::Secure, .security_note = {}}, .chain = {}, .denial = {}};
  std::vector<SignedRrset> denials;
  std::vector<Name> signers;
  for (const SignedRrset& rrset : bundle.rrsets) {
    const auto signer = chain->check(rrset);
    if (!signer) return tl::unexpected(signer.error());
    if (is_chain(rrset.type)) continue;
    signers.push_back(*signer);
    if (bundle.what == ProofOf::Absence) {
      if (!is_denial(rrset.type) || *signer != signers.front()) return not_needed(rrset);
      denials.push_back(rrset);
    } else if (!take_rrset(proof.records, rrset.owner, rrset.type, rrset.rdatas)) {
      return not_needed(rrset);
    }
  }
  if (signers.empty()) return fail(Errc::Corrupt, "bundle: nothing but keys in it");
  if (const auto needed = check_needed(bundle, chain->zones(), signers); !needed) return tl::unexpected(needed.error());
  if (bundle.what == ProofOf::Absence) {
    const auto denial = check_denial(bundle.agent, RrType::TXT, signers.front(), denials);
    if (!denial) return tl::unexpected(denial.error());
    proof.denial = *denial;
  }
  proof.chain = fmt::format("signed from the trust anchor on ({}), until {}", words_for(chain->zones()),
                            agent::modified_to_text(end_of(bundle, now)));
  return proof;
}

}  // namespace steward::client
