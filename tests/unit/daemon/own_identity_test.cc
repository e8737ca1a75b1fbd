// The registry's own identity on disk, and what its zone says of it.

#include "daemon/own_identity.hh"

#include <sys/stat.h>

#include "federation/own_records.hh"
#include "registry_fixture.hh"

using namespace steward;
using namespace steward::daemon;
using namespace steward::daemon::test;

namespace {

constexpr Seconds day{86400};
const UnixTime start = unix_time(1'800'000'000);

struct Folder {
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "steward-identity-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
    registry.apex = name("s.example.");
    registry.zone = name("com.s.example.");
    registry.parent = name("s.example.");
    registry.identity = path / "id";
    const auto made = crypto::Identity::generate(crypto::IdentityKind::Ed25519);
    REQUIRE(made);
    REQUIRE(made->save((path / "id").string()));
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void be_root() {
    registry.zone = registry.apex;
    registry.parent.reset();
  }
  [[nodiscard]] std::shared_ptr<const OwnIdentity> open(UnixTime now = start) const {
    auto opened = OwnIdentity::open(registry, now);
    REQUIRE_MESSAGE(opened, opened.error().what);
    return *opened;
  }

  std::filesystem::path path;
  config::RegistryConfig registry;
};

}  // namespace

TEST_CASE("own identity: the root's authority is made once, and its certificate again in time") {
  Folder folder;
  folder.be_root();
  const auto first = folder.open();
  CHECK(first->is_root());
  CHECK(first->name().to_text() == "_registry._agents.s.example.");
  REQUIRE(first->authorities().size() == 1);
  const auto later = folder.open(start + 300 * day);
  CHECK(later->authorities()[0] == first->authorities()[0]);
  CHECK(later->certificates()[0] != first->certificates()[0]);
  CHECK(folder.open(start + 301 * day)->certificates()[0] == later->certificates()[0]);
  const auto spki = later->key().public_key().spki();
  CHECK(crypto::verify_certificates(later->certificates(),
                                    {later->authorities()[0], folder.registry.zone, *spki, start + 301 * day}));
}

TEST_CASE("own identity: another registry signs its certificate itself until a parent has issued some") {
  const Folder folder;
  Folder root_folder;
  root_folder.be_root();
  const auto own = folder.open();
  CHECK(own->authorities().empty());
  CHECK(own->name().to_text() == "com._registries._agents.s.example.");
  const auto root = root_folder.open();
  const crypto::CertificateIssuer issuer{root->authorities()[0], root->key()};
  const crypto::CertificateTerms terms{folder.registry.zone, start};
  const Bytes authority = *crypto::issue_authority_certificate(terms, own->key().public_key(), issuer);
  const Bytes end = *crypto::issue_certificate(terms, own->key().public_key(), issuer);
  CHECK_FALSE(own->with({authority}, {authority}));  // the wrong one
  CHECK(folder.open()->authorities().empty());       // and nothing of it stays
  const auto issued = own->with({end}, {authority});
  REQUIRE(issued);
  const auto again = folder.open(start + 350 * day);
  CHECK(again->certificates()[0] == end);  // it is the parent's to renew
  CHECK(again->authorities()[0] == authority);
  CHECK(again->until() == start + crypto::certificate_lifetime);
}

TEST_CASE("own identity: a key that others may read, or certificates of another key, are refused by name") {
  const Folder folder;
  Folder other;
  CHECK(folder.open() != nullptr);
  CHECK(other.open() != nullptr);
  std::filesystem::copy_file(other.path / "id.crt", folder.path / "id.crt",
                             std::filesystem::copy_options::overwrite_existing);
  const auto mixed = OwnIdentity::open(folder.registry, start);
  REQUIRE_FALSE(mixed);
  CHECK(mixed.error().what.find("id.crt: not of the key") != std::string::npos);
  REQUIRE(::chmod((other.path / "id").c_str(), 0644) == 0);
  CHECK(OwnIdentity::open(other.registry, start).error().code == Errc::Refused);
}

TEST_CASE("own records: they are put into the zone once, and follow the certificates") {
  World world;
  Folder folder;
  folder.be_root();
  folder.registry.apex = folder.registry.zone = name("example.");
  const auto own = folder.open();
  federation::OwnRecords records{name("example."), "root", {}, 853, {}, &own->key().public_key(), {own->authorities()[0]}};
  const auto put = [&] {
    LoadOutcome told;
    world.keeper->edit([&](change::ZoneEdit& edit, ZoneTables&) { return federation::put_own_records(records, edit); },
                       false, [&](const LoadOutcome& outcome) { told = outcome; });
    world.group->flush();
    CHECK_MESSAGE(told.ok, told.error);
    return told.changed;
  };
  CHECK(put());
  CHECK_FALSE(put());
  size_t certificates = 0;
  const auto look = [&](change::ZoneEdit& edit, ZoneTables&) -> Result<void> {
    const dns::Name at = name("_registry._agents.example.");
    CHECK(edit.find(at, dns::RrType::TXT) != nullptr);
    CHECK(edit.find(at, dns::RrType::KEY) != nullptr);
    CHECK(edit.find(at, dns::RrType::SRV) != nullptr);
    CHECK(edit.find(name("_schema._agents.example."), dns::RrType::TXT) != nullptr);
    const auto* cert = edit.find(at, dns::RrType::CERT);
    certificates = cert != nullptr ? federation::authorities_above(name("com.example."), cert->rdatas).size() : 0;
    return {};
  };
  world.keeper->edit(look, false, [](const LoadOutcome&) {});
  world.group->flush();
  CHECK(certificates == 1);
  records.authorities.clear();
  records.key = nullptr;
  CHECK(put());
}
