#include "cli/console.hh"

#include <doctest/doctest.h>

#include <sstream>

using namespace steward::cli;

TEST_CASE("console: a table is aligned, numbers to the right, without trailing spaces") {
  Table table({"ZONE", "SERIAL"});
  table.row({"example.com.", "7"});
  table.row({"grüße.", "2026010101"});
  CHECK(table.text() ==
        "ZONE          SERIAL\n"
        "example.com.           7\n"
        "grüße.        2026010101\n");
}

TEST_CASE("console: what comes from elsewhere cannot move the cursor") {
  CHECK(printable("a\x1b[2Jb\x7f") == "a?[2Jb?");
  CHECK(printable("a\xc2\x9b"
                  "b") == "a??b");
  CHECK(printable("grüße") == "grüße");
}

TEST_CASE("console: times for people") {
  CHECK(human_duration(0) == "0s");
  CHECK(human_duration(-5) == "0s");
  CHECK(human_duration(59) == "59s");
  CHECK(human_duration(3600) == "1h");
  CHECK(human_duration(93784) == "1d2h");
  CHECK(human_duration(86401) == "1d");
  CHECK(human_time(0) == "1970-01-01 00:00:00 UTC");
  CHECK(human_time(-1) == "-");
  CHECK(human_time(9223372036854775807) == "-");
  CHECK(human_size(512) == "512 octets");
  CHECK(human_size(uint64_t{64} << 30) == "64.0 GiB");
}

TEST_CASE("console: colour and progress are for terminals") {
  std::ostringstream out;
  std::ostringstream err;
  Console plain(out, err, false, false);
  CHECK(plain.toned(Tone::Bad, "x") == "x");
  plain.progress(1, 2, "signing");
  CHECK(err.str().empty());
  CHECK(plain.failed({steward::Errc::Io, "z: \x1b[0m"}) == exit_failed);
  CHECK(err.str() == "steward-registry: z: ?[0m\n");
  CHECK(Console(out, err, true, true).toned(Tone::Good, "x") == "\x1b[32mx\x1b[0m");
}

TEST_CASE("pace: the last ten seconds say how long it will take") {
  using namespace std::chrono_literals;
  Pace pace;
  const Pace::Clock::time_point begun{};
  pace.note(0, begun);
  CHECK(!pace.seconds_left(1000));
  pace.note(90, begun + 900ms);
  CHECK(!pace.a_second());
  for (int i = 1; i <= 100; ++i) pace.note(100U * static_cast<unsigned>(i), begun + i * 1s);
  CHECK(pace.a_second().value() == doctest::Approx(100));
  CHECK(pace.seconds_left(10'150) == 2);
  // Ten times as fast from now on: what was before is soon forgotten.
  for (int i = 1; i <= 1100; ++i) pace.note(10'000U + 10U * static_cast<unsigned>(i), begun + 100s + i * 10ms);
  CHECK(pace.a_second().value() == doctest::Approx(1000).epsilon(0.02));
  CHECK(pace.seconds_left(21'000) == 0);
  for (int i = 1; i <= 20; ++i) pace.note(21'000, begun + 111s + i * 1s);
  CHECK(!pace.seconds_left(30'000));
}
