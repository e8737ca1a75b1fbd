#include "dns/svc_params.hh"

#include "rdata_support.hh"

using namespace steward;
using namespace steward::dns;
using T = RrType;

namespace {
// foo.example.com. and foo.example.org. in wire form
const std::string foo_com = "03666f6f076578616d706c6503636f6d00";
const std::string foo_org = "03666f6f076578616d706c65036f726700";
std::string rule_of(std::string_view text) {
  const auto rdata = rdata_of(T::SVCB, text);
  return rdata ? "(sound)" : rdata.error().what;
}
}  // namespace

TEST_CASE("svcb: the valid vectors of RFC 9460 App. D have their octets") {
  const std::pair<std::string, std::string> vectors[] = {
      // D.1
      {"0 foo.example.com.", "0000" + foo_com},
      // D.2
      {"1 .", "000100"},
      {"16 foo.example.com. port=53", "0010" + foo_com + "000300020035"},
      {"1 foo.example.com. key667=hello", "0001" + foo_com + "029b000568656c6c6f"},
      {"1 foo.example.com. key667=\"hello\\210qoo\"", "0001" + foo_com + "029b000968656c6c6fd2716f6f"},
      {"1 foo.example.com. ipv6hint=\"2001:db8::1,2001:db8::53:1\"",
       "0001" + foo_com + "0006002020010db800000000000000000000000120010db8000000000000000000530001"},
      {"1 foo.example.com. ipv6hint=\"2001:db8:122:344::192.0.2.33\"",
       "0001" + foo_com + "0006001020010db80122034400000000c0000221"},
      {"16 foo.example.org. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1", "0010" + foo_org +
                                                                                           "0000000400010004"
                                                                                           "0001000902683205"
                                                                                           "68332d3139"
                                                                                           "00040004c0000201"},
      {"16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\"", "0010" + foo_org + "0001000c08665c6f6f2c626172026832"},
      {"16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2", "0010" + foo_org + "0001000c08665c6f6f2c626172026832"},
  };
  for (const auto& row : vectors)
    for (const T type : {T::SVCB, T::HTTPS}) {
      const std::string& text = row.first;
      CAPTURE(text);
      const Bytes rdata = sound_rdata(type, text);
      CHECK(hex_of(rdata) == row.second);
      CHECK(sound_rdata(type, rdata_to_text(type, rdata)) == rdata);
    }
}

TEST_CASE("svcb: the failing vectors of RFC 9460 App. D.3 are refused") {
  for (const auto* text :
       {"1 foo.example.com. key123=abc key123=def", "1 foo.example.com. mandatory", "1 foo.example.com. alpn",
        "1 foo.example.com. port", "1 foo.example.com. ipv4hint", "1 foo.example.com. ipv6hint",
        "1 foo.example.com. no-default-alpn=abc", "1 foo.example.com. mandatory=key123",
        "1 foo.example.com. mandatory=mandatory", "1 foo.example.com. mandatory=key123,key123 key123=abc"})
    CHECK_FALSE_MESSAGE(rdata_of(T::SVCB, text), text);
}

TEST_CASE("svcb: an error names the parameter and the rule") {
  CHECK(rule_of("1 a. alpn=h2 alpn=h3").find("once only") != std::string::npos);
  CHECK(rule_of("1 a. alpn=h2 port=1 alpn=h3").find("twice") != std::string::npos);
  CHECK(rule_of("1 a. no-default-alpn").find("beside alpn") != std::string::npos);
  CHECK(rule_of("1 a. mandatory=alpn").find("alpn is listed but not there") != std::string::npos);
  CHECK(rule_of("1 a. alpn=,h2").find("RFC 9460 §7.1.1") != std::string::npos);
  CHECK(rule_of("1 a. alpn=h2,").find("RFC 9460 §7.1.1") != std::string::npos);
  CHECK(rule_of("1 a. alpn=\"a\\\\b\"").find("App. A.1") != std::string::npos);
  CHECK(rule_of("1 a. port=65536").find("65535") != std::string::npos);
  CHECK(rule_of("1 a. port=1,2").find("65535") != std::string::npos);
  CHECK(rule_of("1 a. ipv4hint=1.2.3").find("RFC 9460 §7.3") != std::string::npos);
  CHECK(rule_of("1 a. ech=x").find("base64") != std::string::npos);
  CHECK(rule_of("1 a. dohpath=/q").find("variable dns") != std::string::npos);
  CHECK(rule_of("1 a. dohpath=q{?dns}").find("path") != std::string::npos);
  CHECK(rule_of("1 a. dohpath=/\\255{?dns}").find("UTF-8") != std::string::npos);
  CHECK(rule_of("1 a. ohttp=x").find("RFC 9540") != std::string::npos);
  for (const auto* key : {"1 a. ALPN=h2", "1 a. key01=x", "1 a. key65536", "1 a. key", "1 a. nope=1", "1 a. =x"})
    CHECK(rule_of(key).find("RFC 9460 §2.1") != std::string::npos);
}

TEST_CASE("svcb: AliasMode may have parameters, which clients ignore [RFC 9460 §2.4.2]") {
  CHECK(rdata_of(T::SVCB, "0 foo. key667=a"));
  CHECK_FALSE(rdata_of(T::SVCB, "0 foo. alpn"));
}

TEST_CASE("svcb: parameters come in any order in text and ascend in wire form [RFC 9460 §2.2]") {
  const Bytes rdata = sound_rdata(T::SVCB, "1 . key65401=c key9=b port=1 alpn=h2");
  CHECK(rdata_to_text(T::SVCB, rdata) == "1 . alpn=\"h2\" port=1 key9=\"b\" key65401=\"c\"");
  CHECK_FALSE(check_rdata(T::SVCB, from_hex("000100"
                                            "00030002"
                                            "0001"
                                            "00010003"
                                            "026832")));
  CHECK_FALSE(check_rdata(T::SVCB, from_hex("000100"
                                            "00030002"
                                            "0001"
                                            "00030002"
                                            "0001")));
}

TEST_CASE("svcb: a value may be cut from its key at the quote by the scanner") {
  const std::string line = "1 . alpn=\"h2,h3\" port=1";
  std::vector<Token> words = test::words_of(line);
  // As a scanner does that ends a word at a quote: `alpn=`, then the quoted `h2,h3`.
  Token quoted = words[2];
  words[2].text = quoted.text.substr(0, 5);
  quoted.text = quoted.text.substr(6, 5);
  quoted.quoted = true;
  words.insert(words.begin() + 3, quoted);
  Bytes out;
  REQUIRE(rdata_from_tokens(T::SVCB, words, Name(), out));
  CHECK(rdata_to_text(T::SVCB, out) == line);
}

TEST_CASE("svcb: a private key's value may hold anything") {
  const Bytes rdata = sound_rdata(T::SVCB, "1 . key65401=\"\\000\\\"\\\\,=;\\255\" key65402=");
  CHECK(hex_of(rdata) ==
        "000100"
        "ff790007"
        "00225c2c3d3bff"
        "ff7a0000");
  CHECK(rdata_to_text(T::SVCB, rdata) == "1 . key65401=\"\\000\\\"\\\\,=;\\255\" key65402");
}
