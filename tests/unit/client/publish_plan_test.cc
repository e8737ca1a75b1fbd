#include "client/publish_plan.hh"

#include "publisher_fixture.hh"

using namespace steward;
using namespace steward::client;
using namespace steward::client::test;
using crypto::StoredKey;

namespace {

agent::Manifest manifest(const std::string& version) {
  agent::Manifest out;
  out.name = "helper";
  out.version = version;
  out.status = "active";
  out.capabilities = {"plan"};
  out.octets = "{}";
  return out;
}

const PublishWish wish{agent_name, noon + Seconds{60}, {}};

Standing nothing() {
  Standing out;
  out.zone = zone;
  return out;
}

std::string refusal(const Result<PublishPlan>& plan) {
  REQUIRE_FALSE(plan.has_value());
  return plan.error().what;
}

}  // namespace

TEST_CASE("publish: the first has no TXT as its prerequisite, and its own key") {
  const StoredKey keys[] = {make_key()};
  const auto plan = plan_publish(manifest("1.0.0"), wish, nothing(), keys);
  REQUIRE(plan);
  CHECK(plan->action == "publish");
  CHECK(plan->update.statement_as_read.empty());
  CHECK_FALSE(plan->update.rotation);
  CHECK(plan->statement.fingerprint() == fingerprint_of(keys[0]));
  CHECK(plan->statement.modified() == wish.now);
  const Bytes key = keys[0].dnskey();
  const ByteView views[] = {key};
  CHECK(plan->statement.verify(agent_name, views).has_value());
}

TEST_CASE("publish: a version that does not supersede is refused before anything is sent") {
  const StoredKey keys[] = {make_key()};
  const Standing there = standing(keys[0], statement(keys[0], "1.2.0"));
  has(refusal(plan_publish(manifest("1.2.0"), wish, there, keys)), "raise the version in the manifest");
  has(refusal(plan_publish(manifest("1.1.9"), wish, there, keys)), "version 1.1.9 is not above 1.2.0");
  const auto plan = plan_publish(manifest("1.2.1"), wish, there, keys);
  REQUIRE(plan);
  CHECK(plan->action == "update");
  CHECK(plan->update.statement_as_read == there.texts);
}

TEST_CASE("publish: two within one second differ in their time; a clock that is far behind is refused") {
  const StoredKey keys[] = {make_key()};
  const auto plan =
      plan_publish(manifest("2.0.0"), wish, standing(keys[0], statement(keys[0], "1.0.0", wish.now)), keys);
  REQUIRE(plan);
  CHECK(plan->statement.modified() == wish.now + Seconds{1});
  const Standing future = standing(keys[0], statement(keys[0], "1.0.0", wish.now + Seconds{301}));
  has(refusal(plan_publish(manifest("2.0.0"), wish, future, keys)), "clock");
}

TEST_CASE("publish: with a newer key the old one signs the message, both the rotation, the new one the statement") {
  const StoredKey keys[] = {make_key(noon + Seconds{9}), make_key(noon)};
  Standing there = standing(keys[1], statement(keys[1], "1.0.0"));
  const auto plan = plan_publish(manifest("1.1.0"), wish, there, keys);
  REQUIRE(plan);
  CHECK(plan->action == "update");
  CHECK(plan->signer.tag() == keys[1].tag());
  CHECK(plan->statement.fingerprint() == fingerprint_of(keys[0]));
  CHECK(plan->previous_fingerprint == fingerprint_of(keys[1]));
  REQUIRE(plan->update.rotation);
  const auto rotation = agent::Rotation::from_txt(*plan->update.rotation);
  REQUIRE(rotation);
  CHECK(rotation->number() == 1);
  const Bytes old_key = keys[1].dnskey();
  const Bytes new_key = keys[0].dnskey();
  const ByteView views[] = {old_key, new_key};
  CHECK(rotation->verify(agent_name, views).has_value());
  there.rotations = {*rotation};
  CHECK(there.next_rotation() == 2);
}

TEST_CASE("rotate: the same statement by the new key, with the least version above, and the manifest as it was") {
  const StoredKey keys[] = {make_key(noon + Seconds{9}), make_key(noon)};
  const std::pair<std::string_view, std::string_view> versions[] = {{"1.4.2", "1.4.3-0"},
                                                                    {"1.4.9+build.5", "1.4.10-0"},
                                                                    {"0.0.99", "0.0.100-0"},
                                                                    {"1.5.0-rc.1", "1.5.0-rc.1.0"},
                                                                    {"1.4.3-0", "1.4.3-0.0"}};
  for (const auto& [before, after] : versions) {
    Standing there = standing(keys[1], statement(keys[1], before));
    there.manifest = {Bytes{2, '{', '}'}};
    const auto plan = plan_rotation(wish, there, keys);
    REQUIRE(plan);
    CHECK(plan->action == "rotate");
    CHECK(plan->statement.version() == after);
    CHECK(agent::check_supersedes(plan->statement, *there.statement).has_value());
    CHECK(plan->update.rotation.has_value());
    CHECK(plan->update.records.back().rdata == there.manifest[0]);
  }
  has(refusal(plan_rotation(wish, standing(keys[0], statement(keys[0], "1.0.0")), keys)), "keygen --rotate");
  has(refusal(plan_rotation(wish, nothing(), keys)), "is not published");
}

TEST_CASE(
    "claim: what the registry holds in custody is published by the owner's key, which asks for the old one's word") {
  const StoredKey custodial = make_key();
  const StoredKey keys[] = {make_key()};
  const Standing there = standing(custodial, statement(custodial, "1.0.0", noon, "active", {{"custody", "com.acme"}}));
  const auto plan = plan_publish(manifest("1.0.0"), wish, there, keys);
  REQUIRE(plan);
  CHECK(plan->action == "claim");
  REQUIRE(plan->update.rotation);
  const auto claim = agent::Rotation::from_claim(*plan->update.rotation);
  REQUIRE(claim);
  CHECK(claim->is_claim());
  CHECK(claim->old_fingerprint() == fingerprint_of(custodial));
  const Bytes rdata = keys[0].dnskey();
  const ByteView views[] = {rdata};
  CHECK(claim->verify_new(agent_name, views).has_value());
  CHECK(plan->signer.tag() == keys[0].tag());
  CHECK(plan->previous_fingerprint == fingerprint_of(custodial));
  CHECK_FALSE(plan->statement.find("custody"));
  has(refusal(plan_status({agent::AgentStatus::Withdrawn, {}, {}}, wish, there, keys)), "claim it first");
}

TEST_CASE("publish: a key that is not there, and the agent of somebody else, are refused with what to do") {
  const StoredKey stranger = make_key();
  const StoredKey keys[] = {make_key()};
  has(refusal(plan_publish(manifest("1.0.0"), wish, nothing(), {})), "steward keygen --agent-id helper.acme.example");
  has(refusal(plan_publish(manifest("2.0.0"), wish, standing(stranger, statement(stranger, "1.0.0")), keys)),
      "not among yours");
}

TEST_CASE("withdraw, return: a signed tombstone, and the manifest again in the same version") {
  const StoredKey keys[] = {make_key()};
  const Standing there = standing(keys[0], statement(keys[0], "1.0.0"));
  const auto withdrawn = plan_status({agent::AgentStatus::Withdrawn, {}, {}}, wish, there, keys);
  REQUIRE(withdrawn);
  CHECK(withdrawn->action == "withdraw");
  CHECK(withdrawn->statement.status() == agent::AgentStatus::Withdrawn);
  const Standing tombstone = standing(keys[0], statement(keys[0], "1.0.0", noon, "withdrawn"));
  has(refusal(plan_status({agent::AgentStatus::Withdrawn, {}, {}}, wish, tombstone, keys)), "withdrawn already");
  has(refusal(plan_status({agent::AgentStatus::Deprecated, "x.acme.example", {}}, wish, tombstone, keys)),
      "is withdrawn");
  const auto back = plan_publish(manifest("1.0.0"), wish, tombstone, keys);
  REQUIRE(back);
  CHECK(back->action == "return");
}

TEST_CASE("revoke: with reason and successor, and nothing undoes it") {
  const StoredKey keys[] = {make_key()};
  const Standing there = standing(keys[0], statement(keys[0], "1.0.0"));
  const auto plan =
      plan_status({agent::AgentStatus::Revoked, "other.acme.example", "key was stolen"}, wish, there, keys);
  REQUIRE(plan);
  CHECK(plan->statement.find("reason") == "key was stolen");
  CHECK(plan->statement.find("succ") == "other.acme.example");
  Standing revoked = there;
  revoked.statement = plan->statement;
  has(refusal(plan_publish(manifest("9.0.0"), wish, revoked, keys)), "never signs for that name again");
  const StoredKey others[] = {make_key(), keys[0]};
  const auto anew = plan_publish(manifest("9.0.0"), wish, revoked, others);
  REQUIRE(anew);
  CHECK(anew->signer.tag() == others[0].tag());
  CHECK_FALSE(anew->update.rotation);
  has(refusal(plan_status({agent::AgentStatus::Withdrawn, {}, {}}, wish, revoked, keys)), "revoked already");
}

TEST_CASE("publish: records of a lease live at most a tenth of it in a cache") {
  const StoredKey keys[] = {make_key()};
  PublishWish leased = wish;
  leased.lease = Lease{600, 0};
  const auto plan = plan_publish(manifest("1.0.0"), leased, nothing(), keys);
  REQUIRE(plan);
  for (const auto& record : plan->update.records) CHECK(record.ttl == 60);
}

TEST_CASE("publish: with a lease, what stands already is sent again as it stands [RFC 9664 §4]") {
  const StoredKey keys[] = {make_key()};
  const agent::Manifest same = manifest("1.0.0");
  Standing there = standing(
      keys[0], statement(keys[0], "1.0.0", noon, "active", {{"digest", agent::sha256_text(as_bytes(same.octets))}}));
  there.manifest = {Bytes{2, '{', '}'}};
  PublishWish leased = wish;
  leased.lease = Lease{3600, 0};
  const auto plan = plan_publish(same, leased, there, keys);
  REQUIRE(plan);
  CHECK(plan->action == "renew");
  CHECK(std::ranges::equal(plan->statement.txt_rdata(), there.texts[0]));
  CHECK(plan->update.records.size() == 3);
  has(refusal(plan_publish(same, wish, there, keys)), "raise the version");
  has(refusal(plan_publish(manifest("0.9.0"), leased, there, keys)), "raise the version");
}
