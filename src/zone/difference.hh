#pragma once
// The difference between two versions of a zone, record by record: what the journal keeps and IXFR sends (RFC 1995 §4).
//
// Values only. Records stand one after the other in one run of octets, all that are removed before all that are added; the first
// removed one is the SOA of the version before, the first added one the SOA of the version after.

#include <cstdint>
#include <optional>

#include "base/bytes.hh"
#include "dns/name.hh"
#include "dns/rr_type.hh"

namespace steward::zone {

/// One record of a difference, borrowed from its octets. `rdata` is uncompressed.
struct DifferenceRecord {
  bool added = false;
  dns::NameView owner;
  dns::RrType type{};
  uint32_t ttl = 0;
  ByteView rdata;
};

/// Appends: 1 octet (0 removed, 1 added), size of the owner (1), owner in wire form, type (2), TTL (4), RDLENGTH (2), RDATA. Integers
/// big-endian.
void append_difference_record(Bytes& out, const DifferenceRecord& record);

/// Steps through octets that append_difference_record made.
class DifferenceReader {
 public:
  explicit DifferenceReader(ByteView records) : left_(records) {}
  /// Nothing at the end, and nothing where the octets are malformed: then ok() is false.
  std::optional<DifferenceRecord> next();
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  ByteView left_;
  bool ok_ = true;
};

struct Difference {
  uint32_t from = 0;      ///< serial before
  uint32_t to = 0;        ///< serial after
  uint64_t removed = 0;   ///< records, SOA included
  uint64_t added = 0;
  Bytes records;
};

/// Where a reading of a journal stands. Begin with the serial alone.
struct JournalPlace {
  uint32_t serial = 0;
  uint32_t part = 0;
};

/// Some records of one difference.
struct JournalPart {
  uint32_t from = 0;   ///< serials of the difference that it belongs to
  uint32_t to = 0;
  bool first = false;  ///< of that difference
  bool last = false;
  Bytes records;       ///< whole records (DifferenceReader), about 64 KiB of them
};

struct JournalExtent {
  uint64_t differences = 0;
  uint64_t octets = 0;
};

}  // namespace steward::zone
