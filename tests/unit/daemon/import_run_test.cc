#include "daemon/import_run.hh"

#include <doctest/doctest.h>

#include "crypto/digest.hh"

namespace steward::daemon {
namespace {

dns::Name name(std::string_view text) { return *dns::Name::from_text(text); }

}  // namespace

TEST_CASE("import run: the first manifest of a name wins, in any case of its letters, and is named with its place") {
  ImportRun run;
  const auto one = crypto::sha256(as_bytes(std::string_view("one")));
  const auto other = crypto::sha256(as_bytes(std::string_view("other")));
  CHECK(!run.first_of(name("agent.example."), one, {7, 3}));
  const auto first = run.first_of(name("AGENT.example."), other, {8, {}});
  REQUIRE(first);
  CHECK(first->place.source == 7);
  CHECK(first->place.element == 3);
  CHECK(!first->has_digest(other));
  CHECK(first->has_digest(one));
  CHECK(!run.first_of(name("agent2.example."), one, {9, {}}));
}

}  // namespace steward::daemon
