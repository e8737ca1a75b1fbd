#include "dns/encoding.hh"

#include <doctest/doctest.h>

#include <array>

#include "dns/rr_type.hh"

using namespace steward;
using namespace steward::dns;

namespace {
std::string text(const Bytes& bytes) { return std::string(as_text(bytes)); }
}  // namespace

TEST_CASE("encoding: the vectors of RFC 4648 §10 go both ways") {
  struct {
    const char* plain;
    const char* base64;
    const char* base32hex;
    const char* hex;
  } const vectors[] = {
      {"", "", "", ""},
      {"f", "Zg==", "CO", "66"},
      {"fo", "Zm8=", "CPNG", "666F"},
      {"foo", "Zm9v", "CPNMU", "666F6F"},
      {"foob", "Zm9vYg==", "CPNMUOG", "666F6F62"},
      {"fooba", "Zm9vYmE=", "CPNMUOJ1", "666F6F6261"},
      {"foobar", "Zm9vYmFy", "CPNMUOJ1E8", "666F6F626172"},
  };
  for (const auto& vector : vectors) {
    CAPTURE(vector.plain);
    const std::array<std::pair<const Alphabet*, const char*>, 3> forms = {
        {{&base64, vector.base64}, {&base32hex, vector.base32hex}, {&hex, vector.hex}}};
    for (const auto& [alphabet, encoded] : forms) {
      CHECK(encode(*alphabet, as_bytes(vector.plain)) == encoded);
      const auto decoded = decode(*alphabet, encoded);
      REQUIRE(decoded);
      CHECK(text(*decoded) == vector.plain);
    }
  }
}

TEST_CASE("encoding: base64url has - and _ and no padding [RFC 4648 §5, RFC 7515 §2]") {
  const Bytes bytes = {0xfb, 0xff, 0xfe, 0x01};
  CHECK(encode(base64, bytes) == "+//+AQ==");
  CHECK(encode(base64url, bytes) == "-__-AQ");
  CHECK(decode(base64url, "-__-AQ") == bytes);
  CHECK_FALSE(decode(base64url, "-__-AQ=="));
  CHECK_FALSE(decode(base64, "-__-AQ=="));
}

TEST_CASE("encoding: what is not exactly the encoding of something is refused [RFC 4648 §3]") {
  for (const auto* bad :
       {"Z", "Zg", "Zg=", "Zg===", "=", "Zh==", "Zm9=", "Z=g=", "Zg==Zg==", "Zm 9v", "Zm9v\n", "Zm9v=", "Zm9v===="})
    CHECK_FALSE_MESSAGE(decode(base64, bad), bad);
  for (const auto* bad : {"6", "6g", "0x66", " 66"}) CHECK_FALSE_MESSAGE(decode(hex, bad), bad);
  for (const auto* bad : {"C", "CP", "CPN", "CPNMUO", "CW", "CO======"})
    CHECK_FALSE_MESSAGE(decode(base32hex, bad), bad);
  CHECK(text(*decode(base32hex, "cpnmuoj1e8")) == "foobar");
}

TEST_CASE("encoding: a text may come in pieces") {
  TextDecoder decoder(base64);
  Bytes out;
  for (const auto* piece : {"Z", "m9", "", "vYg", "=", "="}) REQUIRE(decoder.feed(piece, out));
  CHECK(decoder.finish());
  CHECK(text(out) == "foob");
}

TEST_CASE("encoding: all octets go both ways in all alphabets") {
  Bytes bytes;
  for (unsigned i = 0; i < 600; ++i) {
    for (const Alphabet* alphabet : {&base64, &base64url, &base32hex, &hex, &hex_lower}) {
      const auto decoded = decode(*alphabet, encode(*alphabet, bytes));
      REQUIRE(decoded);
      CHECK(*decoded == bytes);
    }
    bytes.push_back(static_cast<uint8_t>(i * 7));
  }
}

TEST_CASE("rr type: mnemonics and TYPEnnn go both ways for all numbers [RFC 3597 §5]") {
  for (unsigned number = 0; number < 65536; ++number) {
    const auto type = static_cast<RrType>(number);
    REQUIRE(rr_type_from_text(to_text(type)) == type);
    REQUIRE(rr_type_from_text("type" + std::to_string(number)) == type);
  }
  CHECK(to_text(RrType::NSAP_PTR) == "NSAP-PTR");
  CHECK(to_text(static_cast<RrType>(65400)) == "TYPE65400");
  CHECK(rr_type_from_text("svcb") == RrType::SVCB);
  for (const auto* bad : {"", "TYPE", "TYPE65536", "TYPE-1", "TYPE1x", "AA", "IN"})
    CHECK_FALSE_MESSAGE(rr_type_from_text(bad), bad);
  CHECK(rr_class_from_text("in") == RrClass::IN);
  CHECK(rr_class_from_text("CLASS3") == RrClass::CH);
  CHECK(to_text(static_cast<RrClass>(32)) == "CLASS32");
  CHECK_FALSE(rr_class_from_text("A"));
  CHECK(to_text(Rcode::NXDOMAIN) == "NXDOMAIN");
  CHECK(to_text(static_cast<Rcode>(4000)) == "RCODE4000");
  CHECK(to_text(Opcode::UPDATE) == "UPDATE");
  CHECK(to_text(static_cast<Opcode>(9)) == "OPCODE9");
}
