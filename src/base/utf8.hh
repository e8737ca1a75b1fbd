#pragma once
// UTF-8 from others (RFC 3629): which of it may be shown.

#include <cstddef>
#include <string_view>

namespace steward {

/// Octets of the well-formed UTF-8 character beyond ASCII at `text[at]` that may be shown; 0 where there is none. C1 controls and what is not
/// UTF-8 may not.
inline size_t shown_utf8(std::string_view text, size_t at) {
  const auto octet = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned lead = octet(at);
  const size_t size = lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xc2 && lead < 0xe0 ? 2 : 0;
  for (size_t i = 1; i < size; ++i)
    if ((octet(at + i) & 0xc0) != 0x80) return 0;
  if (lead == 0xc2 && octet(at + 1) < 0xa0) return 0;
  // Overlong forms, surrogates and what lies past U+10FFFF (RFC 3629 §3).
  const unsigned second = octet(at + 1);
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) || (lead == 0xf0 && second < 0x90) ||
      (lead == 0xf4 && second > 0x8f))
    return 0;
  return size;
}

}  // namespace steward
