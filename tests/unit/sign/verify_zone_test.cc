#include "sign/verify_zone.hh"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "crypto/nsec3_hash.hh"
#include "signed_zone.hh"

using namespace steward;
using namespace steward::sign;
using namespace steward::sign::test;

namespace {

std::vector<RrType> types_at(const SignedZone::Rrsets& rrsets) {
  std::vector<RrType> types;
  for (const auto& [type, rrset] : rrsets) types.push_back(type);
  return types;
}

void add_nsec(SignedZone& zone) {
  std::vector<dns::Name> owners;
  for (const auto& [owner, rrsets] : zone.nodes) {
    if (!zone.is_hidden(owner)) owners.push_back(owner);
  }
  for (size_t i = 0; i < owners.size(); ++i) {
    std::vector<RrType> types;
    denial_types(DenialKind::Nsec, types_at(zone.nodes[owners[i]]), zone.is_cut(owners[i]), types);
    Bytes out;
    append_nsec_rdata(owners[(i + 1) % owners.size()], types, out);
    zone.add_octets(owners[i], RrType::NSEC, out);
  }
}

/// With empty non-terminals; insecure delegations left out where `opt_out`.
void add_nsec3(SignedZone& zone, const Nsec3Params& params) {
  Bytes param;
  append_nsec3param_rdata(params, param);
  zone.add_octets(dns::Name(zone.apex()), RrType::NSEC3PARAM, param);
  std::map<Nsec3Hash, std::vector<RrType>> bitmaps;
  for (const auto& [owner, rrsets] : zone.nodes) {
    if (zone.is_hidden(owner)) continue;
    const bool cut = zone.is_cut(owner);
    if (params.opt_out && cut && !rrsets.contains(RrType::DS)) continue;
    auto& types = bitmaps[crypto::nsec3_hash(owner, params.salt, params.iterations)];
    denial_types(DenialKind::Nsec3, types_at(rrsets), cut, types);
    for (dns::NameView above = owner.view().parent(); above.is_below(zone.apex()); above = above.parent()) {
      bitmaps.try_emplace(crypto::nsec3_hash(above, params.salt, params.iterations));
    }
  }
  for (auto at = bitmaps.begin(); at != bitmaps.end(); ++at) {
    const auto next = std::next(at) == bitmaps.end() ? bitmaps.begin() : std::next(at);
    Bytes out;
    append_nsec3_rdata(params, next->first, at->second, out);
    zone.add_octets(*nsec3_owner(at->first, zone.apex()), RrType::NSEC3, out);
  }
}

enum class Kind { Nsec, Nsec3, OptOut };

struct Fixture {
  SignedZone zone{"example."};
  UnixTime now;
  std::vector<SigningKey> keys;

  explicit Fixture(Kind kind, UnixTime time = unix_time(1'800'000'000)) : now(time) {
    zone.add("example.", RrType::SOA, "ns1.example. hostmaster.example. 1 3600 600 86400 300");
    zone.add("example.", RrType::NS, "ns1.example.");
    zone.add("example.", RrType::NS, "Ns2.Example.");
    zone.add("ns1.example.", RrType::A, "192.0.2.1");
    zone.add("ns2.example.", RrType::AAAA, "2001:db8::1");
    zone.add("*.wild.example.", RrType::MX, "10 Mail.example.");
    zone.add("a.b.c.example.", RrType::TXT, "hello");
    zone.add("agent.example.", RrType::SVCB, "1 Agents.example. alpn=a2a,h2 port=443");
    zone.add("agent.example.", RrType::SRV, "0 0 443 Agents.example.");
    zone.add("secure.example.", RrType::NS, "ns.secure.example.");
    zone.add("secure.example.", RrType::DS,
             "3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b");
    zone.add("ns.secure.example.", RrType::A, "192.0.2.2");
    zone.add("in.secure2.example.", RrType::NS, "ns1.example.");
    zone.add("elsewhere.example.", RrType::DNAME, "example.net.");
    keys = {make_key(true, false), make_key(false, true)};
    for (const auto& key : keys)
      zone.add_octets(name("example."), RrType::DNSKEY, key.key->public_key().dnskey_rdata(key.flags));
    if (kind == Kind::Nsec) {
      add_nsec(zone);
    } else {
      add_nsec3(zone, {0, {}, kind == Kind::OptOut});
    }
    sign();
  }
  static SigningKey make_key(bool ksk, bool zsk) {
    auto pair = crypto::KeyPair::generate(Algorithm::ECDSAP256SHA256);
    return {std::make_shared<const crypto::KeyPair>(std::move(*pair)), ksk ? uint16_t{257} : uint16_t{256}, ksk, zsk};
  }
  void sign() {
    const auto signer = ZoneSigner::create(name("example."), keys, {}, now);
    REQUIRE(signer);
    auto worker = signer->make_worker();
    REQUIRE(worker);
    zone.sign(*worker);
  }
  SignedRrset& at(std::string_view owner, RrType type) { return zone.nodes.at(name(owner)).at(type); }
  ZoneVerification verify() { return verify_zone(zone, now); }
  /// The faults' owners and types, "owner/TYPE", joined.
  std::string faults() {
    std::string out;
    for (const auto& fault : verify().faults) out += fault.owner.to_text() + "/" + dns::to_text(fault.type) + " ";
    return out;
  }
};

bool installed(const char* program) { return std::filesystem::exists(std::string("/usr/bin/") + program); }

}  // namespace

TEST_CASE("verify zone: what we sign is sound, with NSEC, NSEC3 and opt-out [RFC 4035 §2, RFC 5155 §7.1]") {
  for (const Kind kind : {Kind::Nsec, Kind::Nsec3, Kind::OptOut}) {
    Fixture fixture(kind);
    const auto result = fixture.verify();
    for (const auto& fault : result.faults)
      MESSAGE(fault.owner.to_text() << " " << dns::to_text(fault.type) << " " << fault.what);
    CHECK(result.is_sound());
    CHECK(result.is_signed);
    CHECK(result.signatures == result.rrsets);
    REQUIRE(result.first_expiration);
    CHECK(*result.first_expiration > fixture.now + std::chrono::days(12));
    CHECK(verify_zone(fixture.zone, fixture.now, {.check_one_in = 4}).signatures < result.signatures / 3);
    CHECK_FALSE(verify_zone(fixture.zone, fixture.now + std::chrono::days(30)).is_sound());
  }
}

TEST_CASE("verify zone: an unsigned zone is unsigned, and no fault") {
  Fixture fixture(Kind::Nsec);
  for (auto& [owner, rrsets] : fixture.zone.nodes) {
    rrsets.erase(RrType::NSEC);
    rrsets.erase(RrType::DNSKEY);
    for (auto& [type, rrset] : rrsets) rrset.rrsigs.clear();
  }
  CHECK_FALSE(fixture.verify().is_signed);
  CHECK(fixture.verify().is_sound());
}

TEST_CASE("verify zone: a missing, changed or foreign signature is found [RFC 4035 §2.2]") {
  Fixture fixture(Kind::Nsec);
  fixture.at("ns1.example.", RrType::A).rrsigs.clear();
  fixture.at("a.b.c.example.", RrType::TXT).rdatas[0].back() ^= 1;
  fixture.at("agent.example.", RrType::SRV).rrsigs = fixture.at("agent.example.", RrType::SVCB).rrsigs;
  fixture.at("ns.secure.example.", RrType::A).rrsigs = fixture.at("ns2.example.", RrType::AAAA).rrsigs;
  CHECK(fixture.faults() == "agent.example./SRV a.b.c.example./TXT ns1.example./A ns.secure.example./A ");
}

TEST_CASE("verify zone: every algorithm of the DNSKEY RRset must sign everything [RFC 4035 §2.2]") {
  Fixture fixture(Kind::Nsec);
  auto second = crypto::KeyPair::generate(Algorithm::ED25519);
  fixture.zone.add_octets(name("example."), RrType::DNSKEY, second->public_key().dnskey_rdata(256));
  fixture.sign();
  const auto result = fixture.verify();
  CHECK(result.fault_count == result.rrsets);
  CHECK(result.faults[0].what.find("ED25519") != std::string::npos);
}

TEST_CASE("verify zone: gaps, lies and loose ends in the NSEC chain are found [RFC 4035 §2.3]") {
  Fixture gap(Kind::Nsec);
  gap.zone.nodes.at(name("ns1.example.")).erase(RrType::NSEC);
  CHECK(gap.faults() == "ns1.example./NSEC ");
  Fixture added(Kind::Nsec);
  added.zone.add("new.example.", RrType::A, "192.0.2.9");
  added.sign();
  CHECK(added.faults().find("new.example./NSEC") != std::string::npos);
  Fixture lie(Kind::Nsec);
  lie.zone.add("ns1.example.", RrType::TXT, "x");
  lie.sign();
  CHECK(lie.faults() == "ns1.example./NSEC ");
  Fixture last(Kind::Nsec);
  last.zone.nodes.erase(name("*.wild.example."));
  CHECK(last.faults() == "in.secure2.example./NSEC ");
}

TEST_CASE("verify zone: gaps, lies and strangers in the NSEC3 chain are found [RFC 5155 §7.1]") {
  Fixture gap(Kind::Nsec3);
  gap.zone.nodes.erase(*nsec3_owner(crypto::nsec3_hash(name("b.c.example.")), name("example.")));
  CHECK(gap.faults().find("b.c.example./NSEC3") != std::string::npos);
  CHECK(gap.verify().fault_count == 2);
  Fixture stranger(Kind::Nsec3);
  stranger.zone.nodes.erase(name("ns2.example."));
  CHECK(stranger.verify().fault_count == 1);
  Fixture lie(Kind::Nsec3);
  lie.zone.add("ns1.example.", RrType::TXT, "x");
  lie.sign();
  CHECK(lie.faults() == "ns1.example./NSEC3 ");
  // The same zone without the opt-out flag is not allowed to leave out a delegation.
  Fixture flags(Kind::OptOut);
  for (auto& [owner, rrsets] : flags.zone.nodes) {
    if (rrsets.contains(RrType::NSEC3)) rrsets.at(RrType::NSEC3).rdatas[0][1] = 0;
  }
  flags.sign();
  CHECK(flags.verify().fault_count == 2);  // in.secure2.example. and secure2.example.
}

TEST_CASE("verify zone: other implementations accept what we sign" *
          doctest::skip(!installed("ldns-verify-zone") && !installed("dnssec-verify"))) {
  const auto present = std::chrono::floor<Seconds>(std::chrono::system_clock::now());
  for (const Kind kind : {Kind::Nsec, Kind::Nsec3, Kind::OptOut}) {
    CAPTURE(static_cast<int>(kind));
    const Fixture fixture(kind, present);
    const std::string path =
        (std::filesystem::temp_directory_path() / ("steward-verify-" + std::to_string(::getpid()))).string();
    std::ofstream(path) << fixture.zone.text();
    if (installed("ldns-verify-zone")) CHECK(std::system(("ldns-verify-zone " + path + " >/dev/null").c_str()) == 0);
    if (installed("dnssec-verify")) CHECK(std::system(("dnssec-verify -q -o example. " + path).c_str()) == 0);
    std::filesystem::remove(path);
  }
}
