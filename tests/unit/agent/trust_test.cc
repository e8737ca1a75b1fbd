#include "agent/trust.hh"

#include <doctest/doctest.h>

#include <limits>

#include "agent/text_fields.hh"

using namespace steward;
using namespace steward::agent;

namespace {

const UnixTime now = unix_time(1'800'000'000);
constexpr Seconds day{24 * 3600};

AgentEntry well_known() {
  AgentEntry entry;
  entry.first_published = now - 100 * day;
  for (const char* fact : {"tests", "success", "uptime", "endorsements", "attestation"})
    entry.facts[fact] = {0.9, false, now};
  return entry;
}

double trust(const AgentEntry& entry, const TrustPolicy& policy = {}) { return trust_of(entry, policy, now).trust; }

std::string text_of(ByteView txt_rdata) {
  std::string out;
  for (ByteReader in(txt_rdata); in.left() != 0;) out += "\"" + std::string(as_text(in.bytes(in.u8()))) + "\"";
  return out;
}

Bytes txt(std::initializer_list<std::string_view> strings) {
  Bytes out;
  for (const auto string : strings) {
    append_u8(out, static_cast<uint8_t>(string.size()));
    append(out, as_bytes(string));
  }
  return out;
}

}  // namespace

TEST_CASE("trust: the sum has STEWARD's weights") {
  AgentEntry entry = well_known();
  CHECK(trust(entry) == doctest::Approx(0.90));
  const std::pair<const char*, double> weights[] = {
      {"tests", 0.30}, {"success", 0.25}, {"uptime", 0.20}, {"endorsements", 0.15}, {"attestation", 0.10}};
  for (const auto& [fact, weight] : weights) {
    entry.facts.clear();
    entry.facts[fact] = {1, false, now};
    CHECK(trust(entry) == doctest::Approx(weight));
  }
  entry.facts.clear();
  CHECK(trust(entry) == 0);
}

TEST_CASE("trust: weights are brought to a sum of 1, and nonsense of a policy or a fact counts as nothing") {
  TrustPolicy policy;
  policy.tests = 3, policy.success = 1, policy.uptime = policy.endorsements = policy.attestation = 0;
  AgentEntry entry = well_known();
  entry.facts["tests"].value = 1;
  entry.facts["success"].value = 0.2;
  CHECK(trust(entry, policy) == doctest::Approx(0.80));
  entry.facts["tests"].value = 17;
  CHECK(trust(entry, policy) == doctest::Approx(0.80));
  entry.facts["tests"].value = std::numeric_limits<double>::quiet_NaN();
  CHECK(trust(entry, policy) == doctest::Approx(0.05));
  policy.tests = -1, policy.success = std::numeric_limits<double>::infinity();
  CHECK(trust(entry, policy) == 0);
}

TEST_CASE("trust: what only the manifest claims is capped, and the term says so") {
  AgentEntry entry = well_known();
  entry.facts["tests"] = {1, true, now};
  const TrustSum sum = trust_of(entry, {}, now);
  CHECK(sum.terms.front().value == doctest::Approx(0.5));
  CHECK(sum.terms.front().note == "claimed by the manifest, capped at 0.50");
  CHECK(sum.trust == doctest::Approx(0.78));
  entry.facts["tests"].value = 0.4;
  CHECK(trust(entry) == doctest::Approx(0.75));
  CHECK(trust_of(entry, {}, now).terms.front().note == "claimed by the manifest");
}

TEST_CASE("trust: an attestation loses its worth as it ages") {
  AgentEntry entry = well_known();
  entry.facts.clear();
  entry.facts["attestation"] = {1, false, now - 45 * day};
  CHECK(trust(entry) == doctest::Approx(0.05));
  CHECK(trust_of(entry, {}, now).terms[4].note == "45 days old");
  entry.facts["attestation"].at = now - 91 * day;
  CHECK(trust(entry) == 0);
  entry.facts["attestation"].at = now + 5 * day;  // a clock that runs ahead gives no more than the fact
  CHECK(trust(entry) == doctest::Approx(0.10));
  TrustPolicy policy;
  policy.attestation_days = 0;
  entry.facts["attestation"].at = now - 900 * day;
  CHECK(trust(entry, policy) == doctest::Approx(0.10));
}

TEST_CASE("trust: a new agent has less, growing evenly to the whole") {
  AgentEntry entry = well_known();
  entry.first_published = now;
  CHECK(trust(entry) == doctest::Approx(0.72));
  entry.first_published = now - 15 * day;
  CHECK(trust(entry) == doctest::Approx(0.81));
  entry.first_published = now - 30 * day;
  CHECK(trust(entry) == doctest::Approx(0.90));
  CHECK(trust_of(entry, {}, now).terms.size() == 5);
  entry.first_published = now + 15 * day;
  CHECK(trust(entry) == doctest::Approx(0.72));
  TrustPolicy policy;
  policy.new_days = 0;
  CHECK(trust(entry, policy) == doctest::Approx(0.90));
}

TEST_CASE("trust: a look-alike is halved, then custody caps, each a term with the sum after it") {
  AgentEntry entry = well_known();
  entry.looks_alike = true;
  CHECK(trust(entry) == doctest::Approx(0.45));
  entry.custodial = true;
  const TrustSum sum = trust_of(entry, {}, now);
  CHECK(sum.trust == doctest::Approx(0.30));
  REQUIRE(sum.terms.size() == 7);
  CHECK(sum.terms[5].name == "look-alike");
  CHECK(sum.terms[5].result == doctest::Approx(0.45));
  CHECK(sum.terms[6].name == "custody");
  CHECK(sum.terms[6].result == doctest::Approx(0.30));
}

TEST_CASE("trust: two decimals, always") {
  CHECK(trust_text(0) == "0.00");
  CHECK(trust_text(0.9449) == "0.94");
  CHECK(trust_text(0.945001) == "0.95");
  CHECK(trust_text(1) == "1.00");
  CHECK(trust_text(7) == "1.00");
  CHECK(trust_text(-1) == "0.00");
  CHECK(trust_text(std::numeric_limits<double>::quiet_NaN()) == "0.00");
}

TEST_CASE("trust: the registry's statement is to the octet what the records say [steward-records(7)]") {
  AgentEntry entry;
  entry.trust = 0.94;
  entry.write.clock = {{"us-91c0", 7}, {"eu-4f2a", 5}};
  CHECK(text_of(registry_statement("com.vibe-agency", entry)) ==
        R"("v=steward-registry1""registry=com.vibe-agency""trust=0.94""vc=eu-4f2a:5,us-91c0:7""status=active")");
  entry.status = AgentStatus::Deprecated;
  CHECK(text_of(registry_statement("com.vibe-agency", entry)).ends_with(R"("status=deprecated")"));
  entry.suspended = "a court said so";
  CHECK(text_of(registry_statement("com.vibe-agency", entry)).ends_with(R"("status=suspended")"));
  // A clock of many replicas goes on in the next string under its key.
  for (int i = 0; i < 40; ++i) entry.write.clock["replica-" + std::to_string(i)] = 1'000'000;
  const auto fields = fields_from_txt(registry_statement("com.vibe-agency", entry));
  REQUIRE(fields);
  CHECK(fields->size() == 5);
}

TEST_CASE("trust: the record of the sum comes back as it was") {
  AgentEntry entry = well_known();
  entry.first_published = now - 3 * day;
  entry.looks_alike = entry.custodial = true;
  entry.facts["tests"].claimed = true;
  entry.facts.erase("uptime");
  const TrustSum sum = trust_of(entry, {}, now);
  const Bytes record = trust_record(sum);
  CHECK(text_of(record).starts_with(
      R"("v=steward-trust1""trust=0.25""tests=0.300 0.500 0.150 claimed by the manifest, capped at 0.50")"));
  CHECK(text_of(record).find(R"("new-agent=0.820 0.)") != std::string::npos);
  const auto back = trust_from_record(record);
  REQUIRE_MESSAGE(back, back.error().what);
  CHECK(back->trust == sum.trust);
  REQUIRE(back->terms.size() == sum.terms.size());
  for (size_t i = 0; i < sum.terms.size(); ++i) {
    CHECK(back->terms[i].name == sum.terms[i].name);
    CHECK(back->terms[i].note == sum.terms[i].note);
    CHECK(back->terms[i].weight == doctest::Approx(sum.terms[i].weight).epsilon(0.001));
    CHECK(back->terms[i].result == doctest::Approx(sum.terms[i].result).epsilon(0.01));
  }
  CHECK(trust_record(*back) == record);
}

TEST_CASE("trust: a hostile record of a sum is refused with the rule") {
  const auto refused = [](std::initializer_list<std::string_view> strings, std::string_view rule) {
    const auto sum = trust_from_record(txt(strings));
    REQUIRE_FALSE(sum);
    CAPTURE(sum.error().what);
    CHECK(sum.error().what.find(rule) != std::string::npos);
  };
  refused({}, "at least one string");
  refused({"v=steward1", "trust=0.94"}, "v=steward-trust1 wanted");
  refused({"v=steward-trust1"}, "trust= must be the second key");
  refused({"v=steward-trust1", "tests=0.300 0.500 0.150", "trust=0.94"}, "trust= must be the second key");
  for (const std::string_view number :
       {"", "0.9", "0.944", "1.01", "-0.1", "+0.1", "1e-1", "nan.", "inf.", " 0.9", "0,94", "9999", "00.9", "0x.1"})
    refused({"v=steward-trust1", "trust=" + std::string(number)}, "key trust");
  for (const std::string_view value :
       {"", "0.300", "0.300 0.500", "0.300 0.500 ", "0.300 0.500 0.15", "0.300 0.500 1.150", "0.300 0.500 0.150x",
        "0.300  0.500 0.150", "0.300 0.500 0.150 \x1b[2J", "0.300 0.500 0.150 \xc3\xa9", "nan   0.500 0.150"})
    refused({"v=steward-trust1", "trust=0.94", "tests=" + std::string(value)}, "key tests");
  refused({"v=steward-trust1", "trust=0.94", "tests=0.300 0.500 0.150", "uptime=0.300 0.500 0.150",
           "tests=0.300 0.500 0.150"},
          "repeated");
  Bytes cut = txt({"v=steward-trust1", "trust=0.94"});
  cut.pop_back();
  CHECK_FALSE(trust_from_record(cut));
}

TEST_CASE("trust: it is outdated once its two decimals are others, and never of an agent that is not live") {
  AgentEntry entry = well_known();
  entry.trust = trust(entry);
  CHECK_FALSE(is_trust_outdated(entry, {}, now));
  CHECK_FALSE(is_trust_outdated(entry, {}, now + 4 * day));  // 0.004 less
  CHECK(is_trust_outdated(entry, {}, now + 10 * day));
  TrustPolicy stricter;
  stricter.claimed_cap = stricter.unknown = 0;
  entry.facts.erase("tests");
  CHECK(is_trust_outdated(entry, stricter, now));
  entry.presence = Presence::Tombstone;
  CHECK_FALSE(is_trust_outdated(entry, stricter, now));
  entry.presence = Presence::Gone;
  CHECK_FALSE(is_trust_outdated(entry, stricter, now));
}
