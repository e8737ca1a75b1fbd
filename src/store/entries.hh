#pragma once
// A zone's entries in a database that holds something beside its nodes, as a zone::OctetTable. Private to this room.

#include <functional>

#include "store/lmdb.hh"
#include "zone/octet_table.hh"

namespace steward::store {

/// Reads and, in a write transaction, writes the entries of `dbi` whose keys begin with `prefix`.
class Entries final : public zone::OctetTable {
 public:
  /// `failed` hears of reads that could not be done, which OctetTable has no way to tell; `wrote` of each write, null
  /// in a read transaction. In a write transaction it must go before that ends.
  Entries(MDB_txn* txn, MDB_dbi dbi, std::string_view name, Bytes prefix, std::function<void(const Error&)> failed,
          std::function<void()> wrote)
      : txn_(txn),
        dbi_(dbi),
        name_(name),
        prefix_(std::move(prefix)),
        failed_(std::move(failed)),
        wrote_(std::move(wrote)) {}

  [[nodiscard]] Bytes find(ByteView key) override;
  [[nodiscard]] bool at_or_after(Bytes& key) override;
  /// Also Invalid for a key that is too long.
  Result<void> put(ByteView key, ByteView octets) override;

 private:
  [[nodiscard]] ByteView full(ByteView key);
  bool found(int code) const;
  [[nodiscard]] MDB_cursor* cursor();

  MDB_txn* txn_;
  MDB_dbi dbi_;
  std::string_view name_;
  Bytes prefix_;
  Bytes key_;            // the last that was asked for, whole
  CursorHandle cursor_;  // of a write transaction: one for all, as who looks at a row often looks at its neighbours next
  std::function<void(const Error&)> failed_;
  std::function<void()> wrote_;
};

}  // namespace steward::store
