#include "crypto/algorithm.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace steward::crypto {

namespace {

constexpr std::array<std::pair<Algorithm, std::string_view>, 7> mnemonics{{
    {Algorithm::RSASHA1, "RSASHA1"},
    {Algorithm::RSASHA1_NSEC3_SHA1, "NSEC3RSASHA1"},
    {Algorithm::RSASHA256, "RSASHA256"},
    {Algorithm::RSASHA512, "RSASHA512"},
    {Algorithm::ECDSAP256SHA256, "ECDSAP256SHA256"},
    {Algorithm::ECDSAP384SHA384, "ECDSAP384SHA384"},
    {Algorithm::ED25519, "ED25519"},
}};

bool same_word(std::string_view a, std::string_view b) {
  constexpr auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return upper(x) == upper(y); });
}

}  // namespace

std::optional<Algorithm> algorithm_from_number(uint8_t number) {
  for (const auto& [algorithm, word] : mnemonics) {
    if (value(algorithm) == number) return algorithm;
  }
  return std::nullopt;
}

std::optional<Algorithm> algorithm_from_text(std::string_view word) {
  for (const auto& [algorithm, mnemonic] : mnemonics) {
    if (same_word(word, mnemonic)) return algorithm;
  }
  if (same_word(word, "RSASHA1-NSEC3-SHA1")) return Algorithm::RSASHA1_NSEC3_SHA1;
  uint8_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return algorithm_from_number(number);
}

std::string_view to_text(Algorithm algorithm) {
  for (const auto& [known, word] : mnemonics) {
    if (known == algorithm) return word;
  }
  return "UNKNOWN";
}

KeyTag key_tag(ByteView dnskey_rdata) {
  uint32_t sum = 0;
  for (size_t i = 0; i < dnskey_rdata.size(); ++i) {
    sum += (i & 1) != 0 ? dnskey_rdata[i] : static_cast<uint32_t>(dnskey_rdata[i]) << 8;
  }
  return static_cast<KeyTag>(sum + (sum >> 16));
}

}  // namespace steward::crypto
