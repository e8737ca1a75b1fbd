#include "config/value.hh"

#include <doctest/doctest.h>

#include "text.hh"

using namespace steward::config;

TEST_CASE("value: durations take units in descending order, or seconds") {
  CHECK(*parse_duration("30d") == 30 * 86400);
  CHECK(*parse_duration("12h") == 12 * 3600);
  CHECK(*parse_duration("90s") == 90);
  CHECK(*parse_duration("45") == 45);
  CHECK(*parse_duration("1w2d3h4m5s") == 9 * 86400 + 3 * 3600 + 4 * 60 + 5);
  for (const char* bad : {"", "d", "1", "1x", "1h1d", "1h1h", "-1h", "1.5h", " 1h", "1h ", "01h",
                          "99999999999999999999s", "9223372036854775807y"})
    if (std::string_view(bad) != "1") CHECK_MESSAGE(!parse_duration(bad), bad);
}

TEST_CASE("value: sizes are octets, K, M, G and T multiples of 1024") {
  CHECK(*parse_size("64M") == int64_t{64} << 20);
  CHECK(*parse_size("1G") == int64_t{1} << 30);
  CHECK(*parse_size("512") == 512);
  for (const char* bad : {"", "M", "1MB", "1m", "-1", "1.5G", "9999999999999T", "010"})
    CHECK_MESSAGE(!parse_size(bad), bad);
}

TEST_CASE("value: canonical text reads back as the same value") {
  for (const int64_t seconds :
       {int64_t{0}, int64_t{1}, int64_t{59}, int64_t{3600}, int64_t{86400}, int64_t{90061}, int64_t{400} * 86400})
    CHECK(*parse_duration(duration_text(seconds)) == seconds);
  for (const int64_t octets : {int64_t{1}, int64_t{1024}, int64_t{1} << 30, (int64_t{1} << 30) + 1})
    CHECK(*parse_size(size_text(octets)) == octets);
  CHECK(duration_text(30 * 86400) == "30d");
  CHECK(duration_text(5400) == "1h30m");
}

TEST_CASE("value: a TSIG secret is strict base64, and never shown [RFC 4648 §4]") {
  const auto key = [](std::string_view secret) {
    return "keys: [{name: k., secret: \"" + std::string(secret) + "\"}]\n";
  };
  CHECK(good(key("MDEyMzQ1Njc4OWFiY2RlZg==")).keys.at(0).secret.size() == 16);
  for (const char* bad : {"", "abc", "abc!", "YWI=YWI=", "YWF=", "AB==CD=="}) {
    const std::string what = problems(key(bad));
    CHECK(what.find("secret: expected base64") != std::string::npos);
    if (*bad != 0) CHECK(what.find(bad) == std::string::npos);
  }
}

TEST_CASE("value: NSID is text or hex [RFC 5001 §2.3]") {
  CHECK(good("server: {nsid: eu-1}").server.nsid.size() == 4);
  CHECK(good("server: {nsid: 0x00ff}").server.nsid == steward::Bytes{0, 255});
  CHECK(problems("server: {nsid: 0x0}") != "");
  CHECK(problems("server: {nsid: 0xgg}") != "");
}

TEST_CASE("value: true and false only; a quoted true is text") {
  CHECK(good("cookies: false").cookies.enabled == false);
  for (const char* bad : {"yes", "on", "True", "1", "\"true\"", "~", "[true]"})
    CHECK_MESSAGE(
        problems("zone-files: {watch: " + std::string(bad) + "}").find("expected true or false") != std::string::npos,
        bad);
}
