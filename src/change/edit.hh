#pragma once
// ZoneEdit: a zone changed record by record inside one write transaction: what UPDATE (RFC 2136) and IXFR (RFC 1995) do.
//
// Looking and changing go to the names that are touched only. finish() then makes of them what a rewrite would have made: empty
// non-terminals, what a cut hides, NSEC or NSEC3 of the names that changed and of their neighbours, signatures, the serial; the nodes
// are what a rewrite of the same content would leave.
//
// Writer thread. No I/O of its own, no clock. After an error of finish() the transaction must not be committed.

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/parallel.hh"
#include "change/finisher.hh"
#include "sign/zonemd.hh"
#include "zone/key_order.hh"
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
  uint32_t step = 0;                   ///< the savepoint after which it was changed last
  uint32_t kept = 0;                   ///< the savepoint for which a copy of it is kept
  const std::vector<SignedAhead>* ahead = nullptr;  ///< what SignAhead made of it

  [[nodiscard]] bool has_content() const;
  [[nodiscard]] Bytes provenance_octets() const;
};

/// By canonical key relative to the apex.
using EditedNodes = std::map<Bytes, EditedNode, zone::KeyOrder>;

class SignAhead;

class ZoneEdit {
 public:
  /// `attic` may be null where provenance is not noted.
  ZoneEdit(EditRequest request, zone::NodeTable& nodes, zone::NodeTable& nsec3, zone::OctetTable* attic);
  ~ZoneEdit();
  ZoneEdit(const ZoneEdit&) = delete;
  ZoneEdit& operator=(const ZoneEdit&) = delete;

  /// From here on helpers sign the names that several savepoints have left alone, while others are changed. The same `parallel` for finish().
  void sign_ahead(Parallel& parallel);

  // Looking: the zone's content after the changes so far. Where the zone is signed here, what the signer made (RRSIG, NSEC, NSEC3,
  // NSEC3PARAM, its own DNSKEY, CDS, CDNSKEY) is no content. Names in any case, at or below the apex.
  /// Null where there is none. Valid until the next change at that name.
  [[nodiscard]] const EditedRrset* find(NameView owner, RrType type);
  /// Ascending type; empty where the name is not in use (RFC 2136 §2.4.4).
  [[nodiscard]] const std::vector<EditedRrset>& rrsets(NameView owner);
  /// Names that have a node as the transaction holds them, without the changes of this edit, in canonical order: those whose keys
  /// relative to the apex are above `after` and not above `last` (empty: to the end), no more than `most`.
  [[nodiscard]] std::vector<dns::Name> stored_names(ByteView after, ByteView last, size_t most);

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
  void begin_change(EditedNode& node);
  void touch(EditedNode& node);
  void keep(EditedNode& node);
  void load(EditedNode& node, const Bytes& key);
  bool remove_signature(NameView owner, ByteView rdata);
  void note(EditedNode& node, RrType type, uint32_t ttl, ByteView rdata, bool is_added);
  bool add_to_others(EditedNode& node, RrType type, uint32_t ttl, ByteView rdata);
  [[nodiscard]] bool is_ignored(RrType type) const;
  void leave(size_t steps);

  EditRequest r_;
  zone::NodeTable& nodes_;
  zone::NodeTable& nsec3_;
  zone::OctetTable* attic_;
  EditedNodes edits_;
  /// Names that were asked for a moment ago, by a hash of theirs: the rules look at one again and again.
  std::array<EditedNode*, 256> recent_{};
  /// How a change is taken back.
  struct Undo {
    EditedNode* node = nullptr;
    std::unique_ptr<EditedNode> before;  // null: the record is taken out again, and what was noted last with it
    RrType type{};
    Bytes rdata;
    uint32_t step = 0;
    bool changed = false;
  };
  std::vector<Undo> undo_;  // since the savepoint
  uint32_t step_ = 0;       // savepoints so far
  std::deque<std::pair<uint32_t, EditedNode*>> left_behind_;  // changed in this step, and perhaps not since
  std::unique_ptr<SignAhead> ahead_;
};

}  // namespace steward::change
