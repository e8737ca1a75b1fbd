// A registry's identity in its parent's zone.

#include "federation/identity.hh"

#include <doctest/doctest.h>

#include "dns/rdata.hh"

using namespace steward;
using namespace steward::federation;

namespace {

const UnixTime now = unix_time(1'790'000'000);

dns::Name name(std::string_view text) {
  auto parsed = dns::Name::from_text(text);
  REQUIRE(parsed);
  return *parsed;
}
template <class T>
T good(Result<T> result) {
  REQUIRE_MESSAGE(result, result.error().what);
  return *std::move(result);
}
crypto::KeyPair make_key(crypto::Algorithm algorithm = crypto::Algorithm::ED25519, unsigned bits = 0) {
  return good(crypto::KeyPair::generate(algorithm, bits));
}

struct World {
  crypto::KeyPair root_key = make_key();
  crypto::KeyPair key = make_key();
  Bytes root = good(crypto::make_root_certificate({name("s.example."), now}, root_key));
  Bytes authority =
      good(crypto::issue_authority_certificate({name("com.s.example."), now}, key.public_key(), {root, root_key}));
  Bytes end = good(crypto::issue_certificate({name("com.s.example."), now}, key.public_key(), {root, root_key}));
  dns::Name owner = good(identity_name(name("Com.s.example."), name("s.example.")));
  std::vector<PublishedRecord> records =
      good(identity_records(owner, key.public_key(), std::vector<Bytes>{authority, end}));
};

}  // namespace

TEST_CASE("identity: it stands at <child>._registries._agents.<parent>") {
  CHECK(good(identity_name(name("Com.S.example."), name("s.example."))).to_text() ==
        "com._registries._agents.s.example.");
  CHECK(good(root_identity_name(name("s.example."))).to_text() == "_registry._agents.s.example.");
  CHECK(identity_name(name("a.com.s.example."), name("s.example.")).error().code == Errc::Invalid);
  CHECK(identity_name(name("com.other."), name("s.example.")).error().code == Errc::Invalid);
  CHECK(identity_name(name("s.example."), name("s.example.")).error().code == Errc::Invalid);
  CHECK(identity_name(name("user/kim.github.s.example."), name("github.s.example.")).error().code == Errc::Refused);
}

TEST_CASE("identity: KEY and CERT are written, are sound RDATA, and come back [RFC 4398 §2]") {
  const World world;
  REQUIRE(world.records.size() == 3);
  for (const auto& record : world.records) CHECK(dns::check_rdata(record.type, record.rdata));
  CHECK(world.records[0].rdata == world.key.public_key().dnskey_rdata(512));
  const Bytes& cert = world.records[1].rdata;
  CHECK(load_u16(&cert[0]) == 1);
  CHECK(load_u16(&cert[2]) == crypto::key_tag(world.records[0].rdata));
  CHECK(cert[4] == 15);

  const auto identity = good(read_identity(world.records, world.owner));
  REQUIRE(identity.keys.size() == 1);
  CHECK(identity.keys[0].fingerprint == good(world.key.public_key().fingerprint()));
  CHECK(identity.authorities == std::vector<Bytes>{world.authority});
  CHECK(identity.end_entities == std::vector<Bytes>{world.end});
  const dns::Name zone = name("com.s.example.");
  CHECK(crypto::verify_certificates(identity.end_entities, {world.root, zone, identity.keys[0].spki, now}));
}

TEST_CASE("identity: without KEY it is revoked, whatever certificates are left") {
  const World world;
  const auto revoked = read_identity(std::span(world.records).subspan(1), world.owner);
  REQUIRE_FALSE(revoked);
  CHECK(revoked.error().code == Errc::NotFound);
  CHECK_FALSE(read_identity(world.records, name("other._registries._agents.s.example.")));
}

TEST_CASE("identity: certificates of another key, of another kind, or none at all count for nothing") {
  World world;
  const World other;
  world.records.push_back({world.owner, dns::RrType::CERT, 300, other.records[1].rdata});
  Bytes pgp = world.records[1].rdata;
  pgp[1] = 3;
  world.records.push_back({world.owner, dns::RrType::CERT, 300, pgp});
  world.records.push_back({world.owner, dns::RrType::CERT, 300, Bytes{0, 1, 0, 0, 15, 48}});
  world.records.push_back({world.owner, dns::RrType::TXT, 300, Bytes{1, 'a'}});
  const auto identity = good(read_identity(world.records, world.owner));
  CHECK(identity.authorities.size() == 1);
  CHECK(identity.end_entities.size() == 1);
  CHECK(identity.find(good(other.key.public_key().spki())) == nullptr);
  CHECK(identity_records(world.owner, world.key.public_key(), std::vector<Bytes>{other.end}).error().code ==
        Errc::Invalid);
}

TEST_CASE("identity: two keys while one takes the other's place, no more; weak ones are none") {
  World world;
  const World next;
  world.records.push_back({world.owner, dns::RrType::KEY, 300, next.records[0].rdata});
  CHECK(good(read_identity(world.records, world.owner)).keys.size() == 2);
  world.records.push_back({world.owner, dns::RrType::KEY, 300, World().records[0].rdata});
  CHECK(read_identity(world.records, world.owner).error().code == Errc::Full);

  const auto weak = make_key(crypto::Algorithm::RSASHA256, 1024);
  CHECK(identity_records(world.owner, weak.public_key(), {}).error().code == Errc::Refused);
  const std::vector<PublishedRecord> weak_only{
      {world.owner, dns::RrType::KEY, 300, weak.public_key().dnskey_rdata(512)},
      {world.owner, dns::RrType::KEY, 300, world.key.public_key().dnskey_rdata(0x8200)}};
  CHECK(read_identity(weak_only, world.owner).error().code == Errc::NotFound);
}
