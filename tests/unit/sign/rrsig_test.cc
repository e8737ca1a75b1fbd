#include "sign/rrsig.hh"

#include "texts.hh"

using namespace steward;
using namespace steward::sign;
using namespace steward::sign::test;

namespace {
/// Makes the one RRSIG of a key over an RRset.
Bytes signed_by(const crypto::KeyPair& pair, uint16_t flags, std::string_view zone, const OwnedRrset& rrset,
                const Validity& validity) {
  auto signer = crypto::Signer::create(pair);
  REQUIRE(signer);
  SignScratch scratch;
  RrsigList out;
  const crypto::KeyTag tag = crypto::key_tag(pair.public_key().dnskey_rdata(flags));
  const auto made = sign_rrset(*signer, tag, name(zone), rrset.view(), validity, scratch, out);
  REQUIRE_MESSAGE(made, made.error().what);
  REQUIRE(out.size() == 1);
  return Bytes(out[0].begin(), out[0].end());
}
Verdict verdict(const std::string& dnskey, std::string_view zone, const OwnedRrset& rrset, ByteView rrsig,
                UnixTime now) {
  auto key = ZoneKey::from_dnskey(rdata(RrType::DNSKEY, dnskey));
  REQUIRE_MESSAGE(key, key.error().what);
  SignScratch scratch;
  return verify_rrset(*key, name(zone), rrset.view(), rrsig, now, scratch);
}
std::string rrsig_base64(ByteView rdata) { return dns::encode(dns::base64, RrsigView::from_rdata(rdata)->signature); }

const char* const rfc4035_zsk =
    "256 3 5 "
    "AQOy1bZVvpPqhg4j7EJoM9rI3ZmyEx2OzDBVrZy/lvI5CQePxXHZS4i8dANH4DX3tbHol61ek8EFMcsGXxKciJFHyhl94C+NwILQdzsUlSFovBZs"
    "yl/NX6yEbtw/xN9ZNcrbYvgjjZ/UVPZIySFNsgEYvh0z2542lzMKR4Dh8uZffQ==";
const char* const rfc4035_mx =
    "MX 5 2 3600 20040509183619 20040409183619 38519 example. "
    "OMK8rAZlepfzLWW75Dxd63jy2wswESzxDKG2f9AMN1CytCd10cYISAxfAdvXSZ7xuj"
    "KAtPbctvOQ2ofO7AZJ+d01EeeQTVBPq4/6KCWhqe2XTjnkVLNvvhnc0u28aoSsG0+4InvkkOHknKxw4kX18MMR34i8lC36SR5xBni8vHI=";
}  // namespace

TEST_CASE("rrsig: Ed25519 makes the RFC's signatures to the octet [RFC 8080 §6.1]") {
  const OwnedRrset mx("example.com.", 3600, RrType::MX, {"10 mail.example.com."});
  const Validity validity{unix_time(1438207200), unix_time(1440021600)};
  const auto first = pair_of(Algorithm::ED25519, "ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=");
  CHECK(rrsig_base64(signed_by(first, 257, "example.com.", mx, validity)) ==
        "oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg==");
  const auto second = pair_of(Algorithm::ED25519, "DSSF3o0s0f+ElWzj9E/Osxw8hLpk55chkmx0LYN5WiY=");
  CHECK(rrsig_base64(signed_by(second, 257, "example.com.", mx, validity)) ==
        "zXQ0bkYgQTEFyfLyi9QoiY6D8ZdYo4wyUhVioYZXFdT410QPRITQSqJSnzQoSm5poJ7gD7AQR0O7KuI5k2pcBg==");
}

TEST_CASE("rrsig: the RFC's P-256 and P-384 signatures verify [RFC 6605 §6]") {
  const OwnedRrset a("www.example.net.", 3600, RrType::A, {"192.0.2.1"});
  CHECK(verdict("257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==",
                "example.net.", a,
                rdata(RrType::RRSIG,
                      "A 13 3 3600 20100909100439 20100812100439 55648 example.net. "
                      "qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw=="),
                at("20100901000000")) == Verdict::Valid);
  CHECK(
      verdict(
          "257 3 14 xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/uX45NBwY8"
          "rp65F6Glur8I/mlVNgF6W/qTI37m40",
          "example.net.", a,
          rdata(
              RrType::RRSIG,
              "A 14 3 3600 20100909102025 20100812102025 10771 example.net. /L5hDKIvGDyI1fcARX3z65qrmPsVz73QD1Mr5CEqOi"
              "LP95hxQouuroGCeZOvzFaxsT8Glr74hbavRKayJNuydCuzWTSSPdz7wnqXL5bdcJzusdnI0RSMROxxwGipWcJm"),
          at("20100901000000")) == Verdict::Valid);
}

TEST_CASE("rrsig: the RFC's RSA/SHA-256 and RSA/SHA-512 signatures verify [RFC 5702 §6]") {
  const OwnedRrset a("www.example.net.", 3600, RrType::A, {"192.0.2.91"});
  CHECK(verdict("256 3 8 AwEAAcFcGsaxxdgiuuGmCkVImy4h99CqT7jwY3pexPGcnUFtR2Fh36BponcwtkZ4cAgtvd4Qs8PkxUdp6p/DlUmObdk=",
                "example.net.", a,
                rdata(RrType::RRSIG,
                      "A 8 3 3600 20300101000000 20000101000000 9033 example.net. "
                      "kRCOH6u7l0QGy9qpC9l1sLncJcOKFLJ7GhiUOibu4teYp5VE9RncriShZNz85mwlMgNEacFYK/lPtPiVYP4bwg=="),
                at("20100901000000")) == Verdict::Valid);
  CHECK(
      verdict(
          "256 3 10 AwEAAdHoNTOW+et86KuJOWRDp1pndvwb6Y83nSVXXyLA3DLroROUkN6X0O6pnWnjJQujX/AyhqFDxj13tOnD9u/1kTg7cV6rklM"
          "rZDtJCQ5PCl/D7QNPsgVsMu1J2Q8gpMpztNFLpPBz1bWXjDtaR7ZQBlZ3PFY12ZTSncorffcGmhOL",
          "example.net.", a,
          rdata(
              RrType::RRSIG,
              "A 10 3 3600 20300101000000 20000101000000 3740 example.net. tsb4wnjRUDnB1BUi+t6TMTXThjVnG+eCkWqjvvjhzQ"
              "L1d0YRoOe0CbxrVDYd0xDtsuJRaeUw1ep94PzEWzr0iGYgZBWm/zpq+9fOuagYJRfDqfReKBzMweOLDiNa8iP5g9vMhpuv6OPlvpXwm9"
              "Sa9ZXIbNl1MBGk0fthPgxdDLw="),
          at("20100901000000")) == Verdict::Valid);
}

TEST_CASE("rrsig: a wildcard's signature verifies for an expanded name, RSA/SHA-1 [RFC 4035 §5.3.2, Appendix B.6]") {
  const Bytes rrsig = rdata(RrType::RRSIG, rfc4035_mx);
  const UnixTime now = at("20040420000000");
  CHECK(verdict(rfc4035_zsk, "example.", {"a.z.w.example.", 3600, RrType::MX, {"1 ai.example."}}, rrsig, now) ==
        Verdict::Valid);
  CHECK(verdict(rfc4035_zsk, "example.", {"*.W.Example.", 3600, RrType::MX, {"1 AI.example."}}, rrsig, now) ==
        Verdict::Valid);
  CHECK(verdict(rfc4035_zsk, "example.", {"w.example.", 3600, RrType::MX, {"1 ai.example."}}, rrsig, now) ==
        Verdict::BadSignature);
}

TEST_CASE("rrsig: every rule is checked, and the verdict says which [RFC 4035 §5.3.1, §5.3.3]") {
  const Bytes rrsig = rdata(RrType::RRSIG, rfc4035_mx);
  const UnixTime now = at("20040420000000");
  const OwnedRrset good("a.z.w.example.", 3600, RrType::MX, {"1 ai.example."});
  const auto check = [&](const OwnedRrset& rrset, ByteView octets, UnixTime time, std::string_view zone = "example.") {
    return verdict(rfc4035_zsk, zone, rrset, octets, time);
  };
  CHECK(check(good, ByteView(rrsig).first(17), now) == Verdict::Malformed);
  CHECK(check(good, ByteView(rrsig).first(20), now) == Verdict::Malformed);
  CHECK(check(good, ByteView(rrsig).first(rrsig_fixed_size + 9), now) == Verdict::Malformed);
  CHECK(check({"a.z.w.example.", 3600, RrType::A, {"192.0.2.1"}}, rrsig, now) == Verdict::TypeMismatch);
  CHECK(check(good, rrsig, now, "w.example.") == Verdict::SignerMismatch);
  CHECK(check({"a.z.w.example2.", 3600, RrType::MX, {"1 ai.example."}}, rrsig, now) == Verdict::OutsideZone);
  CHECK(check({"example.", 3600, RrType::MX, {"1 ai.example."}}, rrsig, now) == Verdict::LabelsExceedOwner);
  CHECK(check({"*.example.", 3600, RrType::MX, {"1 ai.example."}}, rrsig, now) == Verdict::LabelsExceedOwner);
  CHECK(check({"a.z.w.example.", 3601, RrType::MX, {"1 ai.example."}}, rrsig, now) == Verdict::TtlExceedsOriginal);
  CHECK(check({"a.z.w.example.", 1, RrType::MX, {"1 ai.example."}}, rrsig, now) == Verdict::Valid);
  CHECK(check(good, rrsig, at("20040409183619")) == Verdict::Valid);
  CHECK(check(good, rrsig, at("20040409183618")) == Verdict::NotYetValid);
  CHECK(check(good, rrsig, at("20040509183619")) == Verdict::Valid);
  CHECK(check(good, rrsig, at("20040509183620")) == Verdict::Expired);
  CHECK(check({"a.z.w.example.", 3600, RrType::MX, {"2 ai.example."}}, rrsig, now) == Verdict::BadSignature);
  Bytes other_key = rrsig;
  other_key[17] ^= 1;
  CHECK(check(good, other_key, now) == Verdict::KeyMismatch);
}

TEST_CASE("rrsig: records are signed in canonical order and once each, whatever their case [RFC 4034 §6.2, §6.3]") {
  const auto pair = pair_of(Algorithm::ED25519, "ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=");
  const Validity validity{unix_time(1438207200), unix_time(1440021600)};
  const OwnedRrset lower("example.com.", 300, RrType::NS, {"a.example.com.", "b.example.com."});
  OwnedRrset mixed("EXAMPLE.com.", 300, RrType::NS, {"B.example.com.", "a.EXAMPLE.com.", "A.example.com."});
  CHECK(signed_by(pair, 257, "example.com.", lower, validity) == signed_by(pair, 257, "Example.com.", mixed, validity));
  // RFC 6840 §5.1, RFC 9460: names in SVCB keep their case.
  const OwnedRrset svcb("example.com.", 300, RrType::SVCB, {"1 a.example."});
  const OwnedRrset upper("example.com.", 300, RrType::SVCB, {"1 A.example."});
  CHECK(signed_by(pair, 257, "example.com.", svcb, validity) != signed_by(pair, 257, "example.com.", upper, validity));
}

TEST_CASE("rrsig: neither root nor wildcard label is counted [RFC 4034 §3.1.3]") {
  CHECK(rrsig_labels(name(".")) == 0);
  CHECK(rrsig_labels(name("*.")) == 0);
  CHECK(rrsig_labels(name("example.com.")) == 2);
  CHECK(rrsig_labels(name("*.example.com.")) == 2);
  CHECK(rrsig_labels(name("a.*.example.com.")) == 4);
}

TEST_CASE("rrsig: RRSIGs, empty sets and names outside the zone are not signed [RFC 4035 §2.2]") {
  const auto pair = pair_of(Algorithm::ED25519, "ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=");
  auto signer = crypto::Signer::create(pair);
  SignScratch scratch;
  RrsigList out;
  const Validity validity{unix_time(0), unix_time(1)};
  const OwnedRrset a("a.example.", 1, RrType::A, {"192.0.2.1"});
  CHECK_FALSE(sign_rrset(*signer, 1, name("example.com."), a.view(), validity, scratch, out));
  Rrset bad = a.view();
  bad.type = RrType::RRSIG;
  CHECK_FALSE(sign_rrset(*signer, 1, name("example."), bad, validity, scratch, out));
  bad = a.view();
  bad.rdatas = {};
  CHECK_FALSE(sign_rrset(*signer, 1, name("example."), bad, validity, scratch, out));
  CHECK(out.empty());
}

TEST_CASE("rrsig: keys that may not verify data are refused [RFC 4034 §2.1.1, §2.1.2, RFC 5011 §2.1]") {
  const std::string key = " l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=";
  CHECK(ZoneKey::from_dnskey(rdata(RrType::DNSKEY, "257 3 15" + key)));
  CHECK_FALSE(ZoneKey::from_dnskey(rdata(RrType::DNSKEY, "1 3 15" + key)));
  CHECK_FALSE(ZoneKey::from_dnskey(rdata(RrType::DNSKEY, "257 4 15" + key)));
  CHECK_FALSE(ZoneKey::from_dnskey(rdata(RrType::DNSKEY, "385 3 15" + key)));
  CHECK(ZoneKey::from_dnskey(rdata(RrType::DNSKEY, "257 3 200" + key)).error().code == Errc::Unsupported);
  CHECK_FALSE(ZoneKey::from_dnskey(Bytes{1, 0, 3}));
}
