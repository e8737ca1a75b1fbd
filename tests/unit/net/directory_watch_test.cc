#include "net/directory_watch.hh"

#include <fcntl.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "fixture.hh"

using namespace steward;
using namespace steward::net;
using namespace steward::net::testing;
using std::chrono::milliseconds;
namespace fs = std::filesystem;

namespace {

/// A watched folder; changes are waited for by running the loop until they are told.
struct Watched {
  Watched() {
    char name[] = "/tmp/unit-net-XXXXXX";
    root = mkdtemp(name);
    folder = root + "/zones";
    fs::create_directory(folder);
    loop = std::move(*Loop::open());
    auto opened = DirectoryWatch::open(*loop, {milliseconds(20), milliseconds(5)}, [this](const DirectoryChanges& c) {
      changes = c;
      loop->stop();
    });
    REQUIRE_MESSAGE(opened, opened.error().what);
    watch = std::move(*opened);
    patience = std::make_unique<Timer>(*loop);
  }
  ~Watched() {
    patience.reset();
    watch.reset();
    fs::remove_all(root);
  }
  const DirectoryChanges& next() {
    changes = {};
    patience->after(std::chrono::seconds(20), [this] { loop->stop(); });
    loop->run();
    REQUIRE((changes.rescan || !changes.paths.empty()));
    return changes;
  }
  void write(const std::string& name, std::string_view text = "x") const { std::ofstream(folder + "/" + name) << text; }

  std::string root;
  std::string folder;
  std::unique_ptr<Loop> loop;
  std::unique_ptr<DirectoryWatch> watch;
  std::unique_ptr<Timer> patience;
  DirectoryChanges changes;
};

}  // namespace

TEST_CASE("directory watch: files that are written, replaced by rename, linked and removed are told once each") {
  Watched w;
  REQUIRE(w.watch->add(w.folder));
  w.write("a");
  w.write("a", "again");
  w.write("b");
  CHECK(w.next().paths == std::vector{w.folder + "/a", w.folder + "/b"});
  CHECK_FALSE(w.changes.rescan);
  w.write("a.new");
  fs::rename(w.folder + "/a.new", w.folder + "/a");
  CHECK(w.next().paths == std::vector{w.folder + "/a", w.folder + "/a.new"});
  fs::create_symlink(w.root + "/elsewhere", w.folder + "/link");
  CHECK(w.next().paths == std::vector{w.folder + "/link"});
  std::ofstream(w.root + "/outside") << "y";
  fs::rename(w.root + "/outside", w.folder + "/b");
  CHECK(w.next().paths == std::vector{w.folder + "/b"});
  fs::remove(w.folder + "/b");
  CHECK(w.next().paths == std::vector{w.folder + "/b"});
  fs::create_directory(w.folder + "/sub");
  w.write("c");
  CHECK(w.next().paths == std::vector{w.folder + "/c"});
}

TEST_CASE("directory watch: a file that is being written is told when it is closed") {
  Watched w;
  REQUIRE(w.watch->add(w.folder));
  std::ofstream open_file(w.folder + "/open");
  open_file << "half" << std::flush;
  w.write("other");
  CHECK(w.next().paths == std::vector{w.folder + "/other"});
  open_file << "whole";
  open_file.close();
  CHECK(w.next().paths == std::vector{w.folder + "/open"});
}

TEST_CASE("directory watch: a directory that goes and comes back is watched again, and all of it is to be read") {
  Watched w;
  REQUIRE(w.watch->add(w.folder));
  SUBCASE("removed") {
    fs::remove_all(w.folder);
    CHECK(w.next().rescan);
  }
  SUBCASE("moved away") {
    fs::rename(w.folder, w.root + "/old");
    CHECK(w.next().rescan);
    std::ofstream(w.root + "/old/a") << "not ours any more";
  }
  fs::create_directory(w.folder);
  CHECK(w.next().rescan);
  w.write("a");
  while (w.next().rescan) {
  }
  CHECK(w.changes.paths == std::vector{w.folder + "/a"});
}

TEST_CASE("directory watch: a directory may come later, and one that is removed from the watch is quiet") {
  Watched w;
  const std::string later = w.root + "/later";
  REQUIRE(w.watch->add(later));
  REQUIRE(w.watch->add(w.folder));
  fs::create_directory(later);
  CHECK(w.next().rescan);
  w.watch->remove(w.folder);
  w.write("a");
  std::ofstream(later + "/b") << "b";
  CHECK(w.next().paths == std::vector{later + "/b"});
  w.watch->remove(later);
  w.watch->remove("never/added");
  std::ofstream(w.root + "/file") << "f";
  const auto bad = w.watch->add(w.root + "/file");
  REQUIRE_FALSE(bad);
  CHECK(bad.error().what == w.root + "/file: cannot be watched: Not a directory");
}

TEST_CASE("directory watch: when events are lost, all is to be read again") {
  Watched w;
  REQUIRE(w.watch->add(w.folder));
  std::ifstream limit("/proc/sys/fs/inotify/max_queued_events");
  size_t most = 16'384;
  limit >> most;
  if (most > 100'000) return;  // more events than a test should make
  // Two names in turn: the kernel merges events that are equal to the last.
  for (size_t i = 0; i < most + 10; ++i) {
    const FileDescriptor fd(
        open((w.folder + (i % 2 == 0 ? "/a" : "/b")).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(fd);
  }
  CHECK(w.next().rescan);
}
