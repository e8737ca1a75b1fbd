// Manifests that others wrote, from $STEWARD_DATA/manifests, or ../shared/data/manifests beside the repository. Without
// them the test says so. With $STEWARD_TABLE it prints what was taken, noted and refused.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "agent/manifest.hh"
#include "agent/publication.hh"

using namespace steward;
using namespace steward::agent;
namespace fs = std::filesystem;

namespace {

fs::path real_data() {
  const char* place = std::getenv("STEWARD_DATA");
  for (const fs::path& folder :
       {fs::path(place == nullptr ? "" : place), fs::path(SOURCE_ROOT) / ".." / "shared" / "data"}) {
    if (fs::is_directory(folder / "manifests")) return folder / "manifests";
  }
  return {};
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string text_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("manifests that others wrote: each is taken, or refused with the member and the rule") {
  const fs::path folder = real_data();
  if (folder.empty()) {
    MESSAGE("skipped: no $STEWARD_DATA and no ../shared/data here");
    return;
  }
  const auto key = crypto::KeyPair::generate(crypto::Algorithm::ED25519);
  REQUIRE(key);
  const bool table = std::getenv("STEWARD_TABLE") != nullptr;
  std::map<std::string, std::pair<size_t, size_t>> by_shape;
  for (const fs::path& file : files_below(folder)) {
    CAPTURE(file.string());
    const std::string text = text_of(file);
    const auto reading = read_manifests(text);
    CHECK(reading.manifests.size() + reading.refusals.size() > 0);
    for (const Manifest& manifest : reading.manifests) {
      PublishOptions options;
      options.agent = dns::Name::from_text(manifest.name + ".example.com.steward-registry.org.").value();
      options.modified = unix_time(1'763'730'000);
      const auto records = make_publication(manifest, options, *key);
      CHECK_MESSAGE(records, manifest.name << ": " << (records ? "" : records.error().what));
      CHECK(text.find(manifest.octets) != text.npos);
      if (table) {
        for (const auto& note : manifest.notes) std::cout << "note " << manifest.name << " " << note << "\n";
      }
    }
    for (const ManifestRefusal& refusal : reading.refusals) {
      CHECK(refusal.pointer.ends_with("/name"));
      CHECK(!refusal.rule.empty());
      if (table)
        std::cout << "refused " << file.filename().string() << " '" << refusal.name << "' " << refusal.text() << "\n";
    }
    auto& [taken, refused] = by_shape[file.parent_path().filename().string()];
    taken += reading.manifests.size();
    refused += reading.refusals.size();
  }
  for (const auto& [shape, counts] : by_shape) {
    if (table) std::cout << shape << ": " << counts.first << " taken, " << counts.second << " refused\n";
  }
  CHECK(by_shape["steward"] == std::pair<size_t, size_t>(16, 0));
  CHECK(by_shape["mcp"] == std::pair<size_t, size_t>(299, 15));
}

TEST_CASE("manifests that others wrote: A2A cards are taken under a label that their publisher gives") {
  const fs::path folder = real_data();
  if (folder.empty()) {
    MESSAGE("skipped: no $STEWARD_DATA and no ../shared/data here");
    return;
  }
  for (const fs::path& file : files_below(folder / "a2a")) {
    CAPTURE(file.string());
    const auto card = read_manifest(text_of(file), "given-name");
    REQUIRE(card);
    CHECK(card->name == "given-name");
    CHECK(!card->capabilities.empty());
    CHECK(card->endpoints.size() + card->notes.size() > 0);
  }
}
