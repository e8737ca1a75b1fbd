// The keys of a zone over restarts: made at first, never replaced in silence.

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "daemon/zone_keys.hh"

using namespace steward;
using daemon::ZoneKeys;

namespace {

struct KeyFolder {
  KeyFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "steward-keys-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    zone = config::default_zone(*dns::Name::from_text("example.test."), folder / "zone", folder);
    zone.dnssec.enabled = true;
    zone.dnssec.key_directory = folder / "new" / "keys";
  }
  ~KeyFolder() { std::filesystem::remove_all(folder); }

  std::filesystem::path folder;
  config::ZoneConfig zone;
  UnixTime now = unix_time(1'800'000'000);
};

}  // namespace

TEST_CASE_FIXTURE(KeyFolder,
                  "zone keys: the folder and a KSK and ZSK are made at the first start, and found at the next") {
  ZoneKeys first(zone);
  REQUIRE(first.prepare(now, 300, false));
  REQUIRE(first.confirm());
  REQUIRE(first.keys().size() == 2);
  ZoneKeys second(zone);
  REQUIRE(second.prepare(now + Seconds(1), 300, true));
  REQUIRE(second.keys().size() == 2);
  CHECK(second.keys()[0].tag() == std::min(first.keys()[0].tag(), first.keys()[1].tag()));
}

TEST_CASE_FIXTURE(KeyFolder, "zone keys: a signed zone whose keys are gone gets no new ones [RFC 4035 §2.1]") {
  const auto missing = ZoneKeys(zone).prepare(now, 300, true);
  REQUIRE_FALSE(missing);
  CHECK_FALSE(std::filesystem::exists(zone.dnssec.key_directory));
  std::filesystem::create_directories(zone.dnssec.key_directory);
  const auto gone = ZoneKeys(zone).prepare(now, 300, true);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().what.find("put them back") != std::string::npos);
  CHECK(std::filesystem::is_empty(zone.dnssec.key_directory));
}

TEST_CASE_FIXTURE(KeyFolder, "zone keys: ds-seen is refused while no key waits for its DS") {
  ZoneKeys keys(zone);
  REQUIRE(keys.prepare(now, 300, false));
  REQUIRE(keys.confirm());
  CHECK_FALSE(keys.ds_seen_change(0, now));
  CHECK_FALSE(keys.ds_seen(0, now));
}

TEST_CASE_FIXTURE(KeyFolder, "zone keys: the files of a key go when it has been out of the zone for long, and no others") {
  for (const Seconds purge : {Seconds(0), Seconds(1000)}) {
    std::filesystem::remove_all(zone.dnssec.key_directory);
    zone.dnssec.purge_keys = purge;
    ZoneKeys keys(zone);
    REQUIRE(keys.prepare(now, 300, false));
    REQUIRE(keys.confirm());
    auto old = crypto::generate_stored_key(zone.name, keys.keys()[0].key->algorithm(), crypto::zsk_flags, now, keys.keys());
    REQUIRE(old);
    old->times.publish = old->times.activate = now - Seconds(100);
    old->times.inactive = old->times.remove = now - Seconds(10);
    REQUIRE(crypto::write_key_files(zone.dnssec.key_directory.string(), *old));
    const auto files = [&] {
      const std::filesystem::directory_iterator in(zone.dnssec.key_directory);
      return std::distance(begin(in), end(in));
    };
    REQUIRE(keys.prepare(now + Seconds(989), 300, true));
    REQUIRE(keys.confirm());
    CHECK(files() == 6);
    REQUIRE(keys.prepare(now + Seconds(990), 300, true));
    CHECK(files() == 6);  // not before the commit
    REQUIRE(keys.confirm());
    CHECK(files() == (purge == Seconds(0) ? 6 : 4));
    CHECK(keys.keys().size() == (purge == Seconds(0) ? 3 : 2));
  }
}
