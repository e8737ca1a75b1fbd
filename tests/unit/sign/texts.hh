#pragma once
// Records from text, for the tests of this room.

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "crypto/key_pair.hh"
#include "dns/encoding.hh"
#include "dns/rdata.hh"
#include "dns/time_text.hh"
#include "sign/rrsig.hh"

namespace steward::sign::test {

inline dns::Name name(std::string_view text) {
  const auto parsed = dns::Name::from_text(text);
  REQUIRE_MESSAGE(parsed, text);
  return *parsed;
}
inline UnixTime at(std::string_view text) {
  const auto time = dns::time_from_text(text);
  REQUIRE_MESSAGE(time, text);
  return *time;
}
inline Bytes b64(std::string_view text) {
  auto octets = dns::decode(dns::base64, text);
  REQUIRE_MESSAGE(octets, text);
  return *octets;
}
inline Bytes unhex(std::string_view text) {
  auto octets = dns::decode(dns::hex, text);
  REQUIRE_MESSAGE(octets, text);
  return *octets;
}

/// "TXT", "\"a\" b": words are split at blanks.
inline Bytes rdata(RrType type, std::string_view text) {
  std::vector<dns::Token> tokens;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end != 0) {
      dns::Token token;
      token.text = text.substr(0, end);
      tokens.push_back(token);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  Bytes out;
  const auto parsed = dns::rdata_from_tokens(type, tokens, dns::NameView(), out);
  if (!parsed) FAIL(parsed.error().what);
  return out;
}

/// An RRset that owns its octets.
struct OwnedRrset {
  dns::Name owner;
  RrType type;
  uint32_t ttl;
  std::deque<Bytes> octets;
  std::vector<ByteView> views;

  OwnedRrset(std::string_view owner_text, uint32_t seconds, RrType t, std::initializer_list<std::string_view> rdatas)
      : owner(name(owner_text)), type(t), ttl(seconds) {
    for (const auto text : rdatas) octets.push_back(rdata(t, text));
    std::sort(octets.begin(), octets.end());
    for (const auto& one : octets) views.emplace_back(one);
  }
  [[nodiscard]] Rrset view() const { return {owner, type, ttl, views}; }
};

inline crypto::KeyPair pair_of(Algorithm algorithm, std::string_view secret) {
  crypto::PrivateFields fields;
  fields.add("PrivateKey", b64(secret));
  auto pair = crypto::KeyPair::from_private_fields(algorithm, fields);
  REQUIRE(pair);
  return std::move(*pair);
}

}  // namespace steward::sign::test
