#pragma once
// What the store keeps of a zone beside its nodes. One value in the database `zones`, as JSON (FORMAT.md).

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hh"
#include "base/clock.hh"
#include "base/result.hh"
#include "zone/snapshot.hh"

namespace steward::store {

/// How a file was when it was read: by these a restart sees that it has not changed.
struct FileStamp {
  std::string path;
  int64_t modified_ns = 0;
  uint64_t size = 0;
  uint64_t inode = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// Why a zone is here that is not configured: a catalog lists it (RFC 9432).
struct CatalogOrigin {
  dns::Name catalog;                ///< folded
  Bytes label;                      ///< `<unique-N>`, folded: another one says that it is another zone by the same name (§5.4)
  std::vector<std::string> groups;  ///< octets of the property's values (§4.4.2)
  friend bool operator==(const CatalogOrigin&, const CatalogOrigin&) = default;
};

struct ZoneRecord {
  zone::ZoneInfo info;
  uint32_t serial = 0;             ///< as served
  uint32_t file_serial = 0;        ///< of the SOA in the zone file when it was last read
  uint64_t nodes = 0;              ///< names, with empty non-terminals
  uint64_t records = 0;            ///< with RRSIG and NSEC, without NSEC3
  uint32_t max_ttl = 0;            ///< seconds, the longest in the zone file
  bool served = true;              ///< false: no longer in the configuration; kept, and not answered from
  bool signed_here = false;        ///< `dnssec` was on when it was written; false for a pre-signed zone
  std::string signing_digest;      ///< of the policy and keys that it was signed with
  std::vector<FileStamp> files;
  UnixTime loaded_at{};
  std::optional<CatalogOrigin> origin;  ///< nothing: it is, or was, configured
  // The journal holds the differences journal_first up to but not journal_next, `journal_octets` in all.
  uint64_t journal_first = 0;
  uint64_t journal_next = 0;
  uint64_t journal_octets = 0;

  [[nodiscard]] std::string to_json() const;
  static Result<ZoneRecord> from_json(uint32_t id, std::string_view text);
};

}  // namespace steward::store
