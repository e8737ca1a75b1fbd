#include "change/zone_digest.hh"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "zone/file_loader.hh"
#include "zone/record_source.hh"
#include "zone_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;
using sign::ZonemdHash;
using sign::ZonemdVerdict;

namespace {

const char* rest =
    "a A 192.0.2.2\nb TXT \"two\"\n*.w A 192.0.2.3\ndeep.er.c A 192.0.2.4\n"
    "sub NS ns.sub\nns.sub A 192.0.2.5\nsafe NS ns.safe\nsafe DS 1 13 2 "
    "0000000000000000000000000000000000000000000000000000000000000000\n";
constexpr Mode modes[] = {Mode::Unsigned, Mode::Nsec, Mode::Nsec3, Mode::OptOut};

/// A key whose signatures differ each time that they are made.
const Keys& ecdsa_keys() {
  static const Keys made = [] {
    Keys keys;
    auto pair = crypto::KeyPair::generate(sign::Algorithm::ECDSAP256SHA256);
    REQUIRE(pair);
    keys.csk.key = std::make_shared<const crypto::KeyPair>(std::move(*pair));
    keys.dnskey = keys.csk.key->public_key().dnskey_rdata(257);
    return keys;
  }();
  return made;
}

ZonemdVerdict verdict(Zone& zone) {
  zone::TableRecords records(name("example."), zone.nodes, zone.nsec3);
  return sign::verify_zonemd(records).verdict;
}

Zone zone_with(Mode mode, uint32_t serial = 1, ZonemdHash hash = ZonemdHash::Sha384) {
  Zone zone;
  zone.zonemd = hash;
  zone.load(text(serial, rest), mode, ecdsa_keys());
  return zone;
}

uint32_t zonemd_serial(Zone& zone) {
  const auto rrset = zone.node("@").find(RrType::ZONEMD);
  REQUIRE(rrset);
  return load_u32(zone::StoredRrReader(rrset->rrs).next().rdata.data());
}

}  // namespace

TEST_CASE("zone digest: a new zone has a ZONEMD that verifies, signed and in the denial of the apex [RFC 8976 §3]") {
  for (const Mode mode : modes)
    for (const ZonemdHash hash : {ZonemdHash::Sha384, ZonemdHash::Sha512}) {
      Zone zone = zone_with(mode, 7, hash);
      CHECK(verdict(zone) == ZonemdVerdict::Verified);
      CHECK(faults(zone, mode, ecdsa_keys()).empty());
      CHECK(zone.serial == 7);
      CHECK(zonemd_serial(zone) == 7);
      // §3.1: its TTL is the SOA's.
      CHECK(zone.node("@").find(RrType::ZONEMD)->ttl() == zone.node("@").find(RrType::SOA)->ttl());
    }
}

TEST_CASE("zone digest: where nothing changed nothing is written and the serial stays") {
  for (const Mode mode : modes) {
    Zone zone = zone_with(mode);
    const auto again = zone.load(text(1, rest), mode, ecdsa_keys());
    CHECK(!again.changed);
    CHECK(zone.nodes.puts + zone.nodes.erases + zone.nsec3.puts + zone.nsec3.erases == 0);
    CHECK(!zone.refresh(mode, ecdsa_keys()).changed);
    CHECK(zone.nodes.puts == 0);
    CHECK(zone.serial == 1);
    CHECK(verdict(zone) == ZonemdVerdict::Verified);
  }
}

TEST_CASE("zone digest: any change makes it anew, for the serial that the change got [RFC 8976 §3.4]") {
  for (const Mode mode : modes) {
    Zone zone = zone_with(mode);
    zone.load(text(1, std::string(rest) + "new A 192.0.2.9\n"), mode, ecdsa_keys());
    CHECK(zone.serial == 2);
    CHECK(zonemd_serial(zone) == 2);
    CHECK(verdict(zone) == ZonemdVerdict::Verified);
    // Only glue, below a cut.
    zone.load(text(9, std::string(rest) + "new A 192.0.2.9\nns.sub AAAA 2001:db8::1\n"), mode, ecdsa_keys());
    CHECK(zone.serial == 9);
    CHECK(verdict(zone) == ZonemdVerdict::Verified);
    // A name that goes, and nothing but the serial.
    zone.load(text(10, rest), mode, ecdsa_keys());
    zone.load(text(11, rest), mode, ecdsa_keys());
    CHECK(zonemd_serial(zone) == 11);
    CHECK(verdict(zone) == ZonemdVerdict::Verified);
    CHECK(faults(zone, mode, ecdsa_keys()).empty());
  }
}

TEST_CASE("zone digest: dynamic records are in it, and survive it") {
  Zone zone = zone_with(Mode::Nsec);
  zone.add_dynamic("a", RrType::TXT, "dynamic");
  CHECK(verdict(zone) == ZonemdVerdict::Mismatch);
  zone.load(text(5, rest), Mode::Nsec, ecdsa_keys());
  CHECK(verdict(zone) == ZonemdVerdict::Verified);
  CHECK(zone.node("a").find(RrType::TXT).has_value());
}

TEST_CASE("zone digest: a stored one for another serial than is served is made anew") {
  Zone zone = zone_with(Mode::Nsec);
  zone.serial = 4;  // as if something else had moved it
  CHECK(zone.load(text(1, rest), Mode::Nsec, ecdsa_keys()).changed);
  CHECK(zone.serial == 5);
  CHECK(verdict(zone) == ZonemdVerdict::Verified);
}

TEST_CASE("zone digest: it is turned on, changed to another hash and turned off without a file") {
  for (const Mode mode : modes) {
    Zone zone;
    zone.load(text(1, rest), mode, ecdsa_keys());
    const auto before = shape(zone);
    CHECK(verdict(zone) == ZonemdVerdict::Absent);
    for (const ZonemdHash hash : {ZonemdHash::Sha384, ZonemdHash::Sha512}) {
      zone.zonemd = hash;
      CHECK(zone.refresh(mode, ecdsa_keys()).changed);
      CHECK(verdict(zone) == ZonemdVerdict::Verified);
      CHECK(faults(zone, mode, ecdsa_keys()).empty());
    }
    CHECK(zone.node("@").find(RrType::ZONEMD)->rr_count == 1);
    zone.zonemd.reset();
    CHECK(zone.refresh(mode, ecdsa_keys()).changed);
    CHECK(verdict(zone) == ZonemdVerdict::Absent);
    CHECK(shape(zone) == before);
    CHECK(zone.serial == 4);
  }
}

TEST_CASE("zone digest: it is turned off by a load as well") {
  for (const Mode mode : modes) {
    Zone zone = zone_with(mode);
    zone.zonemd.reset();
    zone.load(text(1, rest), mode, ecdsa_keys());
    CHECK(verdict(zone) == ZonemdVerdict::Absent);
    CHECK(faults(zone, mode, ecdsa_keys()).empty());
  }
}

TEST_CASE(
    "zone digest: the file's own is replaced where we make one, dropped where we sign, kept where we do neither") {
  const std::string with_own = std::string(rest) + "@ ZONEMD 1 1 1 " + std::string(96, 'a') + "\n";
  for (const Mode mode : modes) {
    Zone made;
    made.zonemd = ZonemdHash::Sha384;
    made.load(text(1, with_own), mode, ecdsa_keys());
    CHECK(verdict(made) == ZonemdVerdict::Verified);
    CHECK(made.node("@").find(RrType::ZONEMD)->rr_count == 1);
    CHECK(!made.load(text(1, with_own), mode, ecdsa_keys()).changed);

    Zone none;
    none.load(text(1, with_own), mode, ecdsa_keys());
    CHECK(verdict(none) == (mode == Mode::Unsigned ? ZonemdVerdict::Mismatch : ZonemdVerdict::Absent));
    CHECK(faults(none, mode, ecdsa_keys()).empty());
  }
}

TEST_CASE("zone digest: below the apex ZONEMD is a record like any other [RFC 8976 §2]") {
  Zone zone;
  zone.zonemd = ZonemdHash::Sha384;
  zone.load(text(1, "a ZONEMD 1 1 1 " + std::string(96, 'a') + "\n"), Mode::Nsec, ecdsa_keys());
  CHECK(zone.node("a").find(RrType::ZONEMD).has_value());
  CHECK(verdict(zone) == ZonemdVerdict::Verified);
}

TEST_CASE("zone digest: a zone that comes signed gets none, since its denial would not show it") {
  Zone zone;
  zone.zonemd = ZonemdHash::Sha384;
  zone::LoadOptions options;
  options.checks = false;
  auto loaded = zone::load_zone_text(text(1, "@ RRSIG SOA 13 1 300 20300101000000 20200101000000 1 example. AAAA\n"),
                                     "z", name("example."), options);
  REQUIRE(loaded.image);
  const auto result = zone.try_rewrite(loaded.image.get(), Mode::Unsigned, keys(), false, now);
  REQUIRE(!result);
  CHECK(result.error().code == Errc::Invalid);
}

TEST_CASE("zone digest: signing turned on and off, and a change of keys, keep it right") {
  Zone zone = zone_with(Mode::Unsigned);
  for (const Mode mode : {Mode::Nsec, Mode::Nsec3, Mode::Unsigned, Mode::OptOut, Mode::Nsec}) {
    zone.refresh(mode, ecdsa_keys());
    CHECK(verdict(zone) == ZonemdVerdict::Verified);
    CHECK(faults(zone, mode, ecdsa_keys()).empty());
  }
  zone.refresh(Mode::Nsec, other_keys(), true);
  CHECK(verdict(zone) == ZonemdVerdict::Verified);
  CHECK(faults(zone, Mode::Nsec, other_keys()).empty());
}

TEST_CASE("zone digest: each step of re-signing ends with one that verifies") {
  for (const Mode mode : {Mode::Nsec, Mode::Nsec3}) {
    Zone zone = zone_with(mode);
    const UnixTime later = now + std::chrono::days(12);
    ResignProgress progress;
    for (int steps = 0; !progress.done && steps < 100; ++steps) {
      progress = zone.resign(mode, later, 3, progress, ecdsa_keys());
      CHECK(verdict(zone) == ZonemdVerdict::Verified);
    }
    CHECK(progress.done);
    CHECK(progress.written > 3);
    CHECK(zonemd_serial(zone) == zone.serial);
    CHECK(faults(zone, mode, ecdsa_keys(), later).empty());
  }
}

TEST_CASE("zone digest: an update makes it anew, and has no say in it [RFC 8976 §3, RFC 2136 §3.4]") {
  for (const Mode mode : modes) {
    Zone zone;
    zone.zonemd = ZonemdHash::Sha384;
    zone.load(text(1, rest), mode);
    const auto added = zone.edit(mode, [](ZoneEdit& edit) {
      edit.add(name("new.example."), RrType::A, 300, Bytes{192, 0, 2, 7});
    });
    CHECK(added.changed);
    CHECK(zonemd_serial(zone) == zone.serial);
    CHECK(verdict(zone) == ZonemdVerdict::Verified);
    zone.edit(mode, [](ZoneEdit& edit) { edit.add(name("example."), RrType::A, 300, Bytes{192, 0, 2, 8}); });
    CHECK(verdict(zone) == ZonemdVerdict::Verified);
    zone.edit(mode, [](ZoneEdit& edit) { edit.remove_name(name("ns.sub.example.")); });
    CHECK(verdict(zone) == ZonemdVerdict::Verified);
    CHECK(faults(zone, mode).empty());
    const uint32_t serial = zone.serial;
    CHECK(!zone.edit(mode,
                     [](ZoneEdit& edit) {
                       edit.remove_rrset(name("example."), RrType::ZONEMD);
                       edit.add(name("example."), RrType::ZONEMD, 300, sign::zonemd_placeholder(1, ZonemdHash::Sha512));
                     })
               .changed);
    CHECK(zone.serial == serial);
    CHECK(zone.node("@").find(RrType::ZONEMD)->rr_count == 1);
    CHECK(verdict(zone) == ZonemdVerdict::Verified);
    CHECK(!zone.refresh(mode).changed);
  }
}
