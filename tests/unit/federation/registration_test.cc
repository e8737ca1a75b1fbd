// A registry asks to become the child of another.

#include "federation/registration.hh"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "agent/text_fields.hh"
#include "auth/registry_request.hh"
#include "federation/identity.hh"
#include "federation/registration_judge.hh"

using namespace steward;
using namespace steward::federation;

namespace {

const UnixTime now = unix_time(1'790'000'000);

// Also called before the first test, where doctest checks nothing: throws.
dns::Name name(std::string_view text) { return dns::Name::from_text(text).value(); }
template <class T>
T good(Result<T> result) {
  REQUIRE_MESSAGE(result, result.error().what);
  return *std::move(result);
}

const dns::Name apex = name("s.example.");
const dns::Name parent = name("com.s.example.");
const dns::Name identity = name("vibe-agency._registries._agents.com.s.example.");

std::shared_ptr<const crypto::KeyPair> make_key(crypto::Algorithm algorithm = crypto::Algorithm::ED25519,
                                                unsigned bits = 0) {
  return std::make_shared<const crypto::KeyPair>(good(crypto::KeyPair::generate(algorithm, bits)));
}
const std::shared_ptr<const crypto::KeyPair>& key() {
  static const auto made = make_key();
  return made;
}
std::string fingerprint() { return good(key()->public_key().fingerprint()); }

Registration sample() {
  Registration registration;
  registration.zone = name("vibe-agency.com.s.example.");
  registration.space = "vibe-agency.com";
  registration.servers = {name("ns1.vibe-agency.com.s.example."), name("ns.other.example.")};
  registration.addresses = {
      {name("ns1.vibe-agency.com.s.example."), {192, 0, 2, 1}},
      {name("ns1.vibe-agency.com.s.example."), Bytes{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}};
  Bytes ds{0x12, 0x34, 13, 2};
  ds.resize(36, 7);
  registration.ds = {ds};
  registration.key = key()->public_key().dnskey_rdata(512);
  return registration;
}

dns::Message message_of(const Registration& registration = sample()) {
  return good(registration_message(registration, parent, apex, 9));
}
change::UpdateRequest request_of(const dns::Message& message) {
  auto request = change::parse_update(good(message.build()));
  REQUIRE_MESSAGE(request, request.error().why->text);
  return *std::move(request);
}
RegistrationRule rule_of(const dns::Message& message, const dns::Name& asked = parent) {
  const auto read = read_registration(request_of(message), asked, apex);
  if (read) return RegistrationRule::None;
  INFO(read.error().reason);
  CHECK_FALSE(read.error().reason.empty());
  return read.error().rule;
}
void add(dns::Message& message, std::string_view owner, dns::RrType type, Bytes rdata) {
  message.authority.push_back({name(owner), type, dns::RrClass::IN, 300, std::move(rdata)});
}
Bytes wire(std::string_view text) {
  const dns::Name parsed = name(text);
  return {parsed.data(), parsed.data() + parsed.size()};
}
Bytes txt(std::string_view text) {
  Bytes out{static_cast<uint8_t>(text.size())};
  append(out, as_bytes(text));
  return out;
}

struct Case {
  Registration registration = sample();
  RegistrationPolicy policy{parent, apex, {}, true, true, true, 0};
  RegistrationHoldings held;
  dns::Name signer = identity;
  Bytes spki = good(key()->public_key().spki());

  [[nodiscard]] RegistrationVerdict judge(UnixTime at = now) const {
    return judge_registration(registration, {signer, spki}, policy, held, at);
  }
  [[nodiscard]] RegistrationRule refusal(UnixTime at = now) const {
    const auto verdict = judge(at);
    CHECK(verdict.outcome == RegistrationOutcome::Refused);
    CHECK_FALSE(verdict.reason.empty());
    return verdict.rule;
  }
};

}  // namespace

TEST_CASE("registration: what is asked comes back from the UPDATE, also signed") {
  const Registration asked = sample();
  auth::Nonce nonce{};
  const Bytes octets = good(auth::sign_registry_request(message_of(), {identity, key()}, now, nonce));
  const auto request = change::parse_update(octets);
  REQUIRE(request);
  CHECK(is_registration(*request, parent));
  const auto read = read_registration(*request, parent, apex);
  REQUIRE_MESSAGE(read, read.error().reason);
  CHECK(read->zone == asked.zone);
  CHECK(read->space == asked.space);
  CHECK(read->servers == asked.servers);
  CHECK(read->ds == asked.ds);
  CHECK(read->key == asked.key);
  CHECK(read->invitation.empty());
  REQUIRE(read->addresses.size() == 2);
  CHECK(read->addresses[1].octets == asked.addresses[1].octets);
  CHECK(read->addresses[1].server == asked.addresses[1].server);

  Registration invited = asked;
  invited.invitation = "a-token";
  const auto again = read_registration(request_of(message_of(invited)), parent, apex);
  REQUIRE(again);
  CHECK(again->invitation == "a-token");
}

TEST_CASE("registration: the feed that the parent is to follow, and where it is to be had") {
  Registration asked = sample();
  asked.replica = "eu-4f2a";
  asked.feeds = {*SocketAddress::from_text("192.0.2.1@8530"), *SocketAddress::from_text("2001:db8::1@853")};
  const auto read = read_registration(request_of(message_of(asked)), parent, apex);
  REQUIRE_MESSAGE(read, read.error().reason);
  CHECK(read->replica == "eu-4f2a");
  CHECK(read->feeds == asked.feeds);
  // One says nothing without the other.
  asked.feeds.clear();
  CHECK_FALSE(registration_message(asked, parent, apex, 9));
  asked = sample();
  asked.feeds = {*SocketAddress::from_text("192.0.2.1@8530")};
  CHECK_FALSE(registration_message(asked, parent, apex, 9));
  asked.replica = "no.label";
  CHECK_FALSE(registration_message(asked, parent, apex, 9));
  const auto with = [](std::string_view replica, std::string_view feed) {
    dns::Message message = message_of();
    Bytes text = txt("v=steward-register1");
    append(text, txt("namespace=vibe-agency.com"));
    append(text, txt(fmt::format("replica={}", replica)));
    append(text, txt(fmt::format("feed={}", feed)));
    message.authority[1].rdata = text;
    return rule_of(message);
  };
  CHECK(with("eu-4f2a", "192.0.2.1@8530") == RegistrationRule::None);
  CHECK(with("EU 4", "192.0.2.1@8530") == RegistrationRule::Form);
  for (const char* feed : {"ns1.example@853", "192.0.2.1@0", "224.0.0.1@853", "0.0.0.0@853", "192.0.2.1@1,192.0.2.1@2,192.0.2.1@3,192.0.2.1@4,192.0.2.1@5"}) {
    CAPTURE(feed);
    CHECK(with("eu-4f2a", feed) == RegistrationRule::Form);
  }
}

TEST_CASE("registration: a child that sends its feed names a replica and no endpoint, and may name no servers") {
  Registration asked = sample();
  asked.pushes = true;
  CHECK_FALSE(registration_message(asked, parent, apex, 9));  // of which replica
  asked.replica = "eu-4f2a";
  auto read = read_registration(request_of(message_of(asked)), parent, apex);
  REQUIRE_MESSAGE(read, read.error().reason);
  CHECK(read->pushes);
  CHECK_FALSE(read->is_hosted());
  asked.servers.clear();
  CHECK_FALSE(registration_message(asked, parent, apex, 9));  // an address of nobody's
  asked.addresses.clear();
  CHECK_FALSE(registration_message(asked, parent, apex, 9));  // a DS of nobody's
  asked.ds.clear();
  read = read_registration(request_of(message_of(asked)), parent, apex);
  REQUIRE_MESSAGE(read, read.error().reason);
  CHECK(read->is_hosted());
  CHECK(read->replica == "eu-4f2a");
  asked.feeds = {*SocketAddress::from_text("192.0.2.1@8530")};
  CHECK_FALSE(registration_message(asked, parent, apex, 9));
  asked.feeds.clear();
  asked.pushes = false;
  CHECK_FALSE(registration_message(asked, parent, apex, 9));
  dns::Message message = message_of();
  append(message.authority[1].rdata, txt("replica=eu-4f2a"));
  append(message.authority[1].rdata, txt("push=mail"));
  CHECK(rule_of(message) == RegistrationRule::Form);
}

TEST_CASE("registration: a child that leaves says so, and nothing else") {
  Registration leaving = sample();
  leaving.leaves = true;
  CHECK_FALSE(registration_message(leaving, parent, apex, 9));
  leaving.servers.clear();
  leaving.addresses.clear();
  leaving.ds.clear();
  const auto read = read_registration(request_of(message_of(leaving)), parent, apex);
  REQUIRE_MESSAGE(read, read.error().reason);
  CHECK(read->leaves);
  CHECK(read->servers.empty());
  leaving.leaves = false;
  CHECK_FALSE(registration_message(leaving, parent, apex, 9));
}

TEST_CASE("registration: an ordinary UPDATE is none") {
  dns::Message revoking = message_of();
  revoking.authority = {{identity, dns::RrType::KEY, dns::RrClass::ANY, 0, {}}};
  CHECK_FALSE(is_registration(request_of(revoking), parent));
  dns::Message update;
  update.header.opcode = dns::Opcode::UPDATE;
  update.question.push_back({parent, dns::RrType::SOA, dns::RrClass::IN});
  add(update, "vibe-agency.com.s.example.", dns::RrType::NS, wire("ns.example."));
  CHECK_FALSE(is_registration(request_of(update), parent));
  CHECK(rule_of(update) == RegistrationRule::Form);
}

TEST_CASE("registration: names that are not the parent's to give are refused") {
  const auto with_zone = [](std::string_view zone, std::string_view space) {
    Registration registration = sample();
    registration.zone = name(zone);
    registration.space = space;
    registration.servers = {name("ns.other.example.")};
    registration.addresses.clear();
    const auto made = registration_message(registration, parent, apex, 1);
    return made ? Errc::Io : made.error().code;
  };
  CHECK(with_zone("vibe-agency.com.s.example.", "vibe-agency.com") == Errc::Io);
  CHECK(with_zone("vibe-agency.org.s.example.", "vibe-agency.org") == Errc::Invalid);
  CHECK(with_zone("a.vibe-agency.com.s.example.", "a.vibe-agency.com") == Errc::Invalid);
  CHECK(with_zone("user/kim.com.s.example.", "user/kim.com") == Errc::Refused);
  CHECK(with_zone("ns1.com.s.example.", "ns1.com") == Errc::Invalid);
  CHECK(with_zone("vibe-agency.com.s.example.", "other.com") == Errc::Invalid);

  // The same, as it may come over the wire.
  const auto moved = [](std::string_view label) {
    dns::Message message = message_of();
    message.authority.resize(2);
    for (auto& record : message.authority)
      record.owner = *name("_registries._agents.com.s.example.").child(as_bytes(label));
    return rule_of(message);
  };
  CHECK(moved("ns1") == RegistrationRule::ReservedLabel);
  CHECK(moved("replicas") == RegistrationRule::ReservedLabel);
  CHECK(moved("a_b") == RegistrationRule::ReservedLabel);
  CHECK(moved("user/kim") == RegistrationRule::Slash);
  CHECK(moved("other") == RegistrationRule::Foreign);  // namespace= says another
  CHECK(rule_of(message_of(), name("org.s.example.")) == RegistrationRule::Foreign);
}

TEST_CASE("registration: records that are no part of one are refused") {
  const auto with = [](std::string_view owner, dns::RrType type, Bytes rdata) {
    dns::Message message = message_of();
    add(message, owner, type, std::move(rdata));
    return rule_of(message);
  };
  const std::string zone = "vibe-agency.com.s.example.";
  CHECK(with(zone, dns::RrType::TXT, txt("hello")) == RegistrationRule::Form);
  CHECK(with("other.com.s.example.", dns::RrType::NS, wire("ns.example.")) == RegistrationRule::Form);
  CHECK(with("com.s.example.", dns::RrType::DS, sample().ds[0]) == RegistrationRule::Form);
  CHECK(with(identity.to_text(), dns::RrType::KEY, make_key()->public_key().dnskey_rdata(512)) ==
        RegistrationRule::Form);
  CHECK(with(identity.to_text(), dns::RrType::TXT, txt("v=steward-register1")) == RegistrationRule::Form);
  CHECK(with("other._registries._agents.com.s.example.", dns::RrType::TXT, txt("v=x")) == RegistrationRule::Form);

  dns::Message removing = message_of();
  removing.authority.push_back({name(zone), dns::RrType::NS, dns::RrClass::ANY, 0, {}});
  CHECK(rule_of(removing) == RegistrationRule::Form);
  dns::Message conditional = message_of();
  conditional.answer.push_back({name(zone), dns::RrType::NS, dns::RrClass::NONE, 0, {}});
  CHECK(rule_of(conditional) == RegistrationRule::Form);
  dns::Message no_key = message_of();
  no_key.authority.erase(no_key.authority.begin());
  CHECK(rule_of(no_key) == RegistrationRule::Form);
  dns::Message no_text = message_of();
  no_text.authority.erase(no_text.authority.begin() + 1);
  CHECK(rule_of(no_text) == RegistrationRule::Form);
}

TEST_CASE("registration: servers have the addresses that their names need, and no others") {
  const auto with = [](std::string_view owner, Bytes address) {
    dns::Message message = message_of();
    add(message, owner, dns::RrType::A, std::move(address));
    return rule_of(message);
  };
  CHECK(with("ns1.vibe-agency.com.s.example.", {192, 0, 2, 9}) == RegistrationRule::None);
  CHECK(with("ns1.vibe-agency.com.s.example.", {0, 0, 0, 0}) == RegistrationRule::Servers);
  CHECK(with("ns1.vibe-agency.com.s.example.", {224, 0, 0, 1}) == RegistrationRule::Servers);
  CHECK(with("ns2.vibe-agency.com.s.example.", {192, 0, 2, 9}) == RegistrationRule::Servers);
  CHECK(with("ns.other.example.", {192, 0, 2, 9}) == RegistrationRule::Servers);
  Registration without = sample();
  without.addresses.clear();
  CHECK(registration_message(without, parent, apex, 1).error().what.find("RFC 9471") != std::string::npos);
  dns::Message many = message_of();
  for (int i = 0; i < 12; ++i)
    add(many, "vibe-agency.com.s.example.", dns::RrType::NS,
        wire(std::string(1, static_cast<char>('a' + i)) + ".example."));
  CHECK(rule_of(many) == RegistrationRule::Servers);
  dns::Message none = message_of();
  none.authority.resize(2);
  CHECK(rule_of(none) == RegistrationRule::Servers);
}

TEST_CASE("registration: a weak key is no identity") {
  dns::Message message = message_of();
  message.authority[0].rdata = make_key(crypto::Algorithm::RSASHA256, 1024)->public_key().dnskey_rdata(512);
  CHECK(rule_of(message) == RegistrationRule::Key);
  message.authority[0].rdata = make_key(crypto::Algorithm::ECDSAP256SHA256)->public_key().dnskey_rdata(512);
  CHECK(rule_of(message) == RegistrationRule::Key);
}

TEST_CASE("registration: KEY is what signed the request and the TLS certificate's") {
  Case other;
  other.signer = name("other._registries._agents.com.s.example.");
  CHECK(other.refusal() == RegistrationRule::Signer);
  Case foreign;
  foreign.spki = good(make_key()->public_key().spki());
  CHECK(foreign.refusal() == RegistrationRule::Signer);
  Case no_tls;
  no_tls.spki.clear();
  CHECK(no_tls.refusal() == RegistrationRule::Signer);
}

TEST_CASE("registration: taken, an agent's name, a look-alike, a full parent") {
  Case taken;
  taken.held.registered = good(make_key()->public_key().fingerprint());
  CHECK(taken.refusal() == RegistrationRule::Taken);
  taken.held.registered = fingerprint();
  CHECK(taken.judge().way == RegistrationWay::Again);
  Case hosted;
  hosted.held.hosted = true;
  CHECK(hosted.refusal() == RegistrationRule::Taken);
  Case agent;
  agent.held.agent = true;
  CHECK(agent.refusal() == RegistrationRule::Agent);
  Case full;
  full.policy.children = full.held.children = 3;
  CHECK(full.refusal() == RegistrationRule::Quota);
  full.held.children = 2;
  CHECK(full.judge().outcome == RegistrationOutcome::Pending);

  agent::LookAlikes names;
  names.add("vibe-agenzy", "sha256:other");
  Case like;
  like.held.names = &names;
  CHECK(like.refusal() == RegistrationRule::LookAlike);
  CHECK(like.judge().reason.find("vibe-agenzy") != std::string::npos);
  like.policy.look_alikes = false;
  CHECK(like.judge().outcome == RegistrationOutcome::Pending);
  like.policy.look_alikes = true;
  like.held.pending = PendingRegistration{fingerprint(), "n", now, true};  // the operator let it in
  CHECK(like.judge().way == RegistrationWay::Approval);
  agent::LookAlikes own;
  own.add("vibe-agenzy", fingerprint());
  Case mine;
  mine.held.names = &own;
  CHECK(mine.judge().outcome == RegistrationOutcome::Pending);
}

TEST_CASE("registration: an invitation lets its namespace in while it lasts") {
  Case invited;
  invited.registration.invitation = "secret-token";
  CHECK(invited.refusal() == RegistrationRule::Invitation);
  invited.policy.invitations = {{sample().zone, agent::sha256_text(as_bytes("secret-token")), now}};
  CHECK(invited.judge().outcome == RegistrationOutcome::Reserved);
  CHECK(invited.judge().way == RegistrationWay::Invitation);
  CHECK(invited.refusal(now + Seconds{1}) == RegistrationRule::Invitation);
  invited.policy.invitations[0].zone = name("other.com.s.example.");
  CHECK(invited.refusal() == RegistrationRule::Invitation);
}

TEST_CASE("registration: the real domain's proof, with the parent's nonce, for 7 days") {
  Case asks;
  CHECK(asks.judge().outcome == RegistrationOutcome::Pending);
  CHECK(asks.judge().challenge.empty());
  asks.held.pending = PendingRegistration{fingerprint(), "n0nce", now, false};
  const std::string text =
      "v=steward-challenge1 parent=com.s.example namespace=vibe-agency.com fp=" + fingerprint() + " nonce=n0nce";
  CHECK(asks.judge().challenge == text);
  asks.held.proofs = {txt("something else"), txt(text)};
  CHECK(asks.judge().way == RegistrationWay::Proof);
  CHECK(asks.judge(now + challenge_lifetime).way == RegistrationWay::Proof);
  CHECK(asks.judge(now + challenge_lifetime + Seconds{1}).outcome == RegistrationOutcome::Pending);
  Case other_key = asks;
  other_key.held.pending->fingerprint = good(make_key()->public_key().fingerprint());
  CHECK(other_key.judge().outcome == RegistrationOutcome::Pending);
  Case other_nonce = asks;
  other_nonce.held.pending->nonce = "other";
  CHECK(other_nonce.judge().outcome == RegistrationOutcome::Pending);
  Case no_proofs = asks;
  no_proofs.policy.proofs = false;
  CHECK(no_proofs.judge().outcome == RegistrationOutcome::Pending);
  no_proofs.policy.approvals = false;
  CHECK(no_proofs.refusal() == RegistrationRule::Closed);
  CHECK(good(challenge_name("vibe-agency.com")).to_text() == "_steward-challenge.vibe-agency.com.");
}

TEST_CASE("registration: a proof may be split into strings, and says nothing but the challenge") {
  const std::string text = challenge_text(parent, "a.com", "sha256:00", "x");
  Bytes split = txt("v=steward-challenge1 parent=com.s.example namespace=a.com");
  append(split, txt(" fp=sha256:00 nonce=x"));
  CHECK(says_challenge(split, text));
  Bytes fields;
  for (const char* field :
       {"v=steward-challenge1", "parent=com.s.example", "namespace=a.com", "fp=sha256:00", "nonce=x"})
    append(fields, txt(field));
  CHECK(says_challenge(fields, text));
  CHECK_FALSE(says_challenge(txt(text + " more=1"), text));
  CHECK_FALSE(says_challenge(txt(text.substr(1)), text));
  CHECK_FALSE(says_challenge(Bytes{9, 'v'}, text));
  CHECK_FALSE(says_challenge({}, text));
}

TEST_CASE("registration: an operator's approval, of this key; GitHub has no other way but an invitation") {
  Case approved;
  approved.held.pending = PendingRegistration{fingerprint(), "n", now - challenge_lifetime * 2, true};
  CHECK(approved.judge().way == RegistrationWay::Approval);
  approved.held.pending->fingerprint = good(make_key()->public_key().fingerprint());
  CHECK(approved.judge().outcome == RegistrationOutcome::Pending);

  Case github;
  github.policy.zone = apex;
  github.registration.zone = name("github.s.example.");
  github.registration.space = "github";
  github.signer = name("github._registries._agents.s.example.");
  github.held.pending = PendingRegistration{fingerprint(), "n", now, false};
  github.held.proofs = {txt(challenge_text(apex, "github", fingerprint(), "n"))};
  CHECK(github.judge().outcome == RegistrationOutcome::Pending);
  CHECK(github.judge().challenge.empty());
  github.held.pending->approved = true;
  CHECK(github.judge().way == RegistrationWay::Approval);
}
