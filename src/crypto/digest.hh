#pragma once
// Digests, HMAC, constant-time comparison and random octets.
//
// Every function may be called from any thread. Each thread keeps one context per digest, made at its first use: after
// that nothing here allocates. The functions cannot fail on any input; where the cryptographic library cannot offer a
// digest at all the process ends with a message, since no signature could be made or checked.

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.hh"

namespace steward::crypto {

enum class DigestAlgorithm : uint8_t { Sha1, Sha224, Sha256, Sha384, Sha512 };

constexpr size_t max_digest_size = 64;

/// In octets: 20, 28, 32, 48, 64.
constexpr size_t digest_size(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::Sha1: return 20;
    case DigestAlgorithm::Sha224: return 28;
    case DigestAlgorithm::Sha256: return 32;
    case DigestAlgorithm::Sha384: return 48;
    case DigestAlgorithm::Sha512: return 64;
  }
  return 0;
}

/// Writes digest_size(algorithm) octets to `out` and returns how many.
size_t digest(DigestAlgorithm algorithm, ByteView data, uint8_t* out);
std::array<uint8_t, 32> sha256(ByteView data);

/// A digest over data that comes in pieces. One at a time per object; used by one thread.
class Hasher {
 public:
  explicit Hasher(DigestAlgorithm algorithm);
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void update(ByteView data);
  /// Writes the digest to `out` (digest_size octets), returns its size and starts anew.
  size_t finish(uint8_t* out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// HMAC (RFC 2104) with one key over many messages, each in any number of pieces: TSIG. Used by one thread.
class Hmac {
 public:
  /// `key` may have any size, also 0.
  Hmac(DigestAlgorithm algorithm, ByteView key);
  Hmac(Hmac&&) noexcept;
  Hmac& operator=(Hmac&&) noexcept;
  ~Hmac();

  void update(ByteView data);
  /// Writes the MAC to `out` (digest_size octets), returns its size and starts anew with the same key.
  size_t finish(uint8_t* out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Whether both have the same size and octets, in a time that depends on the size only.
bool equal_in_constant_time(ByteView a, ByteView b);

/// Fills `out` from the library's generator, seeded by the operating system. Ends the process where there is no
/// randomness.
void random_octets(MutableByteView out);

/// Overwrites a secret in a way that the compiler keeps.
void wipe(MutableByteView secret);

}  // namespace steward::crypto
