#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "zone/table_overlay.hh"

using namespace steward;

namespace {

class MapTable final : public zone::OctetTable {
 public:
  [[nodiscard]] Bytes find(ByteView key) override {
    const auto at = map.find(Bytes(key.begin(), key.end()));
    return at != map.end() ? at->second : Bytes();
  }
  [[nodiscard]] bool at_or_after(Bytes& key) override {
    const auto at = map.lower_bound(key);
    if (at == map.end()) return false;
    key = at->first;
    return true;
  }
  Result<void> put(ByteView key, ByteView octets) override {
    if (octets.empty())
      map.erase(Bytes(key.begin(), key.end()));
    else
      map[Bytes(key.begin(), key.end())] = Bytes(octets.begin(), octets.end());
    return {};
  }
  std::map<Bytes, Bytes> map;
};

std::string keys_of(zone::OctetTable& table) {
  std::string keys;
  for (Bytes key; table.at_or_after(key); key.push_back(0)) keys += as_text(key);
  return keys;
}

}  // namespace

TEST_CASE("table overlay: reads show what was put over what is below, in one order") {
  MapTable below;
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
  MapTable below;
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
