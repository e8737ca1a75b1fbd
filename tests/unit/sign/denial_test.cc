#include "sign/denial.hh"

#include "crypto/nsec3_hash.hh"
#include "sign/delegation.hh"
#include "texts.hh"

using namespace steward;
using namespace steward::sign;
using namespace steward::sign::test;

TEST_CASE("nsec: the RFC's example RDATA [RFC 4034 §4.3]") {
  Bytes out;
  const std::vector types{RrType::A, RrType::MX, RrType::RRSIG, RrType::NSEC, static_cast<RrType>(1234)};
  append_nsec_rdata(name("host.example.com."), types, out);
  CHECK(out == unhex("04686f7374076578616d706c6503636f6d00"
                     "0006400100000003"
                     "041b000000000000000000000000000000000000000000000000000020"));
}

TEST_CASE("nsec3: the apex's NSEC3 and NSEC3PARAM of the example zone [RFC 5155 Appendix A]") {
  const Nsec3Params params{12, unhex("aabbccdd"), true};
  const auto hash = crypto::nsec3_hash(name("ns1.example."), params.salt, params.iterations);
  const std::vector types{RrType::NS, RrType::SOA, RrType::MX, RrType::RRSIG, RrType::DNSKEY, RrType::NSEC3PARAM};
  Bytes out;
  append_nsec3_rdata(params, hash, types, out);
  CHECK(out ==
        rdata(RrType::NSEC3, "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG"));
  Bytes param;
  append_nsec3param_rdata(params, param);
  CHECK(param == rdata(RrType::NSEC3PARAM, "1 0 12 aabbccdd"));
  const auto back = nsec3param_from_rdata(param);
  REQUIRE(back);
  CHECK(back->salt == params.salt);
  CHECK(back->iterations == 12);
  const auto owner = nsec3_owner(crypto::nsec3_hash(name("example."), params.salt, 12), name("example."));
  REQUIRE(owner);
  CHECK(owner->to_text() == "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.");
  CHECK(*nsec3_hash_of_owner(*owner) == crypto::nsec3_hash(name("example."), params.salt, 12));
  CHECK_FALSE(nsec3_hash_of_owner(name("www.example.")));
}

TEST_CASE("nsec3param: malformed, or with what we do not know, is refused [RFC 5155 §4.1.2, §8.1]") {
  CHECK_FALSE(nsec3param_from_rdata({}));
  CHECK_FALSE(nsec3param_from_rdata(unhex("01000000")));
  CHECK_FALSE(nsec3param_from_rdata(unhex("0100000001")));
  CHECK_FALSE(nsec3param_from_rdata(unhex("010000000001")));
  CHECK(nsec3param_from_rdata(unhex("0200000000")).error().code == Errc::Unsupported);
  CHECK(nsec3param_from_rdata(unhex("0101000000")).error().code == Errc::Unsupported);
  CHECK(nsec3param_from_rdata(unhex("0100000000")));
}

TEST_CASE("denial: at a cut only NS and DS show; RRSIG only where something is signed [RFC 4035 §2.3, RFC 5155 §7.1]") {
  std::vector<RrType> out;
  const std::vector cut{RrType::A, RrType::NS};
  const std::vector secure{RrType::NS, RrType::DS};
  const std::vector leaf{RrType::TXT, RrType::SVCB};
  denial_types(DenialKind::Nsec, cut, true, out);
  CHECK(out == std::vector{RrType::NS, RrType::RRSIG, RrType::NSEC});
  denial_types(DenialKind::Nsec3, cut, true, out);
  CHECK(out == std::vector{RrType::NS});
  denial_types(DenialKind::Nsec3, secure, true, out);
  CHECK(out == std::vector{RrType::NS, RrType::DS, RrType::RRSIG});
  denial_types(DenialKind::Nsec, leaf, false, out);
  CHECK(out == std::vector{RrType::TXT, RrType::RRSIG, RrType::NSEC, RrType::SVCB});
  denial_types(DenialKind::Nsec3, leaf, false, out);
  CHECK(out == std::vector{RrType::TXT, RrType::RRSIG, RrType::SVCB});
  denial_types(DenialKind::Nsec3, {}, false, out);
  CHECK(out.empty());
}

TEST_CASE(
    "ds: the RFCs' examples with SHA-1, SHA-256 and SHA-384 [RFC 4034 §5.4, RFC 4509 §2.3, RFC 6605 §6, RFC 8080 "
    "§6.1]") {
  const Bytes dnskey = rdata(RrType::DNSKEY,
                             "256 3 5 "
                             "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/"
                             "2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBaM"
                             "bCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==");
  const auto owner = name("DSKEY.example.com.");
  CHECK(*ds_matches(owner, dnskey, rdata(RrType::DS, "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118")));
  CHECK(*ds_matches(owner, dnskey,
                    rdata(RrType::DS, "60485 5 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A")));
  CHECK_FALSE(*ds_matches(
      owner, dnskey, rdata(RrType::DS, "60485 5 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50B")));
  CHECK(*ds_matches(
      name("example.net."),
      rdata(RrType::DNSKEY,
            "257 3 14 xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/uX45N"
            "BwY8rp65F6Glur8I/mlVNgF6W/qTI37m40"),
      rdata(RrType::DS,
            "10771 14 4 72d7b62976ce06438e9c0bf319013cf801f09ecc84b8d7e9495f27e305c6a9b0563a9b5f4d288405c3008a946df983"
            "d6")));
  Bytes made;
  append_ds_rdata(name("example.com."), rdata(RrType::DNSKEY, "257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="),
                  DsDigest::SHA256, made);
  CHECK(made == rdata(RrType::CDS, "3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b"));
  CHECK_FALSE(ds_matches(owner, dnskey, rdata(RrType::DS, "60485 5 99 2BB1")));
  CHECK_FALSE(ds_matches(owner, dnskey, unhex("ec450501")));
}

TEST_CASE("cds: the request to remove the DS [RFC 8078 §4]") {
  CHECK(cds_delete_rdata() == rdata(RrType::CDS, "0 0 0 00"));
  CHECK(cdnskey_delete_rdata() == rdata(RrType::CDNSKEY, "0 3 0 AA=="));
}
