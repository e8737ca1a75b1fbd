// Readers beside the writer: each sees one commit, whole.

#include <atomic>
#include <thread>

#include "fixture.hh"

using namespace steward;
using namespace steward::store;
using namespace steward::store::test;

namespace {

struct Watch {
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  std::atomic<int> strange{0};
  std::atomic<int> lost{0};
  std::atomic<int> backwards{0};
  std::atomic<int64_t> rounds{0};
};

// In each snapshot: the two nodes say the same, "moving." is there with its apex or not at all, its serial fits.
void look(Reader& reader, Watch& watch) {
  const dns::Name first = name("first.example.");
  const dns::Name second = name("second.example.");
  int last = 0;
  while (!watch.stop.load()) {
    if (!reader.acquire()) continue;
    const auto* zone = reader.find_zone(first);
    if (zone == nullptr) {
      watch.lost++;
    } else {
      const std::string one = content_of(reader.find(*zone, first));
      const std::string two = content_of(reader.find(*zone, second));
      if (one != two) watch.torn++;
      const int number = std::atoi(one.c_str());
      if (number < last) watch.backwards++;
      last = number;
    }
    const auto* moving = reader.zone_record(name("moving."));
    if (moving != nullptr) {
      const std::string apex = content_of(reader.find(moving->info, name("moving.")));
      if (apex != std::to_string(moving->serial)) watch.strange++;
    }
    reader.release();
    watch.rounds++;
  }
}

void write_all(Store& store, uint32_t zone, int commits) {
  uint32_t moving = 0;
  for (int i = 1; i <= commits; ++i) {
    auto write = begin(store);
    put(*write, zone, "example.", "first", std::to_string(i));
    put(*write, zone, "example.", "second", std::to_string(i));
    for (int j = 0; j < 40; ++j) put(*write, zone, "example.", fmt::format("more{}-{}", i % 64, j), "x");
    if (i % 5 == 1) {
      if (moving != 0) good(write->remove_zone(moving));
      moving = write->add_zone(name("moving.")).info.id;
    }
    if (i % 5 != 4) {
      write->zone(moving).serial = static_cast<uint32_t>(i);
      good(write->nodes(moving).put({}, node_of(moving, name("moving."), std::to_string(i), zone::node_apex)));
    }
    if (i % 16 == 15) {
      for (int j = 0; j < 40; ++j)
        good(write->nodes(zone).erase(key_of(name(fmt::format("more{}-{}.example.", i % 64, j)), name("example."))));
    }
    good(write->commit());
    if (i % 50 == 0) good(store.build_index());
  }
}

}  // namespace

TEST_CASE("store: readers beside a writer see each commit whole, with the zones that belong to it, and never go back") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t zone = add_zone(*store, "example.");
  write_all(*store, zone, 1);
  good(store->build_index());
  Watch watch;
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 3; ++i) readers.push_back(std::move(*store->make_reader()));
  std::vector<std::jthread> threads;
  for (auto& reader : readers) threads.emplace_back([&reader, &watch] { look(*reader, watch); });
  // The zone "moving." of the first call is removed by hand: the second makes its own.
  auto write = begin(*store);
  good(write->remove_zone(write->find_zone(name("moving."))->info.id));
  good(write->commit());
  write.reset();
  write_all(*store, zone, 200);
  watch.stop = true;
  threads.clear();
  CHECK(watch.torn.load() == 0);
  CHECK(watch.strange.load() == 0);
  CHECK(watch.lost == 0);
  CHECK(watch.backwards <= 3);  // from the last number of the first call, once a reader
  CHECK(watch.rounds > 0);
  good(store->verify());
}
