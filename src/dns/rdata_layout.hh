#pragma once
// The one table that says what stands in the RDATA of each type; everything that reads or writes RDATA is driven by it.
//
// Inside of the room: other rooms use rdata.hh. Constant data, any thread.

#include <array>
#include <cstdint>

#include "dns/rr_type.hh"

namespace steward::dns {

/// How a field stands in wire form and in text. "To the end" fields come last in their type.
enum class FieldKind : uint8_t {
  None,
  U8,
  U16,
  U32,
  Period,         ///< 32 bits; in text seconds or units (1h30m)
  Time,           ///< 32 bits; in text YYYYMMDDHHmmSS (RFC 4034 §3.2)
  Type,           ///< an RR type's number or mnemonic
  Algorithm,      ///< 8 bits: DNSSEC algorithm; read as number or mnemonic, written as a number
  CertAlgorithm,  ///< the same, written as a mnemonic, as RFC 4398 §2.2 and BIND do
  DigestType,     ///< 8 bits, of a DS
  CertType,       ///< 16 bits (RFC 4398 §2.1)
  Protocol,       ///< 8 bits, of a KEY (RFC 2535 §3.1.3)
  Scheme,         ///< 8 bits, of a DSYNC (RFC 9859 §2)
  Name,
  Ipv4,
  Ipv6,
  String,          ///< one character-string (RFC 1035 §3.3)
  OptionalString,  ///< the same, or nothing at the end
  DigitString,     ///< a character-string of at least four digits (X25, RFC 1183 §3.1)
  DecimalString,   ///< a character-string that is a decimal number (GPOS, RFC 1712 §3)
  Strings,         ///< one or more character-strings, to the end
  Text,            ///< octets to the end, without a length octet, in text one string (CAA)
  NonEmptyText,    ///< the same, at least one octet (URI, RFC 7553 §4.4)
  Tag,             ///< length octet and letters or digits (CAA, RFC 8659 §4.1)
  Base64,          ///< one octet or more, to the end
  OptionalBase64,  ///< to the end, possibly none
  DashBase64,      ///< to the end; `-` in text where there is none (DOA)
  Hex,             ///< one octet or more, to the end
  Salt,            ///< length octet and hex, `-` for none (RFC 5155 §3.3)
  Hash,            ///< length octet and base32hex (RFC 5155 §3.3)
  Bitmap,          ///< types in windows (RFC 4034 §4.1.2), at least one
  OptionalBitmap,  ///< the same, possibly none (NSEC3, CSYNC)
  NxtBitmap,       ///< types below 128 (RFC 2535 §5.2)
  Locator64,       ///< 64 bits as four groups of hex (RFC 6742 §2.1, §2.3)
  Eui48,
  Eui64,
  SvcParams,    ///< RFC 9460 §2.1, §2.2
  GatewayType,  ///< 8 bits, 0 to 3 (IPSECKEY, RFC 4025 §2.3)
  Gateway,      ///< as the octet before the last one says (RFC 4025 §2.5)
  RelayType,    ///< D bit and type; in text two words (AMTRELAY, RFC 8777 §4.2)
  Relay,        ///< as the octet before it says
  Loc,
  Wks,
  Nsap,
  Atma,
  A6,
  Apl,
  Hip,
};

/// What holds for the names of a type.
enum class NameRule : uint8_t {
  None,        ///< it has none
  Compress,    ///< RFC 1035 §3.3: may be compressed in messages; lower case in canonical form
  Decompress,  ///< RFC 3597 §4: compression is understood but not made; lower case in canonical form
  Lower,       ///< never compressed; lower case in canonical form (RFC 4034 §6.2, RFC 6840 §5.1)
  Keep,        ///< never compressed; the case is kept
};

struct RdataField {
  FieldKind kind = FieldKind::None;
  const char* label = "";  ///< what errors call it
};

struct RdataLayout {
  RrType type;
  NameRule names;
  std::array<RdataField, 9> fields;  ///< those after the last one are None
};

/// Null for a type that is opaque.
const RdataLayout* layout_of(RrType type);

constexpr bool lowers_names(NameRule rule) { return rule != NameRule::None && rule != NameRule::Keep; }

}  // namespace steward::dns
