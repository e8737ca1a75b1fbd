// Tables of a zone beside its nodes.

#include "fixture.hh"
#include "store/backup.hh"
#include "store/restore.hh"
#include "store/walk.hh"

using namespace steward;
using namespace steward::store;
using namespace steward::store::test;

namespace {

Bytes octets(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

std::string text_at(zone::OctetTable& table, std::string_view key) {
  return std::string(as_text(table.find(as_bytes(key))));
}

std::vector<std::string> keys_of(zone::OctetTable& table) {
  std::vector<std::string> keys;
  for (Bytes key; table.at_or_after(key); key.push_back(0)) keys.emplace_back(as_text(key));
  return keys;
}

}  // namespace

TEST_CASE("store: tables of one zone and of others keep apart, and are read as they were committed") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t first = add_zone(*store, "first.example.");
  const uint32_t second = add_zone(*store, "second.example.");
  {
    auto write = begin(*store);
    good(write->table(first, ZoneTable::Agents).put(as_bytes("b"), as_bytes("agent b")));
    good(write->table(first, ZoneTable::Agents).put(as_bytes("a"), as_bytes("agent a")));
    good(write->table(first, ZoneTable::History).put(as_bytes("a"), as_bytes("history")));
    good(write->table(second, ZoneTable::Agents).put(as_bytes("c"), as_bytes("another's")));
    CHECK(text_at(write->table(first, ZoneTable::Agents), "a") == "agent a");
    good(write->commit());
  }
  {
    auto dropped = begin(*store);
    good(dropped->table(first, ZoneTable::Agents).put(as_bytes("d"), as_bytes("never committed")));
  }
  auto reader = std::move(*store->make_reader());
  good(reader->acquire());
  const auto agents = reader->table(*reader->find_zone(name("first.example.")), ZoneTable::Agents);
  CHECK(keys_of(*agents) == std::vector<std::string>{"a", "b"});
  CHECK(text_at(*agents, "a") == "agent a");
  CHECK(text_at(*agents, "c").empty());
  CHECK(agents->put(as_bytes("x"), as_bytes("y")).error().code == Errc::Refused);
  CHECK(keys_of(*reader->table(*reader->find_zone(name("second.example.")), ZoneTable::Agents)) ==
        std::vector<std::string>{"c"});
  reader->release();
}

TEST_CASE("store: a zone takes its tables along when it is removed") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t zone = add_zone(*store, "example.");
  auto write = begin(*store);
  for (const ZoneTable table : zone_tables) good(write->table(zone, table).put(as_bytes("key"), as_bytes("octets")));
  good(write->commit());
  auto census = [&] {
    auto reader = std::move(*store->make_reader());
    good(reader->acquire());
    const auto seen = verify(*reader);
    reader->release();
    good(seen);
    return seen->entries;
  };
  CHECK(census() == std::size(zone_tables));
  auto removing = begin(*store);
  good(removing->remove_zone(zone));
  good(removing->commit());
  CHECK(census() == 0);
}

TEST_CASE("store: a key that is too long for a table is refused") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t zone = add_zone(*store, "example.");
  auto write = begin(*store);
  good(write->table(zone, ZoneTable::Ranks).put(Bytes(zone::max_table_key, 1), as_bytes("fits")));
  CHECK(
      write->table(zone, ZoneTable::Ranks).put(Bytes(zone::max_table_key + 1, 1), as_bytes("does not")).error().code ==
      Errc::Invalid);
}

TEST_CASE("store: an entry of an unknown table or of no zone is found by verification") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t zone = add_zone(*store, "example.");
  auto write = begin(*store);
  SUBCASE("an unknown table") {
    good(write->table(zone, static_cast<ZoneTable>('?')).put(as_bytes("key"), as_bytes("octets")));
  }
  SUBCASE("no zone") { good(write->table(zone + 7, ZoneTable::Agents).put(as_bytes("key"), as_bytes("octets"))); }
  good(write->commit());
  const auto verified = store->verify();
  REQUIRE(!verified);
  CHECK(verified.error().code == Errc::Corrupt);
}

TEST_CASE("store: a backup carries the tables, and what is restored has them") {
  const Folder folder;
  Bytes backup;
  {
    auto store = open_store(folder.options());
    const uint32_t zone = add_zone(*store, "example.");
    auto write = begin(*store);
    for (int i = 0; i < 3000; ++i)
      good(write->table(zone, ZoneTable::Agents)
               .put(as_bytes(fmt::format("agent{:05}", i)), octets(std::string(300, static_cast<char>('a' + i % 26)))));
    good(write->table(zone, ZoneTable::Publishers).put(as_bytes("key"), as_bytes("octets")));
    good(write->commit());
    auto reader = std::move(*store->make_reader());
    good(reader->acquire());
    good(write_backup(*reader, [&](ByteView more) -> Result<void> {
      append(backup, more);
      return {};
    }));
    reader->release();
  }
  const Folder fresh;
  size_t at = 0;
  const auto restored =
      restore({fresh.path(), false, unix_time(1'769'860'800)}, [&](MutableByteView into) -> Result<size_t> {
        const size_t size = std::min(into.size(), backup.size() - at);
        std::copy_n(backup.begin() + static_cast<long>(at), size, into.begin());
        at += size;
        return size;
      });
  good(restored);
  CHECK(restored->census.entries == 3001);
  StoreOptions options = fresh.options();
  options.folder += "/store";
  auto store = open_store(options);
  auto reader = std::move(*store->make_reader());
  good(reader->acquire());
  const auto agents = reader->table(*reader->find_zone(name("example.")), ZoneTable::Agents);
  CHECK(keys_of(*agents).size() == 3000);
  CHECK(text_at(*agents, "agent00027") == std::string(300, 'b'));
  reader->release();
}
