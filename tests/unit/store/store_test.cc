// The store as one thread sees it.

#include <lmdb.h>

#include <fstream>

#include "fixture.hh"

using namespace steward;
using namespace steward::store;
using namespace steward::store::test;

namespace {
std::string read(Reader& reader, std::string_view owner) {
  good(reader.acquire());
  const dns::Name folded = name(owner).folded();
  const auto* zone = reader.find_zone(folded);
  const std::string content = zone == nullptr ? "no zone" : content_of(reader.find(*zone, folded));
  reader.release();
  return content;
}
}  // namespace

TEST_CASE("store: what is committed is there after it was closed and opened again, with and without the index") {
  const Folder folder;
  {
    auto store = open_store(folder.options());
    const uint32_t zone = add_zone(*store, "Example.");
    auto write = begin(*store);
    put(*write, zone, "Example.", "a.B", "one");
    write->zone(zone).serial = 9;
    write->zone(zone).files = {{"/z \"1\".zone", 1, 2, 3}};
    good(write->commit());
    auto reader = store->make_reader();
    CHECK(read(**reader, "a.b.example.") == "one");
  }
  auto store = open_store(folder.options());
  REQUIRE(store->zones().size() == 1);
  CHECK(store->zones()[0].serial == 9);
  CHECK(store->zones()[0].files == std::vector<FileStamp>{{"/z \"1\".zone", 1, 2, 3}});
  good(store->verify());
  auto reader = store->make_reader();
  for (int round = 0; round < 3; ++round) {
    CHECK(read(**reader, "a.b.example.") == "one");
    CHECK(read(**reader, "b.example.") == "-");
    CHECK(read(**reader, "example.") == "apex");
    CHECK(read(**reader, "example.org.") == "no zone");
    good(store->build_index());  // and once more: built anew
    CHECK(store->figures().index_names == 2);
  }
}

TEST_CASE("store: a transaction that is not committed leaves nothing") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t zone = add_zone(*store, "example.");
  good(store->build_index());
  auto reader = store->make_reader();
  for (int i = 0; i < 3; ++i) {
    auto write = begin(*store);
    const uint32_t other = write->add_zone(name("other.")).info.id;
    put(*write, other, "other.", "a", "x");
    put(*write, zone, "example.", "a", "never");
    good(write->nodes(zone).erase({}));
    CHECK(content_of(write->nodes(zone).find(key_of(name("a.example."), name("example.")))) == "never");
    CHECK_FALSE(write->nodes(zone).find({}));
  }
  CHECK(read(**reader, "a.example.") == "-");
  CHECK(read(**reader, "example.") == "apex");
  CHECK(read(**reader, "a.other.") == "no zone");
  auto write = begin(*store);
  put(*write, zone, "example.", "b", "committed");
  good(write->commit());
  CHECK(read(**reader, "b.example.") == "committed");
  good(store->verify());
}

TEST_CASE("store: a removed zone is gone with its nodes, and another may have its name") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t first = add_zone(*store, "example.");
  const uint32_t second = add_zone(*store, "sub.example.");
  auto reader = store->make_reader();
  CHECK(read(**reader, "sub.example.") == "apex");
  auto write = begin(*store);
  put(*write, first, "example.", "sub", "of the parent");
  put(*write, second, "sub.example.", "a", "of the child");
  good(write->commit());
  CHECK(read(**reader, "sub.example.") == "apex");
  write = begin(*store);
  good(write->remove_zone(second));
  CHECK(write->find_zone(name("sub.example.")) == nullptr);
  good(write->commit());
  CHECK(read(**reader, "sub.example.") == "of the parent");
  CHECK(read(**reader, "a.sub.example.") == "-");
  CHECK(add_zone(*store, "sub.example.") > second);
  CHECK(read(**reader, "a.sub.example.") == "-");
  good(store->verify());
  write.reset();
  reader->reset();
  store.reset();
  store = open_store(folder.options());
  CHECK(store->zones().size() == 2);
  good(store->verify());
}

TEST_CASE("store: the last name with an NSEC at or before another, past what a cut hides [RFC 4034 §6.1]") {
  const Folder folder;
  auto store = open_store(folder.options());
  add_zone(*store, "aaa.");
  const uint32_t zone = add_zone(*store, "example.");
  add_zone(*store, "zzz.");
  auto write = begin(*store);
  good(write->nodes(zone).put({}, node_of(zone, name("example."), "apex", zone::node_apex, true)));
  put(*write, zone, "example.", "b", "b", 0, true);
  put(*write, zone, "example.", "d", "cut", zone::node_cut, true);
  for (int i = 0; i < 40; ++i) put(*write, zone, "example.", fmt::format("x.n{:02}.d", i), "glue", zone::node_occluded);
  put(*write, zone, "example.", "f", "an empty non-terminal");
  put(*write, zone, "example.", "g.f", "g", 0, true);
  good(write->commit());
  auto reader = store->make_reader();
  for (const bool index : {false, true}) {
    if (index) good(store->build_index());
    good((*reader)->acquire());
    const auto* info = (*reader)->find_zone(name("example."));
    const auto before = [&](std::string_view owner) {
      return content_of((*reader)->nsec_at_or_before(*info, name(owner)));
    };
    CHECK(before("example.") == "apex");
    CHECK(before("a.example.") == "apex");
    CHECK(before("b.example.") == "b");
    CHECK(before("zz.b.example.") == "b");
    CHECK(before("c.example.") == "b");
    CHECK(before("x.n39.d.example.") == "cut");
    CHECK(before("zz.d.example.") == "cut");
    CHECK(before("n01.d.example.") == "cut");
    CHECK(before("e.example.") == "cut");
    CHECK(before("f.example.") == "cut");
    CHECK(before("a.f.example.") == "cut");
    CHECK(before("zzz.example.") == "g");
    CHECK(before("*.example.") == "apex");
    (*reader)->release();
  }
}

TEST_CASE("store: the NSEC3 chain is a circle of its own zone [RFC 5155 §3.1.7]") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t zones[] = {add_zone(*store, "a."), add_zone(*store, "b."), add_zone(*store, "c.")};
  const auto hash = [](uint8_t octet) {
    zone::Nsec3Hash value;
    value.fill(octet);
    return value;
  };
  auto write = begin(*store);
  for (const uint32_t id : {zones[0], zones[1]})
    for (const int octet : {0x30, 0x80, 0xb0}) {
      const auto key = hash(static_cast<uint8_t>(octet + static_cast<int>(id)));
      good(write->nsec3(id).put(key, node_of(id, name("h."), fmt::format("{}-{:02x}", id, octet), zone::node_nsec3)));
    }
  good(write->commit());
  auto reader = store->make_reader();
  good((*reader)->acquire());
  for (const char* apex : {"a.", "b."}) {
    const auto* info = (*reader)->find_zone(name(apex));
    const auto at = [&](int octet, bool wanted) {
      bool exact = !wanted;
      const auto node =
          (*reader)->nsec3_at_or_before(*info, hash(static_cast<uint8_t>(octet + static_cast<int>(info->id))), exact);
      CHECK(exact == wanted);
      return content_of(node);
    };
    const std::string id = std::to_string(info->id);
    CHECK(at(0x30, true) == id + "-30");
    CHECK(at(0x31, false) == id + "-30");
    CHECK(at(0x7f, false) == id + "-30");
    CHECK(at(0x80, true) == id + "-80");
    CHECK(at(0xf0, false) == id + "-b0");
    CHECK(at(0x00, false) == id + "-b0");
  }
  bool exact = true;
  CHECK_FALSE((*reader)->nsec3_at_or_before(*(*reader)->find_zone(name("c.")), hash(1), exact));
  CHECK_FALSE(exact);
  (*reader)->release();
}

TEST_CASE("store: readers come and go without end") {
  const Folder folder;
  auto store = open_store(folder.options());
  add_zone(*store, "example.");
  for (int i = 0; i < 1000; ++i) {
    auto reader = store->make_reader();
    REQUIRE(reader);
    REQUIRE(read(**reader, "example.") == "apex");
  }
}

TEST_CASE("store: a zone for transfer alone is not in the index, and found in the tree; one that turns ends the index") {
  const Folder folder;
  auto store = open_store(folder.options());
  add_zone(*store, "example.");
  good(store->build_index());
  auto write = begin(*store);
  const uint32_t feed = write->add_zone(name("feed.example.")).info.id;
  write->zone(feed).info.transfer_only = true;
  write->zone(feed).info.availability = zone::Availability::Serving;
  write->zone(feed).nodes = 1;
  put(*write, feed, "feed.example.", "agent", "first");
  good(write->commit());
  CHECK(store->figures().index_names == 1);
  auto reader = std::move(*store->make_reader());
  const auto content = [&] {
    good(reader->acquire());
    const std::string found = content_of(reader->find(reader->zone_record(name("feed.example."))->info, name("agent.feed.example.")));
    reader->release();
    return found;
  };
  CHECK(content() == "first");
  good(store->build_index());
  CHECK(store->figures().index_names == 1);
  CHECK(content() == "first");
  write = begin(*store);
  write->zone(feed).info.transfer_only = false;
  put(*write, feed, "feed.example.", "agent", "second");
  good(write->commit());
  CHECK(content() == "second");
  good(store->build_index());
  CHECK(store->figures().index_names == 2);
  CHECK(content() == "second");
  write = begin(*store);
  write->zone(feed).info.transfer_only = true;
  good(write->commit());
  CHECK(content() == "second");
  good(store->build_index());
  CHECK(store->figures().index_names == 1);
}

TEST_CASE("store: the index keeps its size while names come and go") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t zone = add_zone(*store, "example.");
  good(store->build_index());
  const uint64_t octets = store->figures().index_octets;
  for (int round = 0; round < 20; ++round) {
    auto write = begin(*store);
    for (int i = 0; i < 200; ++i) put(*write, zone, "example.", fmt::format("n{}-{}", round, i), "x");
    good(write->commit());
    write = begin(*store);
    for (int i = 0; i < 200; ++i)
      good(write->nodes(zone).erase(key_of(name(fmt::format("n{}-{}.example.", round, i)), name("example."))));
    good(write->commit());
  }
  CHECK(store->figures().index_names == 1);
  CHECK(store->figures().index_octets <= 2 * octets);
}

TEST_CASE("store: a second opening is refused, and another format version with words that help") {
  const Folder folder;
  auto store = open_store(folder.options());
  const auto second = Store::open(folder.options());
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::Refused);
  store.reset();
  {
    MDB_env* env = nullptr;
    REQUIRE(mdb_env_create(&env) == 0);
    mdb_env_set_maxdbs(env, 16);
    REQUIRE(mdb_env_open(env, (folder.path() + "/data.mdb").c_str(), MDB_NOSUBDIR, 0600) == 0);
    MDB_txn* txn = nullptr;
    MDB_dbi meta = 0;
    REQUIRE(mdb_txn_begin(env, nullptr, 0, &txn) == 0);
    REQUIRE(mdb_dbi_open(txn, "meta", 0, &meta) == 0);
    uint64_t version = 99;
    MDB_val k{6, const_cast<char*>("format")};
    MDB_val v{sizeof version, &version};
    REQUIRE(mdb_put(txn, meta, &k, &v, 0) == 0);
    REQUIRE(mdb_txn_commit(txn) == 0);
    mdb_env_close(env);
  }
  const auto other = Store::open(folder.options());
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::Unsupported);
  CHECK(other.error().what.find("format 99") != std::string::npos);
  CHECK(other.error().what.find("steward-registry backup FILE") != std::string::npos);
  CHECK(other.error().what.find("steward-registry restore FILE --replace") != std::string::npos);
}

TEST_CASE("store: a damaged, a short and a missing node log are noticed") {
  const Folder folder;
  {
    auto store = open_store(folder.options());
    const uint32_t zone = add_zone(*store, "example.");
    auto write = begin(*store);
    for (int i = 0; i < 100; ++i) put(*write, zone, "example.", fmt::format("n{}", i), "some text");
    good(write->commit());
    good(store->verify());
  }
  const std::string segment = folder.path() + "/nodes/00000000.nodes";
  {
    std::ofstream(folder.path() + "/nodes/zzzzzzzz.nodes") << "not ours";
    std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(5000);
    file.put('\x55');
  }
  {
    const auto verified = open_store(folder.options())->verify();
    REQUIRE_FALSE(verified);
    CHECK(verified.error().code == Errc::Corrupt);
    MESSAGE(verified.error().what);
  }
  std::filesystem::resize_file(segment, 4096);
  const auto shorter = Store::open(folder.options());
  REQUIRE_FALSE(shorter);
  CHECK(shorter.error().code == Errc::Corrupt);
  std::filesystem::remove(segment);
  const auto missing = Store::open(folder.options());
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Errc::Corrupt);
}

TEST_CASE("store: nodes move out of mostly dead segments, which are dropped, and nothing is lost") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t zone = add_zone(*store, "example.");
  good(store->build_index());
  const std::string big(60000, 'x');
  // Three segments full, most of it written over.
  for (int round = 0; round < 3; ++round) {
    auto write = begin(*store);
    for (int i = 0; i < 1100; ++i) {
      put(*write, zone, "example.", fmt::format("big{}", i), big + std::to_string(round));
      if (round == 0 && i % 100 == 0) put(*write, zone, "example.", fmt::format("small{}", i), "small");
    }
    Bytes hash(20, static_cast<uint8_t>(round));
    const auto owner = name(std::string(31, '0') + std::to_string(round) + ".example.");
    std::fill(hash.begin(), hash.end(), 0);
    hash[19] = static_cast<uint8_t>(round);
    good(write->nsec3(zone).put(hash, node_of(zone, owner, "nsec3", zone::node_nsec3)));
    good(write->commit());
  }
  good(store->verify());
  const uint64_t before = store->figures().log_octets;
  auto reader = store->make_reader();
  int moved = 0;
  while (true) {
    const auto compacted = store->compact();
    good(compacted);
    if (!*compacted) break;
    REQUIRE(++moved < 10);
  }
  CHECK(moved > 0);
  CHECK(store->figures().log_octets < before);
  good(store->verify());
  CHECK(read(**reader, "small0.example.") == "small");
  CHECK(read(**reader, "big7.example.") == big + "2");
  CHECK_FALSE(std::filesystem::exists(folder.path() + "/nodes/00000000.nodes"));
  reader->reset();
  store.reset();
  store = open_store(folder.options());
  good(store->verify());
}
