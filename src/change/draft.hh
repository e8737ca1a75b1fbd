#pragma once
// A node as it is to become: RRsets gathered from a zone file, from what is stored, and from the signer.
//
// Provenance: a record of a node comes from the zone file unless the node says otherwise (NodeView::provenance()). So a reload knows
// what is the file's to change: Dynamic records survive it, Withdrawn ones stay away though the file still has them, the
// Signer's own are made anew each time.
//
// Views point into the zone image, into stored nodes or into octets that the draft holds. One thread at a time.

#include <deque>
#include <span>
#include <vector>

#include "base/bytes.hh"
#include "base/result.hh"
#include "dns/name.hh"
#include "zone/node.hh"

namespace steward::change {

using dns::NameView;
using dns::RrType;

enum class Origin : uint8_t {
  Dynamic = 1,    ///< added by an update; not in the zone file
  Withdrawn = 2,  ///< in the zone file, deleted by an update; not served
  Signer = 3,     ///< made here: DNSKEY, CDS, CDNSKEY, NSEC3PARAM at the apex
};

struct ProvenanceEntry {
  Origin origin{};
  RrType type{};
  uint32_t ttl = 0;
  ByteView rdata;
};

void append_provenance(Bytes& out, const ProvenanceEntry& entry);
/// What a stored node says; empty for the usual node, whose records are all the file's.
std::vector<ProvenanceEntry> read_provenance(ByteView provenance);

class NodeDraft {
 public:
  void clear();

  /// RDATA in canonical order without repeats, as in RrsetInput. Types may come in any order, each once.
  void add(RrType type, uint32_t ttl, std::span<const ByteView> rdatas, std::span<const ByteView> rrsigs = {});
  /// One record more for a type that may be there already, which keeps its TTL; nothing happens for a repeat.
  void add_record(RrType type, uint32_t ttl, ByteView rdata);
  void remove_record(RrType type, ByteView rdata);
  void remove_type(RrType type);
  void set_soa_serial(uint32_t serial);
  /// Keeps octets for as long as the draft is not cleared.
  ByteView hold(Bytes octets) { return held_.emplace_back(std::move(octets)); }
  void note(const ProvenanceEntry& entry) { append_provenance(provenance_, entry); }
  /// Takes back what was noted of this type with this origin.
  void forget(Origin origin, RrType type);

  [[nodiscard]] bool empty() const { return rrsets_.empty(); }
  [[nodiscard]] bool has(RrType type) const;
  /// RRsets in ascending order of type, as build_node takes them. Valid until the draft changes.
  std::span<zone::RrsetInput> rrsets();
  [[nodiscard]] ByteView provenance() const { return provenance_; }

 private:
  struct Entry {
    RrType type;
    uint32_t ttl;
    size_t first;  // into views_
    size_t count;
    size_t sig_first;
    size_t sig_count;
  };
  Entry* find(RrType type);

  std::vector<Entry> rrsets_;
  std::vector<ByteView> views_;
  std::deque<Bytes> held_;
  Bytes provenance_;
  std::vector<zone::RrsetInput> inputs_;
};

/// What of the signer's own is left out when a stored node is taken up again.
enum class Keep : uint8_t {
  All,             ///< a zone that is not signed here: NSEC and RRSIG are the file's
  WithoutSigner,   ///< without NSEC, RRSIG and the records whose origin is Signer
};

/// Fills `draft` with what is stored. The node must stay where it is.
void draft_stored(zone::NodeView node, Keep keep, NodeDraft& draft);

/// Fills `draft` with what the file says at a name, changed by what updates did there since the file was last read, as `provenance` of the stored
/// node says. A signed zone's own RRSIG, NSEC and NSEC3PARAM are dropped where we sign (`keep`). Where both cannot be (RFC 1034 §3.6.2, RFC 2181
/// §10.1: a CNAME beside other data, two CNAMEs or DNAMEs) the file has its way.
void draft_file(std::span<const zone::RrsetInput> file, ByteView provenance, Keep keep, NodeDraft& draft);

}  // namespace steward::change
