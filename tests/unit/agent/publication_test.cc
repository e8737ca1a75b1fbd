#include "agent/publication.hh"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "crypto/digest.hh"
#include "dns/encoding.hh"
#include "dns/rdata.hh"
#include "manifest_samples.hh"
#include "sample_agents.hh"

using namespace steward;
using namespace steward::agent;
using namespace steward::agent::test;

namespace {

constexpr std::string_view space = sample_space;

dns::Name name(std::string_view text) { return dns::Name::from_text(text).value(); }

PublishOptions options_for(std::string_view label) {
  PublishOptions options;
  options.agent = name(std::string(label) + "." + std::string(space));
  options.modified = modified_from_text("2025-11-21T13:00:00Z").value();
  return options;
}

Manifest manifest_of(std::string_view text, std::string_view as = {}) {
  auto manifest = read_manifest(text, as);
  REQUIRE_MESSAGE(manifest, (manifest ? "" : manifest.error().text()));
  return *manifest;
}

using Texts = std::vector<std::string>;

/// Of one type, in the order in which they came.
Texts texts_of(const std::vector<PublishedRecord>& records, dns::RrType type) {
  Texts out;
  for (const PublishedRecord& record : records) {
    CHECK(dns::check_rdata(record.type, record.rdata));
    if (record.type == type) out.push_back(dns::rdata_to_text(type, record.rdata));
  }
  return out;
}

Statement statement_of(const std::vector<PublishedRecord>& records) {
  REQUIRE(!records.empty());
  REQUIRE(records[0].type == dns::RrType::TXT);
  auto statement = Statement::from_txt(records[0].rdata);
  REQUIRE(statement);
  std::vector<ByteView> keys;
  std::vector<Endpoint> rows;
  for (const PublishedRecord& record : records) {
    if (record.type == dns::RrType::KEY) keys.emplace_back(record.rdata);
    rows.push_back({record.type, record.rdata});
  }
  CHECK(keys.size() == 1);
  CHECK(statement->verify(records[0].owner, keys));
  CHECK(statement->verify_endpoints(rows));
  return *statement;
}

std::vector<Endpoint> endpoints_of(const std::vector<PublishedRecord>& records) {
  std::vector<Endpoint> rows;
  for (const PublishedRecord& record : records) {
    if (record.type == dns::RrType::SRV || record.type == dns::RrType::SVCB)
      rows.push_back({record.type, record.rdata});
  }
  return rows;
}

std::vector<PublishedRecord> published(const Result<std::vector<PublishedRecord>>& records) {
  REQUIRE_MESSAGE(records, (records ? "" : records.error().what));
  return *records;
}

void check_invalid(const Result<std::vector<PublishedRecord>>& records, std::string_view rule) {
  REQUIRE(!records);
  CHECK_MESSAGE(records.error().what.find(rule) != std::string::npos, records.error().what);
}

NetworkEndpoint sample_endpoint(std::string protocol) {
  return {std::move(protocol), "h2", "agents.vibe-agency.com", 443, "/", "https://agents.vibe-agency.com/"};
}

/// What the zone holds for a publish of this agent.
Records sample_records(std::string_view label) {
  const auto loaded = zone::load_zone_file(SAMPLE_ZONE, name(space));
  Records records = records_of(loaded, name(std::string(label) + "." + std::string(space)));
  std::erase_if(records, [](const auto& record) { return record.first.first.starts_with("_registry."); });
  return records;
}

std::vector<std::string> sorted_texts(const Records& records) {
  std::vector<std::string> lines;
  for (const auto& [place, rdata] : records)
    lines.push_back(place.first + " " + dns::rdata_to_text(place.second, rdata));
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace

TEST_CASE(
    "publication: the sample agents come out to the octet as another implementation wrote them [steward-records(7)]") {
  struct Sample {
    std::string_view label;
    std::string_view version;
    std::vector<std::string> capabilities;
    std::vector<std::string> protocols;
    std::string_view description;
  };
  const Sample samples[] = {
      {"vibe-agency-orchestrator",
       "1.4.2",
       {"orchestrate_sdlc", "plan"},
       {"a2a"},
       "Orchestrates the software life cycle from plan to release"},
      {"vibe-agency-coder",
       "0.9.0",
       {"generate_code", "review_code"},
       {"a2a", "mcp"},
       "Writes and reviews code to a plan"},
      {"vibe-agency-deployer", "2.0.1", {"deploy", "rollback"}, {"mcp"}, "Deploys releases, and takes them back"},
  };
  for (const Sample& sample : samples) {
    CAPTURE(sample.label);
    const Records wanted = sample_records(sample.label);
    Manifest manifest;
    manifest.name = sample.label;
    manifest.version = sample.version;
    manifest.status = "active";
    manifest.capabilities = sample.capabilities;
    manifest.protocols = sample.protocols;
    for (const std::string& protocol : sample.protocols) manifest.endpoints.push_back(sample_endpoint(protocol));
    manifest.description = sample.description;
    for (const auto& [place, rdata] : wanted) {
      if (!place.first.starts_with("_manifest.")) continue;
      for (size_t at = 0; at < rdata.size(); at += rdata[at] + size_t{1}) {
        manifest.octets += as_text(ByteView(rdata).subspan(at + 1, rdata[at]));
      }
    }
    Records made;
    for (PublishedRecord& record : published(make_publication(manifest, options_for(sample.label), sample_key()))) {
      CHECK(record.ttl == 300);
      made.emplace(std::pair(record.owner.to_text(), record.type), std::move(record.rdata));
    }
    CHECK(made.size() == wanted.size());
    CHECK(sorted_texts(made) == sorted_texts(wanted));
  }
}

TEST_CASE("publication: the rotation and the tombstone of steward-records(7) come out to the octet") {
  const dns::Name agent = options_for("vibe-agency-orchestrator").agent;
  std::ostringstream page;
  page << std::ifstream(std::string(SOURCE_ROOT) + "/man/steward-records.7").rdbuf();
  std::string text = page.str();
  text.erase(0, text.find("$ORIGIN " + std::string(space) + "\n_keys."));
  text.resize(text.find("\n.Ed"));
  text = "@ 60 SOA ns h 1 1 1 1 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n" + text + "\n";
  const Records wanted = records_of(zone::load_zone_text(text, "page", name(space)), agent);

  const Records before = sample_records("vibe-agency-orchestrator");
  const auto present = Statement::from_txt(before.find({agent.to_text(), dns::RrType::TXT})->second);
  REQUIRE(present);
  const auto second = key_of_phrase("steward sample agents, second key");
  PublishOptions options = options_for("vibe-agency-orchestrator");
  const auto rotation = Rotation::make(agent, 1, sample_key(), second, options.modified + Seconds(86400));
  REQUIRE(rotation);
  options.modified += Seconds(2 * 86400);
  options.status = AgentStatus::Revoked;
  options.reason = "its host was broken into";
  Records made;
  for (PublishedRecord& record : published(make_tombstone(*present, options, second))) {
    made.emplace(std::pair(record.owner.to_text(), record.type), std::move(record.rdata));
  }
  const ByteView keys = rotation->txt_rdata();
  made.emplace(std::pair("_keys." + agent.to_text(), dns::RrType::TXT), Bytes(keys.begin(), keys.end()));
  CHECK(sorted_texts(made) == sorted_texts(wanted));
}

TEST_CASE("publication: one SVCB row a protocol, one SRV row a host and port, in the manifest's order of preference") {
  Manifest manifest = manifest_of(later_steward);
  manifest.endpoints = {{"a2a", "h2", "a.example.com", 443, "/", ""},
                        {"a2a", "h2", "b.example.com", 443, "/", ""},
                        {"mcp", "http/1.1", "a.example.com", 443, "/", ""},
                        {"", "h2", "a.example.com", 8443, "/", ""}};
  const auto records = published(make_publication(manifest, options_for("herald"), sample_key()));
  const std::string digest = dns::encode(dns::base64url, crypto::sha256(as_bytes(later_steward)));
  CHECK(texts_of(records, dns::RrType::SRV) == Texts{"0 0 443 a.example.com.", "1 0 8443 a.example.com."});
  CHECK(texts_of(records, dns::RrType::SVCB) ==
        Texts{"1 a.example.com. alpn=\"a2a,h2\" port=443 key65401=\"" + digest + "\" key65402=\"a2a\"",
              "2 a.example.com. alpn=\"mcp,http/1.1\" port=443 key65401=\"" + digest + "\" key65402=\"mcp\"",
              "3 a.example.com. alpn=\"h2\" port=8443 key65401=\"" + digest + "\""});
  statement_of(records);
}

TEST_CASE("publication: an agent that no network endpoint serves has no SRV and no SVCB, and ep is of no octets") {
  const auto records = published(make_publication(manifest_of(later_steward), options_for("Herald"), sample_key()));
  CHECK(records.size() == 3);
  CHECK(statement_of(records).endpoints() == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(records[0].owner.to_text() == "herald." + std::string(space));
}

TEST_CASE("publication: a manifest elsewhere is named by its URL, in the statement and in cap, and not stored") {
  PublishOptions options = options_for("weather");
  options.manifest_url = "https://mcp.example.com/.well-known/mcp.json";
  const auto records = published(make_publication(manifest_of(server), options, sample_key()));
  CHECK(records.size() == 4);
  CHECK(*statement_of(records).find("manifest") == options.manifest_url);
  const Texts rows = texts_of(records, dns::RrType::SVCB);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].find("key65400=\"https://mcp.example.com/.well-known/mcp.json\"") != std::string::npos);
  CHECK(rows[0].ends_with("key65409=\"mcp.json\""));
  options.manifest_url = "https://other.example.com/.well-known/mcp.json";
  const auto other = published(make_publication(manifest_of(server), options, sample_key()));
  CHECK(texts_of(other, dns::RrType::SVCB).at(0).find("key65409") == std::string::npos);
  for (const std::string_view wrong :
       {"http://mcp.example.com/x", "mcp.json", "https://mcp.example.com/\"", "wss://mcp.example.com/"}) {
    options.manifest_url = wrong;
    check_invalid(make_publication(manifest_of(server), options, sample_key()), "manifest URL");
  }
}

TEST_CASE("publication: a manifest of up to 32 KiB is stored in strings of 255 octets, exactly as read") {
  const std::string most = with(later_steward, "{", "{" + std::string(32768 - later_steward.size(), ' '));
  const auto records = published(make_publication(manifest_of(most), options_for("herald"), sample_key()));
  const PublishedRecord& stored = records.back();
  CHECK(stored.owner.to_text() == "_manifest.herald." + std::string(space));
  CHECK(stored.type == dns::RrType::TXT);
  CHECK(stored.rdata.size() == 32768 + 129);
  std::string octets;
  for (size_t at = 0; at < stored.rdata.size(); at += stored.rdata[at] + size_t{1}) {
    CHECK((stored.rdata[at] == 255 || at + 1 + stored.rdata[at] == stored.rdata.size()));
    octets += as_text(ByteView(stored.rdata).subspan(at + 1, stored.rdata[at]));
  }
  CHECK(octets == most);
  CHECK(*statement_of(records).find("digest") == sha256_text(as_bytes(most)));
  check_invalid(make_publication(manifest_of(most + " "), options_for("herald"), sample_key()),
                "32769 octets, at most 32768");
}

TEST_CASE("publication: long values go on in the next string under the same key") {
  Manifest manifest = manifest_of(later_steward);
  manifest.description = std::string(1000, 'd');
  for (int i = 0; i < 60; ++i) manifest.capabilities.push_back("capability_" + std::to_string(i));
  const auto records = published(make_publication(manifest, options_for("herald"), sample_key()));
  const Statement statement = statement_of(records);
  CHECK(*statement.find("desc") == manifest.description);
  CHECK(statement.find("capabilities")->ends_with(",capability_58,capability_59"));
}

TEST_CASE("publication: a namespace with a slash is percent-encoded in the dns: URI [RFC 4501 §3]") {
  PublishOptions options = options_for("herald");
  options.agent = name("herald.user/kimeisele.github.steward-registry.org.");
  const Statement statement =
      statement_of(published(make_publication(manifest_of(later_steward), options, sample_key())));
  CHECK(*statement.find("manifest") == "dns:_manifest.herald.user%2Fkimeisele.github.steward-registry.org?type=TXT");
}

TEST_CASE("publication: custody, status and successor stand in the statement; what they need is asked for") {
  PublishOptions options = options_for("herald");
  options.custody = "com.vibe-agency";
  options.status = AgentStatus::Deprecated;
  check_invalid(make_publication(manifest_of(later_steward), options, sample_key()), "needs succ");
  options.successor = "next.vibe-agency.com.steward-registry.org";
  const Statement statement =
      statement_of(published(make_publication(manifest_of(later_steward), options, sample_key())));
  CHECK(statement.status() == AgentStatus::Deprecated);
  CHECK(*statement.find("succ") == options.successor);
  CHECK(*statement.find("custody") == "com.vibe-agency");
  options.status = AgentStatus::Active;
  Manifest old = manifest_of(later_steward);
  old.status = "deprecated";
  CHECK(statement_of(published(make_publication(old, options, sample_key()))).status() == AgentStatus::Deprecated);
  options.successor = "a\nb";
  check_invalid(make_publication(old, options, sample_key()), "without control characters");
  for (const AgentStatus status : {AgentStatus::Withdrawn, AgentStatus::Revoked}) {
    options.status = status;
    check_invalid(make_publication(manifest_of(later_steward), options, sample_key()), "active or deprecated");
  }
}

TEST_CASE("publication: the name is the manifest's, a sound label, and of at most 180 octets") {
  check_invalid(make_publication(manifest_of(later_steward), options_for("other"), sample_key()),
                "the manifest is that of \"herald\"");
  check_invalid(make_publication(manifest_of(later_steward), options_for("www"), sample_key()), "reserved");
  check_invalid(make_publication(manifest_of(later_steward), options_for("a_b"), sample_key()), "a-z, 0-9 and -");
  PublishOptions options = options_for("herald");
  const std::string label(57, 'n');
  options.agent = name("herald." + label + "." + label + "." + label + "a.");
  REQUIRE(options.agent.size() == 183);
  check_invalid(make_publication(manifest_of(later_steward), options, sample_key()), "183 octets, at most 180");
}

TEST_CASE("publication: a withdrawal is a signed tombstone without endpoints, which supersedes the statement") {
  const auto before = published(make_publication(manifest_of(server), options_for("weather"), sample_key()));
  const Statement present = statement_of(before);
  PublishOptions options = options_for("weather");
  options.modified += Seconds(60);
  options.status = AgentStatus::Withdrawn;
  const auto records = published(make_tombstone(present, options, sample_key()));
  const Statement tombstone = statement_of(records);
  CHECK(tombstone.status() == AgentStatus::Withdrawn);
  CHECK(tombstone.version() == "1.0.2");
  CHECK(!tombstone.find("capabilities"));
  CHECK(!tombstone.find("manifest"));
  CHECK(!tombstone.find("digest"));
  CHECK(records.size() == 4);
  CHECK(texts_of(records, dns::RrType::SRV) == Texts{"0 0 0 ."});
  CHECK(texts_of(records, dns::RrType::SVCB) == Texts{"0 ."});
  CHECK(check_supersedes(tombstone, present));

  options.status = AgentStatus::Revoked;
  options.modified += Seconds(60);
  check_invalid(make_tombstone(tombstone, options, sample_key()), "needs reason");
  options.reason = "key\x1b[2Jlost";
  check_invalid(make_tombstone(tombstone, options, sample_key()), "without control characters");
  options.reason = "key lost";
  options.successor = "weather-2.vibe-agency.com.steward-registry.org";
  const Statement revoked = statement_of(published(make_tombstone(tombstone, options, sample_key())));
  CHECK(*revoked.find("reason") == "key lost");
  CHECK(*revoked.find("succ") == options.successor);
  CHECK(check_supersedes(revoked, tombstone));
  options.status = AgentStatus::Active;
  check_invalid(make_tombstone(present, options, sample_key()), "withdrawn or revoked");
}

TEST_CASE("publication: a statement is restated with another key, status or version, and keeps all else") {
  PublishOptions options = options_for("weather");
  options.custody = "com.vibe-agency";
  const auto before = published(make_publication(manifest_of(server), options, sample_key()));
  const Statement present = statement_of(before);
  const auto rows = endpoints_of(before);
  const auto next_key = crypto::KeyPair::generate(crypto::Algorithm::ECDSAP256SHA256);
  REQUIRE(next_key);
  PublishOptions next = options_for("weather");
  next.modified += Seconds(60);
  next.version = "1.0.3";
  const auto records = published(restate(present, rows, next, *next_key));
  const Statement claimed = statement_of(records);
  CHECK(claimed.fingerprint() != present.fingerprint());
  CHECK(!claimed.find("custody"));
  CHECK(claimed.version() == "1.0.3");
  for (const std::string_view key : {"manifest", "digest", "ep", "desc"}) CHECK(claimed.find(key) == present.find(key));
  CHECK(records.size() == 4);
  CHECK(check_supersedes(claimed, present));

  next.version.clear();
  next.status = AgentStatus::Deprecated;
  next.successor = "weather-2.vibe-agency.com.steward-registry.org";
  const Statement old = statement_of(published(restate(present, rows, next, sample_key())));
  CHECK(old.status() == AgentStatus::Deprecated);
  CHECK(old.version() == "1.0.2");
  CHECK(check_supersedes(old, present));
  next.status = AgentStatus::Withdrawn;
  check_invalid(restate(present, rows, next, sample_key()), "tombstone");
  next.status = AgentStatus::Active;
  check_invalid(restate(present, {}, next, sample_key()), "ep is");
}
