// One zone from file to file: what is written, what is kept, what the serial does.

#include <doctest/doctest.h>

#include "zone/file_loader.hh"
#include "zone_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {
const std::vector<std::string> nothing;
bool has(Zone& zone, std::string_view owner, RrType type) {
  const auto node = zone.node(owner);
  return node && node.find(type).has_value();
}
}  // namespace

TEST_CASE("rewrite: a first load takes the file's serial and places empty non-terminals [RFC 8020]") {
  Zone zone;
  const auto result = zone.load(text(41, "a.b.c A 192.0.2.2\n"));
  CHECK(result.changed);
  CHECK(result.serial == 41);
  CHECK(result.file_serial == 41);
  CHECK(result.nodes == 5);
  CHECK(result.records == 4);
  CHECK(result.written == 5);
  CHECK(result.denial == zone::Denial::None);
  CHECK(zone.node("b.c").rrset_count() == 0);
  CHECK(faults(zone, Mode::Unsigned) == nothing);
}

TEST_CASE("rewrite: the same file again writes nothing") {
  for (const Mode mode : {Mode::Unsigned, Mode::Nsec, Mode::Nsec3, Mode::OptOut}) {
    Zone zone;
    const std::string file = text(41,
                                  "a.b.c A 192.0.2.2\nsub NS ns.sub\nns.sub A 192.0.2.9\n! A 192.0.2.4\n\\!.x A "
                                  "192.0.2.4\n*.x TXT w\n* A 192.0.2.5\n");
    CHECK(zone.load(file, mode).changed);
    const auto again = zone.load(file, mode);
    CHECK_FALSE(again.changed);
    CHECK(again.written == 0);
    CHECK(again.signatures == 0);
    CHECK(again.serial == 41);
    CHECK(zone.nodes.puts + zone.nodes.erases + zone.nsec3.puts + zone.nsec3.erases == 0);
    CHECK_FALSE(zone.refresh(mode).changed);
    CHECK(zone.nodes.puts + zone.nodes.erases + zone.nsec3.puts + zone.nsec3.erases == 0);
    CHECK(faults(zone, mode) == nothing);
  }
}

TEST_CASE("rewrite: only what changed is written") {
  Zone zone;
  zone.load(text(1, "a A 192.0.2.1\nb A 192.0.2.2\nc A 192.0.2.3\n"));
  const auto result = zone.load(text(2, "a A 192.0.2.1\nb A 192.0.2.9\nd A 192.0.2.3\n"));
  CHECK(result.serial == 2);
  CHECK(zone.nodes.puts == 3);  // b, d and the apex
  CHECK(zone.nodes.erases == 1);
  CHECK_FALSE(zone.node("c"));
  CHECK(faults(zone, Mode::Unsigned) == nothing);
}

TEST_CASE("rewrite: with NSEC a new name is written with its predecessor and the apex alone [RFC 4035 §2.3]") {
  Zone zone;
  zone.load(text(1, "a A 192.0.2.1\nc A 192.0.2.3\ne A 192.0.2.3\n"), Mode::Nsec);
  const auto result = zone.load(text(2, "a A 192.0.2.1\nc A 192.0.2.3\nd A 192.0.2.4\ne A 192.0.2.3\n"), Mode::Nsec);
  CHECK(zone.nodes.puts == 3);
  CHECK(result.signatures <= 5);  // d's A and NSEC, c's NSEC, the SOA
  CHECK(faults(zone, Mode::Nsec) == nothing);
  zone.load(text(3, "a A 192.0.2.1\nd A 192.0.2.4\ne A 192.0.2.3\n"), Mode::Nsec);
  CHECK(zone.nodes.puts == 2);
  CHECK(zone.nodes.erases == 1);
  CHECK(faults(zone, Mode::Nsec) == nothing);
}

TEST_CASE("rewrite: the serial follows the file where that is ahead, and goes one up where it is not [RFC 1982 §3.2]") {
  CHECK(next_serial(5, 6) == 6);
  CHECK(next_serial(5, 5) == 6);
  CHECK(next_serial(5, 4) == 6);
  CHECK(next_serial(0xffffffff, 0) == 0);
  CHECK(next_serial(0xfffffff0, 5) == 5);
  CHECK(next_serial(0, 0x80000000) == 1);
  CHECK(next_serial(0xffffffff, 0xffffffff) == 0);
  Zone zone;
  CHECK(zone.load(text(10, "a A 192.0.2.1\n")).serial == 10);
  CHECK(zone.load(text(10, "a A 192.0.2.2\n")).serial == 11);  // not raised by the operator
  CHECK(zone.load(text(10, "a A 192.0.2.2\n")).serial == 11);
  CHECK_FALSE(zone.last.changed);
  CHECK(zone.load(text(11, "a A 192.0.2.3\n")).serial == 12);
  CHECK(zone.load(text(2026112301, "a A 192.0.2.3\n")).serial == 2026112301);
  CHECK(zone.load(text(5, "a A 192.0.2.4\n")).serial == 2026112302);
}

TEST_CASE("rewrite: empty non-terminals come and go") {
  Zone zone;
  for (const Mode mode : {Mode::Unsigned, Mode::Nsec, Mode::Nsec3}) {
    zone.load(text(1, "x.y.z A 192.0.2.1\n"), mode);
    CHECK(zone.node("y.z").rrset_count() == 0);
    zone.load(text(2, "z A 192.0.2.1\nx.y.z A 192.0.2.1\n"), mode);
    CHECK(has(zone, "z", RrType::A));
    zone.load(text(3, "q.z A 192.0.2.1\n"), mode);
    CHECK_FALSE(zone.node("y.z"));
    CHECK(zone.node("z"));
    CHECK_FALSE(has(zone, "z", RrType::A));
    CHECK(faults(zone, mode) == nothing);
    zone.load(text(4), mode);
    CHECK_FALSE(zone.node("z"));
    CHECK(faults(zone, mode) == nothing);
  }
}

TEST_CASE("rewrite: what a cut or a DNAME hides changes with it [RFC 4035 §2.2, RFC 6672 §2.4]") {
  for (const Mode mode : {Mode::Unsigned, Mode::Nsec, Mode::Nsec3, Mode::OptOut}) {
    Zone zone;
    const std::string below = "a.sub A 192.0.2.1\n*.sub A 192.0.2.2\nc.b.a.sub TXT t\n";
    zone.load(text(1, below), mode);
    CHECK(faults(zone, mode) == nothing);
    zone.load(text(2, below + "sub NS a.sub\n"), mode);
    CHECK(zone.node("c.b.a.sub").is(zone::node_occluded));
    CHECK(faults(zone, mode) == nothing);
    zone.load(
        text(3,
             below + "sub NS a.sub\nsub DS 1 15 2 E2D3C916F6DEEAC73294E8268FB5885044A833FC5459588F4A9184CFC41A5766\n"),
        mode);
    CHECK(faults(zone, mode) == nothing);
    zone.load(text(4, below + "sub DNAME other.\n"), mode);
    CHECK(zone.node("a.sub").is(zone::node_occluded));
    CHECK(faults(zone, mode) == nothing);
    zone.load(text(5, below), mode);
    CHECK(faults(zone, mode) == nothing);
    zone.load(text(6, below + "@ DNAME other.\n"), mode);
    CHECK(zone.node("@").is(zone::node_dname));
    CHECK(zone.node("ns1").is(zone::node_occluded));
    CHECK(faults(zone, mode) == nothing);
  }
}

TEST_CASE("rewrite: a wildcard that sorts late marks its parent, and the mark goes with it [RFC 4592 §2.1.1]") {
  Zone zone;
  const std::string early = "p TXT p\n\\!.p A 192.0.2.1\n\\#x.p A 192.0.2.1\n";
  zone.load(text(1, early + "*.p A 192.0.2.2\n"));
  CHECK(zone.node("p").is(zone::node_wildcard_child));
  zone.load(text(2, early));
  CHECK_FALSE(zone.node("p").is(zone::node_wildcard_child));
  zone.load(text(3, "p TXT p\n*.p A 192.0.2.2\n"));
  CHECK(zone.node("p").is(zone::node_wildcard_child));
  zone.load(text(4, "p TXT p\n"));
  CHECK_FALSE(zone.node("p").is(zone::node_wildcard_child));
}

TEST_CASE("rewrite: records of updates outlive a reload, and stay the updates' until the file has them") {
  for (const Mode mode : {Mode::Unsigned, Mode::Nsec, Mode::Nsec3}) {
    Zone zone;
    zone.load(text(1, "a A 192.0.2.1\n"), mode);
    zone.add_dynamic("a", RrType::A, "192.0.2.77");
    zone.add_dynamic("new.below", RrType::TXT, "hello");
    zone.load(text(2, "a A 192.0.2.2\n"), mode);
    CHECK(zone.node("a").find(RrType::A)->rr_count == 2);
    CHECK(has(zone, "new.below", RrType::TXT));
    CHECK(zone.node("below"));
    CHECK(faults(zone, mode) == nothing);
    zone.load(text(3), mode);  // the file's record goes, the update's stays
    CHECK(zone.node("a").find(RrType::A)->rr_count == 1);
    CHECK(faults(zone, mode) == nothing);
    zone.load(text(4, "a A 192.0.2.77\nnew.below TXT hello\n"), mode);
    CHECK(zone.node("a").provenance().empty());
    zone.load(text(5), mode);  // now it is the file's to delete
    CHECK_FALSE(zone.node("a"));
    CHECK_FALSE(zone.node("below"));
    CHECK(faults(zone, mode) == nothing);
  }
}

TEST_CASE("rewrite: a record of the file that an update deleted stays away until the file drops it") {
  Zone zone;
  const std::string both = "a A 192.0.2.1\na A 192.0.2.2\na TXT t\n";
  zone.load(text(1, both));
  zone.withdraw("a", RrType::A, "192.0.2.1");
  zone.load(text(2, both));
  CHECK(zone.node("a").find(RrType::A)->rr_count == 1);
  zone.load(text(3, both + "a TXT u\n"));
  CHECK(zone.node("a").find(RrType::A)->rr_count == 1);
  CHECK(zone.node("a").find(RrType::TXT)->rr_count == 2);
  zone.load(text(4, "a TXT t\n"));
  CHECK(zone.node("a").provenance().empty());
  zone.load(text(5, both));
  CHECK(zone.node("a").find(RrType::A)->rr_count == 2);
}

TEST_CASE(
    "rewrite: a zone that comes signed keeps its own RRSIGs, NSEC and NSEC3, also after we signed it for a while") {
  const std::string signed_text =
      text(1,
           "a A 192.0.2.1\n"
           "a RRSIG A 13 2 300 20300101000000 20200101000000 1 example. AAAA\n"
           "a NSEC ns1 A RRSIG NSEC\n"
           "a RRSIG NSEC 13 2 300 20300101000000 20200101000000 1 example. BBBB\n"
           "@ NSEC3PARAM 1 0 0 -\n"
           "2t7b4g4vsa5smi47k61mv5bv1a22bojr NSEC3 1 0 0 - 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG\n"
           "2vptu5timamqttgl4luu9kg21e0aor3s NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG\n");
  Zone fresh;
  CHECK(fresh.load(signed_text).denial == zone::Denial::Nsec3);
  CHECK(fresh.nsec3.nodes().size() == 2);
  CHECK(fresh.node("a").find(RrType::A)->sig_count == 1);
  CHECK_FALSE(fresh.node("2t7b4g4vsa5smi47k61mv5bv1a22bojr"));
  CHECK(fresh.refresh(Mode::Unsigned).denial == zone::Denial::Nsec3);
  CHECK_FALSE(fresh.last.changed);
  CHECK(fresh.nsec3.nodes().size() == 2);
  Zone zone;
  for (const Mode mode : {Mode::Nsec, Mode::Unsigned, Mode::Nsec3, Mode::Unsigned}) {
    zone.load(signed_text, mode);
    if (mode == Mode::Unsigned)
      CHECK(shape(zone) == shape(fresh));
    else
      CHECK(faults(zone, mode) == nothing);
  }
}

TEST_CASE("rewrite: a chain of more iterations than any key may have denies nothing [RFC 5155 §10.3, CVE-2023-50868]") {
  for (const unsigned iterations : {2500U, 2501U}) {
    Zone zone;
    const std::string number = std::to_string(iterations);
    zone.load(text(1, "@ NSEC3PARAM 1 0 " + number + " -\n2t7b4g4vsa5smi47k61mv5bv1a22bojr NSEC3 1 0 " + number +
                          " - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG\n"));
    CHECK(zone.last.denial == (iterations == 2500 ? zone::Denial::Nsec3 : zone::Denial::None));
    CHECK(zone.nsec3.nodes().size() == 1);
  }
}

TEST_CASE("rewrite: turning signing on and off without a file leaves the content") {
  Zone zone;
  const std::string file = text(1, "a A 192.0.2.1\nx.y TXT t\nsub NS ns.sub\nns.sub A 192.0.2.4\n");
  zone.load(file);
  const auto plain = shape(zone);
  for (const Mode mode : {Mode::Nsec, Mode::Nsec3, Mode::OptOut, Mode::Nsec, Mode::Unsigned}) {
    CHECK(zone.refresh(mode).changed);
    CHECK(faults(zone, mode) == nothing);
  }
  CHECK(shape(zone) == plain);
}

TEST_CASE("rewrite: with other keys and recheck everything is signed by them [RFC 6781 §4.1]") {
  for (const Mode mode : {Mode::Nsec, Mode::Nsec3}) {
    Zone zone;
    const std::string file = text(1, "a A 192.0.2.1\nb A 192.0.2.1\n");
    zone.load(file, mode);
    CHECK(zone.load(file, mode, other_keys(), true).changed);
    CHECK(faults(zone, mode, other_keys()) == nothing);
    CHECK_FALSE(zone.load(file, mode, other_keys(), true).changed);
    CHECK(zone.refresh(mode, keys(), true).changed);
    CHECK(faults(zone, mode) == nothing);
  }
}

TEST_CASE("rewrite: an RRset that no message carries is refused, and a zone without a SOA too") {
  std::string big;
  for (int i = 0; i < 300; ++i) big += "a TXT " + std::to_string(i) + std::string(250, 'x') + "\n";
  zone::LoadOptions options;
  options.checks = false;
  const auto loaded = zone::load_zone_text(text(1, big), "z", name("example."), options);
  REQUIRE(loaded.image);
  Zone zone;
  const auto result = zone.try_rewrite(loaded.image.get(), Mode::Unsigned, keys(), false, now);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::Full);
  const auto no_soa = zone::load_zone_text("a 300 A 192.0.2.1\n@ 300 NS a\n", "z", name("example."), options);
  REQUIRE(no_soa.image);
  Zone other;
  const auto refused = other.try_rewrite(no_soa.image.get(), Mode::Unsigned, keys(), false, now);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::Invalid);
}
