#include "client/denial.hh"

#include "crypto/nsec3_hash.hh"
#include "sign/denial.hh"
#include "signed_world.hh"

using namespace steward;
using namespace steward::client;
using namespace steward::client::test;

namespace {

const Name zone = name("example.");

SignedRrset nsec(std::string_view owner, std::string_view next, const std::vector<RrType>& types) {
  Bytes rdata;
  sign::append_nsec_rdata(name(next), types, rdata);
  return {.owner = name(owner), .type = RrType::NSEC, .rdatas = {rdata}, .rrsigs = {}};
}

/// The NSEC3 of `owner`, which leads to the hash right behind it, so that it covers nothing.
SignedRrset nsec3_at(std::string_view owner, const std::vector<RrType>& types, uint16_t iterations = 0) {
  const auto hash = crypto::nsec3_hash(name(owner), {}, iterations);
  auto next = hash;
  ++next.back();
  Bytes rdata;
  sign::append_nsec3_rdata({.iterations = iterations, .salt = {}}, next, types, rdata);
  return {.owner = sign::nsec3_owner(hash, zone).value(), .type = RrType::NSEC3, .rdatas = {rdata}, .rrsigs = {}};
}

/// One that covers the hash of `covered` and little else.
SignedRrset nsec3_over(std::string_view covered, bool opt_out = false) {
  auto before = crypto::nsec3_hash(name(covered));
  auto after = before;
  --before.back();
  ++after.back();
  Bytes rdata;
  sign::append_nsec3_rdata({.salt = {}, .opt_out = opt_out}, after, std::vector{RrType::A, RrType::RRSIG}, rdata);
  return {.owner = sign::nsec3_owner(before, zone).value(), .type = RrType::NSEC3, .rdatas = {rdata}, .rrsigs = {}};
}

bool denied(std::string_view owner, const std::vector<SignedRrset>& rrsets, RrType type = RrType::TXT) {
  return check_denial(name(owner), type, zone, rrsets).has_value();
}

}  // namespace

TEST_CASE("denial: NSEC at the name without the type and without CNAME [RFC 4035 §5.4]") {
  CHECK(denied("a.example.", {nsec("a.example.", "b.example.", {RrType::A})}));
  CHECK_FALSE(denied("a.example.", {nsec("a.example.", "b.example.", {RrType::TXT})}));
  CHECK_FALSE(denied("a.example.", {nsec("a.example.", "b.example.", {RrType::CNAME})}));
}

TEST_CASE("denial: NSEC over an empty non-terminal [RFC 4592 §2.2.2]") {
  CHECK(denied("b.example.", {nsec("a.example.", "x.b.example.", {RrType::A})}));
}

TEST_CASE("denial: NSEC over the name and over the wildcard, also the last of the zone") {
  const auto cover = nsec("a.example.", "c.example.", {RrType::A});
  const auto apex = nsec("example.", "a.example.", {RrType::NS, RrType::SOA});
  CHECK(denied("b.example.", {cover, apex}));
  CHECK_FALSE(denied("b.example.", {cover}));
  CHECK(denied("z.example.", {nsec("y.example.", "example.", {RrType::A}), apex}));
  CHECK_FALSE(denied("c.example.", {cover, apex}));
  CHECK_FALSE(denied("d.example.", {cover, apex}));
}

TEST_CASE(
    "denial: an NSEC of the parent's side of a delegation, or of a DNAME, says nothing below it [RFC 6840 §4.1]") {
  const auto apex = nsec("example.", "a.example.", {RrType::NS, RrType::SOA});
  CHECK_FALSE(denied("b.a.example.", {nsec("a.example.", "c.example.", {RrType::NS}), apex}));
  CHECK_FALSE(denied("b.a.example.", {nsec("a.example.", "c.example.", {RrType::DNAME}), apex}));
  CHECK_FALSE(denied("a.example.", {nsec("a.example.", "c.example.", {RrType::NS, RrType::DS})}));
}

TEST_CASE("denial: NSEC3 with the closest encloser, the next closer name and the wildcard [RFC 5155 §8.4]") {
  const auto encloser = nsec3_at("example.", {RrType::SOA, RrType::NS});
  const auto next_closer = nsec3_over("b.example.");
  const auto wildcard = nsec3_over("*.example.");
  CHECK(denied("b.example.", {encloser, next_closer, wildcard}));
  CHECK(denied("a.b.example.", {encloser, next_closer, wildcard}));
  CHECK_FALSE(denied("b.example.", {encloser, next_closer}));
  CHECK_FALSE(denied("b.example.", {encloser, wildcard}));
  CHECK_FALSE(denied("b.example.", {next_closer, wildcard}));
}

TEST_CASE("denial: an opt-out span proves nothing [RFC 5155 §6]") {
  const auto encloser = nsec3_at("example.", {RrType::SOA, RrType::NS});
  CHECK_FALSE(denied("b.example.", {encloser, nsec3_over("b.example.", true), nsec3_over("*.example.")}));
}

TEST_CASE("denial: NSEC3 at the name without the type [RFC 5155 §8.5]") {
  CHECK(denied("b.example.", {nsec3_at("b.example.", {RrType::A})}));
  CHECK_FALSE(denied("b.example.", {nsec3_at("b.example.", {RrType::TXT})}));
  CHECK_FALSE(denied("b.example.", {nsec3_at("b.example.", {RrType::NS})}));
}

TEST_CASE("denial: NSEC3 with too many iterations is passed over [RFC 9276 §3.2]") {
  CHECK(denied("b.example.", {nsec3_at("b.example.", {RrType::A}, 100)}));
  CHECK_FALSE(denied("b.example.", {nsec3_at("b.example.", {RrType::A}, 101)}));
}

TEST_CASE("denial: a name outside of the zone is not denied") {
  CHECK_FALSE(
      check_denial(name("a.test."), RrType::TXT, zone, std::vector{nsec("a.example.", "b.example.", {RrType::A})}));
}
