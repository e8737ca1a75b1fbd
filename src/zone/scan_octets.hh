#pragma once
// The scanner's inner loops: where a word or a quoted string ends, sixteen octets at a time.
//
// Each function may read up to 15 octets past the octet that it returns; the caller's buffer has that much room, and an
// octet in it at which the search ends.

#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace steward::zone {

/// The first octet from `p` on that is not part of an ordinary word: at most 0x20, or one of `"();\`.
inline const uint8_t* find_word_end(const uint8_t* p) {
#ifdef __SSE2__
  for (;; p += 16) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const auto is = [&](char octet) { return _mm_cmpeq_epi8(octets, _mm_set1_epi8(octet)); };
    const __m128i blank = _mm_cmpeq_epi8(_mm_min_epu8(octets, _mm_set1_epi8(' ')), octets);
    // '(' and ')' differ in the last bit only.
    const __m128i parenthesis = _mm_cmpeq_epi8(_mm_or_si128(octets, _mm_set1_epi8(1)), _mm_set1_epi8(')'));
    const __m128i other = _mm_or_si128(_mm_or_si128(is('"'), is(';')), is('\\'));
    const int mask = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(blank, parenthesis), other));
    if (mask != 0) return p + __builtin_ctz(static_cast<unsigned>(mask));
  }
#else
  while (*p > ' ' && *p != '"' && *p != '(' && *p != ')' && *p != ';' && *p != '\\') ++p;
  return p;
#endif
}

/// The first octet from `p` on that is a double quote, a backslash, a line end or zero.
inline const uint8_t* find_quoted_end(const uint8_t* p) {
#ifdef __SSE2__
  for (;; p += 16) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const auto is = [&](char octet) { return _mm_cmpeq_epi8(octets, _mm_set1_epi8(octet)); };
    const int mask = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(is('"'), is('\\')), _mm_or_si128(is('\n'), is('\0'))));
    if (mask != 0) return p + __builtin_ctz(static_cast<unsigned>(mask));
  }
#else
  while (*p != '"' && *p != '\\' && *p != '\n' && *p != '\0') ++p;
  return p;
#endif
}

}  // namespace steward::zone
