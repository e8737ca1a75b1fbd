#pragma once
// The image of a zone file while it is made and after: records in an arena, chained by owner.
//
// Filled by the loader, or by a zone transfer (add_file, add), put in order once (arrange), looked at by the checks,
// then read through ZoneImage. Each record takes 16 octets and its RDATA; a node 16 octets and its name. Used by one
// thread.

#include <memory>
#include <optional>
#include <vector>

#include "zone/arena.hh"
#include "zone/file_report.hh"
#include "zone/image.hh"
#include "zone/owner_table.hh"

namespace steward::zone {

/// A record as it lies in the arena; its RDATA, uncompressed, follows.
struct FileRecord {
  ArenaRef next;  ///< of the same owner; 0 at the end
  uint32_t line;  ///< where its entry begins in its file
  uint32_t ttl;
  uint16_t type_value;
  uint16_t size;

  [[nodiscard]] RrType type() const { return static_cast<RrType>(type_value); }
  [[nodiscard]] ByteView rdata() const { return {reinterpret_cast<const uint8_t*>(this + 1), size}; }
  /// The type by which it is grouped: for an RRSIG the type that it covers (RFC 4034 §3.1.1).
  [[nodiscard]] RrType group() const {
    return type() == RrType::RRSIG && size >= 2 ? static_cast<RrType>(load_u16(rdata().data())) : type();
  }
};

class FileImage final : public ZoneImage {
 public:
  /// Where names and records lie, as Arena takes it: by default in anonymous memory.
  struct Files {
    int names = Arena::no_file;
    int records = Arena::no_file;
  };
  /// `most`: octets of names, and of records.
  explicit FileImage(NameView apex, size_t most = Arena::most_octets) : FileImage(apex, most, Files()) {}
  FileImage(NameView apex, size_t most, Files files) : owners_(apex, most, files.names), arena_(most, files.records) {}

  // Making it.
  /// Records added from now on come from `file`.
  void set_file(const std::string& file);
  /// `file` was read or should have been: it is one of files().
  void add_file(const std::string& file);
  OwnerTable& owners() { return owners_; }
  /// False where memory runs out, or the limit of octets is reached.
  bool add(NodeIndex node, RrType type, uint32_t ttl, uint32_t line, ByteView rdata);
  /// Canonical order of nodes, RRsets and RDATA, no repeats, one TTL an RRset; reports what RFC 2181 §5.2 and RFC 4035
  /// §2.2 say against the records. Once, after the last add().
  void arrange(FileReport& report);

  // Looking at it, after arrange(). Nodes by their place in canonical order.
  [[nodiscard]] NodeIndex node_at(size_t place) const { return order_[place]; }
  [[nodiscard]] const FileRecord* first(NodeIndex node) const { return record(first_[node]); }
  [[nodiscard]] const FileRecord* after(const FileRecord* one) const { return record(one->next); }
  /// The nodes that have NS records, in no order.
  [[nodiscard]] const std::vector<NodeIndex>& nodes_with_ns() const { return with_ns_; }
  /// Asks for the records of the node at `place`, if there is one, to be fetched into the cache.
  void prefetch(size_t place) const {
    if (place < order_.size()) __builtin_prefetch(arena_.at(first_[order_[place]]));
  }
  /// How far ahead a walk in canonical order, which jumps about in the file's, should prefetch.
  static constexpr size_t prefetch_distance = 12;
  /// File, line, and the record's owner and type as text.
  FileMessage place_of(const FileRecord& record, NodeIndex node);

  // ZoneImage.
  [[nodiscard]] NameView apex() const override { return owners_.apex(); }
  [[nodiscard]] size_t node_count() const override { return order_.size(); }
  [[nodiscard]] size_t record_count() const override { return record_count_; }
  [[nodiscard]] uint32_t max_ttl() const override { return max_ttl_; }
  bool next(Node& node) override;
  void rewind() override { at_ = 0; }
  [[nodiscard]] const std::vector<std::string>& files() const override { return files_; }

 private:
  [[nodiscard]] const FileRecord* record(ArenaRef ref) const {
    return ref == 0 ? nullptr : reinterpret_cast<const FileRecord*>(arena_.at(ref));
  }
  [[nodiscard]] FileRecord& record_at(ArenaRef ref) { return *reinterpret_cast<FileRecord*>(arena_.at(ref)); }
  struct Item {
    uint32_t key;  // group, then whether it is an RRSIG
    ArenaRef ref;
    friend auto operator<=>(const Item&, const Item&) = default;
  };
  void arrange_node(NodeIndex node, FileReport& report);
  size_t arrange_rrset(std::span<Item> rrset, NodeIndex node, FileReport& report);
  size_t sort_rdata(std::span<Item> rrset);
  void sort_nodes();

  OwnerTable owners_;
  Arena arena_;
  std::vector<ArenaRef> first_;  // by node
  std::vector<ArenaRef> last_;   // by node, until arrange()
  std::vector<NodeIndex> order_;
  std::vector<NodeIndex> with_ns_;
  std::vector<std::string> files_;
  struct FileRange {
    ArenaRef from;     // records from here on …
    std::string file;  // … come from this file, until the next range
  };
  std::vector<FileRange> ranges_;
  size_t record_count_ = 0;
  uint32_t max_ttl_ = 0;
  size_t at_ = 0;

  // What next() and arrange() work with, kept so that they allocate nothing per node.
  struct Sorted {
    ByteView rdata;  // in canonical form
    Item item;
  };
  std::vector<Item> items_;
  std::vector<Sorted> sorting_;
  std::vector<ByteView> views_;
  std::vector<RrsetInput> rrsets_;
  Bytes canonical_;
};

}  // namespace steward::zone
