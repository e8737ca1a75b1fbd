#pragma once
// What the tests of src/auth share: octets from hex, the key of the vectors, messages built by hand.

#include <doctest/doctest.h>

#include "auth/tsig_client.hh"
#include "dns/encoding.hh"
#include "dns/message.hh"

namespace steward::auth::test {

inline Bytes unhex(std::string_view text) {
  auto octets = dns::decode(dns::hex, text);
  REQUIRE_MESSAGE(octets, text);
  return *octets;
}

inline dns::Name name(std::string_view text) {
  auto parsed = dns::Name::from_text(text);
  REQUIRE_MESSAGE(parsed, text);
  return *parsed;
}

/// Seconds since 1970 of the vectors made with dnspython.
constexpr UnixTime vector_time = UnixTime{Seconds{1'700'000'000}};

/// key.example. with the octets 0 to 31 as its secret.
inline TsigKey vector_key(TsigAlgorithm algorithm = TsigAlgorithm::HmacSha256) {
  Bytes secret(32);
  for (size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<uint8_t>(i);
  return {name("key.example."), algorithm, std::move(secret)};
}

inline Keyring ring(std::vector<TsigKey> keys) {
  auto made = Keyring::create(std::move(keys));
  REQUIRE(made);
  return std::move(*made);
}
inline Keyring vector_ring(TsigAlgorithm algorithm = TsigAlgorithm::HmacSha256) {
  return ring({vector_key(algorithm)});
}

/// A query for www.example. A with id 0x1234.
inline Bytes plain_query() {
  return unhex(
      "123401000001000000000000"
      "03777777076578616d706c650000010001");
}
inline Bytes plain_response(uint8_t last_octet = 1) {
  Bytes out = unhex(
      "123481000001000100000000"
      "03777777076578616d706c650000010001"
      "c00c000100010000003c0004c0000200");
  out.back() = last_octet;
  return out;
}

/// Where the named field of the TSIG that ends `message` stands; the vectors have no Other Data.
struct TsigPlace {
  size_t record;  ///< its owner's first octet
  size_t rdata;
  size_t mac_size;  ///< of the MAC Size field
  size_t mac;
  size_t original_id;
  size_t error;
};
inline TsigPlace tsig_place(ByteView message) {
  const FoundSignature found = find_signature(message);
  REQUIRE(found.kind == SignatureKind::Tsig);
  const auto record = read_tsig(message, found);
  REQUIRE(record);
  const size_t original_id = message.size() - record->other.size() - 6;
  const size_t mac = original_id - record->mac.size();
  return {found.message_size, found.rdata_at, mac - 2, mac, original_id, original_id + 2};
}

/// The same message with another MAC field, all sizes right.
inline Bytes with_mac(const Bytes& message, ByteView mac) {
  const TsigPlace at = tsig_place(message);
  Bytes out(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(at.mac));
  append(out, mac);
  append(out, ByteView(message).subspan(at.original_id));
  store_u16(&out[at.mac_size], static_cast<uint16_t>(mac.size()));
  store_u16(&out[at.rdata - 2], static_cast<uint16_t>(out.size() - at.rdata));
  return out;
}

/// A signed query and what verifies its answers.
struct SignedQuery {
  Bytes message;
  TsigVerifier verifier;
};
inline SignedQuery signed_query(const TsigKey& key, UnixTime now = vector_time, Bytes message = plain_query()) {
  auto verifier = sign_request(message, key, now);
  REQUIRE(verifier);
  return {std::move(message), std::move(*verifier)};
}

}  // namespace steward::auth::test
