#include "cli/import_sources.hh"

#include <doctest/doctest.h>

#include <fstream>

#include "folder.hh"

namespace steward::cli {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("import sources: all *.json of a folder, sorted, however deep, and no other") {
  const TestFolder folder;
  for (const char* name : {"b.json", "a.json", "notes.txt", "sub/d.json", "sub/deep/c.json"})
    write(folder.path / name, "{}");
  ImportSources sources;
  REQUIRE(sources.add(folder.path));
  REQUIRE(sources.size() == 4);
  CHECK(sources.path(0) == (folder.path / "a.json").string());
  CHECK(sources.path(1) == (folder.path / "b.json").string());
  CHECK(sources.path(2) == (folder.path / "sub/d.json").string());
  CHECK(sources.path(3) == (folder.path / "sub/deep/c.json").string());
  CHECK(sources.octets() == 8);
  CHECK(sources.octets(3) == 2);
}

TEST_CASE("import sources: a file that is named is taken whatever its name") {
  const TestFolder folder;
  write(folder.path / "manifest", "[]");
  ImportSources sources;
  REQUIRE(sources.add(folder.path / "manifest"));
  CHECK(sources.path(0) == (folder.path / "manifest").string());
}

TEST_CASE("import sources: a link to a folder is not followed, in which it may stand itself") {
  const TestFolder folder;
  write(folder.path / "a.json", "{}");
  fs::create_directory_symlink(folder.path, folder.path / "again");
  ImportSources sources;
  REQUIRE(sources.add(folder.path));
  CHECK(sources.size() == 1);
}

TEST_CASE("import sources: what is not there, and a folder without manifests, are errors with the path") {
  const TestFolder folder;
  ImportSources sources;
  const auto missing = sources.add(folder.path / "none");
  REQUIRE(!missing);
  CHECK(missing.error().code == Errc::NotFound);
  CHECK(missing.error().what.find("none") != std::string::npos);
  const auto empty = sources.add(folder.path);
  REQUIRE(!empty);
  CHECK(empty.error().what.find("no *.json") != std::string::npos);
}

}  // namespace steward::cli
