// SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), written by hand: the library's encoder takes longer than a signature with
// Ed25519, and a server needs the fingerprint of every key that it meets.

#include "crypto/key_state.hh"

namespace steward::crypto {

namespace {

constexpr uint8_t der_integer = 0x02;
constexpr uint8_t der_bit_string = 0x03;
constexpr uint8_t der_sequence = 0x30;
constexpr uint8_t uncompressed_point = 4;  // SEC 1 §2.3.3

// AlgorithmIdentifiers, whole.
constexpr uint8_t rsa[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                           0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};  // RFC 3279 §2.3.1
constexpr uint8_t p256[] = {0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                            0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};  // RFC 5480 §2.1.1
constexpr uint8_t p384[] = {0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
                            0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};  // RFC 5480 §2.1.1
constexpr uint8_t ed25519[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};           // RFC 8410 §3

// X.690 §8.1.3: one octet below 128, otherwise how many octets of length follow.
void append_der(Bytes& out, uint8_t tag, ByteView content) {
  append_u8(out, tag);
  if (content.size() < 128) {
    append_u8(out, static_cast<uint8_t>(content.size()));
  } else if (content.size() < 256) {
    append_u8(out, 0x81);
    append_u8(out, static_cast<uint8_t>(content.size()));
  } else {
    append_u8(out, 0x82);
    append_u16(out, static_cast<uint16_t>(content.size()));
  }
  append(out, content);
}

// X.690 §8.3: a first bit that is set would make it negative.
void append_integer(Bytes& out, ByteView number) {
  Bytes content;
  if ((number.front() & 0x80) != 0) content.push_back(0);
  append(content, number);
  append_der(out, der_integer, content);
}

/// RFC 3110 §2 to RSAPublicKey (RFC 8017 §A.1.1).
Bytes rsa_public_key(ByteView octets) {
  ByteReader in(octets);
  size_t exponent_size = in.u8();
  if (exponent_size == 0) exponent_size = in.u16();
  const ByteView exponent = in.bytes(exponent_size);
  Bytes numbers;
  append_integer(numbers, in.rest());
  append_integer(numbers, exponent);
  Bytes out;
  append_der(out, der_sequence, numbers);
  return out;
}

ByteView identifier_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::ECDSAP256SHA256: return p256;
    case Algorithm::ECDSAP384SHA384: return p384;
    case Algorithm::ED25519: return ed25519;
    case Algorithm::RSASHA1:
    case Algorithm::RSASHA1_NSEC3_SHA1:
    case Algorithm::RSASHA256:
    case Algorithm::RSASHA512: break;
  }
  return rsa;
}

}  // namespace

Bytes spki_of(Algorithm algorithm, ByteView octets) {
  Bytes key{0};  // no unused bits
  if (is_rsa(algorithm)) {
    append(key, rsa_public_key(octets));
  } else {
    if (is_ecdsa(algorithm)) append_u8(key, uncompressed_point);
    append(key, octets);
  }
  Bytes content;
  append(content, identifier_of(algorithm));
  append_der(content, der_bit_string, key);
  Bytes out;
  append_der(out, der_sequence, content);
  return out;
}

}  // namespace steward::crypto
