// What is left when a process or the disk ends in the middle.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "fixture.hh"

using namespace steward;
using namespace steward::store;
using namespace steward::store::test;

namespace {

// Commits 1, 2, 3 … at two names, and says each number through `out` when its commit is done. Runs in a child.
[[noreturn]] void commit_for_ever(const StoreOptions& options, int out, int from) {
  auto store = Store::open(options);
  if (!store) _exit(1);
  for (int i = from;; ++i) {
    auto write = (*store)->begin_write();
    if (!write) _exit(2);
    const uint32_t zone = (*write)->find_zone(name("example."))->info.id;
    for (const char* owner : {"first.example.", "second.example."})
      if (!(*write)->nodes(zone).put(key_of(name(owner), name("example.")),
                                     node_of(zone, name(owner), std::to_string(i))))
        _exit(3);
    const std::string filling(static_cast<size_t>(20000 + i % 7 * 5000), 'f');
    const auto filler = name(fmt::format("filler{}.example.", i % 50));
    if (!(*write)->nodes(zone).put(key_of(filler, name("example.")), node_of(zone, filler, filling))) _exit(4);
    if (!(*write)->commit()) _exit(5);
    if (::write(out, &i, sizeof i) != sizeof i) _exit(6);
    if (i % 9 == 0 && !(*store)->compact()) _exit(7);
  }
}

int number_at(Store& store, std::string_view owner) {
  auto reader = std::move(*store.make_reader());
  good(reader->acquire());
  const int number = std::atoi(content_of(reader->find(*reader->find_zone(name("example.")), name(owner))).c_str());
  reader->release();
  return number;
}

void check_after(Store& store, int acknowledged) {
  good(store.verify());
  const int first = number_at(store, "first.example.");
  CHECK(first >= acknowledged);
  CHECK(first <= acknowledged + 1);
  CHECK(number_at(store, "second.example.") == first);
}

}  // namespace

TEST_CASE("store: a process killed at any moment loses no commit that it acknowledged") {
  const Folder folder;
  { add_zone(*open_store(folder.options()), "example."); }
  int acknowledged = 0;
  for (const int commits : {1, 3, 20, 2, 57, 31, 5, 90, 11, 1}) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) commit_for_ever(folder.options(), ends[1], acknowledged + 1);
    ::close(ends[1]);
    for (int i = 0; i < commits; ++i)
      REQUIRE(::read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged);
    ::kill(child, SIGKILL);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    while (::read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
    }
    ::close(ends[0]);
    auto store = open_store(folder.options());
    check_after(*store, acknowledged);
    acknowledged = number_at(*store, "first.example.");
  }
}

TEST_CASE("store: a transaction that had reached the node log but not the tree is written over after a crash") {
  const Folder folder;
  const Folder copy;
  auto store = open_store(folder.options());
  const uint32_t zone = add_zone(*store, "example.");
  auto write = begin(*store);
  for (int i = 0; i < 3000; ++i) put(*write, zone, "example.", fmt::format("n{}", i), std::string(60000, 'u'));
  std::filesystem::copy(folder.path(), copy.path(), std::filesystem::copy_options::recursive);
  CHECK(std::filesystem::exists(copy.path() + "/nodes/00000001.nodes"));
  auto after = open_store(copy.options());
  good(after->verify());
  CHECK_FALSE(std::filesystem::exists(copy.path() + "/nodes/00000001.nodes"));
  auto again = begin(*after);
  put(*again, zone, "example.", "n1", "committed");
  good(again->commit());
  good(after->verify());
  CHECK(after->zones().size() == 1);
}

TEST_CASE("store: a full map is refused, and the store goes on") {
  const Folder folder;
  StoreOptions options = folder.options();
  options.map_size = 1 << 20;
  auto store = open_store(options);
  const uint32_t zone = add_zone(*store, "example.");
  good(store->build_index());
  for (int round = 0; round < 3; ++round) {
    auto write = begin(*store);
    Result<void> result;
    int i = 0;
    for (; result && i < 100000; ++i) {
      const auto owner = name(fmt::format("n{}-{}.example.", round, i));
      result = write->nodes(zone).put(key_of(owner, name("example.")), node_of(zone, owner, "x"));
    }
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Errc::Full);
    CHECK(result.error().what.find("map-size") != std::string::npos);
    CHECK_FALSE(write->commit());
    write.reset();
    write = begin(*store);
    put(*write, zone, "example.", fmt::format("small{}", round), "fits");
    good(write->commit());
    good(store->verify());
    CHECK(store->figures().index_names == static_cast<uint64_t>(round) + 2);
  }
}

TEST_CASE("store: files that may not grow are refused as full, and the store goes on") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t zone = add_zone(*store, "example.");
  const auto ignored = ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before = {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const struct rlimit tight = {20000, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
  {
    auto write = begin(*store);
    bool refused = false;
    for (int i = 0; i < 100 && !refused; ++i) {
      const auto owner = name(fmt::format("n{}.example.", i));
      const auto done =
          write->nodes(zone).put(key_of(owner, name("example.")), node_of(zone, owner, std::string(60000, 'x')));
      refused = !done;
      if (!done) CHECK(done.error().code == Errc::Full);
    }
    const auto committed = write->commit();
    CHECK_FALSE(committed);
  }
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  ::signal(SIGXFSZ, ignored);
  good(store->verify());
  auto write = begin(*store);
  put(*write, zone, "example.", "a", "goes on");
  good(write->commit());
  good(store->verify());
}
