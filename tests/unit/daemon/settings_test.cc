// What the daemon makes of the configuration for the rooms that serve.

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "daemon/settings.hh"

using namespace steward;

namespace {

struct SecretFile {
  SecretFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "steward-settings-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
  }
  ~SecretFile() { std::filesystem::remove_all(folder); }
  Result<serve::CookieSecrets> read(std::string_view text) {
    std::ofstream(folder / "secret") << text;
    return daemon::read_cookie_secrets(folder / "secret");
  }
  std::filesystem::path folder;
};

}  // namespace

TEST_CASE_FIXTURE(SecretFile, "cookies: a secret of one line, and the one before it on a second [RFC 9018 §5]") {
  const auto one = read("00112233445566778899aabbccddeeff\n");
  REQUIRE(one);
  CHECK(one->current[1] == 0x11);
  CHECK(one->current[15] == 0xff);
  CHECK_FALSE(one->has_previous);
  const auto two = read("00112233445566778899AABBCCDDEEFF\r\n\nffeeddccbbaa99887766554433221100");
  REQUIRE(two);
  CHECK(two->current == one->current);
  CHECK(two->has_previous);
  CHECK(two->previous[0] == 0xff);
}

TEST_CASE_FIXTURE(SecretFile, "cookies: a secret that is none is told with its line") {
  const std::string good = "00112233445566778899aabbccddeeff\n";
  for (const auto& [text, line] : {std::pair<std::string, const char*>{"short\n", ":1:"},
                                   {good + "00112233\n", ":2:"},
                                   {good + good + good, ":3:"},
                                   {good.substr(0, 31) + "g\n", ":1:"}}) {
    const auto read_back = read(text);
    REQUIRE_FALSE(read_back);
    CHECK(read_back.error().code == Errc::Invalid);
    CHECK(read_back.error().what.find(line) != std::string::npos);
  }
  CHECK_FALSE(read(""));
  CHECK(daemon::read_cookie_secrets(folder / "absent").error().code == Errc::Io);
}

TEST_CASE("cookies: without a file every start draws another secret") {
  const auto one = daemon::read_cookie_secrets({});
  const auto other = daemon::read_cookie_secrets({});
  REQUIRE(one);
  REQUIRE(other);
  CHECK(one->current != other->current);
}

TEST_CASE("rate limit: every key of the configuration reaches the limiter") {
  config::RateLimit limit;
  limit.answers_per_second = 7;
  limit.slip = 3;
  limit.ipv4_prefix = 28;
  limit.ipv6_prefix = 48;
  limit.exempt = {*AddressBlock::from_text("192.0.2.0/24")};
  limit.limited = {*AddressBlock::from_text("127.0.0.0/8")};
  const auto settings = daemon::rate_limits_of(limit);
  CHECK(settings.per_second == 7);
  CHECK(settings.slip == 3);
  CHECK(settings.ipv4_prefix == 28);
  CHECK(settings.ipv6_prefix == 48);
  CHECK(settings.exempt.size() == 1);
  CHECK(settings.listed.size() == 1);
}
