#pragma once
// A stored node: all RRsets of one owner name, laid out so that an answer is copied out of it.
//
// A node is one immutable run of octets ("blob"), written once by NodeBuilder, read in place through NodeView by
// any number of threads, and replaced as a whole. src/store/FORMAT.md has the layout to the octet.
//
// An RRset's RRs stand in wire form one after the other, directly followed by the RRSIGs that cover it, so that an
// answer with DO set is one copy and one without is a shorter one. Each RR begins with the two octets C0 0C: a
// compression pointer to offset 12, where the question's name stands. Names in compressible RDATA may end in a
// pointer too, always at or above offset 12 and within the owner's own name, as if that stood at offset 12. So
// a node whose owner is the QNAME is copied as it is; everywhere else write_rrset() moves the pointers.

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.hh"
#include "base/result.hh"
#include "dns/name.hh"
#include "dns/rr_type.hh"

namespace steward::zone {

using dns::NameView;
using dns::RrType;

enum NodeFlag : uint16_t {
  node_apex = 1,              ///< the zone's own name
  node_cut = 2,               ///< has NS and is not the apex: a delegation
  node_cname = 4,             ///< has CNAME
  node_dname = 8,             ///< has DNAME
  node_occluded = 16,         ///< below a cut or a DNAME: glue at best, never authoritative
  node_wildcard_child = 32,   ///< `*.<this name>` exists
  node_children = 64,         ///< some name exists below this one
  node_nsec3 = 128,           ///< not a name of the zone but of its NSEC3 chain (RFC 5155 §3)
};

/// One RRset of a node, borrowed from its blob.
struct StoredRrset {
  RrType type{};
  uint16_t rr_count = 0;
  uint16_t sig_count = 0;
  ByteView rrs;             ///< the RRs, in wire form, owner C0 0C
  ByteView rrs_with_sigs;   ///< the same, and the RRSIGs after them; equals `rrs` where there are none

  [[nodiscard]] uint32_t ttl() const { return load_u32(rrs.data() + 6); }
  [[nodiscard]] ByteView sigs() const { return rrs_with_sigs.subspan(rrs.size()); }
};

/// One RR inside a StoredRrset: `rdata` may end in a compression pointer where the type allows it.
struct StoredRr {
  uint32_t ttl;
  ByteView rdata;
};

/// Steps through the RRs of StoredRrset::rrs, sigs() or rrs_with_sigs.
class StoredRrReader {
 public:
  explicit StoredRrReader(ByteView rrs) : at_(rrs.data()), end_(rrs.data() + rrs.size()) {}
  [[nodiscard]] bool done() const { return at_ == end_; }
  /// Octets not yet read.
  [[nodiscard]] size_t left() const { return static_cast<size_t>(end_ - at_); }
  StoredRr next() {
    const size_t size = load_u16(at_ + 10);
    const StoredRr rr{load_u32(at_ + 6), ByteView(at_ + 12, size)};
    at_ += 12 + size;
    return rr;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

class NodeView {
 public:
  /// No node.
  NodeView() = default;
  /// A blob that check() has accepted, or that NodeBuilder made.
  explicit NodeView(const uint8_t* blob) : blob_(blob) {}

  explicit operator bool() const { return blob_ != nullptr; }
  [[nodiscard]] const uint8_t* data() const { return blob_; }
  [[nodiscard]] size_t size() const;
  /// Id of the zone that it belongs to.
  [[nodiscard]] uint32_t zone() const;
  [[nodiscard]] uint16_t flags() const;
  [[nodiscard]] bool is(NodeFlag flag) const { return (flags() & flag) != 0; }
  /// In the case of the zone file.
  [[nodiscard]] NameView owner() const;
  /// 0 for an empty non-terminal.
  [[nodiscard]] size_t rrset_count() const;
  /// RRsets in ascending order of type; RRSIG is not among them, NSEC is.
  [[nodiscard]] StoredRrset rrset(size_t index) const;
  [[nodiscard]] std::optional<StoredRrset> find(RrType type) const;
  /// The apex only: the SOA RRset with the TTL of a negative answer, min(TTL, MINIMUM) (RFC 2308 §3), and its RRSIG with that TTL.
  [[nodiscard]] std::optional<StoredRrset> negative_soa() const;
  /// A digest of what the zone file says at this name, 0 where it says nothing; how a reload sees that a node is unchanged.
  [[nodiscard]] uint64_t file_digest() const;
  /// When the first of its RRSIGs expires, in seconds as in RRSIG (RFC 4034 §3.1.5); 0 where it has none.
  [[nodiscard]] uint32_t earliest_expiration() const;
  /// What the change set keeps to itself beside the answers (zone/change.hh): where each record came from.
  [[nodiscard]] ByteView provenance() const;

  /// Whether these octets are a well-formed blob whose checksum holds. Corrupt, with what is wrong, otherwise.
  static Result<NodeView> check(ByteView blob);

 private:
  const uint8_t* blob_ = nullptr;
};

/// Appends RDATA as it is stored to `out` without compression, given the node's owner.
void expand_rdata(RrType type, ByteView stored_rdata, NameView owner, Bytes& out);

/// Where an RRset goes in a message.
struct OwnerPlace {
  uint16_t offset;  ///< of the owner's name in the message: a question's, or one in RDATA, itself compressed or not
};

/// Writes an RRset whole or not at all: false, and `out` as before, where it does not fit. The message starts at the
/// beginning of `out`'s memory. The owner written is the name at `place`: the node's `owner`, or a name that it matches as a
/// wildcard (RFC 4592); pointers in RDATA are moved accordingly.
[[nodiscard]] bool write_rrset(ByteWriter& out, const StoredRrset& rrset, NameView owner, OwnerPlace place, bool with_sigs);

/// The same, all RRSIGs included, for an owner that is written out in front of its first RR, as in a transfer: `out` stands right
/// behind the owner's name, which begins at `place`, 16,128 at most.
[[nodiscard]] bool write_rrset_behind_owner(ByteWriter& out, const StoredRrset& rrset, NameView owner, OwnerPlace place);

/// What NodeBuilder takes: RDATA in wire form, uncompressed, in canonical order, without repeats.
struct RrsetInput {
  RrType type{};
  uint32_t ttl = 0;
  std::span<const ByteView> rdatas;
  std::span<const ByteView> rrsigs;  ///< RDATA of the RRSIGs that cover it
};

struct NodeInput {
  uint32_t zone = 0;
  NameView owner;
  uint16_t flags = 0;
  std::span<const RrsetInput> rrsets;  ///< ascending type
  uint64_t file_digest = 0;
  ByteView provenance;
};

/// A copy of the blob with other flags.
Bytes with_flags(NodeView node, uint16_t flags);

/// Appends the blob of a node to `out`, whose size must be and stays a multiple of 8; Full where an RRset with its
/// RRSIGs exceeds what a message can carry.
Result<void> build_node(const NodeInput& node, Bytes& out);

}  // namespace steward::zone
