#pragma once
// ZoneEdit: a zone changed record by record inside one write transaction: what UPDATE (RFC 2136) and IXFR (RFC 1995) do.
//
// Looking and changing go to the names that are touched only. finish() then makes of them what a rewrite would have made: empty
// non-terminals, what a cut hides, NSEC or NSEC3 of the names that changed and of their neighbours, signatures, the serial; the nodes
// are what a rewrite of the same content would leave.
//
// Writer thread. No I/O of its own, no clock. After an error of finish() the transaction must not be committed.

#include <map>
#include <utility>
#include <vector>

#include "base/parallel.hh"
#include "change/finisher.hh"
#include "sign/zonemd.hh"
#include "zone/octet_table.hh"
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
  std::optional<sign::ZonemdHash> zonemd;  ///< a ZONEMD of ours at the apex, made anew with a walk over the whole zone; changes to the type are ignored
  uint32_t stored_serial = 0;
  /// The content has a zone file, which a reload reads again: what is changed here is noted beside it (change/draft.hh).
  bool note_provenance = false;
  /// The serial is that of the SOA which the changes bring (IXFR); otherwise any change takes the next one.
  bool exact_serial = false;
};

struct EditResult {
  bool changed = false;
  uint32_t serial = 0;         ///< as served from now on
  int64_t nodes = 0;           ///< by how many there are more
  int64_t records = 0;
  uint64_t written = 0;        ///< nodes
  uint64_t signatures = 0;     ///< made now
  uint32_t max_ttl = 0;        ///< seconds, of the RRsets that were changed
  /// The TTL of negative answers changed: rewrite_zone() without an image must follow in this transaction, for all NSEC have it (RFC 9077).
  bool needs_rewrite = false;
};

/// What is to become of one name.
struct EditedNode {
  struct Entry {
    Origin origin{};
    RrType type{};
    uint32_t ttl = 0;
    Bytes rdata;
  };
  dns::Name owner;
  zone::NodeView stored;               ///< none where the name is new
  zone::NodeView stored_nsec3;         ///< of a zone that comes signed: what stands under this hash
  std::vector<EditedRrset> rrsets;     ///< ascending type
  std::vector<Entry> provenance;
  bool from_attic = false;
  bool changed = false;

  [[nodiscard]] bool has_content() const;
  [[nodiscard]] Bytes provenance_octets() const;
};

class ZoneEdit {
 public:
  /// `attic` may be null where provenance is not noted.
  ZoneEdit(EditRequest request, zone::NodeTable& nodes, zone::NodeTable& nsec3, zone::OctetTable* attic);

  // Looking: the zone's content after the changes so far. Where the zone is signed here, what the signer made (RRSIG, NSEC, NSEC3,
  // NSEC3PARAM, its own DNSKEY, CDS, CDNSKEY) is no content. Names in any case, at or below the apex.
  /// Null where there is none. Valid until the next change at that name.
  [[nodiscard]] const EditedRrset* find(NameView owner, RrType type);
  /// Ascending type; empty where the name is not in use (RFC 2136 §2.4.4).
  [[nodiscard]] const std::vector<EditedRrset>& rrsets(NameView owner);

  // Changing. True where it made a difference. No semantic rule is checked here.
  /// One record more. Its TTL becomes that of the RRset (RFC 2181 §5.2). SOA, CNAME and DNAME take the place of the one that is there.
  /// RRSIG joins the RRset that it covers. What only a signer makes is ignored where we sign.
  bool add(NameView owner, RrType type, uint32_t ttl, ByteView rdata);
  bool remove(NameView owner, RrType type, ByteView rdata);
  bool remove_rrset(NameView owner, RrType type);
  bool remove_name(NameView owner);

  /// From here on changes can be taken back; forgets an earlier one.
  void set_savepoint();
  /// Back to the savepoint, which stays.
  void roll_back();
  [[nodiscard]] bool has_changes() const;

  /// Writes everything. Io and Full from the tables; Full where an RRset does not fit a message. Once.
  Result<EditResult> finish(Parallel& parallel);

 private:
  EditedNode& at(NameView owner);
  EditedNode& for_change(NameView owner);
  void load(EditedNode& node, const Bytes& key);
  bool remove_signature(NameView owner, ByteView rdata);
  void note(EditedNode& node, RrType type, uint32_t ttl, ByteView rdata, bool is_added);
  [[nodiscard]] bool is_ignored(RrType type) const;

  EditRequest r_;
  zone::NodeTable& nodes_;
  zone::NodeTable& nsec3_;
  zone::OctetTable* attic_;
  std::map<Bytes, EditedNode> edits_;  // by canonical key relative to the apex
  bool has_savepoint_ = false;
  std::map<Bytes, EditedNode> undo_;
};

}  // namespace steward::change
