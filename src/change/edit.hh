#pragma once
// ZoneEdit: a zone changed record by record inside one write transaction: what UPDATE (RFC 2136) and IXFR (RFC 1995) do.
//
// Looking and changing go to the names that are touched only. finish() then makes of them what a rewrite would have made: empty
// non-terminals, what a cut hides, NSEC or NSEC3 of the names that changed and of their neighbours, signatures, the serial; the result
// is the same, octet for octet, as a rewrite's of the same content.
//
// Writer thread. No I/O of its own, no clock. After an error of finish() the transaction must not be committed.

#include <map>
#include <optional>
#include <vector>

#include "base/parallel.hh"

#include "change/finisher.hh"
#include "zone/attic.hh"
#include "zone/node_table.hh"

namespace steward::change {

/// An RRset as it is after the changes so far. RDATA uncompressed, in canonical order.
struct EditedRrset {
  RrType type{};
  uint32_t ttl = 0;
  std::vector<Bytes> rdatas;
  std::vector<Bytes> rrsigs;   ///< RDATA; only in zones that are not signed here
};

struct EditRequest {
  uint32_t zone = 0;
  dns::Name apex;
  Signing signing;
  uint32_t stored_serial = 0;
  /// The content has a zone file of its own, which a reload reads again: what is changed here is noted beside it (change/draft.hh).
  bool note_provenance = false;
  /// The serial is the one of the SOA that the changes bring (IXFR); otherwise any change takes the next one.
  bool exact_serial = false;
};

struct EditResult {
  bool changed = false;
  uint32_t serial = 0;         ///< as served from now on
  int64_t nodes = 0;           ///< by how many there are more
  int64_t records = 0;
  uint64_t written = 0;        ///< nodes
  uint64_t signatures = 0;     ///< made now
  zone::Denial denial = zone::Denial::None;
  uint16_t nsec3_iterations = 0;
  Bytes nsec3_salt;
};

class ZoneEdit {
 public:
  /// `attic` may be null where provenance is not noted.
  ZoneEdit(EditRequest request, zone::NodeTable& nodes, zone::NodeTable& nsec3, zone::Attic* attic);

  // Looking: the zone's content after the changes so far. Where the zone is signed here, what the signer made (RRSIG, NSEC, NSEC3,
  // NSEC3PARAM, DNSKEY, CDS, CDNSKEY of its own) is no content. Names in any case, at or below the apex.
  /// Null where there is none. Valid until the next change at that name.
  [[nodiscard]] const EditedRrset* find(NameView owner, RrType type);
  /// Ascending type; empty where the name is not in use (RFC 2136 §2.4.4).
  [[nodiscard]] const std::vector<EditedRrset>& rrsets(NameView owner);

  // Changing. True where it made a difference.
  /// One record more. Its TTL becomes that of the RRset (RFC 2181 §5.2). SOA, CNAME and DNAME take the place of the one that is there.
  /// RRSIG joins the RRset that it covers. Neither semantic rule is checked here.
  bool add(NameView owner, RrType type, uint32_t ttl, ByteView rdata);
  bool remove(NameView owner, RrType type, ByteView rdata);
  bool remove_rrset(NameView owner, RrType type);
  bool remove_name(NameView owner);

  /// From here on changes can be taken back; forgets an earlier one.
  void set_savepoint();
  /// Back to the savepoint.
  void roll_back();
  [[nodiscard]] bool has_changes() const;

  /// Writes everything. Io and Full from the tables; Full where an RRset does not fit a message. Once.
  Result<EditResult> finish(Parallel& parallel);

 private:
  struct Node;
  friend class EditPlan;
  Node& at(NameView owner);
  Node& for_change(NameView owner);
  void note(Node& node, RrType type, uint32_t ttl, ByteView rdata, bool is_added);

  EditRequest r_;
  zone::NodeTable& nodes_;
  zone::NodeTable& nsec3_;
  zone::Attic* attic_;
  std::map<Bytes, Node> edits_;        // by canonical key relative to the apex
  std::vector<std::pair<Bytes, Node>> undo_;
};

}  // namespace steward::change
