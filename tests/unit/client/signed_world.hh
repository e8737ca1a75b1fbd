#pragma once
// Two zones with their chain of trust, and an agent that is published in the lower one, for tests without a network.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "agent/manifest.hh"
#include "agent/publication.hh"
#include "client/bundle.hh"
#include "client/names.hh"
#include "crypto/key_pair.hh"
#include "dns/rdata.hh"
#include "sign/delegation.hh"
#include "sign/rrsig.hh"

namespace steward::client::test {

using dns::Name;
using dns::RrType;

inline Name name(std::string_view text) { return Name::from_text(text).value(); }
inline const UnixTime now = unix_time(1'800'000'000);

inline crypto::KeyPair new_key(crypto::Algorithm algorithm = crypto::Algorithm::ECDSAP256SHA256) {
  auto key = crypto::KeyPair::generate(algorithm);
  REQUIRE(key);
  return std::move(*key);
}

struct Zone {
  Name apex;
  crypto::KeyPair key = new_key();

  [[nodiscard]] Bytes dnskey() const { return key.public_key().dnskey_rdata(257); }
  [[nodiscard]] Bytes ds() const {
    Bytes rdata;
    sign::append_ds_rdata(apex, dnskey(), sign::DsDigest::SHA256, rdata);
    return rdata;
  }
  /// In canonical form, with its signature.
  [[nodiscard]] SignedRrset sign(const Name& owner, RrType type, std::vector<Bytes> rdatas, uint32_t ttl = 300) const {
    for (Bytes& rdata : rdatas) dns::canonicalize_rdata(type, rdata);
    std::sort(rdatas.begin(), rdatas.end(),
              [](const Bytes& a, const Bytes& b) { return dns::compare_rdata(a, b) < 0; });
    SignedRrset rrset{.owner = owner.folded(), .type = type, .ttl = ttl, .rdatas = std::move(rdatas), .rrsigs = {}};
    auto signer = crypto::Signer::create(key);
    REQUIRE(signer);
    sign::SignScratch scratch;
    sign::RrsigList out;
    const std::vector<ByteView> views(rrset.rdatas.begin(), rrset.rdatas.end());
    const sign::Validity validity{now - Seconds(3600), now + Seconds(3600)};
    const auto made = sign::sign_rrset(*signer, crypto::key_tag(dnskey()), apex, {rrset.owner, type, ttl, views},
                                       validity, scratch, out);
    REQUIRE_MESSAGE(made, made.error().what);
    rrset.rrsigs.emplace_back(out[0].begin(), out[0].end());
    return rrset;
  }
  [[nodiscard]] SignedRrset keys() const { return sign(apex, RrType::DNSKEY, {dnskey()}, 3600); }
};

inline Bytes txt(const std::vector<std::pair<std::string, std::string>>& fields) {
  Bytes rdata;
  for (const auto& [key, value] : fields) agent::append_field(rdata, key, value);
  return rdata;
}

struct World {
  Zone root{name("steward-registry.org.")};
  Zone zone{name("vibe-agency.com.steward-registry.org.")};
  Name agent = name("orchestrator.vibe-agency.com.steward-registry.org.");
  crypto::KeyPair publisher = new_key(crypto::Algorithm::ED25519);
  std::string registry_status = "active";

  [[nodiscard]] std::string anchor() const {
    return fmt::format("{} IN DS {}\n", root.apex.to_text(), dns::rdata_to_text(RrType::DS, root.ds()));
  }
  [[nodiscard]] std::vector<dns::Record> anchors() const {
    return {{.owner = root.apex, .type = RrType::DS, .rdata = root.ds()}};
  }

  [[nodiscard]] std::vector<SignedRrset> agent_rrsets() const {
    const auto manifest = agent::read_manifest(
        R"({"name":"orchestrator","description":"Plans","version":"1.4.2","url":"https://agents.vibe-agency.com/a2a",)"
        R"("capabilities":{},"defaultInputModes":["text"],"defaultOutputModes":["text"],"skills":[{"id":"plan","name":"Plan","description":"plans","tags":["plan"]}]})");
    REQUIRE_MESSAGE(manifest, manifest.error().text());
    return agent_rrsets(*manifest);
  }
  /// The RRsets of `agent` with this manifest as a server of the zone would send them.
  [[nodiscard]] std::vector<SignedRrset> agent_rrsets(const agent::Manifest& manifest) const {
    const auto made = agent::make_publication(
        manifest, {.agent = agent, .modified = now, .successor = {}, .reason = {}, .custody = {}, .manifest_url = {}},
        publisher);
    REQUIRE_MESSAGE(made, made.error().what);
    std::map<RrType, std::vector<Bytes>> types;
    for (const agent::PublishedRecord& record : *made)
      if (record.owner == agent) types[record.type].push_back(record.rdata);
    std::vector<SignedRrset> rrsets;
    for (auto& [type, rdatas] : types) rrsets.push_back(zone.sign(agent, type, std::move(rdatas)));
    rrsets.push_back(zone.sign(below("_registry", agent).value(), RrType::TXT,
                               {txt({{"v", "steward-registry1"},
                                     {"registry", "com.vibe-agency"},
                                     {"trust", "0.94"},
                                     {"status", registry_status}})}));
    return rrsets;
  }
  [[nodiscard]] std::vector<SignedRrset> chain() const {
    return {zone.keys(), root.sign(zone.apex, RrType::DS, {zone.ds()}), root.keys()};
  }
  [[nodiscard]] Bundle bundle(std::vector<SignedRrset> rrsets, ProofOf what = ProofOf::Presence) const {
    for (SignedRrset& rrset : chain()) rrsets.push_back(std::move(rrset));
    return {.what = what, .agent = agent, .rrsets = std::move(rrsets)};
  }
};

/// The step that failed; empty where none did.
inline std::string failed_step(const Verification& verification) {
  for (const Step& step : verification.steps)
    if (step.result == StepResult::Failed) return step.name + ": " + step.what;
  return {};
}

}  // namespace steward::client::test
