// Signatures that helpers make while an edit goes on are those that finish() would have made.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "zone_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {

constexpr int agents = 60;  // more than an edit waits for before it takes a name for settled

void add_text(ZoneEdit& edit, const std::string& owner, std::string_view what) {
  edit.add(name(owner + ".example."), RrType::TXT, 300, rdata_of(RrType::TXT, what));
}

/// Names of their own, and one that all share.
EditResult add_all(Zone& zone, Mode mode, bool with_savepoints) {
  return zone.edit(mode, [&](ZoneEdit& edit) {
    for (int i = 0; i < agents; ++i) {
      if (with_savepoints) edit.set_savepoint();
      add_text(edit, fmt::format("a{}", i), fmt::format("one{}", i));
      edit.add(name(fmt::format("a{}.example.", i)), RrType::A, 300, rdata_of(RrType::A, "192.0.2.1"));
      edit.add(name("all.example."), RrType::PTR, 60, rdata_of(RrType::PTR, fmt::format("a{}", i)));
    }
  });
}

}  // namespace

TEST_CASE("sign ahead: the zone is the same, is signed well, and no more signatures are made") {
  for (const Mode mode : {Mode::Nsec, Mode::Nsec3}) {
    Zone ahead;
    Zone plain;
    ahead.load(text(1), mode);
    plain.load(text(1), mode);
    const EditResult with = add_all(ahead, mode, true);
    const EditResult without = add_all(plain, mode, false);
    CHECK(faults(ahead, mode).empty());
    CHECK(shape(ahead) == shape(plain));
    CHECK(with.signatures == without.signatures);
    CHECK(with.written == without.written);
  }
}

TEST_CASE("sign ahead: a name that is changed again later is signed as it is at the end") {
  Zone zone;
  zone.load(text(1, "kept TXT \"before\"\n"), Mode::Nsec);
  zone.edit(Mode::Nsec, [&](ZoneEdit& edit) {
    edit.set_savepoint();
    add_text(edit, "first", "one");
    add_text(edit, "ttl", "one");
    add_text(edit, "gone", "one");
    add_text(edit, "kept", "more");
    for (int i = 0; i < agents; ++i) {
      edit.set_savepoint();
      add_text(edit, fmt::format("a{}", i), "other");
    }
    edit.set_savepoint();
    add_text(edit, "first", "two");
    edit.add(name("ttl.example."), RrType::TXT, 60, rdata_of(RrType::TXT, "one"));
    edit.remove_name(name("gone.example."));
    edit.remove(name("kept.example."), RrType::TXT, rdata_of(RrType::TXT, "more"));
  });
  CHECK(faults(zone, Mode::Nsec).empty());
  CHECK_FALSE(zone.node("gone"));
  CHECK(zone.node("ttl").find(RrType::TXT)->ttl() == 60);
}

TEST_CASE("sign ahead: what is rolled back is not there, what was before it is signed") {
  Zone zone;
  zone.load(text(1), Mode::Nsec);
  zone.edit(Mode::Nsec, [&](ZoneEdit& edit) {
    for (int i = 0; i < agents; ++i) {
      edit.set_savepoint();
      add_text(edit, "shared", fmt::format("one{}", i));
      add_text(edit, fmt::format("a{}", i), "one");
      if (i % 3 == 0) edit.roll_back();
    }
  });
  CHECK(faults(zone, Mode::Nsec).empty());
  CHECK_FALSE(zone.node("a0"));
  CHECK(zone.node("a1"));
  CHECK(zone.node("shared").find(RrType::TXT)->rr_count == agents - agents / 3);
}

TEST_CASE("sign ahead: an edit that is given up leaves nothing under way") {
  Zone zone;
  zone.load(text(1), Mode::Nsec);
  const auto before = shape(zone);
  const auto signer = keys().signer();
  Parallel parallel(2);
  for (int round = 0; round < 20; ++round) {
    EditRequest request;
    request.zone = 1;
    request.apex = name("example.");
    request.signing.signer = &signer;
    request.signing.denial = zone::Denial::Nsec;
    request.signing.was_signed = true;
    ZoneEdit edit(request, zone.nodes, zone.nsec3, &zone.attic);
    edit.sign_ahead(parallel);
    for (int i = 0; i < agents; ++i) {
      edit.set_savepoint();
      add_text(edit, fmt::format("a{}", i), "one");
    }
  }
  CHECK(shape(zone) == before);
}
