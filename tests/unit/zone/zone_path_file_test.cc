// Zone files as files: what is opened, what is refused, what is noticed.

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/file.hh"
#include "file_fixture.hh"

using namespace steward;
using namespace steward::zone;
using namespace steward::zone::test;

namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

// A directory that goes with its contents.
class Directory {
 public:
  Directory() {
    std::string form = (fs::temp_directory_path() / "steward-zone-XXXXXX").string();
    REQUIRE(mkdtemp(form.data()) != nullptr);
    path_ = form;
  }
  ~Directory() { fs::remove_all(path_); }
  [[nodiscard]] std::string at(const std::string& name) const { return (path_ / name).string(); }
  void write(const std::string& name, std::string_view text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
  }

 private:
  fs::path path_;
};

const std::string head = "$TTL 300\n@ SOA ns.other. host 1 2 3 4 5\n@ NS ns.other.\n";

}  // namespace

TEST_CASE("zone path: $INCLUDE is relative to the file in which it stands, and all files are listed") {
  const Directory dir;
  dir.write("a.zone", head + "$INCLUDE parts/one\nlast A 192.0.2.9\n");
  dir.write("parts/one", "one A 192.0.2.1\n$INCLUDE two x\n$INCLUDE \"" + dir.at("abs") + "\"\n");
  dir.write("parts/two", "two A 192.0.2.2\n");
  dir.write("abs", "abs A 192.0.2.3");
  const auto result = load_zone_file(dir.at("a.zone"), name("example."));
  CHECK(errors(result) == Lines{});
  REQUIRE(result.image != nullptr);
  CHECK(result.image->record_count() == 6);
  CHECK(result.files == Lines{dir.at("a.zone"), dir.at("parts/one"), dir.at("parts/two"), dir.at("abs")});
}

TEST_CASE("zone path: what is no readable file is refused with its name") {
  const Directory dir;
  const auto missing = load_zone_file(dir.at("none"), name("example."));
  CHECK(missing.image == nullptr);
  CHECK(errors(missing) == Lines{dir.at("none") + ": " + dir.at("none") + ": No such file or directory"});
  CHECK(missing.files == Lines{dir.at("none")});

  REQUIRE(mkfifo(dir.at("fifo").c_str(), 0600) == 0);
  dir.write("a.zone", head + "$INCLUDE .\n$INCLUDE fifo\n$INCLUDE none\n$INCLUDE a\\000b\n");
  const auto result = load_zone_file(dir.at("a.zone"), name("example."));
  const Lines all = errors(result);
  REQUIRE(all.size() == 4);
  CHECK(all[0].find("not a regular file") != std::string::npos);
  CHECK(all[1].starts_with(dir.at("a.zone") + ":5:10: $INCLUDE: " + dir.at("fifo") + ": not a regular file"));
  CHECK(all[2].starts_with(dir.at("a.zone") + ":6:10: $INCLUDE: " + dir.at("none") + ": No such file"));
}

TEST_CASE("zone path: a file that includes itself by another name is found out") {
  const Directory dir;
  dir.write("a.zone", head + "$INCLUDE link\n");
  fs::create_symlink("a.zone", dir.at("link"));
  CHECK(errors(load_zone_file(dir.at("a.zone"), name("example."))) ==
        Lines{dir.at("a.zone") + ":4:10: $INCLUDE: the file includes itself, \"link\""});
}

TEST_CASE("file: one that is cut off or written to while it is read is refused, not half read") {
  const Directory dir;
  dir.write("f", std::string(100, 'x'));
  const auto read_all = [&](auto&& meanwhile) {
    auto reader = FileReader::open(dir.at("f"));
    REQUIRE(reader);
    std::array<uint8_t, 60> block;
    CHECK(*reader->read(block) == 60);
    meanwhile();
    return reader->read(block);
  };
  CHECK(*read_all([] {}) == 40);
  const auto cut = read_all([&] { fs::resize_file(dir.at("f"), 10); });
  REQUIRE_FALSE(cut);
  CHECK(cut.error().what == dir.at("f") + ": changed while it was read");
  dir.write("f", std::string(100, 'x'));
  CHECK_FALSE(read_all([&] { std::ofstream(dir.at("f"), std::ios::app) << "more"; }));
}

TEST_CASE("zone file: limits of memory and of RDATA are errors, not crashes") {
  LoadOptions options;
  options.checks = false;
  options.max_octets = 4096;
  std::string text = "$TTL 1\n";
  for (int i = 0; i < 1000; ++i) text += fmt::format("n{} A 192.0.2.1\n", i);
  auto result = load(text, options);
  REQUIRE(!result.errors.empty());
  CHECK(result.errors[0].what.starts_with("out of memory: "));
  options.max_octets = 0;
  CHECK_FALSE(load(text, options).errors.empty());

  std::string big = "$TTL 1\nt TXT";
  for (int i = 0; i < 257; ++i) big += " " + std::string(255, 'x');
  result = load_records(big + "\n");
  REQUIRE(result.errors.size() == 1);
  CHECK(result.errors[0].line == 2);
}
