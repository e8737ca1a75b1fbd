#include <doctest/doctest.h>

#include "dns/serial.hh"
#include "dns/time_text.hh"
#include "dns/ttl.hh"

using namespace steward;
using namespace steward::dns;

TEST_CASE("serial: comparison goes round the circle [RFC 1982 §3.2]") {
  CHECK(Serial(0) < Serial(1));
  CHECK(Serial(44) > Serial(0));
  CHECK(Serial(0xffffffff) < Serial(0));
  CHECK(Serial(0) > Serial(0xffffffff));
  CHECK(Serial(100) < Serial(0x80000063));
  CHECK(Serial(100) > Serial(0x80000065));
  CHECK(Serial(7) == Serial(7));
}

TEST_CASE("serial: two serials 2^31 apart are unordered [RFC 1982 §3.2]") {
  const Serial a(5);
  const Serial b(0x80000005);
  CHECK((a <=> b) == std::partial_ordering::unordered);
  CHECK_FALSE(a < b);
  CHECK_FALSE(a > b);
  CHECK_FALSE(a == b);
}

TEST_CASE("serial: addition wraps and at most 2^31 - 1 goes ahead [RFC 1982 §3.1]") {
  CHECK(Serial(0xffffffff).next() == Serial(0));
  CHECK(Serial(0xffffffff).next() > Serial(0xffffffff));
  CHECK(Serial(3).plus(Serial::max_increment) > Serial(3));
}

TEST_CASE("ttl: seconds or numbers with units, at most 2^31 - 1 [RFC 2181 §8]") {
  const std::pair<const char*, uint32_t> good[] = {{"0", 0},
                                                   {"3600", 3600},
                                                   {"1h30m", 5400},
                                                   {"1W2D3H4m5S", 788645},
                                                   {"2w", 1209600},
                                                   {"90s", 90},
                                                   {"2147483647", 2147483647},
                                                   {"007", 7}};
  for (const auto& row : good) {
    const std::string text = row.first;
    const auto seconds = row.second;
    CAPTURE(text);
    CHECK(ttl_from_text(text) == seconds);
  }
  for (const auto* bad : {"", "h", "1h30", "1x", "1m1h", "1h1h", "2147483648", "-1", " 1", "1 ", "99999999999999999999",
                          "3551w", "1h30m0", "1.5h"})
    CHECK_FALSE_MESSAGE(ttl_from_text(bad), bad);
  CHECK(period_from_text("4294967295") == 4294967295U);
  CHECK_FALSE(period_from_text("4294967296"));
  CHECK_FALSE(period_from_text("7102w"));
}

TEST_CASE("time: fourteen digits and seconds go both ways [RFC 4034 §3.2]") {
  const std::pair<const char*, int64_t> good[] = {{"19700101000000", 0},
                                                  {"20030322173103", 1048354263},
                                                  {"20000229235959", 951868799},
                                                  {"21060207062815", 4294967295},
                                                  {"99991231235959", 253402300799}};
  for (const auto& row : good) {
    const std::string text = row.first;
    const auto seconds = row.second;
    CAPTURE(text);
    const auto time = time_from_text(text);
    REQUIRE(time);
    CHECK(seconds_of(*time) == seconds);
    CHECK(time_to_text(*time) == text);
  }
  for (const auto* bad : {"", "2003032217310", "200303221731033", "19691231235959", "20030229000000", "20031301000000",
                          "20030100000000", "20030101240000", "20030101006000", "20030101000060", "2003010100000x"})
    CHECK_FALSE_MESSAGE(time_from_text(bad), bad);
  CHECK(rrsig_time_from_text("1048354263") == 1048354263U);
  CHECK(rrsig_time_from_text("20030322173103") == 1048354263U);
  CHECK(rrsig_time_from_text("21060207062816") == 0U);  // RFC 4034 §3.1.5: modulo 2^32
  for (const auto* bad : {"", "4294967296", "-1", "1x"}) CHECK_FALSE_MESSAGE(rrsig_time_from_text(bad), bad);
}
