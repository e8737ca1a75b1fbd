#include "dns/encoding.hh"

#include <numeric>

namespace steward::dns {
namespace {

constexpr Alphabet make(std::string_view name, std::string_view characters, bool padded, bool any_case) {
  Alphabet alphabet{name, characters, 0, padded, {}};
  alphabet.value.fill(0xff);
  for (size_t i = 0; i < characters.size(); ++i) {
    const char c = characters[i];
    alphabet.value[static_cast<uint8_t>(c)] = static_cast<uint8_t>(i);
    if (any_case && c >= 'A' && c <= 'Z') alphabet.value[static_cast<uint8_t>(c + 32)] = static_cast<uint8_t>(i);
    if (any_case && c >= 'a' && c <= 'z') alphabet.value[static_cast<uint8_t>(c - 32)] = static_cast<uint8_t>(i);
  }
  for (size_t n = characters.size(); n > 1; n /= 2) ++alphabet.bits;
  return alphabet;
}

}  // namespace

constinit const Alphabet base64 =
    make("base64", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true, false);
constinit const Alphabet base64url =
    make("base64url", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false, false);
constinit const Alphabet base32hex = make("base32hex", "0123456789ABCDEFGHIJKLMNOPQRSTUV", false, true);
constinit const Alphabet hex = make("hex", "0123456789ABCDEF", false, true);
constinit const Alphabet hex_lower = make("hex", "0123456789abcdef", false, true);

void append_encoded(std::string& out, const Alphabet& alphabet, ByteView bytes) {
  const uint32_t bits = alphabet.bits;
  const uint32_t mask = (uint32_t{1} << bits) - 1;
  const size_t characters = (bytes.size() * 8 + bits - 1) / bits;
  // A group is as many characters as make whole octets.
  const size_t group = std::lcm(8U, bits) / bits;
  const size_t start = out.size();
  out.resize(start + (alphabet.padded ? (characters + group - 1) / group * group : characters), '=');
  char* to = out.data() + start;
  uint32_t pending = 0;
  uint32_t pending_bits = 0;
  for (const uint8_t octet : bytes) {
    pending = (pending << 8 | octet) & 0xffff;
    pending_bits += 8;
    while (pending_bits >= bits) {
      pending_bits -= bits;
      *to++ = alphabet.characters[pending >> pending_bits & mask];
    }
  }
  if (pending_bits > 0) *to = alphabet.characters[pending << (bits - pending_bits) & mask];
}

std::string encode(const Alphabet& alphabet, ByteView bytes) {
  std::string text;
  append_encoded(text, alphabet, bytes);
  return text;
}

Result<Bytes> decode(const Alphabet& alphabet, std::string_view text) {
  Bytes bytes;
  TextDecoder decoder(alphabet);
  if (!decoder.feed(text, bytes) || !decoder.finish()) return fail(Errc::Invalid, decoder.error());
  return bytes;
}

bool TextDecoder::feed(std::string_view piece, Bytes& out) {
  const uint32_t bits = alphabet_->bits;
  const size_t before = out.size();
  out.resize(before + (piece.size() * bits + pending_bits_) / 8);
  uint8_t* to = out.data() + before;
  for (const char c : piece) {
    const uint8_t value = alphabet_->value[static_cast<uint8_t>(c)];
    if (value == 0xff || fill_ > 0) {
      if (c == '=' && alphabet_->padded) {
        ++fill_;
        continue;
      }
      problem_ = fill_ > 0 ? "nothing may follow the padding" : "character that is not in the alphabet";
      return false;
    }
    ++characters_;
    pending_ = (pending_ << bits | value) & 0xffff;
    pending_bits_ += bits;
    if (pending_bits_ >= 8) {
      pending_bits_ -= 8;
      *to++ = static_cast<uint8_t>(pending_ >> pending_bits_);
    }
  }
  out.resize(static_cast<size_t>(to - out.data()));
  return true;
}

bool TextDecoder::finish() {
  const uint32_t bits = alphabet_->bits;
  if (pending_bits_ >= bits || (bits == 4 && pending_bits_ != 0)) {
    problem_ = bits == 4 ? "odd number of digits" : "last group is incomplete";
    return false;
  }
  if ((pending_ & ((uint32_t{1} << pending_bits_) - 1)) != 0) {
    problem_ = "unused bits of the last character are not zero (RFC 4648 §3.5)";
    return false;
  }
  const size_t group = std::lcm(8U, bits) / bits;
  if (alphabet_->padded && fill_ != (group - characters_ % group) % group) {
    problem_ = "padding does not fill the last group (RFC 4648 §3.2)";
    return false;
  }
  return true;
}

std::string TextDecoder::error() const { return std::string(alphabet_->name) + ": " + problem_; }

}  // namespace steward::dns
