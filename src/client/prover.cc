#include "client/prover.hh"

#include <fmt/format.h>

#include <algorithm>

#include "client/chain.hh"
#include "client/names.hh"

namespace steward::client {
namespace {

using dns::Name;
using dns::NameView;
using dns::Record;
using dns::RrType;

/// A chain that is longer than a name can be.
constexpr size_t max_zones = 32;

bool is_anchor(std::span<const Record> anchors, NameView zone) {
  return std::any_of(anchors.begin(), anchors.end(), [&](const Record& anchor) { return anchor.owner == zone; });
}

/// The zone whose key signed the RRset, as its first RRSIG says; chain.check() sees whether that is true.
Result<Name> signer_of(const SignedRrset& rrset) {
  const auto view =
      rrset.rrsigs.empty() ? fail(Errc::Corrupt, "is not signed") : sign::RrsigView::from_rdata(rrset.rrsigs[0]);
  if (!view)
    return fail(Errc::Corrupt,
                fmt::format("{} {}: {}", plain_text(rrset.owner), dns::to_text(rrset.type), view.error().what));
  return Name(view->signer).folded();
}

/// One RRset of the answer to a question about a zone.
Result<SignedRrset> ask_one(Resolver& resolver, const Name& zone, RrType type) {
  const Question question{zone, type};
  const auto answers = resolver.ask({&question, 1});
  if (!answers) return tl::unexpected(answers.error());
  const Answer& answer = (*answers)[0];
  if (answer.security == Security::Bogus) return fail(Errc::Corrupt, answer.note);
  const auto rrsets = collect_rrsets(answer.message.answer);
  const SignedRrset* found = find_rrset(rrsets, zone, type);
  if (found == nullptr)
    return fail(Errc::Corrupt, fmt::format("{} has no {}: no chain leads to it from the trust anchor", plain_text(zone),
                                           dns::to_text(type)));
  return *found;
}

/// DNSKEY of the zone, then DS and DNSKEY of each zone above it, up to an anchor's.
Result<void> append_chain(Resolver& resolver, std::span<const Record> anchors, Name zone,
                          std::vector<SignedRrset>& rrsets) {
  for (size_t i = 0; i < max_zones; ++i) {
    if (find_rrset(rrsets, zone, RrType::DNSKEY) != nullptr) return {};
    auto keys = ask_one(resolver, zone, RrType::DNSKEY);
    if (!keys) return tl::unexpected(keys.error());
    rrsets.push_back(std::move(*keys));
    if (is_anchor(anchors, zone)) return {};
    if (zone.view().is_root()) break;
    auto ds = ask_one(resolver, zone, RrType::DS);
    if (!ds) return tl::unexpected(ds.error());
    const auto parent = signer_of(*ds);
    if (!parent) return tl::unexpected(parent.error());
    if (!zone.view().is_below(*parent))
      return fail(Errc::Corrupt, fmt::format("{} DS: is not signed by a zone above", plain_text(zone)));
    rrsets.push_back(std::move(*ds));
    zone = *parent;
  }
  return fail(Errc::Corrupt, "no chain of signatures leads from the trust anchor to the answer");
}

/// RRsets of one answer that go into the bundle.
void take_answer(const Answer& answer, ProofOf what, std::vector<SignedRrset>& rrsets) {
  if (what == ProofOf::Presence) {
    const auto found = collect_rrsets(answer.message.answer);
    if (const SignedRrset* rrset = find_rrset(found, answer.question.name, answer.question.type))
      rrsets.push_back(*rrset);
    return;
  }
  for (SignedRrset& rrset : collect_rrsets(answer.message.authority))
    if (rrset.type == RrType::NSEC || rrset.type == RrType::NSEC3) rrsets.push_back(std::move(rrset));
}

Result<std::vector<SignedRrset>> ask_agent(Resolver& resolver, NameView agent, ProofOf what) {
  auto questions = agent_questions(agent, WithManifest::No);
  if (!questions) return tl::unexpected(questions.error());
  if (what == ProofOf::Absence) questions->resize(1);
  const auto answers = resolver.ask(*questions);
  if (!answers) return tl::unexpected(answers.error());
  std::vector<SignedRrset> rrsets;
  for (const Answer& answer : *answers) {
    if (answer.security != Security::Secure) return fail(Errc::Corrupt, answer.note);
    take_answer(answer, what, rrsets);
  }
  const bool exists = !(*answers)[0].rdatas.empty();
  if (what == ProofOf::Presence && !exists)
    return fail(Errc::NotFound, fmt::format("{} does not exist", plain_text(agent)));
  if (what == ProofOf::Absence && exists) return fail(Errc::Exists, fmt::format("{} exists", plain_text(agent)));
  return rrsets;
}

/// The TTL as it was signed, and the one signature that is needed.
Result<void> trim(std::vector<SignedRrset>& rrsets, std::span<const Record> anchors, UnixTime now) {
  for (SignedRrset& rrset : rrsets) {
    const auto view =
        rrset.rrsigs.empty() ? fail(Errc::Corrupt, "is not signed") : sign::RrsigView::from_rdata(rrset.rrsigs[0]);
    if (view) rrset.ttl = view->original_ttl;
  }
  auto chain = Chain::build(anchors, rrsets, now, Need::One);
  if (!chain) return tl::unexpected(chain.error());
  for (SignedRrset& rrset : rrsets) {
    auto proof = chain->proving_signature(rrset);
    if (!proof) return tl::unexpected(proof.error());
    rrset.rrsigs = {std::move(*proof)};
  }
  return {};
}

}  // namespace

Result<Bundle> make_bundle(Resolver& resolver, std::span<const Record> anchors, NameView agent, ProofOf what,
                           UnixTime now) {
  auto rrsets = ask_agent(resolver, agent, what);
  if (!rrsets) return tl::unexpected(rrsets.error());
  if (rrsets->empty())
    return fail(Errc::Corrupt, fmt::format("the answer about {} came without its proof", plain_text(agent)));
  const size_t proved = rrsets->size();
  for (size_t i = 0; i < proved; ++i) {
    const auto signer = signer_of((*rrsets)[i]);
    if (!signer) return tl::unexpected(signer.error());
    if (auto appended = append_chain(resolver, anchors, *signer, *rrsets); !appended)
      return tl::unexpected(appended.error());
  }
  if (auto trimmed = trim(*rrsets, anchors, now); !trimmed) return tl::unexpected(trimmed.error());
  Bundle bundle{.what = what, .agent = Name(agent), .rrsets = std::move(*rrsets)};
  if (const auto checked = check_bundle(bundle, anchors, now); !checked) return tl::unexpected(checked.error());
  return bundle;
}

}  // namespace steward::client
