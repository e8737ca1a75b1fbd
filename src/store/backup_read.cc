// From a backup to the store. What a backup says is not believed: the answer path trusts what stands in a store.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "dns/encoding.hh"
#include "dns/rdata.hh"
#include "store/backup_frames.hh"
#include "store/state.hh"

namespace steward::store {
namespace {

constexpr uint64_t commit_step = uint64_t{64} << 20;  // octets of nodes a transaction
constexpr size_t least_soa = 22;

/// One node out of a frame; its views point into the frame.
struct ReadNode {
  zone::NodeInput input;
  std::vector<ByteView> rdatas;  // of all RRsets, RRSIGs behind what they cover
  std::vector<zone::RrsetInput> rrsets;
};

Result<void> check_one(dns::RrType type, ByteView rdata) {
  if (auto right = dns::check_rdata(type, rdata); !right) return fail(to_text(type), right.error());
  if (type == dns::RrType::SOA && rdata.size() < least_soa) return fail(Errc::Invalid, "SOA: too short");
  return {};
}

tl::unexpected<Error> incomplete() { return fail(Errc::Invalid, "a node runs past the end of its frame"); }

Result<void> read_rrsets(ByteReader& in, ReadNode& node) {
  struct Counts {
    dns::RrType type;
    uint32_t ttl;
    size_t rrs;
    size_t sigs;
  };
  std::vector<Counts> counts(in.u16());
  if (!in.ok()) return incomplete();
  node.rdatas.clear();
  uint32_t before = 0;
  for (Counts& rrset : counts) {
    rrset = {static_cast<dns::RrType>(in.u16()), in.u32(), in.u16(), in.u16()};
    if (!in.ok()) return incomplete();
    if (rrset.rrs == 0) return fail(Errc::Invalid, to_text(rrset.type) + ": an RRset without a record");
    if (value(rrset.type) <= before && &rrset != counts.data())
      return fail(Errc::Invalid, to_text(rrset.type) + ": RRsets are not in order of type");
    before = value(rrset.type);
    for (size_t i = 0; i < rrset.rrs + rrset.sigs; ++i) {
      const ByteView rdata = in.bytes(in.u16());
      if (!in.ok()) return incomplete();
      if (auto right = check_one(i < rrset.rrs ? rrset.type : dns::RrType::RRSIG, rdata); !right) return right;
      node.rdatas.push_back(rdata);
    }
  }
  node.rrsets.clear();
  std::span<const ByteView> left(node.rdatas);
  for (const Counts& rrset : counts) {
    node.rrsets.push_back({rrset.type, rrset.ttl, left.first(rrset.rrs), left.subspan(rrset.rrs, rrset.sigs)});
    left = left.subspan(rrset.rrs + rrset.sigs);
  }
  return {};
}

class BackupReader {
 public:
  BackupReader(Store& store, const BackupSource& source, const Progress& progress)
      : store_(store), frames_(source, progress) {}

  Result<Census> run();

 private:
  Result<void> take(const Frame& frame);
  Result<void> zone(const Frame& frame);
  Result<void> withdrawn(const Frame& frame);
  Result<void> table(const Frame& frame);
  Result<void> state(const Frame& frame);
  Result<void> open();
  Result<void> nodes(const Frame& frame);
  Result<void> node(ByteReader& in, bool nsec3);
  Result<void> put(const ReadNode& node, bool nsec3);
  Result<void> check_flags(const zone::NodeInput& node, bool nsec3) const;
  Result<void> commit();

  Store& store_;
  FrameReader frames_;
  std::unique_ptr<WriteTransaction> write_;
  zone::ZoneInfo info_;
  bool in_zone_ = false;
  bool in_chain_ = false;
  bool has_node_ = false;  // one stands in the present table
  Bytes last_key_;
  uint64_t written_ = 0;  // octets since the last commit
  Census census_;
  ReadNode node_;
  Bytes blob_;
};

Result<Census> BackupReader::run() {
  if (auto begun = frames_.begin(); !begun) return tl::unexpected<Error>(begun.error());
  if (!store_.zones().empty()) return fail(Errc::Exists, "the store has zones already");
  while (true) {
    const auto frame = frames_.frame();
    if (!frame) return tl::unexpected<Error>(frame.error());
    const auto at = [&](const Error& error) { return fail(fmt::format("octet {}", frame->at), error); };
    if (frame->kind == FrameKind::End) {
      if (as_text(frame->body) != end_text(census_))
        return fail(Errc::Corrupt, fmt::format("octet {}: the end says {}, there was {}", frame->at,
                                               as_text(frame->body.first(std::min<size_t>(frame->body.size(), 200))),
                                               end_text(census_)));
      break;
    }
    const auto taken = take(*frame);
    if (!taken) return at(taken.error());
  }
  if (auto ended = frames_.end(); !ended) return tl::unexpected<Error>(ended.error());
  if (auto committed = commit(); !committed) return tl::unexpected<Error>(committed.error());
  return census_;
}

Result<void> BackupReader::commit() {
  written_ = 0;
  if (!write_) return {};
  auto committed = write_->commit();
  write_.reset();
  return committed;
}

Result<void> BackupReader::zone(const Frame& frame) {
  const auto record = ZoneRecord::from_json(0, as_text(frame.body));
  if (!record) return tl::unexpected<Error>(record.error());
  if (auto opened = open(); !opened) return opened;
  if (write_->find_zone(record->info.apex) != nullptr)
    return fail(Errc::Invalid, "zone " + record->info.apex.to_text() + " is there twice");
  ZoneRecord& fresh = write_->add_zone(record->info.apex);
  const uint32_t id = fresh.info.id;
  fresh = *record;
  fresh.info.id = id;
  // The journal is not in a backup: who is behind takes the whole zone once.
  fresh.journal_first = fresh.journal_next = fresh.journal_octets = 0;
  info_ = fresh.info;
  in_zone_ = true;
  in_chain_ = has_node_ = false;
  ++census_.zones;
  return {};
}

Result<void> BackupReader::open() {
  if (write_) return {};
  auto begun = store_.begin_write();
  if (!begun) return tl::unexpected<Error>(begun.error());
  write_ = std::move(*begun);
  return {};
}

Result<void> BackupReader::take(const Frame& frame) {
  switch (frame.kind) {
    case FrameKind::Zone: return zone(frame);
    case FrameKind::Names:
    case FrameKind::Hashes: return nodes(frame);
    case FrameKind::Withdrawn: return withdrawn(frame);
    case FrameKind::Table: return table(frame);
    case FrameKind::State: return state(frame);
    case FrameKind::End: break;
  }
  return fail(Errc::Corrupt, "a frame of an unknown kind");
}

Result<void> BackupReader::withdrawn(const Frame& frame) {
  if (!in_zone_) return fail(Errc::Invalid, "withdrawn names before the first zone");
  if (auto opened = open(); !opened) return opened;
  for (ByteReader in(frame.body); in.left() > 0;) {
    const ByteView key = in.bytes(in.u16());
    const ByteView provenance = in.bytes(in.u32());
    if (!in.ok()) return incomplete();
    if (const auto name = dns::name_of_canonical_key(key, info_.apex); !name) return fail("a withdrawn name", name.error());
    if (auto put = write_->attic(info_.id).put(key, provenance); !put) return put;
  }
  return {};
}

Result<void> BackupReader::table(const Frame& frame) {
  if (!in_zone_) return fail(Errc::Invalid, "a table before the first zone");
  ByteReader in(frame.body);
  const auto* kind = std::find(std::begin(zone_tables), std::end(zone_tables), static_cast<ZoneTable>(in.u8()));
  if (!in.ok() || kind == std::end(zone_tables)) return fail(Errc::Invalid, "a table that there is not");
  while (in.left() > 0) {
    const ByteView key = in.bytes(in.u16());
    const ByteView octets = in.bytes(in.u32());
    if (!in.ok() || key.empty() || octets.empty()) return fail(Errc::Invalid, "an entry of a table that does not hold together");
    if (written_ + octets.size() > commit_step)
      if (auto committed = commit(); !committed) return committed;
    if (auto opened = open(); !opened) return opened;
    written_ += key.size() + octets.size();
    ++census_.entries;
    if (auto put = write_->table(info_.id, *kind).put(key, octets); !put) return put;
  }
  return {};
}

Result<void> BackupReader::state(const Frame& frame) {
  if (!in_zone_) return fail(Errc::Invalid, "state before the first zone");
  if (auto opened = open(); !opened) return opened;
  return write_->put_state(info_.id, frame.body);
}

Result<void> BackupReader::nodes(const Frame& frame) {
  const bool nsec3 = frame.kind == FrameKind::Hashes;
  if (!in_zone_) return fail(Errc::Invalid, "nodes before the first zone");
  if (!nsec3 && in_chain_) return fail(Errc::Invalid, "names behind hashes");
  if (nsec3 && !in_chain_) has_node_ = false;
  in_chain_ = nsec3;
  for (ByteReader in(frame.body); in.left() > 0;)
    if (auto read = node(in, nsec3); !read) return fail("zone " + info_.apex.to_text(), read.error());
  return {};
}

Result<void> BackupReader::node(ByteReader& in, bool nsec3) {
  zone::NodeInput& input = node_.input;
  const ByteView wire = in.bytes(in.u8());
  if (!in.ok()) return incomplete();
  const auto owner = dns::NameView::from_wire(wire);
  if (!owner || owner->size() != wire.size()) return fail(Errc::Invalid, "an owner that is no name");
  const auto wrong = [&](const Error& error) { return fail(owner->to_text(), error); };
  input.zone = info_.id;
  input.owner = *owner;
  input.flags = in.u16();
  const uint64_t digest_high = in.u32();
  input.file_digest = digest_high << 32 | in.u32();
  input.provenance = in.bytes(in.u32());
  if (!in.ok()) return wrong(incomplete().value());
  if (auto right = check_flags(input, nsec3); !right) return wrong(right.error());
  if (auto read = read_rrsets(in, node_); !read) return wrong(read.error());
  input.rrsets = node_.rrsets;
  if (auto stored = put(node_, nsec3); !stored) return wrong(stored.error());
  return {};
}

Result<void> BackupReader::check_flags(const zone::NodeInput& node, bool nsec3) const {
  if (((node.flags & zone::node_nsec3) != 0) != nsec3)
    return fail(Errc::Invalid, "flags: an NSEC3 node among names, or a name among them");
  if (!node.owner.is_at_or_below(info_.apex)) return fail(Errc::Invalid, "outside its zone");
  if (((node.flags & zone::node_apex) != 0) != (node.owner.size() == info_.apex.size()))
    return fail(Errc::Invalid, "flags: the apex, and only that, has 1");
  if (!nsec3) return {};
  // RFC 5155 §3: the hash in base32hex, one label below the apex.
  const auto hash = dns::decode(dns::base32hex, as_text(node.owner.first_label()));
  if (!hash || hash->size() != zone::nsec3_hash_size || node.owner.parent().size() != info_.apex.size())
    return fail(Errc::Invalid, "not the owner of an NSEC3 record");
  return {};
}

Result<void> BackupReader::put(const ReadNode& node, bool nsec3) {
  blob_.clear();
  if (auto built = zone::build_node(node.input, blob_); !built) return built;
  const Bytes key = key_of(zone::NodeView(blob_.data()), info_.apex);
  if (has_node_ && !std::lexicographical_compare(last_key_.begin(), last_key_.end(), key.begin(), key.end()))
    return fail(Errc::Invalid, "out of order");
  last_key_ = key;
  has_node_ = true;
  if (written_ + blob_.size() > commit_step)
    if (auto committed = commit(); !committed) return committed;
  if (auto opened = open(); !opened) return opened;
  written_ += blob_.size();
  ++(nsec3 ? census_.hashes : census_.names);
  census_.records += node.rdatas.size();
  return (nsec3 ? write_->nsec3(info_.id) : write_->nodes(info_.id)).put(key, blob_);
}

}  // namespace

Result<Census> read_backup(Store& fresh, const BackupSource& source, const Progress& progress) {
  return BackupReader(fresh, source, progress).run();
}

}  // namespace steward::store
