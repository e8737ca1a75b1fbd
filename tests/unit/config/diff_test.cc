#include "config/diff.hh"

#include <doctest/doctest.h>

#include "text.hh"

using namespace steward::config;

TEST_CASE("diff: the same meaning in other words is no change") {
  CHECK(
      diff(
          good(""),
          good(
              "udp-max-size: 1232\nrate-limit: 200\nlisten: [127.0.0.1, '::1']\ntcp: {idle-timeout: 10}\ndata: ./data"))
          .empty());
  CHECK(diff(good("zones: [{name: e., file: z}]"), good("zones: [{name: E, file: ./z, dnssec: false}]")).empty());
  CHECK(diff(good("rate-limit: 7"), good("rate-limit: {answers-per-second: 7}")).empty());
}

TEST_CASE("diff: a change says whether it needs a restart") {
  const auto changes = diff(good("workers: 1\nlog: {level: info}"), good("workers: 2\nlog: {level: debug}"));
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].key == "log.level");
  CHECK(changes[0].effect == Effect::Reload);
  CHECK(changes[1].key == "workers");
  CHECK(changes[1].before == "1");
  CHECK(changes[1].after == "2");
  CHECK(changes[1].effect == Effect::Restart);
}

TEST_CASE("diff: a zone that comes or goes is one change, its order none") {
  const auto a = good("zones: [{name: a.b, file: z}, {name: c.d, file: z, dnssec: true}]");
  const auto b = good("zones: [{name: x.y, file: z}, {name: a.b, file: z2}]");
  const auto changes = diff(a, b);
  REQUIRE(changes.size() == 3);
  CHECK(changes[0].key == "zones[a.b].file");
  CHECK(changes[1].key == "zones[c.d]");
  CHECK(changes[1].after.empty());
  CHECK(changes[2].key == "zones[x.y]");
  CHECK(changes[2].before.empty());
  CHECK(diff(good("zones: [{name: a., file: z}, {name: b., file: z}]"),
             good("zones: [{name: b., file: z}, {name: a., file: z}]"))
            .empty());
}

TEST_CASE("diff: a secret is compared and not shown") {
  const auto changes = diff(good("keys: [{name: k., secret: MDEyMzQ1Njc4OWFiY2RlZg==}]"),
                            good("keys: [{name: k., secret: MDEyMzQ1Njc4OWFiY2RlZA==}]"));
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].key == "keys[k].secret");
  CHECK(changes[0].before == "(secret)");
}

TEST_CASE("diff: access lists are compared as a whole") {
  const auto changes = diff(good("zones: [{name: e., file: z, allow-transfer: [10.0.0.0/8]}]"),
                            good("zones: [{name: e., file: z, allow-transfer: [10.0.0.0/8, 192.0.2.1]}]"));
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].key == "zones[e].allow-transfer");
}
