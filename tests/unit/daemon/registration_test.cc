// A parent's door: registrations judged in the transaction that reserves the name, approved, delegated to, removed.

#include "federation/registration_admit.hh"

#include "registry_fixture.hh"

#include "agent/text_fields.hh"
#include "federation/identity.hh"

using namespace steward;
using namespace steward::daemon;
using namespace steward::daemon::test;
using namespace steward::federation;

namespace {

/// The registry `example.` as a root, and one that wants to be below it.
struct Door : World {
  Door() {
    root = *crypto::make_root_certificate({name("example."), clock.now(), crypto::root_certificate_lifetime}, root_key);
    rules.policy.zone = rules.policy.apex = name("example.");
    rules.namespaces = policy.namespaces;
  }

  [[nodiscard]] static Registration asked_by(const Owner& asker, std::string_view label = "beta") {
    Registration registration;
    registration.space = std::string(label);
    registration.zone = name(registration.space + ".example.");
    registration.servers = {name("ns." + registration.space + ".example."), name("ns.elsewhere.")};
    registration.addresses = {{registration.servers[0], {192, 0, 2, 7}}};
    registration.ds = {Bytes(36, 7)};
    registration.key = asker.key.public_key().dnskey_rdata(identity_key_flags);
    return registration;
  }

  /// Runs in a transaction of its own, with the zone and the table.
  void edit(const std::function<void(RegistrationState&)>& act) {
    keeper->edit(
        [&](change::ZoneEdit& zone, ZoneTables& tables) -> Result<void> {
          Children children(tables[store::ZoneTable::Children]);
          RegistryZone::Changes changes(*registry, zone, tables);
          RegistrationState state{zone, children, changes.book()};
          act(state);
          return {};
        },
        false, [&](const LoadOutcome& outcome) { CHECK_MESSAGE(outcome.ok, outcome.error); });
    group->flush();
  }

  using World::admit;
  RegistrationDecision admit(const Owner& asker, const Registration& registration, std::vector<Bytes> proofs = {}) {
    RegistrationDecision made;
    edit([&](RegistrationState& state) {
      auto decision = admit_registration(registration, {*identity_name(registration.zone, name("example.")), *asker.key.public_key().spki()},
                                         rules, {root, root_key}, state, std::move(proofs), "nonce", clock.now());
      REQUIRE_MESSAGE(decision, decision.error().what);
      made = *std::move(decision);
    });
    return made;
  }
  size_t records_at(std::string_view at, dns::RrType type) {
    size_t count = 0;
    edit([&](RegistrationState& state) {
      const auto* rrset = state.edit.find(name(at), type);
      count = rrset != nullptr ? rrset->rdatas.size() : 0;
    });
    return count;
  }
  void invite(std::string_view zone, std::string_view token) {
    edit([&](RegistrationState& state) {
      REQUIRE(state.children.put(Invitation{name(zone), agent::sha256_text(as_bytes(token)), clock.now() + Seconds{60}}));
    });
  }

  crypto::KeyPair root_key = std::move(*crypto::KeyPair::generate(crypto::Algorithm::ED25519));
  Bytes root;
  RegistrationRules rules;
  Owner owner;
};

constexpr std::string_view identity = "beta._registries._agents.example.";

}  // namespace

TEST_CASE("registration: an invitation reserves the name once, with KEY and certificates that chain to the root's") {
  Door door;
  door.invite("beta.example.", "token");
  Registration asked = Door::asked_by(door.owner);
  asked.invitation = "token";
  const auto decision = door.admit(door.owner, asked);
  CHECK(decision.verdict.outcome == RegistrationOutcome::Reserved);
  CHECK(decision.child.state == ChildState::Reserved);
  CHECK(door.records_at(identity, dns::RrType::KEY) == 1);
  CHECK(door.records_at("beta.example.", dns::RrType::NS) == 0);
  std::vector<Bytes> certificates;
  door.edit([&](RegistrationState& state) {
    for (const Bytes& rdata : state.edit.find(name(identity), dns::RrType::CERT)->rdatas)
      certificates.push_back(*certificate_from_rdata(rdata));
  });
  REQUIRE(certificates.size() == 2);
  if (crypto::read_certificate(certificates[0])->authority) std::swap(certificates[0], certificates[1]);
  const Bytes spki = *door.owner.key.public_key().spki();
  CHECK(crypto::verify_certificates(std::span(certificates).first(1), {door.root, name("beta.example."), spki, door.clock.now()}));

  const Owner other;
  Registration second = Door::asked_by(other, "gamma");
  second.invitation = "token";
  CHECK(door.admit(other, second).verdict.rule == RegistrationRule::Invitation);
  // The same again changes nothing.
  asked.invitation.clear();
  const auto again = door.admit(door.owner, asked);
  CHECK(again.verdict.way == RegistrationWay::Again);
  CHECK(again.child.certified_until == decision.child.certified_until);
}

TEST_CASE("registration: one that names no servers is hosted, until others that it names are delegated to; and again") {
  Door door;
  door.invite("beta.example.", "token");
  const Registration open = Door::asked_by(door.owner);
  Registration hidden = open;
  hidden.servers.clear();
  hidden.addresses.clear();
  hidden.ds.clear();
  hidden.pushes = true;
  hidden.replica = "eu-4f2a";
  hidden.invitation = "token";
  CHECK(door.admit(door.owner, hidden).child.state == ChildState::Hosted);
  CHECK(door.records_at(identity, dns::RrType::CERT) == 2);
  hidden.invitation.clear();
  CHECK(door.admit(door.owner, hidden).child.state == ChildState::Hosted);
  CHECK(door.admit(door.owner, open).child.state == ChildState::Hosted);
  door.edit([&](RegistrationState& state) {
    Child child = **state.children.find(open.zone);
    child.state = ChildState::Delegated;
    delegate_child(child, state.edit);
    REQUIRE(state.children.put(child));
  });
  CHECK(door.records_at("beta.example.", dns::RrType::NS) == 2);
  CHECK(door.admit(door.owner, hidden).child.state == ChildState::Hosted);
  for (const dns::RrType type : {dns::RrType::NS, dns::RrType::DS}) CHECK(door.records_at("beta.example.", type) == 0);
  CHECK(door.records_at("ns.beta.example.", dns::RrType::A) == 0);
}

TEST_CASE("registration: it waits for a proof with a challenge that stays, and the proof lets it in") {
  Door door;
  const Registration asked = Door::asked_by(door.owner);
  const auto first = door.admit(door.owner, asked);
  CHECK(first.verdict.outcome == RegistrationOutcome::Pending);
  REQUIRE_FALSE(first.verdict.challenge.empty());
  CHECK(door.records_at(identity, dns::RrType::KEY) == 0);
  door.clock.time += 3600;
  CHECK(door.admit(door.owner, asked).verdict.challenge == first.verdict.challenge);
  Bytes txt{static_cast<uint8_t>(first.verdict.challenge.size())};
  append(txt, as_bytes(first.verdict.challenge));
  const auto proven = door.admit(door.owner, asked, {txt});
  CHECK(proven.verdict.way == RegistrationWay::Proof);
  door.edit([&](RegistrationState& state) { CHECK(state.children.pending()->empty()); });
}

TEST_CASE("registration: what an operator approves has the name; others that waited for it do not") {
  Door door;
  const Owner other;
  door.admit(door.owner, Door::asked_by(door.owner));
  door.admit(other, Door::asked_by(other));
  door.edit([&](RegistrationState& state) {
    const auto waiting = state.children.find_pending(name("beta.example."), door.owner.print());
    REQUIRE(waiting);
    REQUIRE(*waiting);
    const auto decision = approve_registration(**waiting, door.rules, {door.root, door.root_key}, state, door.clock.now());
    REQUIRE(decision);
    CHECK(decision->verdict.way == RegistrationWay::Approval);
  });
  CHECK(door.admit(other, Door::asked_by(other)).verdict.rule == RegistrationRule::Taken);
}

TEST_CASE("registration: names of hosted namespaces, of agents' and of whatever stands there are refused") {
  Door door;
  CHECK(door.admit(door.owner, Door::asked_by(door.owner, "acme")).verdict.rule == RegistrationRule::Taken);
  door.edit([&](RegistrationState& state) { state.edit.add(name("delta.example."), dns::RrType::A, 300, Bytes{192, 0, 2, 9}); });
  CHECK(door.admit(door.owner, Door::asked_by(door.owner, "delta")).verdict.rule == RegistrationRule::Taken);
  const Owner publisher;
  const auto published = door.publish_of(publisher, "1.0.0");
  door.policy.open = true;
  door.start();
  REQUIRE(door.admit(published, publisher).update.done());
  CHECK(door.admit(door.owner, Door::asked_by(door.owner, "acme")).verdict.outcome == RegistrationOutcome::Refused);
}

TEST_CASE("registration: only so many wait for one name") {
  Door door;
  for (size_t i = 0; i < max_pending_of_name; ++i) {
    const Owner one;
    CHECK(door.admit(one, Door::asked_by(one)).verdict.outcome == RegistrationOutcome::Pending);
  }
  CHECK(door.admit(door.owner, Door::asked_by(door.owner)).verdict.rule == RegistrationRule::Quota);
  // The oldest are forgotten once nobody asks for them.
  door.clock.time += pending_lifetime.count() + 1;
  CHECK(door.admit(door.owner, Door::asked_by(door.owner)).verdict.outcome == RegistrationOutcome::Pending);
}

TEST_CASE("registration: delegated to with glue, other servers replace the first, and leaving takes all of it away") {
  Door door;
  door.invite("beta.example.", "token");
  Registration asked = Door::asked_by(door.owner);
  asked.invitation = "token";
  Child child = door.admit(door.owner, asked).child;
  door.edit([&](RegistrationState& state) { delegate_child(child, state.edit); });
  CHECK(door.records_at("beta.example.", dns::RrType::NS) == 2);
  CHECK(door.records_at("beta.example.", dns::RrType::DS) == 1);
  CHECK(door.records_at("ns.beta.example.", dns::RrType::A) == 1);
  child.registration.servers = {name("ns2.beta.example.")};
  child.registration.addresses = {{name("ns2.beta.example."), {192, 0, 2, 8}}};
  door.edit([&](RegistrationState& state) { delegate_child(child, state.edit); });
  CHECK(door.records_at("beta.example.", dns::RrType::NS) == 1);
  CHECK(door.records_at("ns.beta.example.", dns::RrType::A) == 0);
  CHECK(door.records_at("ns2.beta.example.", dns::RrType::A) == 1);
  door.edit([&](RegistrationState& state) { REQUIRE(remove_child(child, door.rules.policy, state)); });
  CHECK(door.records_at("beta.example.", dns::RrType::NS) == 0);
  CHECK(door.records_at("ns2.beta.example.", dns::RrType::A) == 0);
  CHECK(door.records_at(identity, dns::RrType::KEY) == 0);
  CHECK(door.records_at(identity, dns::RrType::CERT) == 0);
}

TEST_CASE("registration: a child leaves with its own key alone, and has to be let in again") {
  Door door;
  door.invite("beta.example.", "token");
  Registration asked = Door::asked_by(door.owner);
  asked.invitation = "token";
  REQUIRE(door.admit(door.owner, asked).verdict.outcome == RegistrationOutcome::Reserved);
  Registration leaving;
  leaving.zone = asked.zone;
  leaving.space = asked.space;
  leaving.key = asked.key;
  leaving.leaves = true;
  const Owner stranger;
  Registration forged = leaving;
  forged.key = stranger.key.public_key().dnskey_rdata(identity_key_flags);
  CHECK(door.admit(stranger, forged).verdict.rule == RegistrationRule::Taken);
  CHECK(door.records_at("beta._registries._agents.example.", dns::RrType::KEY) == 1);
  CHECK(door.admit(door.owner, leaving).verdict.outcome == RegistrationOutcome::Left);
  CHECK(door.records_at("beta._registries._agents.example.", dns::RrType::KEY) == 0);
  CHECK(door.admit(door.owner, leaving).verdict.rule == RegistrationRule::Taken);
  asked.invitation.clear();
  CHECK(door.admit(door.owner, asked).verdict.outcome == RegistrationOutcome::Pending);
}

TEST_CASE("registration: the proof that let a child in is looked at again when certificates are renewed") {
  Door door;
  const Registration asked = Door::asked_by(door.owner);
  const auto waiting = door.admit(door.owner, asked);
  REQUIRE(waiting.verdict.outcome == RegistrationOutcome::Pending);
  Bytes proof{static_cast<uint8_t>(waiting.verdict.challenge.size())};
  append(proof, as_bytes(waiting.verdict.challenge));
  const auto decision = door.admit(door.owner, asked, {proof});
  REQUIRE(decision.verdict.way == RegistrationWay::Proof);
  const dns::Name parent = name("example.");
  CHECK(is_still_proven(decision.child, parent, std::vector<Bytes>{proof}));
  CHECK_FALSE(is_still_proven(decision.child, parent, {}));
  proof.back() ^= 1;
  CHECK_FALSE(is_still_proven(decision.child, parent, std::vector<Bytes>{proof}));
  Child invited = decision.child;
  invited.way = RegistrationWay::Invitation;
  CHECK(is_still_proven(invited, parent, {}));
}

TEST_CASE("registration: without its KEY a child is revoked: it gets no certificates, and is not let in again") {
  Door door;
  door.invite("beta.example.", "token");
  Registration asked = Door::asked_by(door.owner);
  asked.invitation = "token";
  Child child = door.admit(door.owner, asked).child;
  door.edit([&](RegistrationState& state) { state.edit.remove_rrset(name(identity), dns::RrType::KEY); });
  door.edit([&](RegistrationState& state) {
    const auto certified = certify(child, door.rules.policy, {door.root, door.root_key}, state.edit, door.clock.now());
    REQUIRE_FALSE(certified);
    CHECK(certified.error().code == Errc::NotFound);
  });
  CHECK(door.admit(door.owner, asked).verdict.rule == RegistrationRule::Signer);
}
