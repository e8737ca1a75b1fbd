#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "client/publisher_key.hh"
#include "publisher_fixture.hh"

using namespace steward;
using namespace steward::client;
using namespace steward::client::test;
namespace fs = std::filesystem;

namespace {

/// A directory that goes with the test; the keys stand in a folder below it that is not there yet.
class Home {
 public:
  Home() {
    std::string pattern = (fs::temp_directory_path() / "steward-keys-test.XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;
  ~Home() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string keys() const { return path_ + "/steward/keys"; }

 private:
  std::string path_;
};

unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777U;
}

constexpr std::string_view helper = "helper.acme.example";

}  // namespace

TEST_CASE("keygen: a key of each kind in BIND's format, the secret and the folder the owner's alone") {
  for (const auto& [word, label] : {std::pair("ed25519", "ED25519"), std::pair("ecdsap256", "ECDSAP256SHA256")}) {
    const Home home;
    const auto key = KeyFolder(home.keys()).generate(helper, *key_algorithm_from_text(word));
    REQUIRE(key);
    CHECK(key->agent == helper);
    CHECK(key->algorithm == label);
    has(key->record, "helper.acme.example. IN KEY 512 3 ");
    CHECK(key->fingerprint.starts_with("sha256:"));
    CHECK(mode_of(key->private_file) == 0600);
    CHECK(mode_of(home.keys()) == 0700);
    for (const std::string& path :
         {key->private_file, key->public_file, key->private_file.substr(0, key->private_file.size() - 8)}) {
      const auto back = read_key(path);
      REQUIRE(back);
      CHECK(back->fingerprint == key->fingerprint);
    }
  }
  CHECK_FALSE(key_algorithm_from_text("dsa"));
}

TEST_CASE("keygen: a key that is there is never overwritten; the one that follows it is younger, and comes first") {
  const Home home;
  KeyFolder folder(home.keys());
  has(folder.generate(helper, KeyAlgorithm::Ed25519, true).failure().what, "no key for helper.acme.example");
  const auto first = folder.generate(helper, KeyAlgorithm::Ed25519);
  REQUIRE(first);
  has(folder.generate(helper, KeyAlgorithm::Ed25519).failure().what, "--rotate");
  const auto second = folder.generate(helper, KeyAlgorithm::Ed25519, true);
  REQUIRE(second);
  CHECK(second->created > first->created);
  const auto all = folder.list(helper);
  REQUIRE(all);
  REQUIRE(all->size() == 2);
  CHECK(all->front().fingerprint == second->fingerprint);
}

TEST_CASE("keys: an agent's own come before those for any agent; other agents' are not looked at") {
  const Home home;
  KeyFolder folder(home.keys());
  const auto any = folder.generate("", KeyAlgorithm::Ed25519);
  REQUIRE(any);
  CHECK(any->agent.empty());
  REQUIRE(folder.generate("other.acme.example", KeyAlgorithm::Ed25519));
  const auto own = folder.generate(helper, KeyAlgorithm::Ed25519);
  REQUIRE(own);
  const auto keys = read_keys_for(home.keys(), agent_name);
  REQUIRE(keys);
  REQUIRE(keys->size() == 2);
  CHECK(fingerprint_of(keys->front()) == own->fingerprint);
  CHECK(fingerprint_of(keys->back()) == any->fingerprint);
}

TEST_CASE("keys: a zone's key signs no publish [RFC 2535 §3.1.2]") {
  const Home home;
  fs::create_directories(home.keys());
  auto key = crypto::generate_stored_key(agent_name, crypto::Algorithm::ED25519, crypto::zsk_flags, noon, {});
  REQUIRE(key);
  REQUIRE(crypto::write_key_files(home.keys(), *key));
  const std::string stem =
      home.keys() + "/" + crypto::key_file_stem(agent_name, crypto::Algorithm::ED25519, key->tag());
  has(read_key(stem).failure().what, "a zone's key");
  has(KeyFolder(home.keys()).list(helper).failure().what, "a zone's key");
}
