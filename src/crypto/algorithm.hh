#pragma once
// DNSSEC algorithms (IANA "DNS Security Algorithm Numbers") that we know, and what each one means here.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hh"
#include "crypto/digest.hh"

namespace steward::crypto {

enum class Algorithm : uint8_t {
  RSASHA1 = 5,             ///< verified only (RFC 8624 §3.1: not for new signatures)
  RSASHA1_NSEC3_SHA1 = 7,  ///< the same, in zones with NSEC3
  RSASHA256 = 8,           ///< RFC 5702
  RSASHA512 = 10,          ///< RFC 5702
  ECDSAP256SHA256 = 13,    ///< RFC 6605
  ECDSAP384SHA384 = 14,    ///< RFC 6605
  ED25519 = 15,            ///< RFC 8080
};

constexpr uint8_t value(Algorithm algorithm) { return static_cast<uint8_t>(algorithm); }
/// Nothing for a number that we cannot verify.
std::optional<Algorithm> algorithm_from_number(uint8_t number);
/// IANA's mnemonic, any case (also the two of BIND: NSEC3RSASHA1), or the number.
std::optional<Algorithm> algorithm_from_text(std::string_view word);
/// As BIND and IANA write it: "ECDSAP256SHA256".
std::string_view to_text(Algorithm algorithm);
/// False for the two with SHA-1.
constexpr bool may_sign(Algorithm algorithm) {
  return algorithm != Algorithm::RSASHA1 && algorithm != Algorithm::RSASHA1_NSEC3_SHA1;
}
constexpr bool is_rsa(Algorithm algorithm) { return value(algorithm) <= 10; }
constexpr bool is_ecdsa(Algorithm algorithm) {
  return algorithm == Algorithm::ECDSAP256SHA256 || algorithm == Algorithm::ECDSAP384SHA384;
}

using KeyTag = uint16_t;

/// RFC 4034 Appendix B, over the RDATA of a DNSKEY or KEY.
KeyTag key_tag(ByteView dnskey_rdata);

/// The fixed part of DNSKEY RDATA (RFC 4034 §2.1).
constexpr uint16_t dnskey_flag_zone = 0x0100;
constexpr uint16_t dnskey_flag_sep = 0x0001;
constexpr uint16_t dnskey_flag_revoke = 0x0080;  // RFC 5011 §3
constexpr uint8_t dnskey_protocol = 3;
constexpr size_t dnskey_fixed_size = 4;

/// The largest signature: RSA with 4096 bits.
constexpr size_t max_signature_size = 512;

}  // namespace steward::crypto
