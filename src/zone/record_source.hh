#pragma once
// The records of a whole zone, name by name, whatever holds it: an image of a file or of a transfer, or the stored
// nodes.
//
// What looks at a zone as a whole (its digest, a catalog of zones) is written over this once. Names come in canonical
// order, NSEC3 records at their hashed owner names among them (RFC 5155 §3); empty non-terminals do not come. Used by
// one thread; what it reads from must stay and must not change meanwhile.

#include <optional>
#include <span>
#include <vector>

#include "zone/image.hh"
#include "zone/node_table.hh"

namespace steward::zone {

class RecordSource {
 public:
  virtual ~RecordSource() = default;

  struct Node {
    NameView owner;
    std::span<const RrsetInput> rrsets;  ///< ascending type, RDATA uncompressed, RRSIGs with what they cover
  };
  [[nodiscard]] virtual NameView apex() const = 0;
  /// `node` is valid until the next call. False after the last.
  virtual bool next(Node& node) = 0;
  virtual void rewind() = 0;
};

/// A zone file or a transfer. Rewinds the image.
class ImageRecords final : public RecordSource {
 public:
  explicit ImageRecords(ZoneImage& image) : image_(image) { image_.rewind(); }
  [[nodiscard]] NameView apex() const override { return image_.apex(); }
  bool next(Node& node) override;
  void rewind() override { image_.rewind(); }

 private:
  ZoneImage& image_;
};

/// The two tables of a stored zone.
class TableRecords final : public RecordSource {
 public:
  TableRecords(NameView apex, NodeTable& nodes, NodeTable& nsec3);
  /// As if this node stood at the apex: the one that is to be written. None: what stands there.
  void set_apex_node(NodeView node) {
    apex_node_ = node;
    rewind();
  }
  [[nodiscard]] NameView apex() const override { return apex_; }
  bool next(Node& node) override;
  void rewind() override;

 private:
  void step_nodes();
  void step_nsec3();
  void gather(NodeView node);
  void set_views();

  struct Gathered {
    RrType type;
    uint32_t ttl;
    size_t first;  // into sizes_
    size_t count;
    size_t sig_count;  // behind them
  };

  dns::Name apex_;
  NodeTable& nodes_;
  NodeTable& nsec3_;
  NodeView apex_node_;
  Bytes node_key_;
  NodeView node_;
  Bytes hash_;
  NodeView hashed_;
  Bytes hashed_key_;  // what the key of the hashed owner would be among the names
  // One name's records, reused.
  dns::Name owner_;
  Bytes octets_;
  std::vector<size_t> sizes_;
  std::vector<Gathered> gathered_;
  std::vector<ByteView> views_;
  std::vector<RrsetInput> rrsets_;
};

}  // namespace steward::zone
