#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "folder.hh"

using namespace steward;
using namespace steward::cli;

TEST_CASE("commands: wrong usage is 2, help is 0 and has examples") {
  CHECK(run({}).code == 2);
  CHECK(run({"no-such"}).code == 2);
  CHECK(run({"init"}).code == 2);
  CHECK(run({"serve", "--no-such"}).code == 2);
  CHECK(run({"zone"}).code == 2);
  CHECK(run({"zone", "keys"}).code == 2);
  CHECK(run({"store"}).code == 2);
  CHECK(run({"backup"}).code == 2);
  CHECK(run({"backup", "-", "--data", "d", "--control", "s"}).code == 2);
  CHECK(run({"status", "--timeout", "0"}).code == 2);
  CHECK(run({"keygen", "--algorithm", "dsa"}).code == 2);
  CHECK(run({"serve", "--parent", "com.steward-registry.org"}).code == 2);
  has(run({"--version"}).out, "steward-registry " STEWARD_VERSION);
  for (const char* command : {"serve", "init", "check", "keygen", "status", "health", "reload", "stop", "zone", "backup",
                              "restore", "store"}) {
    const Ran help = run({command, "--help"});
    CHECK(help.code == 0);
    has(help.out, "Examples:");
  }
  for (const char* command : {"list", "show", "export", "check", "reload", "sign", "keys"})
    has(run({"zone", command, "--help"}).out, "Examples:");
  for (const char* command : {"verify", "stat"}) has(run({"store", command, "--help"}).out, "Examples:");
  for (const char* command : {"rollover", "ds-seen"}) has(run({"zone", "keys", command, "--help"}).out, "Examples:");
}

TEST_CASE("check: tells every error of the configuration, then of the zone files") {
  const TestFolder folder;
  folder.write("bad.yaml", "workers: 0\nzone: []\n");
  const Ran bad = run({"check", "--config", folder / "bad.yaml"});
  CHECK(bad.code == 1);
  has(bad.err, "bad.yaml:1:10: workers: expected a whole number from 1 to 256");
  has(bad.err, "bad.yaml:2:1: unknown key 'zone'; did you mean 'zones'?");
  folder.write("r.yaml", "zones: [{name: example.com, file: e.zone}, {name: example.org, file: none}]\n");
  folder.write("e.zone", "@ 300 SOA ns hostmaster 1 2 3 4 5\n@ 300 NS ns\nns 300 A 192.0.2.1\nns 300 A 192.0.2.300\n");
  const Ran zones = run({"check", "--config", folder / "r.yaml"});
  CHECK(zones.code == 1);
  has(zones.err, "e.zone:4:");
  has(zones.err, folder / "none");
  folder.write("e.zone", "@ 300 SOA ns hostmaster 1 2 3 4 5\n@ 300 NS ns\nns 300 A 192.0.2.1\n");
  folder.write("none", "@ 300 SOA ns hostmaster 1 2 3 4 5\n@ 300 NS ns.example.net.\n");
  const Ran good = run({"check", "--json", "--config", folder / "r.yaml"});
  CHECK(good.code == 0);
  const auto json = nlohmann::json::parse(good.out);
  CHECK(json["ok"] == true);
  CHECK(json["zones"].size() == 2);
  CHECK(json["zones"][0]["records"] == 3);
  CHECK(nlohmann::json::parse(run({"check", "--json", "--config", folder / "bad.yaml"}).out)["errors"].size() == 2);
  CHECK(run({"check", "--config", folder / "nothing"}).code == 1);
}

TEST_CASE("check: lists all keys") { has(run({"check", "--list-keys"}).out, "zones[].dnssec.algorithm\n"); }

TEST_CASE("zone check: reads a file for a name, or the zones of a configuration") {
  const TestFolder folder;
  folder.write("e.zone", "@ 300 SOA ns hostmaster 1 2 3 4 5\n@ 300 NS ns\nns 300 A 192.0.2.1\n");
  const Ran good = run({"zone", "check", folder / "e.zone", "--zone", "Example.com"});
  CHECK(good.code == 0);
  has(good.out, "example.com.: ok, 2 nodes, 3 records");
  CHECK(run({"zone", "check", folder / "e.zone"}).code == 2);
  CHECK(run({"zone", "check", folder / "e.zone", "--zone", "a..b"}).code == 1);
  folder.write("r.yaml", "zones: [{name: example.com, file: e.zone}]\n");
  has(run({"zone", "check", "--config", folder / "r.yaml"}).out, "example.com.: ok");
  has(run({"zone", "check", "--config", folder / "r.yaml", "--zone", "example.org"}).err, "no zone example.org.");
  const Ran json = run({"zone", "check", folder / "none", "--zone", "e.", "--json"});
  CHECK(json.code == 1);
  CHECK(nlohmann::json::parse(json.out)["zones"][0]["ok"] == false);
}

TEST_CASE("serve: takes a configuration, or makes the folder of a namespace once") {
  const TestFolder folder;
  folder.write("r.yaml", "");
  CHECK(run({"serve", "--config", folder / "r.yaml", "--data", "/d", "--log-format", "json", "--log-level", "debug"})
            .code == 0);
  CHECK(served().config == folder / "r.yaml");
  CHECK(*served().data == "/d");
  CHECK(*served().log_format == log::Format::Json);
  CHECK(*served().log_level == log::Level::Debug);
  const std::initializer_list<std::string> named{
      "serve", "--namespace", "acme-corp.com", "--parent", "com.steward-registry.org", "--data", folder / "acme"};
  const Ran first = run(named);
  CHECK(first.code == 0);
  has(first.err, "acme: made for the registry of acme-corp.com.steward-registry.org.: registry.yaml, zones/acme-corp.com");
  CHECK(served().config == folder / "acme/registry.yaml");
  CHECK(!served().data);
  const std::string made = folder.read("acme/registry.yaml");
  const Ran second = run(named);
  CHECK(second.code == 0);
  CHECK(second.err.empty());
  CHECK(folder.read("acme/registry.yaml") == made);
  has(run({"serve", "--namespace", "other.org", "--data", folder / "acme"}).err, "is of another namespace");
  has(run({"serve", "--namespace", "acme-corp.com", "--parent", "steward-registry.org", "--data", folder / "acme"}).err,
      "has another parent");
  CHECK(run({"serve", "--namespace", "a.com", "--config", "x"}).code == 2);
}

TEST_CASE("keygen: writes a key pair that only its owner may read, once") {
  const TestFolder folder;
  const Ran ran = run({"keygen", "--algorithm", "ed25519", "--out", folder / "keys"});
  CHECK(ran.code == 0);
  has(ran.out, "Fingerprint: sha256:");
  struct stat status {};
  REQUIRE(::stat((folder / "keys/registry_id_ed25519").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(std::filesystem::exists(folder / "keys/registry_id_ed25519.pub"));
  const std::string before = folder.read("keys/registry_id_ed25519");
  const Ran again = run({"keygen", "--algorithm", "ed25519", "--out", folder / "keys"});
  CHECK(again.code == 1);
  has(again.err, "never overwritten");
  CHECK(folder.read("keys/registry_id_ed25519") == before);
  const auto json =
      nlohmann::json::parse(run({"keygen", "--algorithm", "ed25519", "--json", "--out", folder / "more"}).out);
  CHECK(json["algorithm"] == "ed25519");
  CHECK(json["key"].get<std::string>().starts_with("512 3 15 "));
  has(folder.read("more/registry_id_ed25519.pub"), json["key"].get<std::string>());
  has(folder.read("more/registry_id_ed25519.pub"), json["fingerprint"].get<std::string>());
}
