#include <algorithm>

#include "dns/rdata_layout.hh"
#include "dns/record_text.hh"
#include "rdata_support.hh"

using namespace steward;
using namespace steward::dns;
using T = RrType;

TEST_CASE("rdata: every type goes from text to text in the spelling of BIND") {
  for (const TextVector& vector : text_vectors()) {
    const T type = vector.type;
    const std::string& in = vector.in;
    CAPTURE(to_text(type));
    CAPTURE(in);
    const Bytes rdata = sound_rdata(type, in);
    CHECK(check_rdata(type, rdata));
    const std::string text = rdata_to_text(type, rdata);
    CHECK(text == (vector.out.empty() ? in : vector.out));
    CHECK(sound_rdata(type, text) == rdata);
    CHECK(sound_rdata(type, rdata_to_generic_text(rdata)) == rdata);
  }
}

TEST_CASE("rdata: every type of the table has a vector in these tests") {
  for (unsigned number = 0; number < 65536; ++number) {
    const auto type = static_cast<T>(number);
    if (layout_of(type) == nullptr) continue;
    CAPTURE(to_text(type));
    CHECK(std::ranges::any_of(text_vectors(), [type](const TextVector& vector) { return vector.type == type; }));
  }
}

TEST_CASE("rdata: the octets are those of the RFCs' examples") {
  const auto wire = [](T type, std::string_view text) { return hex_of(sound_rdata(type, text)); };
  CHECK(wire(T::A, "10.1.2.3") == "0a010203");
  CHECK(wire(T::MX, "10 a") ==
        "000a0161026578"
        "00");
  CHECK(wire(T::TXT, "ab \"\" \\000") == "026162000100");
  CHECK(wire(T::LOC, "42 21 54 N 71 06 18 W -24m 30m") ==
        "0033161389"
        "17"
        "2dd070be15f000988d20");                                      // RFC 1876 §4, size 3e3 cm
  CHECK(wire(T::APL, "!1:192.168.38.0/28") == "00011c83c0a826");      // RFC 3123 §4
  CHECK(wire(T::EUI48, "00-00-5e-00-53-2a") == "00005e00532a");       // RFC 7043 §3.2
  CHECK(wire(T::AMTRELAY, "10 1 1 203.0.113.15") == "0a81cb00710f");  // RFC 8777 App. A
  CHECK(wire(T::CAA, "0 issue \"ca.net\"") ==
        "00056973737565"
        "63612e6e6574");
  CHECK(wire(T::URI, "10 1 \"x:\"") == "000a0001783a");
  CHECK(wire(T::CSYNC, "66 3 A NS AAAA") ==
        "0000004200030004"
        "60000008");  // RFC 7477 §2.1.3
  CHECK(wire(T::NSAP, "0x47.00.05") == "470005");
  CHECK(wire(T::HIP, "2 2001 AwEAAbdxyhNuSutc") ==
        "02020"
        "00c"
        "2001"
        "03010001b771ca136e4aeb5c");
}

TEST_CASE("rdata: the NSEC of RFC 4034 §4.3 has its octets") {
  const Bytes rdata = sound_rdata(T::NSEC, "host.example.com. A MX RRSIG NSEC TYPE1234");
  CHECK(hex_of(rdata) ==
        "04686f7374076578616d706c6503636f6d00"
        "0006400100000003041b000000000000000000000000000000000000000000000000000020");
  CHECK(rdata_to_text(T::NSEC, rdata) == "host.example.com. A MX RRSIG NSEC TYPE1234");
}

TEST_CASE("rdata: the DNSKEY, DS and RRSIG of RFC 4034 §2.3, §5.4, §3.3 go both ways") {
  const std::string key =
      "AQPSKmynfzW4kyBv015MUG2DeIQ3Cbl+BBZH4b/"
      "0PY1kxkmvHjcZc8nokfzj31GajIQKY+5CptLr3buXA10hWqTkF7H6RfoRqXQeogmMHfpftf6zMv1LyBUgia7za6ZEzOJBOztyvhjL742iU/"
      "TpPSEDhm2SNKLijfUppn1UaNvv4w==";
  CHECK(rdata_to_text(T::DNSKEY, sound_rdata(T::DNSKEY, "256 3 5 " + key)) == "256 3 5 " + key);
  const std::string ds = "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118";
  CHECK(hex_of(sound_rdata(T::DS, ds)) == "ec4505012bb183af5f22588179a53b0a98631fad1a292118");
  CHECK(rdata_to_text(T::DS, sound_rdata(T::DS, ds)) == ds);
  const std::string rrsig =
      "A 5 3 86400 20030322173103 20030220173103 2642 example.com. "
      "oJB1W6WNGv+ldvQ3WDG0MQkg5IEhjRip8WTrPYGv07h108dUKGMeDPKijVCHX3DDKdfb+v6oB9wfuh3DTJXUAfI/M0zmO/"
      "zz8bW0Rznl8O3tGNazPwQKkRN20XPXV6nwwfoXmJQbsLNrLfkG"
      "J5D6fwFm8nN+6pBzeDQfsS3Ap3o=";
  const Bytes sig = sound_rdata(T::RRSIG, rrsig);
  CHECK(hex_of(ByteView(sig).first(18)) ==
        "0001050300015180"
        "3e7c9dd7"
        "3e5510d7"
        "0a52");
  CHECK(rdata_to_text(T::RRSIG, sig) == rrsig);
}

TEST_CASE("rdata: the generic form is taken for every type and checked by its rules [RFC 3597 §5]") {
  CHECK(hex_of(sound_rdata(T::A, "\\# 4 0A000001")) == "0a000001");
  CHECK(rdata_to_text(T::A, from_hex("0a000001")) == "10.0.0.1");
  CHECK(hex_of(sound_rdata(static_cast<T>(731), "\\# 6 abcd ef 01 23 45")) == "abcdef012345");
  CHECK(hex_of(sound_rdata(T::TXT, "\\# 2 0161")) == "0161");
  CHECK(hex_of(sound_rdata(T::TXT, "\"\\\\# 2 0161\"")) ==
        "09"
        "5c23203220"
        "30313631");  // quoted: a string
  for (const auto* bad : {"\\#", "\\# 4", "\\# 3 0a000001", "\\# 5 0a00000100", "\\# 4 0a00000", "\\# 4 0a0000zz",
                          "\\# 65536 00", "\\# 0 00", "\\# -1"}) {
    CAPTURE(bad);
    CHECK_FALSE(rdata_of(T::A, bad));
  }
  CHECK_FALSE(rdata_of(static_cast<T>(65400), "abc"));
}

TEST_CASE("rdata: an error names the token and the rule") {
  struct {
    T type;
    const char* text;
    size_t token;
    const char* rule;
  } const cases[] = {
      {T::A, "192.0.2.256", 0, "RFC 1035 §3.4.1"},
      {T::A, "", 0, "missing"},
      {T::A, "192.0.2.1 x", 1, "nothing may follow"},
      {T::MX, "10", 1, "exchange is missing"},
      {T::MX, "65536 a", 0, "0 to 65535"},
      {T::MX, "10 a..b", 1, "empty label"},
      {T::MX, "10 a\\25", 1, "RFC 1035 §5.1"},
      {T::MX, "10 a\\256", 1, "RFC 1035 §5.1"},
      {T::SOA, "a b 1 1h30 2 3 4", 3, "no unit"},
      {T::SRV, "0 0 a a", 2, "0 to 65535"},
      {T::RRSIG, "NOPE 13 2 3600 20300101000000 20200101000000 5 ex. aGVsbG8=", 0, "RR type"},
      {T::RRSIG, "A 13 2 3600 20301301000000 20200101000000 5 ex. aGVsbG8=", 4, "no such day"},
      {T::DNSKEY, "256 3 NOPE aGVsbG8=", 2, "mnemonic"},
      {T::DNSKEY, "256 3 13 aGVsbG8", 3, "RFC 4648"},
      {T::DNSKEY, "256 3 13", 3, "missing"},
      {T::DS, "1 13 2 00", 3, "32 octets"},
      {T::NSEC, "a.", 1, "missing"},
      {T::NSEC3, "1 0 0 - 2vptu! A", 4, "base32hex"},
      {T::CAA, "0 is-sue x", 2, "RFC 8659"},
      {T::LOC, "91 N 0 E 0m", 0, "RFC 1876"},
      {T::LOC, "90 0 0.001 N 0 E 0m", 3, "90 degrees"},
      {T::APL, "3:1.2.3.4/8", 0, "RFC 3123"},
      {T::X25, "12a4", 0, "four digits"},
  };
  for (const auto& row : cases) {
    const T type = row.type;
    const std::string text = row.text;
    CAPTURE(to_text(type));
    CAPTURE(text);
    const auto rdata = rdata_of(type, text);
    REQUIRE_FALSE(rdata);
    CAPTURE(rdata.error().what);
    CHECK(rdata.error().token == row.token);
    CHECK(rdata.error().what.find(row.rule) != std::string::npos);
  }
}

TEST_CASE("rdata: a character-string has at most 255 octets, escapes counted once [RFC 1035 §3.3]") {
  const std::string fits(255, 'x');
  CHECK(sound_rdata(T::TXT, fits).size() == 256);
  CHECK(sound_rdata(T::TXT, fits.substr(1) + "\\120").size() == 256);
  const auto longer = rdata_of(T::TXT, "a " + fits + "y");
  REQUIRE_FALSE(longer);
  CHECK(longer.error().token == 1);
  CHECK(longer.error().what.find("255 octets") != std::string::npos);
  CHECK_FALSE(rdata_of(T::TXT, fits + "\\120"));
  CHECK_FALSE(rdata_of(T::TXT, ""));
}

TEST_CASE("rdata: names in text are those of Name::from_text") {
  const std::string l63(63, 'a');
  const std::string l60 = l63 + "." + l63 + "." + l63 + ".";
  for (const std::string& text : {std::string("a"),
                                  std::string("a."),
                                  std::string("."),
                                  std::string("@"),
                                  std::string("\\@"),
                                  std::string(".."),
                                  std::string(".a"),
                                  std::string("a..b"),
                                  std::string("a\\.b"),
                                  std::string("\\"),
                                  std::string("a\\1"),
                                  std::string("a\\12"),
                                  std::string("\\000.\\255."),
                                  l63,
                                  l63 + "a",
                                  l60 + std::string(61, 'b') + ".",
                                  l60 + std::string(62, 'b') + ".",
                                  l60 + std::string(57, 'b'),
                                  l60 + std::string(58, 'b'),
                                  std::string("a\\300"),
                                  std::string("*.a"),
                                  std::string("A.b\\.")}) {
    CAPTURE(text);
    const auto name = Name::from_text(text, test_origin());
    const auto rdata = rdata_of(T::PTR, text);
    REQUIRE(name.has_value() == rdata.has_value());
    if (name) CHECK(hex_of(*rdata) == hex_of(name->view().wire()));
  }
}

TEST_CASE("rdata: a key of a private algorithm is octets, whatever name they should begin with [CVE-2026-10822]") {
  for (const T type : {T::DNSKEY, T::CDNSKEY, T::KEY})
    for (const char* octets : {"010003fd", "010003fd3f61", "010003fdc000", "010003fe", "010003fe7f2a"}) {
      const Bytes rdata = from_hex(octets);
      const std::string text = rdata_to_text(type, rdata);
      CHECK(text.find('\n') == std::string::npos);
      if (const auto again = rdata_of(type, text)) CHECK(*again == rdata);
    }
}

TEST_CASE("rdata: a record in text stands on one line with tabs") {
  std::string text;
  append_record_text(text, *Name::from_text("a.Ex."), 300, T::MX, sound_rdata(T::MX, "10 b"));
  append_record_text(text, Name(), 0, T::APL, {});
  append_record_text(text, Name(), 0, T::A, from_hex("0102"));
  CHECK(text == "a.Ex.\t300\tIN\tMX\t10 b.ex.\n.\t0\tIN\tAPL\n.\t0\tIN\tA\t\\# 2 0102\n");
}
