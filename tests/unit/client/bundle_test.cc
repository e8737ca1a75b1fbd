#include "client/bundle.hh"

#include "client/chain.hh"
#include "client/trust_anchor.hh"
#include "dns/encoding.hh"
#include "rfc9102_vectors.hh"
#include "sign/denial.hh"
#include "signed_world.hh"

using namespace steward;
using namespace steward::client;
using namespace steward::client::test;

namespace {

Verification verified(const World& world, const Bytes& octets, UnixTime at = now) {
  return verify_bundle(octets, world.anchor(), seconds_of(at));
}
Verification verified(const World& world, std::vector<SignedRrset> rrsets, UnixTime at = now) {
  return verified(world, world.bundle(std::move(rrsets)).to_octets(), at);
}

SignedRrset nsec(const World& world, std::string_view owner, std::string_view next, const std::vector<RrType>& types) {
  Bytes rdata;
  sign::append_nsec_rdata(name(next), types, rdata);
  return world.zone.sign(name(owner), RrType::NSEC, {rdata}, 60);
}

void drop(std::vector<SignedRrset>& rrsets, RrType type) {
  std::erase_if(rrsets, [&](const SignedRrset& rrset) { return rrset.type == type; });
}

}  // namespace

TEST_CASE("chain: the RFC's chain is proved from the RFC's trust anchor [RFC 9102 Appendix A.1]") {
  const auto anchors = parse_anchors(rfc9102_anchor);
  REQUIRE_MESSAGE(anchors, anchors.error().what);
  // The RFC's AuthenticationChain is the records of a bundle.
  Bytes octets =
      Bundle{.what = ProofOf::Presence, .agent = name("_443._tcp.www.example.com."), .rrsets = {}}.to_octets();
  append(octets, dns::decode(dns::hex, rfc9102_chain).value());
  const auto bundle = Bundle::from_octets(octets);
  REQUIRE_MESSAGE(bundle, bundle.error().what);
  CHECK(bundle->to_octets() == octets);
  const UnixTime valid = unix_time(1'600'000'000);
  auto chain = Chain::build(*anchors, bundle->rrsets, valid, Need::Every);
  REQUIRE_MESSAGE(chain, chain.error().what);
  CHECK(chain->zones().size() == 3);
  const auto signer = chain->check(bundle->rrsets.front());
  REQUIRE_MESSAGE(signer, signer.error().what);
  CHECK(*signer == name("example.com."));
  const UnixTime after = unix_time(0x5fc6d901);
  CHECK_FALSE(Chain::build(*anchors, bundle->rrsets, after, Need::Every));
}

TEST_CASE("bundle: an agent's records are verified from the trust anchor of the zone above, and nothing else") {
  const World world;
  const auto verification = verified(world, world.agent_rrsets());
  CHECK(failed_step(verification) == "");
  CHECK(verification.passed());
  CHECK(verification.name == "orchestrator.vibe-agency.com.steward-registry.org");
  REQUIRE(verification.agent);
  CHECK(verification.agent->name_space == "vibe-agency.com");
  CHECK(verification.agent->usable);
  REQUIRE(verification.agent->endpoints.size() == 1);
  CHECK(verification.agent->endpoints[0].host == "agents.vibe-agency.com");
  CHECK(verification.agent->endpoints[0].protocol == "a2a");
}

TEST_CASE("bundle: no octet of it can be changed, taken away or added") {
  const World world;
  const Bytes sound = world.bundle(world.agent_rrsets()).to_octets();
  REQUIRE(verified(world, sound).passed());
  MESSAGE(sound.size(), " octets");
  size_t passed = 0;
  for (size_t i = 0; i < sound.size(); ++i)
    for (const uint8_t bit : {uint8_t{0x01}, uint8_t{0x20}}) {
      Bytes changed = sound;
      changed[i] ^= bit;
      passed += verified(world, changed).passed();
    }
  CHECK(passed == 0);
  for (size_t size = 0; size < sound.size(); ++size)
    passed += verified(world, Bytes(sound.begin(), sound.begin() + static_cast<ptrdiff_t>(size))).passed();
  CHECK(passed == 0);
  Bytes longer = sound;
  longer.push_back(0);
  CHECK_FALSE(verified(world, longer).passed());
}

TEST_CASE("bundle: signatures hold from their inception to their expiration") {
  const World world;
  const auto rrsets = world.agent_rrsets();
  CHECK(verified(world, rrsets, now + Seconds(3600)).passed());
  CHECK_FALSE(verified(world, rrsets, now + Seconds(3601)).passed());
  CHECK(verified(world, rrsets, now - Seconds(3600)).passed());
  CHECK_FALSE(verified(world, rrsets, now - Seconds(3601)).passed());
}

TEST_CASE("bundle: another trust anchor, a missing DS, keys of another zone prove nothing") {
  const World world;
  const World other;
  const Bundle bundle = world.bundle(world.agent_rrsets());
  CHECK_FALSE(verify_bundle(bundle.to_octets(), other.anchor(), seconds_of(now)).passed());
  CHECK_FALSE(verify_bundle(bundle.to_octets(), "", seconds_of(now)).passed());
  Bundle without = bundle;
  drop(without.rrsets, RrType::DS);
  CHECK_FALSE(verified(world, without.to_octets()).passed());
  auto foreign = world.agent_rrsets();
  foreign[0] = other.zone.sign(foreign[0].owner, foreign[0].type, foreign[0].rdatas);
  CHECK_FALSE(verified(world, foreign).passed());
}

TEST_CASE("bundle: what is not needed is refused, though it is signed") {
  const World world;
  auto rrsets = world.agent_rrsets();
  rrsets.push_back(
      world.zone.sign(name("other.vibe-agency.com.steward-registry.org."), RrType::TXT, {txt({{"a", "b"}})}));
  CHECK(failed_step(verified(world, rrsets)).find("not needed") != std::string::npos);
}

TEST_CASE("bundle: records that are left out are noticed") {
  const World world;
  for (const auto& [type, step] : {std::pair(RrType::SRV, "endpoints"), std::pair(RrType::SVCB, "endpoints"),
                                   std::pair(RrType::KEY, "statement")}) {
    auto rrsets = world.agent_rrsets();
    drop(rrsets, type);
    CHECK(failed_step(verified(world, rrsets)).starts_with(step));
  }
  auto silent = world.agent_rrsets();
  silent.pop_back();
  CHECK(failed_step(verified(world, silent)).starts_with("registry"));
}

TEST_CASE("bundle: a registry that puts other endpoints in its signed zone is caught by the publisher's signature") {
  const World world;
  auto rrsets = world.agent_rrsets();
  for (SignedRrset& rrset : rrsets)
    if (rrset.type == RrType::SRV) {
      Bytes rdata = rrset.rdatas[0];
      rdata[5] = 0x50;
      rrset = world.zone.sign(rrset.owner, RrType::SRV, {rdata});
    }
  const auto verification = verified(world, rrsets);
  CHECK(failed_step(verification).starts_with("endpoints"));
  REQUIRE(verification.agent);
  CHECK_FALSE(verification.agent->usable);
  CHECK(verification.agent->endpoints.empty());
}

TEST_CASE("bundle: a suspended agent is not verified") {
  World world;
  world.registry_status = "suspended";
  CHECK(failed_step(verified(world, world.agent_rrsets())).starts_with("registry: com.vibe-agency: suspended"));
}

TEST_CASE("bundle: an answer that was made from a wildcard proves nothing of the name [RFC 4035 §5.3.4]") {
  const World world;
  auto rrsets = world.agent_rrsets();
  SignedRrset made = world.zone.sign(name("*.vibe-agency.com.steward-registry.org."), RrType::KEY, rrsets[1].rdatas);
  for (SignedRrset& rrset : rrsets)
    if (rrset.type == RrType::KEY) rrset.rrsigs = made.rrsigs;
  CHECK(failed_step(verified(world, rrsets)).starts_with("dnssec"));
}

TEST_CASE("bundle: the fingerprint that is known must be the present one, or lead to it by rotation") {
  const World world;
  const auto new_print = world.publisher.public_key().fingerprint().value();
  const auto octets = [&](std::vector<SignedRrset> rrsets) { return world.bundle(std::move(rrsets)).to_octets(); };
  VerifyOptions options{.fingerprint = new_print};
  CHECK(verify_bundle(octets(world.agent_rrsets()), world.anchor(), seconds_of(now), options).passed());

  const auto old_key = new_key(crypto::Algorithm::ED25519);
  options.fingerprint = old_key.public_key().fingerprint().value();
  CHECK(failed_step(verify_bundle(octets(world.agent_rrsets()), world.anchor(), seconds_of(now), options))
            .starts_with("key"));

  const auto rotation = agent::Rotation::make(world.agent, 1, old_key, world.publisher, now);
  REQUIRE(rotation);
  auto rrsets = world.agent_rrsets();
  for (SignedRrset& rrset : rrsets)
    if (rrset.type == RrType::KEY)
      rrset = world.zone.sign(world.agent, RrType::KEY, {rrset.rdatas[0], old_key.public_key().dnskey_rdata(512)});
  const Bytes record(rotation->txt_rdata().begin(), rotation->txt_rdata().end());
  rrsets.push_back(world.zone.sign(below("_keys", world.agent).value(), RrType::TXT, {record}));
  const auto verification = verify_bundle(octets(rrsets), world.anchor(), seconds_of(now), options);
  CHECK(failed_step(verification) == "");
  REQUIRE(verification.agent);
  CHECK(verification.agent->rotations.size() == 1);
}

TEST_CASE("bundle: the absence of an agent is proved, and of no other name") {
  World world;
  world.agent = name("nobody.vibe-agency.com.steward-registry.org.");
  const std::vector<SignedRrset> denial{
      nsec(world, "coder.vibe-agency.com.steward-registry.org.", "orchestrator.vibe-agency.com.steward-registry.org.",
           {RrType::TXT, RrType::RRSIG, RrType::NSEC}),
      nsec(world, "vibe-agency.com.steward-registry.org.", "coder.vibe-agency.com.steward-registry.org.",
           {RrType::NS, RrType::SOA, RrType::RRSIG, RrType::NSEC})};
  const Bytes octets = world.bundle(denial, ProofOf::Absence).to_octets();
  const auto verification = verified(world, octets);
  CHECK(failed_step(verification) == "");
  CHECK(verification.absent);
  CHECK(verification.name == "nobody.vibe-agency.com.steward-registry.org");

  Bundle other = world.bundle(denial, ProofOf::Absence);
  other.agent = name("zebra.vibe-agency.com.steward-registry.org.");
  CHECK_FALSE(verified(world, other.to_octets()).passed());
  other.agent = name("orchestrator.vibe-agency.com.steward-registry.org.");
  CHECK_FALSE(verified(world, other.to_octets()).passed());
  // Without the denial of the wildcard.
  CHECK_FALSE(verified(world, world.bundle({denial[0]}, ProofOf::Absence).to_octets()).passed());
}
