#pragma once
// RDATA from and to text in one line, and one vector for each type of the table.

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "dns/encoding.hh"
#include "dns/rdata.hh"
#include "support/words.hh"

namespace steward::dns {

inline Name test_origin() { return *Name::from_text("ex."); }

/// The RDATA that `text` spells, or the error.
inline tl::expected<Bytes, RdataError> rdata_of(RrType type, std::string_view text) {
  Bytes out = {0xee};  // what was there must stay
  const auto words = test::words_of(text);
  const Name origin = test_origin();
  const auto read = rdata_from_tokens(type, words, origin, out);
  if (!read) {
    CHECK(out == Bytes{0xee});
    return tl::unexpected(read.error());
  }
  CHECK(out[0] == 0xee);
  out.erase(out.begin());
  return out;
}

inline Bytes sound_rdata(RrType type, std::string_view text) {
  const auto rdata = rdata_of(type, text);
  REQUIRE_MESSAGE(rdata, to_text(type), " ", text, ": ", rdata ? "" : rdata.error().what);
  return *rdata;
}

inline std::string hex_of(ByteView bytes) { return encode(hex_lower, bytes); }
inline Bytes from_hex(std::string_view text) {
  const auto bytes = decode(hex, text);
  REQUIRE_MESSAGE(bytes, text);
  return *bytes;
}

struct TextVector {
  RrType type;
  std::string in;
  std::string out;  ///< as BIND 9.18 writes it; empty: as `in`
};
const std::vector<TextVector>& text_vectors();

}  // namespace steward::dns
