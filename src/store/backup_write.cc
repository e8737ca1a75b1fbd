// From the store to a backup.

#include "store/backup_frames.hh"

namespace steward::store {
namespace {

void append_u64(Bytes& to, uint64_t number) {
  append_u32(to, static_cast<uint32_t>(number >> 32));
  append_u32(to, static_cast<uint32_t>(number));
}

void append_rdata(Bytes& to, ByteView rdata) {
  append_u16(to, static_cast<uint16_t>(rdata.size()));
  append(to, rdata);
}

class BackupWriter final : public WalkVisitor {
 public:
  explicit BackupWriter(const BackupSink& sink) : frames_(sink) {}

  Result<void> begin() { return frames_.begin(); }

  Result<void> zone(const ZoneRecord& zone) override {
    if (auto flushed = flush(); !flushed) return flushed;
    return frames_.frame(FrameKind::Zone, as_bytes(zone.to_json()));
  }

  Result<void> node(zone::NodeView node) override {
    const FrameKind kind = node.is(zone::node_nsec3) ? FrameKind::Hashes : FrameKind::Names;
    if (kind != kind_ || nodes_.size() >= frame_full)
      if (auto flushed = flush(); !flushed) return flushed;
    kind_ = kind;
    add(node);
    return {};
  }

  Result<void> withdrawn(ByteView key, ByteView provenance) override {
    if (kind_ != FrameKind::Withdrawn || nodes_.size() >= frame_full)
      if (auto flushed = flush(); !flushed) return flushed;
    kind_ = FrameKind::Withdrawn;
    append_u16(nodes_, static_cast<uint16_t>(key.size()));
    append(nodes_, key);
    append_u32(nodes_, static_cast<uint32_t>(provenance.size()));
    append(nodes_, provenance);
    return {};
  }
  Result<void> entry(ZoneTable table, ByteView key, ByteView octets) override {
    if (kind_ != FrameKind::Table || table_ != table || nodes_.size() >= frame_full)
      if (auto flushed = flush(); !flushed) return flushed;
    kind_ = FrameKind::Table;
    table_ = table;
    if (nodes_.empty()) append_u8(nodes_, static_cast<uint8_t>(table));
    append_u16(nodes_, static_cast<uint16_t>(key.size()));
    append(nodes_, key);
    append_u32(nodes_, static_cast<uint32_t>(octets.size()));
    append(nodes_, octets);
    return {};
  }
  Result<void> state(ByteView octets) override {
    if (auto flushed = flush(); !flushed) return flushed;
    return frames_.frame(FrameKind::State, octets);
  }

  Result<void> finish(const Census& census) {
    if (auto flushed = flush(); !flushed) return flushed;
    return frames_.frame(FrameKind::End, as_bytes(end_text(census)));
  }

 private:
  void add(zone::NodeView node);
  Result<void> flush() {
    if (nodes_.empty()) return {};
    auto written = frames_.frame(kind_, nodes_);
    nodes_.clear();
    return written;
  }

  FrameWriter frames_;
  FrameKind kind_ = FrameKind::Names;
  ZoneTable table_ = ZoneTable::Agents;
  Bytes nodes_;
  Bytes rdata_;
};

void BackupWriter::add(zone::NodeView node) {
  append_u8(nodes_, static_cast<uint8_t>(node.owner().size()));
  append(nodes_, node.owner().wire());
  append_u16(nodes_, node.flags());
  append_u64(nodes_, node.file_digest());
  append_u32(nodes_, static_cast<uint32_t>(node.provenance().size()));
  append(nodes_, node.provenance());
  append_u16(nodes_, static_cast<uint16_t>(node.rrset_count()));
  for (size_t i = 0; i < node.rrset_count(); ++i) {
    const zone::StoredRrset rrset = node.rrset(i);
    append_u16(nodes_, value(rrset.type));
    append_u32(nodes_, rrset.ttl());
    append_u16(nodes_, rrset.rr_count);
    append_u16(nodes_, rrset.sig_count);
    for (zone::StoredRrReader rrs(rrset.rrs); !rrs.done();) {
      rdata_.clear();
      zone::expand_rdata(rrset.type, rrs.next().rdata, node.owner(), rdata_);
      append_rdata(nodes_, rdata_);
    }
    for (zone::StoredRrReader sigs(rrset.sigs()); !sigs.done();) append_rdata(nodes_, sigs.next().rdata);
  }
}

}  // namespace

Result<Census> write_backup(const Reader& reader, const BackupSink& sink, const Progress& progress) {
  BackupWriter writer(sink);
  if (auto begun = writer.begin(); !begun) return tl::unexpected<Error>(begun.error());
  auto census = walk(reader, writer, progress);
  if (!census) return census;
  if (auto finished = writer.finish(*census); !finished) return tl::unexpected<Error>(finished.error());
  return census;
}

}  // namespace steward::store
