// Backups: what comes back is what was there, and what is not a backup is not taken for one.

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "dns/encoding.hh"
#include "fixture.hh"
#include "store/backup_frames.hh"
#include "store/restore.hh"

using namespace steward;
using namespace steward::store;
using namespace steward::store::test;

namespace {

Bytes backup_of(Store& store) {
  auto reader = store.make_reader();
  good(reader);
  good((*reader)->acquire());
  Bytes out;
  const auto census = write_backup(**reader, [&](ByteView octets) -> Result<void> {
    append(out, octets);
    return {};
  });
  (*reader)->release();
  good(census);
  return out;
}

BackupSource source_of(ByteView octets) {
  return [octets, at = size_t{0}](MutableByteView into) mutable -> Result<size_t> {
    // In small pieces, as a pipe gives them.
    const size_t size = std::min({into.size(), octets.size() - at, size_t{1000}});
    std::copy_n(octets.begin() + static_cast<long>(at), size, into.begin());
    at += size;
    return size;
  };
}

Result<Restored> restore_to(const Folder& folder, ByteView octets, bool replace = false) {
  return restore({folder.path(), replace, unix_time(1'769'860'800)}, source_of(octets));
}

StoreOptions options_in(const Folder& folder) {
  StoreOptions options = folder.options();
  options.folder += "/store";
  return options;
}

Bytes wire(std::string_view text) {
  const dns::Name owner = name(text);
  const ByteView octets = owner.view().wire();
  return {octets.begin(), octets.end()};
}

Bytes rrsig(uint16_t covered, uint32_t expiration, std::string_view signer) {
  Bytes out;
  append_u16(out, covered);
  out.insert(out.end(), {13, 2});
  append_u32(out, 300);
  append_u32(out, expiration);
  append_u32(out, expiration - 1000);
  append_u16(out, 4711);
  append(out, wire(signer));
  out.insert(out.end(), 64, uint8_t{0x5a});
  return out;
}

void put_node(zone::NodeTable& table, const zone::NodeInput& input, ByteView key) {
  Bytes blob;
  good(zone::build_node(input, blob));
  good(table.put(key, blob));
}

/// Apex with SOA and MX, a signed node, one with provenance, an empty non-terminal, a wildcard, an NSEC3 record.
void fill_zone(WriteTransaction& write, uint32_t id, const std::string& apex_text, bool chain) {
  const dns::Name apex = name(apex_text);
  Bytes soa = wire("NS1." + apex_text);
  append(soa, wire("hostmaster." + apex_text));
  for (const uint32_t number : {7U, 3600U, 600U, 604800U, 60U}) append_u32(soa, number);
  Bytes mx{0, 10};
  append(mx, wire("Mail." + apex_text));
  const Bytes sig = rrsig(6, 1'800'000'000, apex_text);
  const ByteView soas[] = {soa};
  const ByteView mxs[] = {mx};
  const ByteView sigs[] = {sig};
  const zone::RrsetInput at_apex[] = {{dns::RrType::SOA, 3600, soas, sigs}, {dns::RrType::MX, 300, mxs, {}}};
  put_node(write.nodes(id), {id, apex, zone::node_apex | zone::node_children, at_apex, 0x1122334455667788, {}}, {});

  const Bytes address{192, 0, 2, 1};
  const Bytes other{192, 0, 2, 2};
  const ByteView addresses[] = {address, other};
  const Bytes a_sig = rrsig(1, 1'700'000'000, apex_text);
  const ByteView a_sigs[] = {a_sig};
  const zone::RrsetInput rrset[] = {{dns::RrType::A, 300, addresses, a_sigs}};
  const Bytes provenance{1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 192, 0, 2, 2};
  const dns::Name names[] = {*dns::Name::from_text("Agent.Ent", apex), *dns::Name::from_text("*.ent", apex)};
  for (const dns::Name& owner : names)
    put_node(write.nodes(id), {id, owner, 0, rrset, 42, provenance}, test::key_of(owner, apex));
  good(write.attic(id).put(test::key_of(*dns::Name::from_text("gone", apex), apex), provenance));
  good(write.put_state(id, address));
  const dns::Name ent = *dns::Name::from_text("ent", apex);
  put_node(write.nodes(id), {id, ent, zone::node_children | zone::node_wildcard_child, {}, 0, {}},
           test::key_of(ent, apex));
  if (!chain) return;
  const dns::Name hashed = *dns::Name::from_text("0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM", apex);
  Bytes nsec3{1, 0, 0, 0, 0, 20};
  nsec3.insert(nsec3.end(), 20, uint8_t{7});
  append(nsec3, ByteView(std::initializer_list<uint8_t>{0, 1, 0x40}.begin(), 3));
  const ByteView nsec3s[] = {nsec3};
  const zone::RrsetInput in_chain[] = {{dns::RrType::NSEC3, 60, nsec3s, sigs}};
  const Bytes hash = *dns::decode(dns::base32hex, "0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM");
  put_node(write.nsec3(id), {id, hashed, zone::node_nsec3, in_chain, 0, {}}, hash);
}

/// Three zones with a gap in their ids, one of them not served any more.
void fill(Store& store) {
  add_zone(store, "gone.");
  auto write = begin(store);
  for (const std::string apex : {"Example.", "sub.example.", "left.test."}) {
    ZoneRecord& zone = write->add_zone(name(apex));
    zone.serial = 4'000'000'000;
    zone.file_serial = 7;
    zone.nodes = 4;
    zone.records = 10;
    zone.max_ttl = 3600;
    zone.served = apex != "left.test.";
    zone.signed_here = true;
    zone.signing_digest = "policy and keys";
    zone.files = {{"/zones/a b.zone", 1'700'000'000'123'456'789, 12, 99}};
    zone.loaded_at = unix_time(1'700'000'000);
    zone.info.denial = apex == "Example." ? zone::Denial::Nsec3 : zone::Denial::Nsec;
    zone.info.nsec3_salt[0] = 0xab;
    zone.info.nsec3_salt_size = 1;
    fill_zone(*write, zone.info.id, apex, apex == "Example.");
  }
  good(write->remove_zone(1));
  good(write->commit());
}

Bytes small_backup() {
  const Folder folder;
  auto store = open_store(folder.options());
  fill(*store);
  return backup_of(*store);
}

/// Frames with true checksums, whatever they say.
class Forged {
 public:
  Forged() { good(frames_.begin()); }
  Forged& add(FrameKind kind, ByteView body) {
    good(frames_.frame(kind, body));
    return *this;
  }
  Forged& zone(std::string_view apex) {
    ZoneRecord record;
    record.info.apex = name(apex);
    return add(FrameKind::Zone, as_bytes(record.to_json()));
  }
  Forged& end(const Census& census) { return add(FrameKind::End, as_bytes(end_text(census))); }
  [[nodiscard]] const Bytes& octets() const { return out_; }

 private:
  Bytes out_;
  BackupSink sink_ = [this](ByteView octets) -> Result<void> {
    append(out_, octets);
    return {};
  };
  FrameWriter frames_{sink_};
};

Bytes node_frame(std::string_view owner, uint16_t flags, ByteView behind = {}) {
  const Bytes name_octets = wire(owner);
  Bytes out{static_cast<uint8_t>(name_octets.size())};
  append(out, name_octets);
  append_u16(out, flags);
  out.resize(out.size() + 12);  // no digest, no provenance
  if (behind.empty())
    append_u16(out, 0);
  else
    append(out, behind);
  return out;
}

std::string refusal_of(const Folder& folder, const Forged& forged) {
  const auto restored = restore_to(folder, forged.octets());
  CHECK_FALSE(std::filesystem::exists(folder.path() + "/store"));
  CHECK_FALSE(std::filesystem::exists(folder.path() + "/store.restoring"));
  return restored ? "restored" : restored.error().what;
}

}  // namespace

TEST_CASE("backup: what is restored gives the same backup to the octet, with records, provenance, signatures, stamps") {
  const Folder folder;
  const Bytes octets = small_backup();
  CHECK(as_text(octets).starts_with("steward-registry backup 1\n"));
  const auto restored = restore_to(folder, octets);
  good(restored);
  CHECK(restored->census.zones == 3);
  CHECK(restored->census.names == 12);
  CHECK(restored->census.hashes == 1);
  CHECK(restored->kept.empty());
  auto store = open_store(options_in(folder));
  good(store->verify());
  CHECK(backup_of(*store) == octets);
  const auto zones = store->zones();
  REQUIRE(zones.size() == 3);
  CHECK(zones[0].info.apex.to_text() == "Example.");
  CHECK(zones[0].info.denial == zone::Denial::Nsec3);
  CHECK(zones[0].info.salt().size() == 1);
  CHECK(zones[0].serial == 4'000'000'000);
  CHECK(zones[0].files.at(0).modified_ns == 1'700'000'000'123'456'789);
  CHECK(zones[0].signing_digest == "policy and keys");
  CHECK_FALSE(zones[2].served);
  auto reader = store->make_reader();
  good((*reader)->acquire());
  const auto* zone = (*reader)->find_zone(name("agent.ent.example."));
  REQUIRE(zone != nullptr);
  const zone::NodeView node = (*reader)->find(*zone, name("agent.ent.example."));
  REQUIRE(node);
  CHECK(node.owner().to_text() == "Agent.Ent.Example.");
  CHECK(node.earliest_expiration() == 1'700'000'000);
  CHECK(node.provenance().size() == 13);
  CHECK(node.file_digest() == 42);
  (*reader)->release();
}

TEST_CASE("backup: an empty database, and one whose nodes fill many frames and transactions") {
  {
    const Folder folder;
    const Folder to;
    auto store = open_store(folder.options());
    good(restore_to(to, backup_of(*store)));
    CHECK(open_store(options_in(to))->zones().empty());
  }
  const Folder folder;
  const Folder to;
  auto store = open_store(folder.options());
  const uint32_t zone = add_zone(*store, "example.");
  const std::string big(30000, 'x');
  auto write = begin(*store);
  for (int i = 0; i < 5000; ++i) put(*write, zone, "example.", fmt::format("n{}", i), big + std::to_string(i));
  good(write->commit());
  const Bytes octets = backup_of(*store);
  CHECK(octets.size() > 150'000'000);
  good(restore_to(to, octets));
  auto restored = open_store(options_in(to));
  CHECK(backup_of(*restored) == octets);
}

TEST_CASE("backup: it is of one moment, whatever is written meanwhile") {
  const Folder folder;
  auto store = open_store(folder.options());
  fill(*store);
  const Bytes before = backup_of(*store);
  auto reader = store->make_reader();
  good((*reader)->acquire());
  const uint32_t zone = add_zone(*store, "new.");
  auto write = begin(*store);
  put(*write, zone, "new.", "a", "text");
  good(write->remove_zone(2));
  good(write->commit());
  Bytes out;
  good(write_backup(**reader, [&](ByteView octets) -> Result<void> {
    append(out, octets);
    return {};
  }));
  (*reader)->release();
  CHECK(out == before);
  CHECK(backup_of(*store) != before);
}

TEST_CASE("restore: a backup that is cut off or in which one bit is another is refused, and nothing is changed") {
  const Folder folder;
  const Bytes octets = small_backup();
  good(restore_to(folder, octets));
  const auto unchanged = [&] {
    CHECK(backup_of(*open_store(options_in(folder))) == octets);
    size_t entries = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) entries += entry.exists() ? 1U : 0U;
    CHECK(entries == 1);
  };
  for (size_t part = 0; part < 50; ++part) {
    const auto cut = restore_to(folder, ByteView(octets).first(octets.size() * part / 50), true);
    REQUIRE_FALSE(cut);
    CHECK(cut.error().code == (octets.size() * part / 50 < backup_magic.size() ? Errc::Invalid : Errc::Corrupt));
  }
  CHECK_FALSE(restore_to(folder, ByteView(octets).first(octets.size() - 1), true));
  unchanged();
  for (size_t part = 0; part < 60; ++part) {
    Bytes flipped = octets;
    flipped[octets.size() * part / 60] ^= static_cast<uint8_t>(1U << part % 8);
    CHECK_FALSE(restore_to(folder, flipped, true));
  }
  Bytes longer = octets;
  longer.push_back(0);
  CHECK_FALSE(restore_to(folder, longer, true));
  unchanged();
}

TEST_CASE("restore: an existing store is replaced only when told to, and kept beside") {
  const Folder folder;
  const Bytes octets = small_backup();
  good(restore_to(folder, octets));
  const auto exists = restore_to(folder, octets);
  REQUIRE_FALSE(exists);
  CHECK(exists.error().code == Errc::Exists);
  {
    const auto store = open_store(options_in(folder));
    const auto used = restore_to(folder, octets, true);
    REQUIRE_FALSE(used);
    CHECK(used.error().code == Errc::Refused);
    CHECK(used.error().what.find("stop the server") != std::string::npos);
    add_zone(*store, "later.");
  }
  // What a killed restore left is cleared away.
  std::filesystem::create_directories(folder.path() + "/store.restoring/nodes");
  const auto first = restore_to(folder, octets, true);
  good(first);
  CHECK(first->kept == folder.path() + "/store.before-restore-20260131T120000Z");
  const auto second = restore_to(folder, octets, true);
  good(second);
  CHECK(second->kept == first->kept + "-2");
  StoreOptions kept = folder.options();
  kept.folder = first->kept;
  CHECK(open_store(kept)->zones().size() == 4);
  CHECK(open_store(options_in(folder))->zones().size() == 3);
  CHECK_FALSE(std::filesystem::exists(folder.path() + "/store.restoring"));
}

TEST_CASE("restore: two at once do not meet") {
  const Folder folder;
  const int fd = ::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY);
  REQUIRE(::flock(fd, LOCK_EX) == 0);
  const auto busy = restore_to(folder, small_backup());
  REQUIRE_FALSE(busy);
  CHECK(busy.error().what.find("another restore") != std::string::npos);
  ::close(fd);
}

TEST_CASE("restore: what has its checksums right is still not believed") {
  const Folder folder;
  const auto refused = [&](const Forged& forged, std::string_view part) {
    INFO(part);
    const std::string what = refusal_of(folder, forged);
    CHECK_MESSAGE(what.find(part) != std::string::npos, what);
  };
  const auto a = [](std::initializer_list<uint8_t> rrset) { return Bytes(rrset); };
  refused(Forged().add(FrameKind::Names, node_frame("a.example.", 0)), "before the first zone");
  refused(Forged().zone("example.").zone("EXAMPLE."), "twice");
  refused(Forged().add(FrameKind::Zone, as_bytes("{}")), "zone record");
  refused(Forged().add(FrameKind::Zone, as_bytes("[")), "not a JSON object");
  refused(Forged().zone("example.").add(FrameKind::Names, node_frame("a.example.org.", 0)), "outside its zone");
  refused(Forged().zone("example.").add(FrameKind::Names, node_frame("example.", 0)), "the apex");
  refused(Forged().zone("example.").add(FrameKind::Names, node_frame("a.example.", zone::node_apex)), "the apex");
  refused(Forged().zone("example.").add(FrameKind::Names, node_frame("a.example.", zone::node_nsec3)), "NSEC3");
  refused(Forged().zone("example.").add(FrameKind::Hashes, node_frame("a.example.", zone::node_nsec3)),
          "not the owner of an NSEC3");
  refused(Forged()
              .zone("example.")
              .add(FrameKind::Names, node_frame("b.example.", 0))
              .add(FrameKind::Names, node_frame("a.example.", 0)),
          "out of order");
  refused(Forged()
              .zone("example.")
              .add(FrameKind::Names, node_frame("b.example.", 0))
              .add(FrameKind::Names, node_frame("B.example.", 0)),
          "out of order");
  Bytes cut = node_frame("a.example.", 0);
  cut.pop_back();
  refused(Forged().zone("example.").add(FrameKind::Names, cut), "past the end");
  refused(Forged().zone("example.").add(FrameKind::Names, a({1, 5, 0, 0})), "no name");
  // type, TTL, RRs, RRSIGs, RDLENGTH, RDATA
  refused(
      Forged()
          .zone("example.")
          .add(FrameKind::Names, node_frame("a.example.", 0, a({0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 3, 1, 2, 3}))),
      "A: ");
  refused(Forged()
              .zone("example.")
              .add(FrameKind::Names,
                   node_frame("a.example.", 0, a({0, 1, 0, 2, 0, 0, 0, 1, 0, 1, 0, 0, 0, 2, 0xc0, 0x0c}))),
          "NS: ");
  refused(Forged()
              .zone("example.")
              .add(FrameKind::Names, node_frame("a.example.", 0, a({0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0}))),
          "without a record");
  refused(
      Forged().zone("example.").add(FrameKind::Names, node_frame("a.example.", 0, a({0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0,
                                                                                     1, 0, 4, 1, 2, 3, 4, 0, 1, 0}))),
      "RRSIG: ");
  refused(Forged().zone("example.").add(FrameKind::Names, node_frame("a.example.", 0, a({0xff, 0xff}))),
          "past the end");
  const Bytes twice =
      a({0, 2, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 4, 1, 2, 3, 4, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 4, 1, 2, 3, 4});
  refused(Forged().zone("example.").add(FrameKind::Names, node_frame("a.example.", 0, twice)), "order of type");
  refused(Forged().zone("example.").end({}), "the end says");
  refused(Forged().zone("example."), "cut off");
  refused(Forged().add(static_cast<FrameKind>('?'), {}), "a frame of kind 3f");
  Census one;
  one.zones = 1;
  CHECK(refusal_of(folder, Forged().zone("example.").end({}).end(one)).find("the end says") != std::string::npos);
  refused(Forged().end({}).end({}), "something follows");
}

TEST_CASE("restore: random changes under right checksums are refused, or make a store that verifies") {
  const Bytes octets = small_backup();
  std::mt19937 random(1);
  const auto any = [&](size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random); };
  size_t taken = 0;
  for (int round = 0; round < 150; ++round) {
    Forged forged;
    for (size_t at = std::string_view("steward-registry backup 1\n").size(); at < octets.size();) {
      const size_t size = load_u32(&octets[at + 1]);
      Bytes body(octets.begin() + static_cast<long>(at + frame_head),
                 octets.begin() + static_cast<long>(at + frame_head + size));
      const auto kind = static_cast<FrameKind>(octets[at]);
      if (kind != FrameKind::End)
        for (size_t changes = any(4) == 0 ? 1 : 0; changes > 0; --changes) body[any(body.size())] = static_cast<uint8_t>(any(256));
      forged.add(kind, body);
      at += frame_head + size + 4;
    }
    const Folder folder;
    auto store = open_store(folder.options());
    if (!read_backup(*store, source_of(forged.octets()))) continue;
    ++taken;
    good(store->verify());
  }
  CHECK(taken > 0);
}

TEST_CASE("restore: another format, and what is no backup, are told apart") {
  const Folder folder;
  const auto what = [&](std::string_view text) {
    const auto restored = restore_to(folder, as_bytes(text));
    REQUIRE_FALSE(restored);
    return restored.error();
  };
  CHECK(what("steward-registry backup 2\n").code == Errc::Unsupported);
  CHECK(what("steward-registry backup 2\n").what == "a backup of format 2, this program reads format 1");
  for (const char* text :
       {"", "steward", "$ORIGIN example.\n$TTL 300\n; and so on\n", "steward-registry backup \n",
        "steward-registry backup 01\n", "steward-registry backup 1x\n", "steward-registry backup 99999999999\n"})
    CHECK(what(text).code == Errc::Invalid);
  CHECK(what("steward-registry backup 1").code == Errc::Corrupt);
  CHECK(what("steward-registry backup 1\nN\xff\xff\xff\xff").what.find("a frame of 4294967295 octets") !=
        std::string::npos);
}

TEST_CASE("verify: a reader checks while the writer goes on, and names zone and name of what is wrong") {
  const Folder folder;
  {
    auto store = open_store(folder.options());
    fill(*store);
    auto reader = store->make_reader();
    good((*reader)->acquire());
    add_zone(*store, "another.");
    auto write = begin(*store);
    const auto census = verify(**reader);
    good(census);
    CHECK(census->zones == 3);
    CHECK(census->names == 12);
    CHECK(census->hashes == 1);
    CHECK(census->records == 29);
    const auto figures = figures_of(**reader);
    good(figures);
    CHECK(figures->format == format_version);
    CHECK(figures->zones == 3);
    CHECK(figures->zones_served == 2);
    CHECK(figures->names == 12);
    CHECK(figures->live_octets == census->octets);
    (*reader)->release();
  }
  const std::string segment = folder.path() + "/nodes/00000000.nodes";
  std::string octets(4096, '\0');
  const int fd = ::open(segment.c_str(), O_RDWR);
  REQUIRE(::pread(fd, octets.data(), octets.size(), 0) == 4096);
  const auto at = octets.find("Ent\7Example");
  REQUIRE(at != std::string::npos);
  REQUIRE(::pwrite(fd, "X", 1, static_cast<off_t>(at)) == 1);
  ::close(fd);
  auto store = open_store(folder.options());
  const auto wrong = store->verify();
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == Errc::Corrupt);
  CHECK(wrong.error().what.starts_with("zone Example.: "));
  CHECK(wrong.error().what.find("ent.Example.: position ") != std::string::npos);
  // And what is damaged is not taken into a backup.
  auto reader = store->make_reader();
  good((*reader)->acquire());
  CHECK_FALSE(write_backup(**reader, [](ByteView) -> Result<void> { return {}; }));
  (*reader)->release();
}
