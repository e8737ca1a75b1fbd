#pragma once
// What one change of several does to a table, held back until it is known whether the change stays: an OctetTable over
// another.
//
// ZoneEdit takes back the records of a change that is refused (change/edit.hh); this does the same for the tables
// beside them. One thread.

#include <map>
#include <vector>

#include "zone/key_order.hh"
#include "zone/octet_table.hh"

namespace steward::zone {

class TableOverlay final : public OctetTable {
 public:
  explicit TableOverlay(OctetTable& below) : below_(below) {}

  [[nodiscard]] Bytes find(ByteView key) override;
  [[nodiscard]] bool at_or_after(Bytes& key) override;
  /// Fails for no other reason than a key that is too long: Invalid.
  Result<void> put(ByteView key, ByteView octets) override;

  /// Writes what was put to the table below. Its errors.
  Result<void> write_down();
  /// Of what was put and not written down yet, in their order.
  [[nodiscard]] std::vector<Bytes> keys() const;
  [[nodiscard]] bool is_unchanged() const { return puts_.empty(); }
  /// Forgets what was put.
  void drop() { puts_.clear(); }

 private:
  OctetTable& below_;
  std::map<Bytes, Bytes, KeyOrder> puts_;  // empty octets: removed
};

}  // namespace steward::zone
