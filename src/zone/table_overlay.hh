#pragma once
// What changes do to a table, held back until they are written down together: an OctetTable over another. What one of
// them did is taken back, or kept for all that follow, so that a row which many change reaches the table below once.
//
// ZoneEdit takes back the records of a change that is refused (change/edit.hh); this does the same for the tables
// beside them. One thread.

#include <map>
#include <optional>
#include <vector>

#include "zone/key_order.hh"
#include "zone/octet_table.hh"

namespace steward::zone {

class TableOverlay final : public OctetTable {
 public:
  explicit TableOverlay(OctetTable& below) : below_(below) {}
  TableOverlay(const TableOverlay&) = delete;
  TableOverlay& operator=(const TableOverlay&) = delete;

  [[nodiscard]] Bytes find(ByteView key) override;
  [[nodiscard]] bool at_or_after(Bytes& key) override;
  /// Fails for no other reason than a key that is too long: Invalid.
  Result<void> put(ByteView key, ByteView octets) override;
  Result<void> take(Bytes&& key, Bytes&& octets) override;

  /// Of what was put since the last keep(), in the order in which it came first.
  [[nodiscard]] std::vector<ByteView> keys() const;
  [[nodiscard]] bool is_unchanged() const { return undo_.empty(); }
  /// Forgets what was put since the last keep().
  void drop();
  /// What was put stays.
  void keep();
  /// Writes all that was put to the table below. Its errors.
  Result<void> write_down();
  /// Rows that are held.
  [[nodiscard]] size_t size() const { return rows_.size(); }

 private:
  struct Row {
    Bytes octets;            // empty: removed
    bool is_noted = false;   // in undo_
  };
  using Rows = std::map<Bytes, Row, KeyOrder>;
  /// What a row was at the last keep().
  struct Undo {
    Rows::iterator row;
    std::optional<Bytes> octets;  // nothing: it was not there
  };
  void note(Rows::iterator row, bool is_new);

  OctetTable& below_;
  Rows rows_;
  std::vector<Undo> undo_;
};

}  // namespace steward::zone
