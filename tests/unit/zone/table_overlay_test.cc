#include <doctest/doctest.h>

#include <string>

#include "memory_octets.hh"
#include "zone/table_overlay.hh"

using namespace steward;

namespace {

std::string keys_of(zone::OctetTable& table) {
  std::string keys;
  for (Bytes key; table.at_or_after(key); key.push_back(0)) keys += as_text(key);
  return keys;
}

}  // namespace

TEST_CASE("table overlay: reads show what was put over what is below, in one order") {
  test::MemoryOctets below;
  for (const char* key : {"a", "c", "e"}) REQUIRE(below.put(as_bytes(key), as_bytes("below")));
  zone::TableOverlay overlay(below);
  REQUIRE(overlay.put(as_bytes("b"), as_bytes("new")));
  REQUIRE(overlay.put(as_bytes("c"), {}));
  REQUIRE(overlay.put(as_bytes("e"), as_bytes("changed")));
  REQUIRE(overlay.put(as_bytes("f"), as_bytes("last")));
  CHECK(keys_of(overlay) == "abef");
  CHECK(as_text(overlay.find(as_bytes("e"))) == "changed");
  CHECK(overlay.find(as_bytes("c")).empty());
  CHECK(as_text(overlay.find(as_bytes("a"))) == "below");
  CHECK(keys_of(below) == "ace");
}

TEST_CASE("table overlay: what is dropped leaves the table below as it was, what is written down changes it") {
  test::MemoryOctets below;
  REQUIRE(below.put(as_bytes("a"), as_bytes("below")));
  zone::TableOverlay overlay(below);
  REQUIRE(overlay.put(as_bytes("a"), {}));
  overlay.drop();
  CHECK(keys_of(overlay) == "a");
  REQUIRE(overlay.put(as_bytes("a"), {}));
  REQUIRE(overlay.put(as_bytes("b"), as_bytes("new")));
  REQUIRE(overlay.write_down());
  CHECK(keys_of(below) == "b");
}

TEST_CASE("table overlay: what was kept outlives what is dropped, and reaches the table below when it is written down") {
  test::MemoryOctets below;
  REQUIRE(below.put(as_bytes("a"), as_bytes("below")));
  zone::TableOverlay overlay(below);
  REQUIRE(overlay.put(as_bytes("a"), as_bytes("first")));
  REQUIRE(overlay.take(Bytes{'b'}, Bytes{'1'}));
  CHECK(overlay.keys().size() == 2);
  overlay.keep();
  CHECK(overlay.is_unchanged());
  REQUIRE(overlay.put(as_bytes("a"), as_bytes("second")));
  REQUIRE(overlay.put(as_bytes("a"), as_bytes("third")));
  REQUIRE(overlay.take(Bytes{'b'}, Bytes()));
  REQUIRE(overlay.put(as_bytes("c"), as_bytes("new")));
  CHECK(keys_of(overlay) == "ac");
  CHECK(overlay.keys().size() == 3);
  overlay.drop();
  CHECK(keys_of(overlay) == "ab");
  CHECK(as_text(overlay.find(as_bytes("a"))) == "first");
  CHECK(as_text(below.find(as_bytes("a"))) == "below");
  REQUIRE(overlay.put(as_bytes("a"), {}));
  overlay.keep();
  overlay.drop();
  CHECK(keys_of(overlay) == "b");
  REQUIRE(overlay.write_down());
  CHECK(overlay.size() == 0);
  CHECK(keys_of(below) == "b");
}

TEST_CASE("table overlay: over another it hands down what it has, which that one may still drop") {
  test::MemoryOctets below;
  zone::TableOverlay middle(below);
  zone::OctetTable& under = middle;
  zone::TableOverlay top(under);
  REQUIRE(top.put(as_bytes("a"), as_bytes("1")));
  REQUIRE(top.write_down());
  CHECK(keys_of(middle) == "a");
  middle.drop();
  CHECK(keys_of(middle).empty());
  CHECK(!top.take(Bytes(zone::max_table_key + 1, 'k'), Bytes{'1'}));
}
