#pragma once
// What a zone file says: all its nodes in canonical order, ready to be compared with what is stored.
//
// Made by zone/file_loader.hh in one pass over the text, without an allocation per record: RDATA lies in one arena in wire form,
// an RRset is a range of it. Owned by whoever loaded it; read by one thread.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hh"
#include "dns/name.hh"
#include "zone/node.hh"

namespace steward::zone {

class ZoneImage {
 public:
  virtual ~ZoneImage() = default;

  [[nodiscard]] virtual NameView apex() const = 0;
  /// Owner names that have records, without empty non-terminals.
  [[nodiscard]] virtual size_t node_count() const = 0;
  [[nodiscard]] virtual size_t record_count() const = 0;
  /// Seconds: the longest TTL of a record, which rollovers wait for (RFC 6781 §4.1.1.1). 0: not known.
  [[nodiscard]] virtual uint32_t max_ttl() const { return 0; }

  struct Node {
    NameView owner;                           ///< in the file's case (of the first record at that name)
    std::span<const RrsetInput> rrsets;       ///< ascending type, RDATA canonical order without repeats, RRSIGs with what they cover
    uint64_t digest = 0;                      ///< over all of the above except case of the owner; never 0
  };
  /// The nodes in canonical order, one by one; `node` is valid until the next call. False after the last.
  virtual bool next(Node& node) = 0;
  virtual void rewind() = 0;
  /// Every file that was read, the zone file first, then its $INCLUDEs: what to watch.
  [[nodiscard]] virtual const std::vector<std::string>& files() const = 0;
};

}  // namespace steward::zone
