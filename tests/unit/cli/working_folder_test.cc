#include "cli/working_folder.hh"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "config/loader.hh"
#include "folder.hh"
#include "zone/file_loader.hh"

using namespace steward;
using namespace steward::cli;

TEST_CASE("init: makes a folder whose configuration and zone file are good as they are") {
  const TestFolder folder;
  const Ran ran = run({"init", folder / "acme", "--namespace", "Acme-Corp.com", "--listen", "127.0.0.1@5300,::1@5300"});
  CHECK(ran.err.empty());
  CHECK(ran.code == 0);
  has(ran.out, "next: steward-registry serve --config " + (folder / "acme/registry.yaml"));
  const auto config = config::load_file(folder / "acme/registry.yaml");
  REQUIRE_MESSAGE(config, config.error().what);
  CHECK(config->warnings.empty());
  CHECK(config->registry->id == "com.acme-corp");
  CHECK(config->registry->parent->to_text() == "com.steward-registry.org.");
  CHECK(config->listen.size() == 2);
  REQUIRE(config->zones.size() == 1);
  const auto& zone = config->zones[0];
  CHECK(zone.dnssec.enabled);
  CHECK(zone.dnssec.key_directory == folder / "acme/keys");
  const auto loaded = zone::load_zone_file(zone.file, zone.name);
  REQUIRE(loaded.image);
  CHECK(loaded.warnings.empty());
  CHECK(loaded.image->record_count() == 6);
  struct stat status {};
  for (const auto& [name, mode] :
       {std::pair<const char*, mode_t>{"acme", 0755}, {"acme/keys", 0700}, {"acme/data", 0700}}) {
    REQUIRE(::stat((folder / name).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == mode);
  }
  has(folder.read("acme/zones/acme-corp.com.steward-registry.org.zone"),
      "\"v=steward-registry1\" \"id=com.acme-corp\" \"parent=com.steward-registry.org\"");
}

TEST_CASE("init: what a federation is known by, an identity that is yet to be made, and TLS beside each address") {
  const TestFolder folder;
  folder.write("root.ds", "s.example. DS 1 13 2 00");
  const Ran ran = run({"init", folder / "acme", "--namespace", "acme-corp.com", "--listen", "127.0.0.2@53,127.0.0.2@5300", "--root", "192.0.2.1@53",
                       "--trust-anchor", folder / "root.ds"});
  CHECK(ran.err.empty());
  const auto config = config::load_file(folder / "acme/registry.yaml");
  REQUIRE_MESSAGE(config, config.error().what);
  CHECK(config->warnings.empty());
  REQUIRE(config->tls.listen.size() == 2);
  CHECK(config->tls.listen[0].to_text() == "127.0.0.2@853");
  CHECK(config->tls.listen[1].to_text() == "127.0.0.2@8530");
  CHECK(config->registry->identity == folder / "acme/keys/registry_id");
  CHECK(config->tls.key == config->registry->identity);
  REQUIRE(config->registry->root.size() == 1);
  CHECK(config->registry->root[0].to_text() == "192.0.2.1@53");
  CHECK(config->registry->trust_anchor == folder / "root.ds");
  CHECK(config->registry->root_ca.empty());

  const Ran made = run({"keygen", "--algorithm", "ed25519", "--config", folder / "acme/registry.yaml"});
  CHECK(made.err.empty());
  CHECK(std::filesystem::exists(folder / "acme/keys/registry_id.pub"));
  CHECK(run({"keygen", "--config", folder / "acme/registry.yaml"}).code == 1);
  CHECK(run({"keygen", "--config", folder / "none.yaml"}).code == 1);

  CHECK(run({"init", folder / "x", "--namespace", "acme-corp.com", "--root", "192.0.2.1@53"}).code == 1);
  CHECK(run({"init", folder / "x", "--namespace", "acme-corp.com", "--root-ca", folder / "none.pem"}).code == 1);
  CHECK(!std::filesystem::exists(folder / "x"));
}

TEST_CASE("init: a registry that its parent cannot reach") {
  const TestFolder folder;
  CHECK(run({"init", folder / "acme", "--namespace", "acme-corp.com", "--push", "hosted"}).err.empty());
  const auto config = config::load_file(folder / "acme/registry.yaml");
  REQUIRE_MESSAGE(config, config.error().what);
  CHECK(config->registry->push == config::FeedPush::Hosted);
  CHECK(run({"init", folder / "root", "--namespace", ".", "--push", "hosted"}).code == 1);
  CHECK(run({"init", folder / "x", "--namespace", "acme-corp.com", "--push", "yes"}).code != 0);
}

TEST_CASE("init: nothing is overwritten, and a refusal leaves nothing behind") {
  const TestFolder folder;
  CHECK(run({"init", folder / "a", "--namespace", "acme-corp.com"}).code == 0);
  const std::string before = folder.read("a/registry.yaml");
  const Ran again = run({"init", folder / "a", "--namespace", "other.org"});
  CHECK(again.code == 1);
  has(again.err, "nothing is overwritten");
  CHECK(folder.read("a/registry.yaml") == before);
  folder.write("file", "x");
  CHECK(run({"init", folder / "file", "--namespace", "acme-corp.com"}).code == 1);
  CHECK(folder.read("file") == "x");
  std::filesystem::create_directory(folder / "empty");
  CHECK(run({"init", folder / "empty/", "--namespace", "acme-corp.com"}).code == 0);
  size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path)) ++entries;
  CHECK(entries == 3);
}

TEST_CASE("init: a bad namespace, parent, apex or address is refused with the rule") {
  const TestFolder folder;
  const auto refused = [&](std::initializer_list<std::string> more, std::string_view why) {
    std::vector<std::string> all{"init", folder / "x"};
    all.insert(all.end(), more);
    std::vector<const char*> argv{"steward-registry"};
    for (const std::string& word : all) argv.push_back(word.c_str());
    std::ostringstream out;
    std::ostringstream err;
    Console console(out, err, false, false);
    CHECK(run_registry(static_cast<int>(argv.size()), argv.data(), console, nullptr) == 1);
    has(err.str(), why);
    CHECK(std::filesystem::is_empty(folder.path));
  };
  refused({"--namespace", "user/kimeisele.github"}, "hosted by the 'github' registry");
  refused({"--namespace", "www.com"}, "reserved");
  refused({"--namespace", "a_b.com"}, "something else than letters");
  refused({"--namespace", ".", "--parent", "org"}, "the root registry has no parent");
  refused({"--namespace", "a.com", "--parent", "org.steward-registry.org"}, "--parent: expected");
  refused({"--namespace", "a.com", "--apex", "a..b"}, "--apex");
  refused({"--namespace", "a.com", "--apex", "a/b"}, "--apex: 'a/b': expected letters");
  refused({"--namespace", "a.com", "--listen", "localhost"}, "--listen");
  refused({"--namespace", "a.com", "--listen", "0.0.0.0@53"}, "--address: with a wildcard in --listen");
}

TEST_CASE("init: a wildcard listener takes its address records from --address; the root registry has no parent") {
  const TestFolder folder;
  CHECK(run({"init", folder / "r", "--namespace", ".", "--apex", "registry.example", "--listen", "0.0.0.0@53",
             "--address", "192.0.2.53"})
            .code == 0);
  has(folder.read("r/zones/registry.example.zone"), "A    192.0.2.53");
  const auto config = config::load_file(folder / "r/registry.yaml");
  REQUIRE_MESSAGE(config, config.error().what);
  CHECK(!config->registry->parent);
}
