// The order of the gate: rights first, then the first public-key operation (CVE-2024-1975).

#include "daemon/publish_gate.hh"

#include "registry_fixture.hh"

using namespace steward;
using namespace steward::daemon;
using namespace steward::daemon::test;

namespace {

/// A budget of a few verifications that can be counted.
struct Gate : World {
  Gate() : gate(std::move(*store->make_reader())) {}

  tl::expected<change::CheckedPublish, change::UpdateOutcome> check(const Publish& publish,
                                                                    std::string_view agent = bot) {
    const auto found = auth::find_signature(publish.wire);
    REQUIRE(found.kind == auth::SignatureKind::Sig0);
    const auto sig0 = auth::read_sig0(publish.wire, found);
    REQUIRE(sig0);
    return gate.check({publish.wire, *sig0, publish.request, name(agent), {}}, policy, clock.now(), allowance());
  }
  std::string rule(const Publish& publish) {
    const auto checked = check(publish);
    return checked ? "" : checked.error().why->text;
  }
  auth::VerifyAllowance allowance() {
    return {&budget, *SocketAddress::from_text("192.0.2.1@53"), clock.monotonic_ns()};
  }
  /// How many verifications are left of this second's; takes them.
  size_t left() {
    size_t count = 0;
    while (allowance().take()) ++count;
    return count;
  }

  static constexpr uint32_t whole = 4;
  PublishGate gate;
  auth::VerifyBudget budget{{.per_second = whole, .per_client_second = whole}, {}};
};

bool says(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE_FIXTURE(Gate, "publish gate: who stands on no list costs no verification, however often he asks") {
  const Owner stranger;
  const Publish publish = publish_of(stranger);
  for (int i = 0; i < 20; ++i)
    CHECK(says(rule(publish), "key " + stranger.print() + " may not publish in acme.example."));
  CHECK(left() == whole);
}

TEST_CASE_FIXTURE(Gate, "publish gate: a message without a key, for a name that has none, costs none either") {
  const Owner stranger;
  auto records = records_of(stranger, "1.0.0", bot);
  std::erase_if(records, [](const auto& record) { return record.type == dns::RrType::KEY; });
  CHECK(says(rule(signed_by(stranger, records)), "has no key, and the message brings no KEY for it"));
  CHECK(left() == whole);
}

TEST_CASE_FIXTURE(
    Gate, "publish gate: a key of the book's list, of the configuration's, or any where it is open, is verified once") {
  const Owner listed;
  allow(listed);
  const auto checked = check(publish_of(listed));
  REQUIRE_MESSAGE(checked, (checked ? "" : checked.error().why->text));
  CHECK(checked->signer == listed.print());
  CHECK(left() == whole - 1);

  clock.time += 10;
  const Owner configured;
  policy.publishers = {{name("acme.example."), configured.print(), "", {}}};
  CHECK(check(publish_of(configured)));
  CHECK(left() == whole - 1);
  // Listed for another namespace is listed nowhere.
  clock.time += 10;
  policy.publishers = {{name("example."), configured.print(), "", {}}};
  CHECK(says(rule(publish_of(configured)), "may not publish in acme.example."));
  CHECK(left() == whole);

  clock.time += 10;
  policy.open = true;
  CHECK(check(publish_of(Owner())));
  CHECK(left() == whole - 1);
}

TEST_CASE_FIXTURE(Gate,
                  "publish gate: a name that is held takes its own key alone, and a listed stranger costs nothing") {
  const Owner owner;
  const Owner other;
  allow(owner);
  allow(other);
  REQUIRE(admit(publish_of(owner), owner).update.done());
  clock.time += 10;
  CHECK(check(publish_of(owner, "1.1.0")));
  CHECK(left() == whole - 1);
  clock.time += 10;
  CHECK(says(rule(publish_of(other, "1.1.0")), "the name is held by key " + owner.print()));
  CHECK(left() == whole);
  // The stranger who signs what the owner stated: the KEY is the owner's, the tag of the signature is not.
  clock.time += 10;
  CHECK_FALSE(check(signed_by(other, records_of(owner, "1.1.0", bot))));
  CHECK(left() == whole);
}

TEST_CASE_FIXTURE(Gate,
                  "publish gate: a signature that does not verify, and one too many for the budget, are told apart") {
  const Owner owner;
  allow(owner);
  Publish forged = publish_of(owner);
  forged.wire.back() ^= 1;
  CHECK(says(rule(forged), std::string(auth::to_text(auth::Sig0Status::BadSig))));
  CHECK(left() == whole - 1);
  const auto over = check(publish_of(owner));
  REQUIRE_FALSE(over);
  CHECK(over.error().rcode == dns::Rcode::REFUSED);
  CHECK(over.error().why->text == auth::to_text(auth::Sig0Status::OverBudget));
  // Outside of the window of its signature, RFC 2931 §3.
  clock.time += 3600;
  CHECK(says(rule(forged), std::string(auth::to_text(auth::Sig0Status::BadTime))));
  CHECK(left() == whole);
}

TEST_CASE_FIXTURE(Gate, "publish gate: a publish is told from an ordinary update by its statement, or by its name") {
  const Owner owner;
  allow(owner);
  const Publish publish = publish_of(owner);
  CHECK(gate.is_publish(publish.request, name(bot), policy));
  const Publish empty = signed_by(owner, {});
  CHECK_FALSE(gate.is_publish(empty.request, name(bot), policy));
  CHECK(gate.key_records(name(bot)).empty());
  REQUIRE(admit(publish, owner).update.done());
  CHECK(gate.is_publish(empty.request, name(bot), policy));
  CHECK(gate.key_records(name(bot)) == std::vector<Bytes>{owner.rdata()});
  CHECK(gate.key_records(name("elsewhere.test.")).empty());
}
