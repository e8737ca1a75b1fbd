#pragma once
// ZONEMD (RFC 8976): one digest over a whole zone, made and checked. Scheme SIMPLE with SHA-384 and SHA-512.
//
// The digest covers every record of the zone in canonical form and order, once, glue and what a cut hides included, but
// for the ZONEMD RRset at the apex and the RRSIGs over it (§3.3.1.1). One pass over the records; memory is that of one
// name. No I/O, no clock; any thread.

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hh"
#include "base/result.hh"
#include "zone/record_source.hh"

namespace steward::sign {

constexpr uint8_t zonemd_scheme_simple = 1;

/// IANA's numbers (§5.3).
enum class ZonemdHash : uint8_t { Sha384 = 1, Sha512 = 2 };

/// "sha384"
std::string_view to_text(ZonemdHash hash);

/// The fields of ZONEMD RDATA (§2.2), borrowed.
struct ZonemdView {
  uint32_t serial = 0;
  uint8_t scheme = 0;
  uint8_t hash = 0;
  ByteView digest;
  /// Invalid where it is too short.
  static Result<ZonemdView> from_rdata(ByteView rdata);
};

/// Appends the RDATA. `digest` has the size of its hash: 48 or 64 octets.
void append_zonemd_rdata(uint32_t serial, ZonemdHash hash, ByteView digest, Bytes& out);
/// What stands in for it while the zone is made, so that NSEC and NSEC3 show the type (§3.1): a digest of zeros.
Bytes zonemd_placeholder(uint32_t serial, ZonemdHash hash);

/// RDATA of the ZONEMD of these records, with the serial of their SOA. Invalid where the apex has not exactly one SOA.
Result<Bytes> make_zonemd(zone::RecordSource& records, ZonemdHash hash);

/// §4, told apart for the log and for the operator's policy.
enum class ZonemdVerdict : uint8_t {
  Absent,         ///< no ZONEMD at the apex
  Verified,       ///< at least one of them is right, which is enough (§4 step 4)
  Mismatch,       ///< the serial fits and the digest does not: the zone is not what its maker digested
  SerialDiffers,  ///< made for another version of the zone
  Duplicate,      ///< more than one with the same scheme and hash algorithm: none of these may be believed
  Unsupported,    ///< schemes or hash algorithms that we do not know
  NoSoa,          ///< not exactly one SOA: nothing to compare the serial with
};

struct ZonemdVerification {
  ZonemdVerdict verdict = ZonemdVerdict::Absent;
  std::string what;  ///< a sentence without the zone's name, also for Verified: "SHA-384 digest verified for serial 7"
};

/// Of several ZONEMD the best counts: Verified, then Mismatch, SerialDiffers, Duplicate, Unsupported. Whether the RRset
/// is signed, and by whom, is for sign/verify_zone.hh (§4 steps 1 to 3).
ZonemdVerification verify_zonemd(zone::RecordSource& records);

/// What an operator wants of zones that come from elsewhere.
enum class ZonemdPolicy : uint8_t {
  Ignore,
  WhenPresent,  ///< a digest that is there must be right; one that we cannot check is as good as none
  Required,     ///< nothing but Verified will do
};
/// Whether a zone with this verdict may be served.
[[nodiscard]] bool is_acceptable(ZonemdVerdict verdict, ZonemdPolicy policy);

}  // namespace steward::sign
