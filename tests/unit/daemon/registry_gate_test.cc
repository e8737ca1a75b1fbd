// Registries that come with more than a registration: two proofs, and each must hold.

#include "daemon/registry_gate.hh"

#include "auth/registry_request.hh"
#include "crypto/certificate.hh"
#include "crypto/digest.hh"
#include "federation/identity.hh"
#include "registry_fixture.hh"

using namespace steward;
using namespace steward::daemon;
using namespace steward::daemon::test;

namespace {

std::shared_ptr<const crypto::KeyPair> make_key() {
  return std::make_shared<const crypto::KeyPair>(std::move(*crypto::KeyPair::generate(crypto::Algorithm::ED25519)));
}

/// The registry `com` below the root, as its parent or its child meets it.
struct Meeting {
  Meeting() {
    root = *crypto::make_root_certificate({name("s.example."), clock.now(), crypto::root_certificate_lifetime}, *root_key);
    shown = chain_of(*key);
    know({*key->public_key().spki()}, false);
  }

  [[nodiscard]] CertificateChain chain_of(const crypto::KeyPair& of, std::string_view zone = "com.s.example.") const {
    auto issued = crypto::issue_certificate({.zone = name(zone), .now = clock.now()}, of.public_key(), {root, *root_key});
    REQUIRE_MESSAGE(issued, issued.error().what);
    return {*issued};
  }
  void know(std::vector<Bytes> spkis, bool any_key, bool with_root = true) {
    auto known = std::make_shared<KnownRegistries>();
    if (with_root) known->root = root;
    known->zones["com.s.example."] = {name("com._registries._agents.s.example."), std::move(spkis), any_key};
    gate.set(std::move(known));
  }
  [[nodiscard]] Bytes request(const std::shared_ptr<const crypto::KeyPair>& by, std::string_view signer = "com._registries._agents.s.example.") const {
    dns::Message message;
    message.header.id = 7;
    message.question.push_back({name("eu-1._feed.com.s.example."), dns::RrType::AXFR, dns::RrClass::IN});
    auth::Nonce nonce{};
    crypto::random_octets(nonce);
    auto octets = auth::sign_registry_request(std::move(message), {name(signer), by}, clock.now(), nonce);
    REQUIRE_MESSAGE(octets, octets.error().what);
    return *octets;
  }
  bool take(const Bytes& message, const CertificateChain& with) {
    return take(message, with, {name("com.s.example.")}) == name("com.s.example.");
  }
  std::optional<dns::Name> take(const Bytes& message, const CertificateChain& with, const std::vector<dns::Name>& zones) {
    return gate.identify(message, with, *SocketAddress::from_text("192.0.2.1@4000"), zones);
  }
  uint64_t refused(const std::string& rule) {
    const auto by_rule = gate.figures().refused;
    const auto at = by_rule.find(rule);
    return at == by_rule.end() ? 0 : at->second;
  }

  SystemClock clock;
  std::shared_ptr<const crypto::KeyPair> root_key = make_key();
  std::shared_ptr<const crypto::KeyPair> key = make_key();
  Bytes root;
  CertificateChain shown;
  RegistryGate gate{clock};
};

}  // namespace

TEST_CASE("registry gate: certificates of the KEY and a request that this key has signed, once") {
  Meeting meeting;
  const Bytes request = meeting.request(meeting.key);
  CHECK(meeting.take(request, meeting.shown));
  CHECK(meeting.gate.figures().accepted == 1);
  CHECK_FALSE(meeting.take(request, meeting.shown));
  CHECK(meeting.refused("replay") == 1);
  CHECK(meeting.take(meeting.request(meeting.key), meeting.shown));
}

TEST_CASE("registry gate: of several that may come it is the one that the request names and proves, wherever it stands") {
  Meeting meeting;
  const dns::Name com = name("com.s.example.");
  const dns::Name org = name("org.s.example.");
  const auto org_key = make_key();
  auto known = std::make_shared<KnownRegistries>();
  known->root = meeting.root;
  known->zones[com.to_text()] = {name("com._registries._agents.s.example."), {*meeting.key->public_key().spki()}};
  known->zones[org.to_text()] = {name("org._registries._agents.s.example."), {*org_key->public_key().spki()}};
  meeting.gate.set(known);
  const auto of_org = [&] { return meeting.request(org_key, "org._registries._agents.s.example."); };
  const CertificateChain org_shown = meeting.chain_of(*org_key, "org.s.example.");
  CHECK(meeting.take(of_org(), org_shown, {com, org}) == org);
  CHECK(meeting.take(of_org(), org_shown, {org, com}) == org);
  CHECK(meeting.take(meeting.request(meeting.key), meeting.shown, {org, com}) == com);
  CHECK(meeting.gate.figures().accepted == 3);
  // Another's name with one's own certificate, and one that may not come at all.
  CHECK_FALSE(meeting.take(of_org(), meeting.shown, {com, org}));
  CHECK_FALSE(meeting.take(of_org(), org_shown, {com}));
  CHECK(meeting.gate.figures().accepted == 3);
}

TEST_CASE("registry gate: either proof alone does not do") {
  Meeting meeting;
  const auto other = make_key();
  dns::Message unsigned_message;
  unsigned_message.question.push_back({name("eu-1._feed.com.s.example."), dns::RrType::AXFR, dns::RrClass::IN});
  CHECK_FALSE(meeting.take(*unsigned_message.build(), meeting.shown));
  CHECK_FALSE(meeting.take(meeting.request(other), meeting.shown));
  CHECK_FALSE(meeting.take(meeting.request(meeting.key, "org._registries._agents.s.example."), meeting.shown));
  CHECK(meeting.refused("request") == 3);
  CHECK_FALSE(meeting.take(meeting.request(meeting.key), {}));
  CHECK_FALSE(meeting.take(meeting.request(meeting.key), meeting.chain_of(*meeting.key, "org.s.example.")));
  const auto forged_root = make_key();
  const Bytes forged = *crypto::make_root_certificate({name("s.example."), meeting.clock.now(), crypto::root_certificate_lifetime}, *forged_root);
  const auto by_stranger =
      crypto::issue_certificate({.zone = name("com.s.example."), .now = meeting.clock.now()}, meeting.key->public_key(), {forged, *forged_root});
  REQUIRE(by_stranger);
  CHECK_FALSE(meeting.take(meeting.request(meeting.key), {*by_stranger}));
  CHECK(meeting.refused("certificate") == 3);
  CHECK(meeting.gate.figures().accepted == 0);
}

TEST_CASE("registry gate: without its KEY a registry is revoked, however good its certificates are") {
  Meeting meeting;
  meeting.know({}, false);
  CHECK_FALSE(meeting.take(meeting.request(meeting.key), meeting.shown));
  meeting.know({*make_key()->public_key().spki()}, false);
  CHECK_FALSE(meeting.take(meeting.request(meeting.key), meeting.shown));
  CHECK(meeting.refused("key") == 2);
  meeting.gate.set(nullptr);
  CHECK_FALSE(meeting.take(meeting.request(meeting.key), meeting.shown));
  CHECK(meeting.refused("key") == 3);
}

TEST_CASE("registry gate: with the root's authority alone any key that it vouches for does, with the KEY alone that key") {
  Meeting meeting;
  meeting.know({}, true);
  CHECK(meeting.take(meeting.request(meeting.key), meeting.shown));
  meeting.know({}, true, false);
  CHECK_FALSE(meeting.take(meeting.request(meeting.key), meeting.shown));
  meeting.know({*meeting.key->public_key().spki()}, false, false);
  CHECK(meeting.take(meeting.request(meeting.key), meeting.shown));
}
