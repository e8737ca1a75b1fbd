// Changes that wait together are committed together, and none pays for another's failure.

#include "daemon/group_commit.hh"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

using namespace steward;
using namespace steward::daemon;

namespace {

struct StoreFolder {
  StoreFolder() : folder(std::filesystem::temp_directory_path() / ("steward-group-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder);
    store::StoreOptions options;
    options.folder = folder.string();
    options.map_size = uint64_t{64} << 20;
    auto opened = store::Store::open(options);
    REQUIRE(opened);
    store = std::move(*opened);
    group = std::make_unique<GroupCommit>(*store, clock);
  }
  ~StoreFolder() {
    group.reset();
    store.reset();
    std::filesystem::remove_all(folder);
  }

  /// A change that enters a zone, or fails.
  GroupCommit::Change enter(const std::string& zone, bool fails = false) {
    return {[this, zone, fails](store::WriteTransaction& write) -> Result<void> {
              ++applied;
              write.add_zone(*dns::Name::from_text(zone)).serial = 1;
              if (fails) return fail(Errc::Invalid, zone + " cannot be");
              return {};
            },
            [this, zone](const Result<void>& committed) { told.push_back(zone + (committed ? " ok" : " " + committed.error().what)); }};
  }
  [[nodiscard]] size_t zones() const { return store->zones().size(); }

  std::filesystem::path folder;
  SystemClock clock;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<GroupCommit> group;
  std::vector<std::string> told;
  size_t applied = 0;
};

}  // namespace

TEST_CASE_FIXTURE(StoreFolder, "group commit: many changes are one commit, and none is told before it") {
  for (const char* zone : {"a.", "b.", "c."}) group->add(enter(zone));
  CHECK(told.empty());
  CHECK(zones() == 0);
  group->flush();
  CHECK(told == std::vector<std::string>{"a. ok", "b. ok", "c. ok"});
  CHECK(zones() == 3);
  CHECK(group->figures().commits == 1);
  CHECK(group->figures().changes == 3);
  group->flush();
  CHECK(group->figures().commits == 1);
}

TEST_CASE_FIXTURE(StoreFolder, "group commit: a change that fails leaves nothing, and the others are applied again without it") {
  group->add(enter("a."));
  group->add(enter("b.", true));
  CHECK(told == std::vector<std::string>{"b. b. cannot be"});
  group->add(enter("c."));
  group->flush();
  CHECK(told.size() == 3);
  CHECK(zones() == 2);
  CHECK(applied == 4);
  CHECK(group->figures().failures == 1);
}

TEST_CASE_FIXTURE(StoreFolder, "group commit: where all do not fit together, each is tried by itself") {
  // A value that is far larger than the map: the commit or the put is refused as Full.
  group->add(enter("a."));
  group->add({[](store::WriteTransaction& write) -> Result<void> {
                const Bytes large(size_t{1} << 20, 7);
                for (uint32_t zone = 1000; zone < 1100; ++zone)
                  if (auto put = write.put_state(zone, large); !put) return put;
                return {};
              },
              [this](const Result<void>& committed) { told.push_back(committed ? "large ok" : "large refused"); }});
  group->add(enter("b."));
  group->flush();
  CHECK(told == std::vector<std::string>{"large refused", "a. ok", "b. ok"});
  CHECK(zones() == 2);
}
