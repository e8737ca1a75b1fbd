// Bundles of agents that others wrote manifests for, from $STEWARD_DATA/manifests, or ../shared/data/manifests beside
// the repository. Without them the test says so.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "signed_world.hh"

using namespace steward;
using namespace steward::client;
using namespace steward::client::test;
namespace fs = std::filesystem;

namespace {

fs::path real_data() {
  const char* place = std::getenv("STEWARD_DATA");
  for (const fs::path& folder :
       {fs::path(place == nullptr ? "" : place), fs::path(SOURCE_ROOT) / ".." / "shared" / "data"})
    if (fs::is_directory(folder / "manifests")) return folder / "manifests";
  return {};
}

std::vector<agent::Manifest> real_manifests(const fs::path& folder) {
  std::vector<agent::Manifest> manifests;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    for (agent::Manifest& manifest : agent::read_manifests(text.str()).manifests)
      manifests.push_back(std::move(manifest));
  }
  return manifests;
}

}  // namespace

TEST_CASE("bundle: 99 of 100 real agents' bundles are below 8 KiB") {
  const fs::path folder = real_data();
  if (folder.empty()) {
    MESSAGE("skipped: no $STEWARD_DATA and no ../shared/data here");
    return;
  }
  World world;
  std::vector<size_t> sizes;
  for (agent::Manifest& manifest : real_manifests(folder)) {
    // Too large for `_manifest` and too large for a bundle are two things.
    if (manifest.octets.size() > agent::max_stored_manifest) continue;
    world.agent = world.zone.apex.child(as_bytes(manifest.name)).value();
    sizes.push_back(world.bundle(world.agent_rrsets(manifest)).to_octets().size());
  }
  REQUIRE_FALSE(sizes.empty());
  std::sort(sizes.begin(), sizes.end());
  MESSAGE(sizes.size(), " agents: median ", sizes[sizes.size() / 2], ", 99 % ", sizes[sizes.size() * 99 / 100],
          ", most ", sizes.back(), " octets");
  CHECK(sizes[sizes.size() * 99 / 100] < 8192);
}
