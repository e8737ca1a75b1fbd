#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "crypto/identity.hh"
#include "crypto/key_file.hh"
#include "crypto/secret_file.hh"

using namespace steward;
using namespace steward::crypto;
namespace fs = std::filesystem;

namespace {
/// A directory that goes with the test.
class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "steward-key-test.XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string path(const std::string& name = "") const {
    return name.empty() ? path_ : path_ + "/" + name;
  }
  void put(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(path_)) out.push_back(entry.path().filename().string());
    std::sort(out.begin(), out.end());
    return out;
  }

 private:
  std::string path_;
};
dns::Name name(std::string_view text) { return dns::Name::from_text(text).value(); }
unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777U;
}
void has(const std::string& text, const std::string& part) {
  CAPTURE(text);
  CHECK(text.find(part) != std::string::npos);
}
bool installed(const std::string& program) {
  return fs::exists("/usr/bin/" + program) || fs::exists("/usr/sbin/" + program);
}
bool run(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }
StoredKey made(std::string_view zone, Algorithm algorithm, uint16_t flags) {
  auto key = generate_stored_key(name(zone), algorithm, flags, unix_time(1700000000), {}, 1024);
  REQUIRE(key);
  return std::move(*key);
}
const std::string rfc8080_key =
    "example.com. 3600 IN DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQw AQEX1SxZJA4= ; ksk\n";
const std::string rfc8080_private =
    "Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\nPrivateKey: ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=\n";
}  // namespace

TEST_CASE("key files: what is written is read back, times and all, and the secret is the owner's alone") {
  const Folder folder;
  for (const Algorithm algorithm :
       {Algorithm::RSASHA256, Algorithm::ECDSAP256SHA256, Algorithm::ECDSAP384SHA384, Algorithm::ED25519}) {
    StoredKey key = made("example.com.", algorithm, ksk_flags);
    int64_t time = 1700000000;
    for (const KeyTimeField& field : key_time_fields()) key.times.*field.member = unix_time(time += 86400);
    REQUIRE(write_key_files(folder.path(), key));
    const std::string stem = folder.path(key_file_stem(key.zone, algorithm, key.tag()));
    CHECK(mode_of(stem + ".private") == 0600);
    CHECK(mode_of(stem + ".key") == 0644);
    const auto back = read_key_files(stem);
    REQUIRE(back);
    CHECK(back->dnskey() == key.dnskey());
    CHECK(back->times == key.times);
    CHECK(back->zone == key.zone);
    key.times.remove.reset();
    REQUIRE(write_key_files(folder.path(), key));
    CHECK(read_key_files(stem)->times == key.times);
  }
  CHECK(folder.names().size() == 8);
  CHECK(read_zone_keys(folder.path(), name("EXAMPLE.com."))->size() == 4);
  CHECK(read_zone_keys(folder.path(), name("com."))->empty());
}

TEST_CASE("key files: names are BIND's, and a slash in a zone's name is no path") {
  CHECK(key_file_stem(name("Example.COM."), Algorithm::ED25519, 42) == "Kexample.com.+015+00042");
  CHECK(key_file_stem(name("user/x.github."), Algorithm::RSASHA256, 12018) == "Kuser%2Fx.github.+008+12018");
  CHECK(key_file_stem(name("."), Algorithm::RSASHA256, 1) == "K.+008+00001");
}

TEST_CASE("key files: the RFC's key in the form that ldns-keygen writes is read [RFC 8080 §6.1]") {
  const Folder folder;
  folder.put("Kexample.com.+015+03613.key", rfc8080_key);
  folder.put("Kexample.com.+015+03613.private", rfc8080_private);
  const auto key = read_key_files(folder.path("Kexample.com.+015+03613"));
  REQUIRE(key);
  CHECK(key->tag() == 3613);
  CHECK(key->is_sep());
  CHECK(key->times == KeyTimes{});
}

TEST_CASE("key files: an error names the file, the line and the rule") {
  const Folder folder;
  const std::string stem = "Kexample.com.+015+03613";
  const auto error_with = [&](const std::string& open, const std::string& secret) {
    folder.put(stem + ".key", open);
    folder.put(stem + ".private", secret);
    const auto key = read_key_files(folder.path(stem));
    REQUIRE_FALSE(key);
    CHECK(key.error().what.find(stem) != std::string::npos);
    return key.error().what;
  };
  has(error_with("; nothing\n", rfc8080_private), ".key: holds no DNSKEY");
  has(error_with("\n\nexample.com. IN A 192.0.2.1\n", rfc8080_private), ".key:3: ");
  has(error_with("example.com. IN DNSKEY 257 3 300 AAAA\n", rfc8080_private), "three numbers");
  has(error_with("example.com. IN DNSKEY 512 3 15 AAAA\n", rfc8080_private), "not a zone key");
  has(error_with("example.com. IN DNSKEY 257 3 15 A?AA\n", rfc8080_private), ".key:1: ");
  has(error_with(rfc8080_key, rfc8080_private + "garbage\n"), ".private:4: \"name: value\"");
  has(error_with(rfc8080_key, rfc8080_private + "Publish: tomorrow\n"), ".private:4: Publish");
  has(error_with(rfc8080_key, rfc8080_private + "PrivateKey: AAAA\n"), "given twice");
  has(error_with(rfc8080_key, "Private-key-format: v2.0\n"), "v1.2 or v1.3");
  has(error_with(rfc8080_key, "Algorithm: 99 (X)\n"), "99 is not known");
  has(error_with(rfc8080_key, "PrivateKey: AAAA\n"), "no field Algorithm");
  has(error_with(rfc8080_key, "Algorithm: 15 (ED25519)\n"), "no field PrivateKey");
  has(error_with(rfc8080_key, "Algorithm: 13 (ECDSAP256SHA256)\nPrivateKey: AAAA\n"), "differs");
  has(error_with(rfc8080_key, "Algorithm: 15\nPrivateKey: DSSF3o0s0f+ElWzj9E/Osxw8hLpk55chkmx0LYN5WiY=\n"),
      "not the private half");
  folder.put("Kexample.com.+015+00001.key", rfc8080_key);
  folder.put("Kexample.com.+015+00001.private", rfc8080_private);
  has(read_key_files(folder.path("Kexample.com.+015+00001")).error().what, "named as another key");
  CHECK_FALSE(read_zone_keys(folder.path(), name("example.com.")));
  CHECK(read_key_files(folder.path("absent")).error().code == Errc::NotFound);
}

TEST_CASE("key files: another key with the same tag is never overwritten") {
  const Folder folder;
  const StoredKey key = made("example.com.", Algorithm::ED25519, ksk_flags);
  REQUIRE(write_key_files(folder.path(), key));
  const StoredKey other = made("example.com.", Algorithm::ED25519, ksk_flags);
  const std::string from = folder.path(key_file_stem(key.zone, Algorithm::ED25519, key.tag()));
  const std::string to = folder.path(key_file_stem(other.zone, Algorithm::ED25519, other.tag()));
  if (from == to) return;
  fs::rename(from + ".key", to + ".key");
  fs::rename(from + ".private", to + ".private");
  CHECK_FALSE(write_key_files(folder.path(), other));
}

TEST_CASE("key files: dnssec-keygen and ldns-keygen write what we read" * doctest::skip(!installed("dnssec-keygen"))) {
  const Folder folder;
  for (const auto* options :
       {"-a ECDSAP256SHA256 -f KSK", "-a ED25519", "-a RSASHA256 -b 2048", "-a ECDSAP384SHA384"}) {
    CAPTURE(options);
    REQUIRE(
        run("dnssec-keygen -K " + folder.path() + " " + options + " -P now -A now+1d -I now+30d -D now+40d b.example"));
  }
  const auto keys = read_zone_keys(folder.path(), name("b.example."));
  REQUIRE_MESSAGE(keys, keys.error().what);
  CHECK(keys->size() == 4);
  for (const StoredKey& key : *keys) {
    REQUIRE(key.times.activate);
    CHECK(*key.times.activate - *key.times.publish == Seconds(86400));
    CHECK(*key.times.remove - *key.times.inactive == Seconds(864000));
  }
  if (!installed("ldns-keygen")) return;
  REQUIRE(run("cd " + folder.path() +
              " && ldns-keygen -a RSASHA256 -b 1024 l.example && ldns-keygen -k -a ECDSAP256SHA256 l.example"));
  const auto ldns = read_zone_keys(folder.path(), name("l.example."));
  REQUIRE_MESSAGE(ldns, ldns.error().what);
  CHECK(ldns->size() == 2);
}

TEST_CASE("key files: dnssec-settime reads ours and changes a time in it" *
          doctest::skip(!installed("dnssec-settime"))) {
  const Folder folder;
  for (const Algorithm algorithm :
       {Algorithm::RSASHA256, Algorithm::ECDSAP256SHA256, Algorithm::ECDSAP384SHA384, Algorithm::ED25519}) {
    CAPTURE(to_text(algorithm));
    StoredKey key = made("user/x.example.", algorithm, ksk_flags);
    for (const KeyTimeField& field : key_time_fields()) key.times.*field.member = unix_time(1700000000);
    REQUIRE(write_key_files(folder.path(), key));
    const std::string stem = folder.path(key_file_stem(key.zone, algorithm, key.tag()));
    REQUIRE(run("dnssec-settime -D 20300101000000 '" + stem + ".key'"));
    const auto back = read_key_files(stem);
    REQUIRE_MESSAGE(back, back.error().what);
    CHECK(back->dnskey() == key.dnskey());
    CHECK(back->times.remove == unix_time(1893456000));
    CHECK(back->times.ds_publish == unix_time(1700000000));
    CHECK(mode_of(stem + ".private") == 0600);
  }
}

TEST_CASE("identity: saved once, loaded again, never overwritten, and refused where others may read it") {
  const Folder folder;
  const auto identity = Identity::generate(IdentityKind::Ed25519);
  REQUIRE(identity);
  const std::string path = folder.path("registry.pem");
  REQUIRE(identity->save(path));
  CHECK(mode_of(path) == 0600);
  const auto back = Identity::load(path);
  REQUIRE(back);
  CHECK(back->fingerprint() == identity->fingerprint());
  const std::string open = *read_small_file(path + ".pub");
  CHECK(open.starts_with("-----BEGIN PUBLIC KEY-----"));
  CHECK(open.find("\n# fingerprint " + identity->fingerprint() + "\n# KEY 512 3 15 ") != std::string::npos);
  CHECK(PublicKey::from_pem(open)->fingerprint() == identity->fingerprint());
  CHECK(identity->save(path).error().code == Errc::Exists);
  CHECK(folder.names().size() == 2);
  ::chmod(path.c_str(), 0640);
  CHECK(Identity::load(path).error().code == Errc::Refused);
}

TEST_CASE("identity: openssl computes the same fingerprint" * doctest::skip(!installed("openssl"))) {
  const Folder folder;
  const auto identity = Identity::generate(IdentityKind::Rsa4096);
  REQUIRE(identity);
  CHECK(identity->key().public_key().bits() == 4096);
  REQUIRE(identity->save(folder.path("id")));
  REQUIRE(std::system(("openssl pkey -pubin -in " + folder.path("id.pub") +
                       " -outform DER | openssl dgst -sha256 -r > " + folder.path("sum"))
                          .c_str()) == 0);
  CHECK("sha256:" + read_small_file(folder.path("sum"))->substr(0, 64) == identity->fingerprint());
}

TEST_CASE("key files: a key that signs requests is written as a KEY, read back, and is no zone's [RFC 2535 §3.1.2]") {
  const Folder folder;
  const StoredKey key = made("agent.example.com.", Algorithm::ED25519, request_key_flags);
  REQUIRE(write_key_files(folder.path(), key));
  const std::string stem = folder.path(key_file_stem(key.zone, Algorithm::ED25519, key.tag()));
  has(*read_small_file(stem + ".key"), "agent.example.com. IN KEY 512 3 15 ");
  const auto back = read_key_files(stem);
  REQUIRE(back);
  CHECK(back->dnskey() == key.dnskey());
  CHECK_FALSE(back->is_zone_key());
  CHECK(read_request_keys(folder.path(), name("agent.example.com."))->size() == 1);
  has(read_zone_keys(folder.path(), name("agent.example.com.")).error().what, "not a zone key");
  REQUIRE(write_key_files(folder.path(), made("agent.example.com.", Algorithm::ED25519, zsk_flags)));
  has(read_request_keys(folder.path(), name("agent.example.com.")).error().what, "signs no requests");
}

TEST_CASE("key files: a host's key of dnssec-keygen is read, one with a zone's flags is not") {
  const Folder folder;
  folder.put("Kagent.example.+015+54214.key",
             "agent.example. IN KEY 512 3 15 A/X1lXJh/PWZF/rvSsuWqOPJPpJUojC6mKt+tEj16Es=\n");
  folder.put("Kagent.example.+015+54214.private",
             "Private-key-format: v1.3\nAlgorithm: 15 (ED25519)\n"
             "PrivateKey: /uso2gf/ihORZIJhIhpWrlKDwT04cXZt/EY7YUuXwSU=\nCreated: 20261126021408\n");
  const auto key = read_key_files(folder.path("Kagent.example.+015+54214"));
  REQUIRE(key);
  CHECK(key->flags == request_key_flags);
  folder.put("Kagent.example.+015+54214.key",
             "agent.example. IN KEY 256 3 15 A/X1lXJh/PWZF/rvSsuWqOPJPpJUojC6mKt+tEj16Es=\n");
  has(read_key_files(folder.path("Kagent.example.+015+54214")).error().what, "RFC 3445");
}
