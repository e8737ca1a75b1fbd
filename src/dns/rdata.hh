#pragma once
// RDATA of every type, driven by one table: what fields a type has, in wire form and in text.
//
// "Wire form" here is uncompressed, as it is stored and signed, with the case as it was given. A type without a
// row in the table is opaque (RFC 3597). Nothing here allocates except into the `out` that the caller passes.

#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.hh"
#include "base/result.hh"
#include "dns/name.hh"
#include "dns/rr_type.hh"
#include "dns/token.hh"

namespace steward::dns {

constexpr size_t max_rdata_size = 65535;

/// Where a domain name stands in some RDATA.
struct RdataName {
  uint16_t offset;    ///< of its first octet
  uint16_t size;      ///< in octets, with the root's
  bool compressible;  ///< one of the types of RFC 1035 §3.3, which alone may be compressed (RFC 3597 §4)
};

/// The names in valid RDATA of `type`, in order, at most `into.size()` of them (8 is enough but for HIP); returns how many.
size_t rdata_names(RrType type, ByteView rdata, std::span<RdataName> into);

/// Whether `rdata` is well-formed for `type`: fields complete, names valid, nothing left over, and the type's own rules
/// (SVCB: RFC 9460 §2; NSEC bitmaps: RFC 4034 §4.1.2; …). The error says the field and the rule.
Result<void> check_rdata(RrType type, ByteView rdata);

/// RDATA as it stands in `message` from `at` for `size` octets, with its names decompressed (RFC 3597 §4: also in the types
/// where compression is only to be understood, not made), appended to `out`. The result satisfies check_rdata.
Result<void> rdata_from_message(RrType type, ByteView message, size_t at, size_t size, Bytes& out);

/// Canonical form (RFC 4034 §6.2 (3), RFC 6840 §5.1): names in lower case for the types listed there. In place.
void canonicalize_rdata(RrType type, MutableByteView rdata);

/// Canonical order of RDATA (RFC 4034 §6.3): as left-justified octet strings. Both already canonical.
int compare_rdata(ByteView a, ByteView b);

/// Presentation form; `\# n hex` for an opaque type. Long base64 and hex stay on one line.
std::string rdata_to_text(RrType type, ByteView rdata);
void append_rdata_text(std::string& out, RrType type, ByteView rdata);
/// As rdata_to_text, but always in the generic form of RFC 3597 §5.
std::string rdata_to_generic_text(ByteView rdata);

/// What a parse error says: which token (an index into the entry's; the count of tokens where more were wanted) and the rule.
struct RdataError {
  size_t token = 0;
  std::string what;
};

/// Appends the wire form of the RDATA that `tokens` (the words after the type, comments and parentheses gone) spell to
/// `out`; on an error `out` is as before. Takes the generic form `\# n hex` for every type and checks it as
/// check_rdata does. Relative names are completed with `origin`.
tl::expected<void, RdataError> rdata_from_tokens(RrType type, std::span<const Token> tokens, NameView origin, Bytes& out);

}  // namespace steward::dns
