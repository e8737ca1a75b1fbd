#pragma once
// The node log: where nodes lie, apart from the tree that finds them.
//
// One logical run of octets, cut into segment files of 64 MiB, all mapped read-only into one reserved range of addresses:
// a node's place is its position in the log, and its address is base + position. Nodes are appended, never changed, and
// reach the disk (sync) before the LMDB commit that points at them; what lies past the committed end after a crash
// is written over. A segment whose nodes have all moved on is dropped as a whole.
//
// append, flush, sync and drop are the writer thread's; at() is anybody's, for positions below flushed_end().

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.hh"
#include "base/result.hh"

namespace steward::store {

/// A position in the node log, in octets; a multiple of 8 below 2^43, so that 40 bits hold it.
using NodePosition = uint64_t;

class NodeLog {
 public:
  static constexpr uint64_t segment_size = uint64_t{64} << 20;

  /// Opens the log in `folder`, whose committed end is `end`, with room for `reserve` octets of addresses.
  static Result<std::unique_ptr<NodeLog>> open(std::string folder, NodePosition end, uint64_t reserve);
  ~NodeLog();
  NodeLog(const NodeLog&) = delete;
  NodeLog& operator=(const NodeLog&) = delete;

  [[nodiscard]] const uint8_t* at(NodePosition position) const { return base_ + position; }
  [[nodiscard]] NodePosition end() const { return end_; }
  [[nodiscard]] NodePosition flushed_end() const { return end_ - pending_.size(); }
  [[nodiscard]] const uint8_t* base() const { return base_; }
  static uint64_t segment_of(NodePosition position) { return position / segment_size; }

  /// Takes a node of at most segment_size octets; it never crosses from one segment into the next.
  Result<NodePosition> append(ByteView node);
  /// Hands what is pending to the kernel, so that at() reaches it. Full where the disk is.
  Result<void> flush();
  /// flush(), and on the disk when it returns.
  Result<void> sync();
  /// Brings the first `end` octets into memory and into the page table, so that the first answers do not wait for the disk a page at a
  /// time. Any thread; does nothing where that
  /// were more than a quarter of the machine's memory.
  void warm(NodePosition end) const;
  /// Takes back everything from `end` on: an aborted transaction. Its segments give their room on the disk back.
  void rewind(NodePosition end);
  /// Corrupt where the segment's file was not there at open, or not in its whole size.
  [[nodiscard]] Result<void> check_segment(uint64_t segment) const;
  /// One more than the highest segment that there is.
  [[nodiscard]] uint64_t segments() const { return files_.size(); }
  /// Removes a segment that nothing points at and no reader looks at.
  void drop(uint64_t segment);

 private:
  NodeLog(std::string folder, NodePosition end, uint8_t* base, uint64_t reserve)
      : folder_(std::move(folder)), end_(end), base_(base), reserve_(reserve) {}
  [[nodiscard]] std::string path_of(uint64_t segment) const;
  Result<void> open_segment(uint64_t segment);
  void start_writing_back(NodePosition from, NodePosition to);
  void make_room_ahead(NodePosition from);

  std::string folder_;
  NodePosition end_;          // of what was appended
  Bytes pending_;             // the last octets before end_, not yet written
  uint8_t* base_;
  uint64_t reserve_;
  std::vector<int> files_;    // by segment; -1 where it is not open
  std::set<uint64_t> dirty_;  // segments written since the last sync
  bool folder_dirty_ = false;  // a segment was made since the last sync
  NodePosition room_end_ = 0;  // up to here behind end_ the file has blocks of its own
  std::set<uint64_t> short_;  // segments whose files were too short at open
};

}  // namespace steward::store
