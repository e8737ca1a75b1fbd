#include <array>

#include "dns/compressed_name.hh"
#include "dns/type_bitmap.hh"
#include "rdata_support.hh"

using namespace steward;
using namespace steward::dns;
using T = RrType;

namespace {

// In a buffer of exactly its size, so that a sanitizer sees a read past the end.
std::vector<uint8_t> exact(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

TEST_CASE("rdata: every truncation and every extension of sound RDATA is sound or refused, and survives text") {
  for (const TextVector& vector : text_vectors()) {
    const T type = vector.type;
    CAPTURE(to_text(type));
    const Bytes whole = sound_rdata(type, vector.in);
    for (size_t size = 0; size <= whole.size() + 1; ++size) {
      Bytes rdata = exact(ByteView(whole).first(std::min(size, whole.size())));
      if (size > whole.size()) rdata.push_back(0);
      CAPTURE(hex_of(rdata));
      std::array<RdataName, 8> names;
      rdata_names(type, rdata, names);
      const std::string text = rdata_to_text(type, rdata);
      if (!check_rdata(type, rdata)) {
        CHECK(text.starts_with("\\# "));
        continue;
      }
      Bytes copy = rdata;
      canonicalize_rdata(type, copy);
      CHECK(rdata_to_text(type, sound_rdata(type, text)) == text);
    }
  }
}

TEST_CASE("rdata: every octet of sound RDATA may be anything without a read out of bounds") {
  for (const TextVector& vector : text_vectors()) {
    const T type = vector.type;
    CAPTURE(to_text(type));
    const Bytes whole = sound_rdata(type, vector.in);
    for (size_t at = 0; at < whole.size(); ++at)
      for (const uint8_t octet : std::initializer_list<uint8_t>{0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff}) {
        Bytes rdata = exact(whole);
        rdata[at] = octet;
        CAPTURE(hex_of(rdata));
        Bytes taken;
        const bool from_message = rdata_from_message(type, rdata, 0, rdata.size(), taken).has_value();
        if (!check_rdata(type, rdata)) continue;
        CHECK(from_message);
        const std::string text = rdata_to_text(type, rdata);
        CHECK(rdata_to_text(type, sound_rdata(type, text)) == text);
      }
  }
}

TEST_CASE("rdata: names are found where they stand, and said to be compressible or not [RFC 3597 §4]") {
  struct {
    T type;
    const char* text;
    std::vector<std::array<size_t, 3>> names;
  } const cases[] = {
      {T::SOA, "a. bc. 1 2 3 4 5", {{0, 3, 1}, {3, 4, 1}}},
      {T::MX, "1 a.", {{2, 3, 1}}},
      {T::SRV, "1 2 3 a.", {{6, 3, 0}}},
      {T::RRSIG, "A 13 2 3600 1 0 5 a. AAAA", {{18, 3, 0}}},
      {T::NAPTR, "1 2 a bb \"\" a.", {{10, 3, 0}}},
      {T::IPSECKEY, "1 3 2 a. AAAA", {{3, 3, 0}}},
      {T::IPSECKEY, "1 1 2 1.2.3.4 AAAA", {}},
      {T::AMTRELAY, "1 1 3 a.", {{2, 3, 0}}},
      {T::A6, "64 ::1 a.", {{9, 3, 0}}},
      {T::HIP, "2 2001 AAAA a. bc.", {{9, 3, 0}, {12, 4, 0}}},
      {T::SVCB, "1 a. port=1", {{2, 3, 0}}},
      {T::TXT, "a.", {}},
  };
  for (const auto& row : cases) {
    const std::string text = row.text;
    const auto& expected = row.names;
    CAPTURE(text);
    std::array<RdataName, 8> names;
    const size_t count = rdata_names(row.type, sound_rdata(row.type, text), names);
    REQUIRE(count == expected.size());
    for (size_t i = 0; i < count; ++i) {
      CHECK(names[i].offset == expected[i][0]);
      CHECK(names[i].size == expected[i][1]);
      CHECK(names[i].compressible == (expected[i][2] == 1));
    }
  }
}

TEST_CASE(
    "rdata: canonical form lowers the names of the types listed, and of no other [RFC 4034 §6.2, RFC 6840 §5.1]") {
  const auto canonical = [](T type, std::string_view text) {
    Bytes rdata = sound_rdata(type, text);
    canonicalize_rdata(type, rdata);
    return rdata_to_text(type, rdata);
  };
  CHECK(canonical(T::NS, "A.Ex.") == "a.ex.");
  CHECK(canonical(T::SOA, "A. B. 1 2 3 4 5") == "a. b. 1 2 3 4 5");
  CHECK(canonical(T::SRV, "1 2 3 A.") == "1 2 3 a.");
  CHECK(canonical(T::NAPTR, "1 2 S E2U \"\" A.") == "1 2 \"S\" \"E2U\" \"\" a.");
  CHECK(canonical(T::RRSIG, "A 13 2 3600 1 0 5 A. AAAA") == "A 13 2 3600 19700101000001 19700101000000 5 a. AAAA");
  CHECK(canonical(T::NSEC, "A. A") == "A. A");  // RFC 6840 §5.1
  CHECK(canonical(T::SVCB, "1 A.") == "1 A.");
  CHECK(canonical(T::TXT, "A") == "\"A\"");
}

TEST_CASE("rdata: canonical order is that of octet strings, the shorter first [RFC 4034 §6.3]") {
  CHECK(compare_rdata(from_hex("00"), from_hex("01")) < 0);
  CHECK(compare_rdata(from_hex("0100"), from_hex("01")) > 0);
  CHECK(compare_rdata({}, from_hex("00")) < 0);
  CHECK(compare_rdata(from_hex("80"), from_hex("7f")) > 0);
  CHECK(compare_rdata(from_hex("80"), from_hex("80")) == 0);
}

TEST_CASE("rdata: bitmaps that are not in canonical form are refused [RFC 4034 §4.1.2]") {
  const auto nsec = [](const char* bitmap) {
    return check_rdata(T::NSEC, from_hex(std::string("00") + bitmap)).has_value();
  };
  CHECK(nsec("000140"));
  for (const auto* bad : {"", "00", "0000", "000100", "00024000",
                          "01014000"
                          "0140",
                          "0001400001"
                          "40",
                          "0002"
                          "40",
                          "0021"
                          "404040404040404040404040404040404040404040404040404040404040404040"})
    CHECK_FALSE_MESSAGE(nsec(bad), bad);
  CHECK(bitmap_has(from_hex("000140"), T::A));
  CHECK_FALSE(bitmap_has(from_hex("000140"), T::NS));
  CHECK_FALSE(bitmap_has(from_hex("000140"), T::CAA));
}

TEST_CASE("rdata: rules of single types hold in wire form") {
  const std::pair<T, const char*> bad[] = {
      {T::A, "010203"},
      {T::A, "0102030405"},
      {T::TXT, ""},
      {T::TXT, "0261"},
      {T::CAA, "0000"},
      {T::CAA, "00012d"},
      {T::URI, "00010001"},
      {T::DS, "000105010011"},
      {T::ZONEMD, "0000000101010011"},
      {T::GPOS,
       "0161013001"
       "30"},
      {T::X25, "03313233"},
      {T::LOC,
       "00a0000080000000800000000"
       "0989680"},
      {T::APL, "0001210101"},
      {T::APL,
       "00010801"
       "00"},
      {T::A6, "8100"},
      {T::A6, "7f0200"},
      {T::HIP,
       "00020001"
       "00"},
      {T::IPSECKEY, "01040200"},
      {T::IPSECKEY, "010002"},
      {T::KEY, "0200030f"},
      {T::NSEC3, "010000000000"},
      {T::NXT, "0080"},
      {T::ATMA, "0161"},
      {T::SVCB, "0001c000"},
      {T::NS, "4000"},
      {T::NS, "0161"},
      {T::ISDN, "013101"},
  };
  for (const auto& row : bad) {
    const T type = row.first;
    const std::string wire = row.second;
    CAPTURE(to_text(type));
    CAPTURE(wire);
    CHECK_FALSE(check_rdata(type, from_hex(wire)));
  }
  CHECK(check_rdata(T::LOC, from_hex("01ff")));  // RFC 1876 §2: another version is opaque
  CHECK(rdata_to_text(T::LOC, from_hex("01ff")) == "\\# 2 01FF");
  CHECK_FALSE(check_rdata(T::TXT, Bytes(65536, 0)));
}

TEST_CASE("rdata: names are decompressed in the types of RFC 1035 and RFC 3597 §4, and refused compressed in others") {
  // A header, "a.b." at 12, then RDATA.
  const std::string head =
      "000000000000000000000000"
      "0161016200";
  const auto take = [&](T type, const std::string& rdata) {
    const Bytes message = from_hex(head + rdata);
    Bytes out = {0xee};
    const auto taken = rdata_from_message(type, message, 17, rdata.size() / 2, out);
    if (!taken) CHECK(out == Bytes{0xee});
    return taken ? hex_of(ByteView(out).subspan(1)) : "refused";
  };
  CHECK(take(T::NS, "c00c") == "0161016200");
  CHECK(take(T::MX, "000ac00e") == "000a016200");
  CHECK(take(T::MX, "000a0163c00e") == "000a0163016200");
  CHECK(take(T::SOA,
             "c00cc00e"
             "0000000100000002000000030000000400000005") ==
        "0161016200016200"
        "0000000100000002000000030000000400000005");
  CHECK(take(T::SRV, "000100020003c00c") == "0001000200030161016200");
  CHECK(take(T::NAPTR, "00010002000000c00c") == "000100020000000161016200");
  for (const T type : {T::DNAME, T::NSEC, T::LP, T::KX}) CHECK(take(type, "000ac00c") == "refused");
  CHECK(take(T::SVCB, "0001c00c") == "refused");
  CHECK(take(T::NS, "c00c00") == "refused");    // an octet too many
  CHECK(take(T::NS, "c0") == "refused");        // pointer cut short
  CHECK(take(T::NS, "c011") == "refused");      // to itself
  CHECK(take(T::NS, "c012") == "refused");      // forward
  CHECK(take(T::NS, "0163c011") == "refused");  // a loop through its own labels
  CHECK(take(T::NS, "c000") == "refused");      // into the header
  CHECK(take(T::NS, "0561") == "refused");
  CHECK(take(T::NS, "8000") == "refused");
  CHECK(take(T::A, "0102") == "refused");
}

TEST_CASE("compressed name: 255 octets are the limit across pointers [RFC 1035 §3.1]") {
  Bytes message(12, 0);
  std::string label(64, 'a');
  label[0] = 63;
  for (int i = 0; i < 3; ++i) append(message, as_bytes(label));
  append_u8(message, 0);  // 193 octets at 12
  const size_t fits = message.size();
  label[0] = 61;
  append(message, as_bytes(label.substr(0, 62)));
  append_u16(message, 0xc00c);  // 62 + 193 = 255
  const size_t longer = message.size();
  label[0] = 62;
  append(message, as_bytes(label.substr(0, 63)));
  append_u16(message, 0xc00c);
  size_t used = 0;
  const auto name = name_from_message(message, fits, message.size(), used);
  REQUIRE(name);
  CHECK(name->size() == 255);
  CHECK(used == 64);
  CHECK_FALSE(name_from_message(message, longer, message.size(), used));
}
