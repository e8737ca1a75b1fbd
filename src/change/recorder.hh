#pragma once
// Recorder: what a change makes of a zone, seen at its tables: the difference for the journal.
//
// Put between a rewrite or an edit and the tables of its transaction. It keeps for each key that is written what stood there before; the
// difference is taken at the end, against what stands there then, so that what is written twice counts once. Writer thread.

#include <map>
#include <optional>

#include "base/parallel.hh"
#include "zone/difference.hh"
#include "zone/node_table.hh"

namespace steward::change {

class Recorder {
 public:
  /// Over `most_nodes` written keys nothing is kept any more: such a change is no difference but another zone.
  Recorder(zone::NodeTable& nodes, zone::NodeTable& nsec3, size_t most_nodes);

  [[nodiscard]] zone::NodeTable& nodes() { return nodes_; }
  [[nodiscard]] zone::NodeTable& nsec3() { return nsec3_; }

  /// From the SOA that was to the SOA that is. Nothing where too much was written, or the SOA is as it was.
  [[nodiscard]] std::optional<zone::Difference> difference(Parallel& parallel);

  /// One node as it was and as it is.
  struct Change {
    zone::NodeView before;
    zone::NodeView after;
  };

 private:
  class Table final : public zone::NodeTable {
   public:
    Table(zone::NodeTable& inner, size_t most) : inner_(inner), most_(most) {}
    [[nodiscard]] zone::NodeView find(ByteView key) override { return inner_.find(key); }
    [[nodiscard]] zone::NodeView at_or_after(Bytes& key) override { return inner_.at_or_after(key); }
    [[nodiscard]] zone::NodeView before(Bytes& key) override { return inner_.before(key); }
    Result<void> put(ByteView key, ByteView blob) override;
    Result<void> erase(ByteView key) override;

    std::map<Bytes, zone::NodeView> originals;
    bool overflowed = false;

   private:
    void keep(ByteView key);
    zone::NodeTable& inner_;
    size_t most_;
  };

  Table nodes_;
  Table nsec3_;
};

}  // namespace steward::change
