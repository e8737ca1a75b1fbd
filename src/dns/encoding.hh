#pragma once
// Octets as text: base64, base64url, base32hex and hex (RFC 4648), strict: no white space, no stray padding, no bits
// lost.
//
// TextDecoder takes a text in pieces, as master files split it over several words. Pure functions, any thread.

#include <array>
#include <string>
#include <string_view>

#include "base/bytes.hh"
#include "base/result.hh"

namespace steward::dns {

/// One of the alphabets below: how many bits a character carries, what it stands for, and whether `=` fills the last
/// group.
struct Alphabet {
  std::string_view name;
  std::string_view characters;
  uint8_t bits;  ///< per character: 4, 5 or 6
  bool padded;   ///< `=` is required to fill the last group; refused otherwise
  std::array<uint8_t, 256>
      value;  ///< of a character, in either case where case means nothing; 0xff: not in the alphabet
};

extern const Alphabet base64;     ///< RFC 4648 §4, padded
extern const Alphabet base64url;  ///< RFC 4648 §5, without padding
extern const Alphabet base32hex;  ///< RFC 4648 §7, upper case, without padding as in RFC 5155 §3.3; any case is read
extern const Alphabet hex;        ///< RFC 4648 §8, upper case as in DS, SSHFP, TLSA; any case is read
extern const Alphabet hex_lower;  ///< the same, written in lower case

/// Appends `bytes` in the alphabet; empty for none.
void append_encoded(std::string& out, const Alphabet& alphabet, ByteView bytes);
std::string encode(const Alphabet& alphabet, ByteView bytes);

/// The octets that the whole of `text` stands for; Invalid names the alphabet and what is wrong.
Result<Bytes> decode(const Alphabet& alphabet, std::string_view text);

/// Decodes a text that comes in pieces. After a false the object is spent and `error()` says why.
class TextDecoder {
 public:
  explicit TextDecoder(const Alphabet& alphabet) : alphabet_(&alphabet) {}

  /// Appends the octets that are complete with `piece` to `out`.
  [[nodiscard]] bool feed(std::string_view piece, Bytes& out);
  /// At the end: whether the last group is whole, padded as it must be, and its unused bits zero (RFC 4648 §3.5).
  [[nodiscard]] bool finish();
  [[nodiscard]] std::string error() const;

 private:
  const Alphabet* alphabet_;
  const char* problem_ = "";
  uint32_t pending_ = 0;       // bits not yet written
  uint32_t pending_bits_ = 0;  // below 8
  size_t characters_ = 0;
  size_t fill_ = 0;  // `=` seen
};

}  // namespace steward::dns
