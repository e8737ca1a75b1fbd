#include "agent/statement.hh"

#include <doctest/doctest.h>

#include "agent/rotation.hh"
#include "agent/semver.hh"
#include "dns/encoding.hh"
#include "vectors.hh"

using namespace steward;
using namespace steward::agent;
using namespace steward::agent::test;

namespace {
Bytes from(const dns::Alphabet& alphabet, std::string_view text) {
  auto octets = dns::decode(alphabet, text);
  REQUIRE_MESSAGE(octets, text);
  return *octets;
}
dns::Name name(std::string_view text) { return dns::Name::from_text(text).value(); }
crypto::KeyPair pair_of_seed(Bytes seed) {
  crypto::PrivateFields fields;
  fields.add("PrivateKey", std::move(seed));
  auto pair = crypto::KeyPair::from_private_fields(crypto::Algorithm::ED25519, fields);
  REQUIRE(pair);
  return std::move(*pair);
}
crypto::KeyPair test_key() { return pair_of_seed(from(dns::hex, test_seed)); }
crypto::KeyPair second_key() {
  Bytes seed(32);
  for (size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<uint8_t>(i);
  return pair_of_seed(seed);
}
Bytes key_rdata(const crypto::KeyPair& pair) { return pair.public_key().dnskey_rdata(publisher_key_flags); }
std::vector<TextField> sample_fields() {
  return {{"version", "1.4.2"},
          {"capabilities", "orchestrate_sdlc,plan"},
          {"status", "active"},
          {"modified", "2025-11-21T13:00:00Z"},
          {"ep", std::string(endpoint_digest_text)},
          {"desc", std::string(300, 'x')}};
}
Bytes txt(std::initializer_list<std::string_view> strings) {
  Bytes out;
  for (const auto string : strings) {
    append_u8(out, static_cast<uint8_t>(string.size()));
    append(out, as_bytes(string));
  }
  return out;
}
Result<void> verify(const Statement& statement, ByteView key, std::string_view agent = agent_name) {
  const std::vector<ByteView> keys{key};
  return statement.verify(name(agent), keys);
}
std::vector<TextField> with(std::string_view key, std::string_view value) {
  auto fields = sample_fields();
  for (auto& field : fields) {
    if (field.key == key) field.value = value;
  }
  return fields;
}
Bytes srv_rdata() {
  Bytes out{0, 0, 0, 0, 1, 187};
  append(out, name("Agents.Vibe-Agency.com.").view().wire());
  return out;
}
}  // namespace

TEST_CASE("statement: what we make is to the octet what another implementation makes, Ed25519 [RFC 8080]") {
  const auto statement = Statement::make(name("Vibe-Agency-Orchestrator.vibe-agency.COM.steward-registry.org."),
                                         sample_fields(), test_key());
  REQUIRE_MESSAGE(statement, statement.error().what);
  CHECK(statement->fingerprint() == ed25519_fingerprint);
  CHECK(*statement->find("sig") == ed25519_signature);
  CHECK(dns::encode(dns::base64, statement->txt_rdata()) == ed25519_txt);
  CHECK(verify(*statement, key_rdata(test_key())));
  CHECK(statement->find("desc")->size() == 300);
  CHECK(statement->status() == AgentStatus::Active);
}

TEST_CASE("statement: another implementation's statements verify, P-256 and RSA [RFC 6605, RFC 5702]") {
  for (const auto& [key, text] : {std::pair(ecdsa_key, ecdsa_txt), std::pair(rsa_key, rsa_txt)}) {
    Bytes rdata = from(dns::base64, text);
    const Bytes key_octets = from(dns::base64, key);
    const auto statement = Statement::from_txt(rdata);
    REQUIRE_MESSAGE(statement, statement.error().what);
    CHECK(verify(*statement, key_octets));
    CHECK(verify(*statement, key_octets, "VIBE-agency-orchestrator.vibe-agency.com.steward-registry.org."));
    CHECK(verify(*statement, key_octets, "other.vibe-agency.com.steward-registry.org.").error().code == Errc::Invalid);
    CHECK(verify(*statement, key_rdata(test_key())).error().code == Errc::NotFound);
    const std::vector<ByteView> none;
    CHECK(statement->verify(name(agent_name), none).error().code == Errc::NotFound);
    // Each changed octet is noticed: in a value, in the form, or by the signature.
    for (size_t i = 0; i < rdata.size(); i += 7) {
      rdata[i] ^= 1;
      const auto changed = Statement::from_txt(rdata);
      CHECK_FALSE((changed && verify(*changed, key_octets)));
      rdata[i] ^= 1;
    }
  }
}

TEST_CASE(
    "statement: ep covers the canonical rows in canonical order, whatever their case and order [RFC 4034 §6.2, §6.3]") {
  const Bytes srv = srv_rdata();
  const Bytes svcb = from(dns::hex, svcb_rdata);
  const std::vector<Endpoint> rows{{dns::RrType::SVCB, svcb}, {dns::RrType::TXT, svcb}, {dns::RrType::SRV, srv}};
  CHECK(endpoint_digest(rows) == endpoint_digest_text);
  CHECK(endpoint_digest({}) == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const auto statement = Statement::make(name(agent_name), sample_fields(), test_key());
  CHECK(statement->verify_endpoints(rows));
  CHECK_FALSE(statement->verify_endpoints(std::span(rows).first(2)));
}

TEST_CASE("statement: an error shows nothing of the record that a terminal would obey") {
  const std::string hash(64, 'a');
  const std::string print = "fp=sha256:" + hash;
  const std::string ep = "ep=sha256:" + hash;
  const std::string_view time = "modified=2025-11-21T13:00:00Z";
  const auto version = Statement::from_txt(
      txt({"v=steward1", "version=1\x1b[2J\xff\xe2\x80\xae", "status=active", print, time, ep, "sig=AA"}));
  REQUIRE(!version);
  CHECK(version.error().what.find("version \"1\\u{1b}[2J\\xff\\u{202e}\"") != std::string::npos);
  const auto modified = Statement::from_txt(
      txt({"v=steward1", "version=1.0.0", "status=active", print, "modified=\n\x80", ep, "sig=AA"}));
  REQUIRE(!modified);
  CHECK(modified.error().what.find("\"\\u{a}\\x80\"") != std::string::npos);
}

TEST_CASE("statement: every rule of its form is kept, and the error names it") {
  const auto error_of = [](const Bytes& rdata) {
    const auto statement = Statement::from_txt(rdata);
    return statement ? std::string() : statement.error().what;
  };
  const auto has = [&](const Bytes& rdata, const char* part) {
    const std::string what = error_of(rdata);
    CAPTURE(what);
    CHECK(what.find(part) != std::string::npos);
  };
  const std::string hash(64, 'a');
  const std::string print = "fp=sha256:" + hash;
  const std::string ep = "ep=sha256:" + hash;
  const std::string_view time = "modified=2025-11-21T13:00:00Z";
  CHECK(error_of(txt({"v=steward1", "version=1.0.0", "status=active", print, time, ep, "sig=AA"})).empty());
  CHECK(error_of(txt({"v=steward1", "version=1.0.0", "status=active", print, time, ep, "x=1", "x=2", "sig=A", "sig=A"}))
            .empty());
  has({}, "at least one string");
  has({5, 'v'}, "string 1: ends early");
  has(txt({""}), "key=value");
  has(txt({"v"}), "key=value");
  has(txt({"=x"}), "key=value");
  has(txt({"V=steward1"}), "key=value");
  has(txt({"v=steward2"}), "v=steward1 must be the first");
  has(txt({"version=1.0.0", "v=steward1"}), "v=steward1 must be the first");
  has(txt({"v=steward1", "version=1.0.0"}), "status is missing");
  has(txt({"v=steward1", "version=1.0.0", "status=active", print, time, ep}), "sig is missing");
  has(txt({"v=steward1", "version=1.0.0", "status=active", print, time, "sig=AA", ep}), "sig must come last");
  has(txt({"v=steward1", "x=1", "y=1", "x=1"}), "string 4: key x is repeated");
  has(txt({"v=steward1", "version=1.0.0", "status=active", print, time, "sig=AA", ep, "sig=AA"}), "sig is repeated");
  has(txt({"v=steward1", "version=1.0", "status=active", print, time, ep, "sig=AA"}), "three numbers");
  has(txt({"v=steward1", "version=1.0.0", "status=dead", print, time, ep, "sig=AA"}), "status: active");
  has(txt({"v=steward1", "version=1.0.0", "status=revoked", print, time, ep, "sig=AA"}), "needs reason");
  has(txt({"v=steward1", "version=1.0.0", "status=deprecated", "succ=", print, time, ep, "sig=AA"}), "needs succ");
  has(txt({"v=steward1", "version=1.0.0", "status=active", "fp=sha256:AA", time, ep, "sig=AA"}), "fp: sha256");
  has(txt({"v=steward1", "version=1.0.0", "status=active", print, "modified=2025-02-29T13:00:00Z", ep, "sig=AA"}),
      "RFC 3339");
}

TEST_CASE("statement: a signature that is no base64url, or padded, does not verify [RFC 4648 §5]") {
  const auto good = Statement::make(name(agent_name), sample_fields(), test_key());
  for (const char* last : {"=", "+", " ", "A"}) {
    Bytes rdata(good->txt_rdata().begin(), good->txt_rdata().end());
    // The signature's string is the last one: 4 octets of key and 86 of value.
    rdata[rdata.size() - 91] = 91;
    rdata.push_back(static_cast<uint8_t>(*last));
    const auto changed = Statement::from_txt(rdata);
    REQUIRE(changed);
    CHECK_FALSE(verify(*changed, key_rdata(test_key())));
  }
}

TEST_CASE(
    "publisher key: flags 512 and 513 with protocol 3 and an algorithm that may sign [RFC 2535 §3.1.2, RFC 3445]") {
  const auto pair = test_key();
  CHECK(PublisherKey::from_rdata(pair.public_key().dnskey_rdata(512))->fingerprint() == ed25519_fingerprint);
  CHECK(PublisherKey::from_rdata(pair.public_key().dnskey_rdata(513)));
  CHECK_FALSE(PublisherKey::from_rdata(pair.public_key().dnskey_rdata(256)));
  Bytes rdata = key_rdata(pair);
  rdata[2] = 4;
  CHECK_FALSE(PublisherKey::from_rdata(rdata));
  rdata[2] = 3;
  rdata[3] = 5;
  CHECK(PublisherKey::from_rdata(rdata).error().code == Errc::Unsupported);
  CHECK_FALSE(PublisherKey::from_rdata(ByteView(rdata).first(3)));
}

TEST_CASE("statement: one supersedes another when modified and version are greater, or the status differs") {
  const auto make = [](std::vector<TextField> fields, const char* time) {
    for (auto& field : fields) {
      if (field.key == "modified") field.value = time;
    }
    auto statement = Statement::make(name(agent_name), fields, test_key());
    REQUIRE(statement);
    return *statement;
  };
  const Statement present = make(sample_fields(), "2025-11-21T13:00:00Z");
  const char* later = "2025-11-21T13:00:01Z";
  CHECK(check_supersedes(make(with("version", "1.4.3"), later), present));
  CHECK(check_supersedes(make(with("status", "withdrawn"), later), present));
  CHECK_FALSE(check_supersedes(make(sample_fields(), later), present));
  CHECK_FALSE(check_supersedes(make(with("version", "1.4.2+build9"), later), present));
  CHECK_FALSE(check_supersedes(make(with("version", "1.4.2-rc1"), later), present));
  CHECK_FALSE(check_supersedes(make(with("version", "1.4.3"), "2025-11-21T13:00:00Z"), present));
}

TEST_CASE("versions: precedence as in the standard's example [semver.org §11]") {
  const char* const sorted[] = {"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
                                "1.0.0-beta",  "1.0.0-beta.2",  "1.0.0-beta.11",
                                "1.0.0-rc.1",  "1.0.0",         "1.0.1",
                                "1.10.0",      "2.0.0",         "99999999999999999999.0.0"};
  for (size_t i = 0; i < std::size(sorted); ++i) {
    for (size_t j = 0; j < std::size(sorted); ++j) {
      CHECK((*SemanticVersion::from_text(sorted[i]) < *SemanticVersion::from_text(sorted[j])) == (i < j));
    }
  }
  for (const auto* bad : {"", "1", "1.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0-a..b", "1.0.0+",
                          "1.0.0+a_b", "v1.0.0", "1.0.-1"}) {
    CAPTURE(bad);
    CHECK_FALSE(SemanticVersion::from_text(bad));
  }
}

TEST_CASE("times: one form only, and only days that exist [RFC 3339]") {
  CHECK(*modified_from_text("2025-11-21T13:00:00Z") == unix_time(1763730000));
  CHECK(modified_to_text(unix_time(1763730000)) == "2025-11-21T13:00:00Z");
  CHECK(modified_from_text("2024-02-29T23:59:59Z"));
  for (const auto* bad : {"", "2025-11-21", "2025-11-21T13:00:00", "2025-11-21t13:00:00z", "2025-11-21T13:00:00+00:00",
                          "2025-11-31T13:00:00Z", "2025-11-21T24:00:00Z", "2025-11-21T13:60:00Z",
                          "2025-11-21T13:00:60Z", "1969-12-31T23:59:59Z", "2025-1a-21T13:00:00Z"}) {
    CAPTURE(bad);
    CHECK_FALSE(modified_from_text(bad));
  }
}

TEST_CASE("rotation: to the octet as another implementation makes it, and both signatures count") {
  const auto rotation = Rotation::make(name(agent_name), 1, test_key(), second_key(), unix_time(1763730000));
  REQUIRE_MESSAGE(rotation, rotation.error().what);
  const auto fields = fields_from_txt(rotation->txt_rdata());
  CHECK(*find_field(*fields, "sig-old") == rotation_old_signature);
  CHECK(*find_field(*fields, "sig-new") == rotation_new_signature);
  const Bytes first = key_rdata(test_key());
  const Bytes second = key_rdata(second_key());
  const std::vector<ByteView> both{second, first};
  CHECK(rotation->verify(name(agent_name), both));
  CHECK_FALSE(rotation->verify(name("x.org."), both));
  CHECK(rotation->verify(name(agent_name), std::span(both).first(1)).error().code == Errc::NotFound);
  Bytes forged(rotation->txt_rdata().begin(), rotation->txt_rdata().end());
  forged.back() = 'Q';
  const auto parsed = Rotation::from_txt(forged);
  CHECK_FALSE((parsed && parsed->verify(name(agent_name), both)));
  CHECK_FALSE(Rotation::make(name(agent_name), 1, test_key(), test_key(), unix_time(0)));
  CHECK_FALSE(Rotation::make(name(agent_name), 0, test_key(), second_key(), unix_time(0)));
}

TEST_CASE("rotation: a chain leads from a known key to the present one, however many there are") {
  const auto third = pair_of_seed(Bytes(32, 7));
  const auto one = Rotation::make(name(agent_name), 1, test_key(), second_key(), unix_time(1));
  const auto two = Rotation::make(name(agent_name), 2, second_key(), third, unix_time(2));
  REQUIRE(one);
  REQUIRE(two);
  const std::vector<Rotation> both{*two, *one};
  const std::string first(one->old_fingerprint());
  const std::string last(two->new_fingerprint());
  CHECK(check_rotation_chain(both, first, last));
  CHECK(check_rotation_chain(both, one->new_fingerprint(), last));
  CHECK(check_rotation_chain(both, last, last));
  CHECK_FALSE(check_rotation_chain(both, last, first));
  CHECK_FALSE(check_rotation_chain(std::span(both).first(1), first, last));
}

TEST_CASE("rotation: a claim has the new key's signature alone, until the custodial key adds its own") {
  const auto custodial = *test_key().public_key().fingerprint();
  const auto claim = Rotation::make_claim(name(agent_name), 1, custodial, second_key(), unix_time(1763730000));
  REQUIRE_MESSAGE(claim, claim.error().what);
  CHECK(claim->is_claim());
  const Bytes first = key_rdata(test_key());
  const Bytes second = key_rdata(second_key());
  const std::vector<ByteView> both{second, first};
  CHECK(claim->verify_new(name(agent_name), both));
  CHECK_FALSE(claim->verify_new(name("x.org."), both));
  CHECK_FALSE(claim->verify(name(agent_name), both));
  CHECK(claim->countersigned(name(agent_name), second_key()).error().code == Errc::Refused);
  const auto whole = claim->countersigned(name(agent_name), test_key());
  REQUIRE_MESSAGE(whole, whole.error().what);
  CHECK_FALSE(whole->is_claim());
  CHECK(whole->verify(name(agent_name), both));
  // To the octet what both keys make together.
  const auto made = Rotation::make(name(agent_name), 1, test_key(), second_key(), unix_time(1763730000));
  const Bytes wanted(made->txt_rdata().begin(), made->txt_rdata().end());
  CHECK(Bytes(whole->txt_rdata().begin(), whole->txt_rdata().end()) == wanted);
  CHECK_FALSE(Rotation::from_claim(wanted)->is_claim());
  // As it may stand in an UPDATE: without the string.
  const auto fields = *fields_from_txt(claim->txt_rdata());
  Bytes sent;
  for (const TextField& field : fields) {
    if (field.key != "sig-old") append_field(sent, field.key, field.value);
  }
  CHECK_FALSE(Rotation::from_txt(sent));
  const auto taken = Rotation::from_claim(sent);
  REQUIRE(taken);
  CHECK(taken->is_claim());
  CHECK(taken->verify_new(name(agent_name), both));
}
