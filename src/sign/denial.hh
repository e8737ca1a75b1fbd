#pragma once
// RDATA of NSEC, NSEC3 and NSEC3PARAM (RFC 4034 §4, RFC 5155 §3 and §4). Pure functions; appends to what the caller
// owns.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.hh"
#include "base/result.hh"
#include "dns/name.hh"
#include "dns/rr_type.hh"

namespace steward::sign {

using dns::NameView;
using dns::RrType;

/// Type Bit Maps (RFC 4034 §4.1.2). Nothing is written for none.
void append_type_bitmap(std::span<const RrType> types, Bytes& out);

enum class DenialKind : uint8_t { Nsec, Nsec3 };

/// Which types the bitmap of a name shows, given the RRsets that stand there (ascending, without RRSIG, NSEC and
/// NSEC3). At a delegation
/// (`cut`) only what the parent answers for: NS and DS (RFC 4035 §2.3). RRSIG where something is signed, which at an
/// insecure delegation in NSEC3 is nothing (RFC 5155 §7.1); NSEC itself. `out` is filled anew, ascending; empty for an
/// empty non-terminal in NSEC3.
void denial_types(DenialKind kind, std::span<const RrType> present, bool cut, std::vector<RrType>& out);

/// Appends NSEC RDATA: the next owner name in canonical order (the apex after the last), and `types` from
/// denial_types().
void append_nsec_rdata(NameView next, std::span<const RrType> types, Bytes& out);

using Nsec3Hash = std::array<uint8_t, 20>;

constexpr uint8_t nsec3_sha1 = 1;
constexpr uint8_t nsec3_flag_opt_out = 1;

/// RFC 9276 §3.1: what we make has no iterations and no salt.
struct Nsec3Params {
  uint16_t iterations = 0;
  Bytes salt;            ///< at most 255 octets
  bool opt_out = false;  ///< in NSEC3 only: NSEC3PARAM's flags are zero (RFC 5155 §4.1.2)
};

/// Appends NSEC3 RDATA: `next` is the next hash in the circle, `types` from denial_types().
void append_nsec3_rdata(const Nsec3Params& params, const Nsec3Hash& next, std::span<const RrType> types, Bytes& out);
void append_nsec3param_rdata(const Nsec3Params& params, Bytes& out);
/// Of an NSEC3PARAM RDATA; Unsupported for another hash or flags (RFC 5155 §8.2, §4.1.2), Invalid where it is
/// malformed.
Result<Nsec3Params> nsec3param_from_rdata(ByteView rdata);

/// `<base32hex of the hash in lower case>.<apex>`; Invalid where the apex leaves no room for 33 octets.
Result<dns::Name> nsec3_owner(const Nsec3Hash& hash, NameView apex);
/// The reverse: Invalid where the first label is no hash.
Result<Nsec3Hash> nsec3_hash_of_owner(NameView owner);

/// The fields of NSEC3 RDATA, borrowed.
struct Nsec3View {
  uint8_t algorithm = 0;
  uint8_t flags = 0;
  uint16_t iterations = 0;
  ByteView salt;
  ByteView next;
  ByteView bitmap;
  static Result<Nsec3View> from_rdata(ByteView rdata);
};

}  // namespace steward::sign
