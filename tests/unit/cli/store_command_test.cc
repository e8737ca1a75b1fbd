// backup, restore, store verify, store stat and zone export on a store that no server has open.

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "folder.hh"
#include "store/store.hh"

using namespace steward;
using namespace steward::cli;

namespace {

/// A data folder with one zone of two names.
void fill(const std::string& data) {
  std::filesystem::create_directories(data);
  store::StoreOptions options;
  options.folder = data + "/store";
  options.map_size = uint64_t{1} << 30;
  options.log_size = uint64_t{1} << 34;
  auto store = store::Store::open(options);
  REQUIRE(store);
  auto write = (*store)->begin_write();
  REQUIRE(write);
  const dns::Name apex = *dns::Name::from_text("example.com.");
  store::ZoneRecord& zone = (*write)->add_zone(apex);
  zone.serial = 5;
  const Bytes address{192, 0, 2, 1};
  const ByteView addresses[] = {address};
  const zone::RrsetInput rrset[] = {{dns::RrType::A, 300, addresses, {}}};
  for (const char* text : {"example.com.", "www.example.com."}) {
    const dns::Name owner = *dns::Name::from_text(text);
    Bytes blob;
    Bytes key(dns::max_canonical_key_size);
    key.resize(dns::canonical_key(owner, apex, key.data()));
    REQUIRE(zone::build_node(
        {zone.info.id, owner, static_cast<uint16_t>(key.empty() ? zone::node_apex : 0), rrset, 1, {}}, blob));
    REQUIRE((*write)->nodes(zone.info.id).put(key, blob));
  }
  REQUIRE((*write)->commit());
}

}  // namespace

TEST_CASE("backup and restore: without a server, to a file and to standard output") {
  const TestFolder folder;
  fill(folder / "data");
  const Ran piped = run({"backup", "-", "--data", folder / "data"});
  CHECK(piped.code == 0);
  has(piped.err, "no server is asked");
  has(piped.err, "1 zones, 2 names, 0 NSEC3 names, 2 records; keys and configuration are not in it");
  const Ran to_file = run({"backup", folder / "b", "--data", folder / "data"});
  CHECK(to_file.code == 0);
  CHECK(to_file.out.empty());
  CHECK(folder.read("b") == piped.out);
  struct stat status {};
  REQUIRE(::stat((folder / "b").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);

  const Ran restored = run({"restore", folder / "b", "--data", folder / "new"});
  CHECK(restored.code == 0);
  has(restored.out, "new/store: 1 zones, 2 names, 0 NSEC3 names, 2 records");
  CHECK(run({"backup", "-", "--data", folder / "new"}).out == piped.out);
  has(run({"restore", folder / "b", "--data", folder / "new"}).err, "with --replace");
  const Ran replaced = run({"restore", folder / "b", "--data", folder / "new", "--replace"});
  CHECK(replaced.code == 0);
  has(replaced.out, "store.before-restore-");
  folder.write("cut", folder.read("b").substr(0, 200));
  const Ran cut = run({"restore", folder / "cut", "--data", folder / "new", "--replace"});
  CHECK(cut.code == 1);
  has(cut.err, "the backup is cut off; nothing is changed");
  CHECK(run({"backup", "-", "--data", folder / "new"}).out == piped.out);
  has(run({"restore", folder / "none", "--data", folder / "new", "--replace"}).err, "No such file");
}

TEST_CASE("backup: takes the place of a regular file only, and leaves nothing behind where it fails") {
  const TestFolder folder;
  has(run({"backup", folder / "b", "--data", folder / "none"}).err, "none/store: no database there");
  CHECK_FALSE(std::filesystem::exists(folder / "none"));
  CHECK(std::filesystem::is_empty(folder.path));
  fill(folder / "data");
  has(run({"backup", folder / "data", "--data", folder / "data"}).err, "not a regular file");
  has(run({"backup", "/dev/null", "--data", folder / "data"}).err, "not a regular file");
  folder.write("b", "before");
  CHECK(run({"backup", folder / "b", "--data", folder / "none"}).code == 1);
  CHECK(folder.read("b") == "before");
  CHECK(run({"backup", folder / "b", "--data", folder / "data"}).code == 0);
  CHECK(folder.read("b").starts_with("steward-registry backup 1\n"));
}

TEST_CASE("store verify, store stat, zone export: with the configuration of a server that does not run") {
  const TestFolder folder;
  fill(folder / "data");
  folder.write("r.yaml", "data: data\ncontrol: data/control.sock\nzones: []\n");
  const std::string config = folder / "r.yaml";
  const Ran verified = run({"store", "verify", "--config", config});
  CHECK(verified.code == 0);
  has(verified.out, "sound: 1 zones, 2 names");
  has(verified.err, "no server is asked");
  CHECK(nlohmann::json::parse(run({"store", "verify", "--json", "--config", config}).out)["sound"] == true);
  has(run({"store", "stat", "--config", config}).out, "names     2, and 0 of NSEC3 chains");
  const auto figures = nlohmann::json::parse(run({"store", "stat", "--json", "--config", config}).out);
  CHECK(figures["format"] == 1);
  CHECK(figures["segments"] == 1);
  CHECK(figures["live_octets"].get<uint64_t>() > 0);
  const Ran exported = run({"zone", "export", "Example.COM", "--config", config});
  CHECK(exported.code == 0);
  has(exported.out, "192.0.2.1");
  CHECK(run({"zone", "export", "example.com", "--data", folder / "data"}).out == exported.out);
  has(run({"zone", "export", "example.org", "--config", config}).err, "example.org.: no such zone in the database");
  // A socket that is named means a server.
  CHECK(run({"store", "stat", "--config", config, "--control", folder / "none.sock"}).code == 1);

  const std::string segment = folder / "data/store/nodes/00000000.nodes";
  {
    std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(60);
    file.put('\x55');
  }
  const Ran damaged = run({"store", "verify", "--config", config});
  CHECK(damaged.code == 1);
  has(damaged.out, "damaged: zone example.com.: example.com.: position 8");
  const Ran json = run({"store", "verify", "--json", "--config", config});
  CHECK(json.code == 1);
  CHECK(nlohmann::json::parse(json.out)["sound"] == false);
  CHECK(run({"backup", folder / "b", "--config", config}).code == 1);
  CHECK_FALSE(std::filesystem::exists(folder / "b"));
}
