#include "sign/zonemd.hh"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "dns/encoding.hh"
#include "memory_table.hh"
#include "rfc8976_zones.hh"
#include "texts.hh"
#include "zone/file_loader.hh"

using namespace steward;
using namespace steward::sign;
using namespace steward::sign::test;

namespace {

std::unique_ptr<zone::ZoneImage> image_of(std::string_view text, std::string_view apex = "example.") {
  zone::LoadOptions options;
  options.checks = false;
  options.severities[static_cast<size_t>(zone::ZoneRule::OutOfZone)] = zone::Severity::Ignore;
  auto loaded = zone::load_zone_text(text, "test.zone", name(apex), options);
  for (const auto& error : loaded.errors) FAIL(error.to_text());
  return std::move(loaded.image);
}

ZonemdVerification verify(std::string_view text, std::string_view apex = "example.") {
  const auto image = image_of(text, apex);
  zone::ImageRecords records(*image);
  return verify_zonemd(records);
}

std::string made(std::string_view text, ZonemdHash hash = ZonemdHash::Sha384, std::string_view apex = "example.") {
  const auto image = image_of(text, apex);
  zone::ImageRecords records(*image);
  const auto rdata = make_zonemd(records, hash);
  if (!rdata) FAIL(rdata.error().what);
  return dns::rdata_to_text(RrType::ZONEMD, *rdata);
}

std::string changed(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const size_t at = out.find(from);
  REQUIRE(at != std::string::npos);
  return out.replace(at, from.size(), to);
}

constexpr std::string_view plain = R"(
@ 60 SOA ns1 admin 7 1 1 1 60
@ 60 NS ns1
ns1 60 A 192.0.2.1
)";
std::string with_zonemd(std::string_view rest = {}) {
  return fmt::format("{}\n@ 60 ZONEMD {}\n{}", plain, made(plain), rest);
}
const std::string other_digest(96, 'a');

/// A zone's names in a table as they are stored, NSEC3 in another.
struct Tables {
  explicit Tables(zone::ZoneImage& image) {
    image.rewind();
    zone::ZoneImage::Node node;
    while (image.next(node)) {
      Bytes blob;
      Bytes key(dns::max_canonical_key_size);
      key.resize(dns::canonical_key(node.owner, image.apex(), key.data()));
      std::vector<zone::RrsetInput> names;
      std::vector<zone::RrsetInput> hashes;
      for (const auto& rrset : node.rrsets) (rrset.type == RrType::NSEC3 ? hashes : names).push_back(rrset);
      if (!names.empty()) {
        REQUIRE(zone::build_node({1, node.owner, 0, names, 0, {}}, blob));
        REQUIRE(nodes.put(key, blob));
      }
      if (hashes.empty()) continue;
      blob.clear();
      REQUIRE(zone::build_node({1, node.owner, zone::node_nsec3, hashes, 0, {}}, blob));
      const auto hash = dns::decode(dns::base32hex, as_text(node.owner.first_label()));
      REQUIRE(hash);
      REQUIRE(nsec3.put(*hash, blob));
    }
  }
  steward::test::MemoryTable nodes;
  steward::test::MemoryTable nsec3;
};

}  // namespace

TEST_CASE("zonemd: the simple example zone is verified [RFC 8976 appendix A.1]") {
  const auto verification = verify(simple_zone);
  CHECK(verification.verdict == ZonemdVerdict::Verified);
  CHECK(verification.what == "ZONEMD verified: sha384 digest of serial 2018031900");
}

TEST_CASE(
    "zonemd: occluded, repeated, out-of-zone, upper-case and wildcard records count as they should [RFC 8976 appendix "
    "A.2]") {
  CHECK(verify(complex_zone).verdict == ZonemdVerdict::Verified);
}

TEST_CASE("zonemd: of several digests one that verifies is enough [RFC 8976 appendix A.3]") {
  CHECK(verify(several_digests_zone).verdict == ZonemdVerdict::Verified);
  // Both of those that we know are right.
  const auto other = made(several_digests_zone, ZonemdHash::Sha512);
  CHECK(other.starts_with("2018031900 1 2 08CFA1115C7B948C4163A901270395EA"));
  CHECK(verify(changed(several_digests_zone, "08cf", "08ce")).verdict == ZonemdVerdict::Verified);
  CHECK(verify(changed(several_digests_zone, "62e6", "62e7")).verdict == ZonemdVerdict::Verified);
  CHECK(verify(changed(changed(several_digests_zone, "62e6", "62e7"), "08cf", "08ce")).verdict ==
        ZonemdVerdict::Mismatch);
}

TEST_CASE("zonemd: a signed zone is verified, its RRSIGs of one name sorted as one RRset [RFC 8976 appendix A.4]") {
  CHECK(verify(uri_arpa_zone, "uri.arpa.").verdict == ZonemdVerdict::Verified);
}

TEST_CASE("zonemd: the zone root-servers.net is verified [RFC 8976 appendix A.5]") {
  CHECK(verify(root_servers_zone, "root-servers.net.").verdict == ZonemdVerdict::Verified);
  CHECK(verify(changed(root_servers_zone, "198.41.0.4", "198.41.0.5"), "root-servers.net.").verdict ==
        ZonemdVerdict::Mismatch);
}

TEST_CASE("zonemd: stored nodes have the digest of the zone that they were made from [RFC 8976 §3.3.1]") {
  for (const auto& [text, apex] : {std::pair{simple_zone, "example."},
                                   {complex_zone, "example."},
                                   {several_digests_zone, "example."},
                                   {uri_arpa_zone, "uri.arpa."},
                                   {root_servers_zone, "root-servers.net."}}) {
    const auto image = image_of(text, apex);
    Tables tables(*image);
    zone::TableRecords records(name(apex), tables.nodes, tables.nsec3);
    CHECK(verify_zonemd(records).verdict == ZonemdVerdict::Verified);
  }
}

TEST_CASE("zonemd: NSEC3 owners are digested among the names where they sort [RFC 8976 §3.3.1]") {
  const std::string text =
      std::string(plain) +
      "0a 60 TXT first\nvz 60 TXT last\n"
      "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 60 NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG\n"
      "2t7b4g4vsa5smi47k61mv5bv1a22bojr 60 NSEC3 1 0 0 - ji6neoaepv8b5o6k4ev33abha8ht9fgc A\n"
      "ji6neoaepv8b5o6k4ev33abha8ht9fgc 60 NSEC3 1 0 0 - 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NS\n"
      "JI6NEOAEPV8B5O6K4EV33ABHA8HT9FGC 60 TXT \"a name of the zone that is a hash as well\"\n"
      "ji6neoaepv8b5o6k4ev33abha8ht9fgc 60 TYPE65280 \\# 1 00\n";
  const auto image = image_of(text);
  Tables tables(*image);
  CHECK(tables.nsec3.nodes().size() == 3);
  zone::TableRecords stored(name("example."), tables.nodes, tables.nsec3);
  zone::ImageRecords loaded(*image);
  CHECK(*make_zonemd(stored, ZonemdHash::Sha512) == *make_zonemd(loaded, ZonemdHash::Sha512));
  std::vector<std::string> owners;
  zone::RecordSource::Node node;
  stored.rewind();
  while (stored.next(node)) owners.push_back(node.owner.to_text().substr(0, 4));
  CHECK(owners == std::vector<std::string>{"exam", "0a.e", "0p9m", "2t7b", "ji6n", "ns1.", "vz.e"});
}

TEST_CASE("zonemd: a pending apex stands in for the stored one, or for none") {
  const auto before = image_of(changed(plain, " 7 ", " 8 "));
  const auto after = image_of(plain);
  zone::ImageRecords wanted(*after);
  Tables tables(*before);
  Tables pending(*after);
  const zone::NodeView apex = pending.nodes.find({});
  zone::TableRecords records(name("example."), tables.nodes, tables.nsec3);
  CHECK(*make_zonemd(records, ZonemdHash::Sha384) != *make_zonemd(wanted, ZonemdHash::Sha384));
  records.set_apex_node(apex);
  CHECK(*make_zonemd(records, ZonemdHash::Sha384) == *make_zonemd(wanted, ZonemdHash::Sha384));
  REQUIRE(tables.nodes.erase({}));
  records.rewind();
  CHECK(*make_zonemd(records, ZonemdHash::Sha384) == *make_zonemd(wanted, ZonemdHash::Sha384));
}

TEST_CASE("zonemd: the ZONEMD RRset at the apex and the RRSIG over it are left out, others not [RFC 8976 §3.3.1.1]") {
  const std::string digest = made(plain);
  const std::string rrsig = "RRSIG ZONEMD 8 1 60 20300101000000 20200101000000 1 example. AAAA\n";
  CHECK(made(with_zonemd()) == digest);
  CHECK(made(with_zonemd("@ 60 " + rrsig)) == digest);
  CHECK(made(std::string(plain) + "@ 60 " + rrsig) == digest);
  const std::string below = std::string(plain) + "ns1 60 ZONEMD " + digest + "\n";
  CHECK(made(below) != digest);
  CHECK(made(below + "ns1 60 " + rrsig) != made(below));
}

TEST_CASE("zonemd: case of owners and of names in RDATA makes no difference, a TTL does [RFC 8976 §3.3.1]") {
  CHECK(made(changed(plain, "NS ns1", "NS NS1")) == made(plain));
  CHECK(made(changed(plain, "\nns1", "\nNs1")) == made(plain));
  CHECK(made(changed(plain, "60 A", "61 A")) != made(plain));
  // RFC 6840 §5.1: the type is not among those whose names are folded.
  CHECK(made(std::string(plain) + "x 60 SVCB 1 Target.\n") != made(std::string(plain) + "x 60 SVCB 1 target.\n"));
}

TEST_CASE("zonemd: no ZONEMD, another serial, an unknown scheme or hash algorithm are told apart [RFC 8976 §4]") {
  CHECK(verify(plain).verdict == ZonemdVerdict::Absent);
  CHECK(verify(with_zonemd()).verdict == ZonemdVerdict::Verified);
  CHECK(verify(changed(with_zonemd(), " 7 1 1 1", " 8 1 1 1")).verdict == ZonemdVerdict::SerialDiffers);
  CHECK(verify(with_zonemd("x 60 A 192.0.2.9")).verdict == ZonemdVerdict::Mismatch);
  CHECK(verify(std::string(plain) + "@ 60 ZONEMD 7 2 1 " + other_digest).verdict == ZonemdVerdict::Unsupported);
  CHECK(verify(std::string(plain) + "@ 60 ZONEMD 7 1 3 " + other_digest).verdict == ZonemdVerdict::Unsupported);
  CHECK(verify(std::string(plain) + "@ 60 ZONEMD 7 240 240 " + other_digest).verdict == ZonemdVerdict::Unsupported);
}

TEST_CASE("zonemd: two records with one scheme and hash algorithm are not believed, a third may be [RFC 8976 §4]") {
  CHECK(verify(with_zonemd("@ 60 ZONEMD 7 1 1 " + other_digest)).verdict == ZonemdVerdict::Duplicate);
  CHECK(verify(with_zonemd("@ 60 ZONEMD 7 1 1 " + other_digest + "\n@ 60 ZONEMD " + made(plain, ZonemdHash::Sha512)))
            .verdict == ZonemdVerdict::Verified);
}

TEST_CASE("zonemd: a digest that is too short is no match [RFC 8976 §2.2.4]") {
  // Not by the zone file, whose reader refuses it: by a transfer.
  CHECK(!ZonemdView::from_rdata(Bytes{0, 0, 0, 7, 1}));
  const auto view = ZonemdView::from_rdata(Bytes{0, 0, 0, 7, 1, 2, 9});
  REQUIRE(view);
  CHECK(view->serial == 7);
  CHECK(view->digest.size() == 1);
}

TEST_CASE("zonemd: without a SOA there is no digest to make [RFC 8976 §3]") {
  const auto image = image_of("@ 60 NS ns1\nns1 60 A 192.0.2.1\n");
  zone::ImageRecords records(*image);
  CHECK(!make_zonemd(records, ZonemdHash::Sha384));
  CHECK(verify("@ 60 ZONEMD 7 1 1 " + other_digest).verdict == ZonemdVerdict::NoSoa);
}

TEST_CASE("zonemd: what an operator accepts") {
  using enum ZonemdVerdict;
  for (const auto verdict : {Absent, Verified, Mismatch, SerialDiffers, Duplicate, Unsupported, NoSoa}) {
    CHECK(is_acceptable(verdict, ZonemdPolicy::Ignore));
    CHECK(is_acceptable(verdict, ZonemdPolicy::Required) == (verdict == Verified));
    CHECK(is_acceptable(verdict, ZonemdPolicy::WhenPresent) ==
          (verdict == Verified || verdict == Absent || verdict == Unsupported));
  }
}

TEST_CASE("zonemd: the placeholder has the size of its hash [RFC 8976 §3.1]") {
  CHECK(zonemd_placeholder(1, ZonemdHash::Sha384).size() == 6 + 48);
  CHECK(zonemd_placeholder(1, ZonemdHash::Sha512).size() == 6 + 64);
}
