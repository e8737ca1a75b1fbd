#pragma once
// Mnemonics of numbers in RDATA: algorithms, digest types, certificate types, key protocols. Constant data, any thread.

#include <cstdint>
#include <optional>
#include <string_view>

#include "dns/rdata_layout.hh"

namespace steward::dns {

/// The number that `word` (any case) stands for in a field of this kind: Algorithm, CertAlgorithm, DigestType,
/// CertType, Protocol, Scheme.
std::optional<uint16_t> number_of_mnemonic(FieldKind kind, std::string_view word);
/// The mnemonic of a number, empty where it has none.
std::string_view mnemonic_of(FieldKind kind, uint16_t number);

}  // namespace steward::dns
