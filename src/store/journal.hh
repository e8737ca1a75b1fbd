#pragma once
// The journal of one zone inside one LMDB transaction: its differences, oldest to newest, each following on the one before. FORMAT.md has keys and
// values. Private to this room.

#include <optional>

#include "store/lmdb.hh"
#include "store/store.hh"

namespace steward::store {

class Journal {
 public:
  Journal(MDB_txn* txn, MDB_dbi dbi, const ZoneRecord& record) : txn_(txn), dbi_(dbi), record_(record) {}

  // With a write transaction; they keep `record`, which must be the one that was given, up to date.
  Result<void> append(ZoneRecord& record, const zone::Difference& difference, const JournalLimits& limits, UnixTime now);
  Result<void> clear(ZoneRecord& record);

  [[nodiscard]] std::optional<JournalPart> read(JournalPlace& place) const;
  [[nodiscard]] std::optional<JournalExtent> extent(uint32_t serial) const;

 private:
  struct Header {
    uint32_t from = 0;
    uint32_t to = 0;
    int64_t at = 0;  // seconds since 1970
    uint32_t parts = 0;
    uint64_t octets = 0;
  };
  [[nodiscard]] std::optional<Header> header(uint64_t number) const;
  [[nodiscard]] std::optional<uint64_t> find(uint32_t serial) const;
  [[nodiscard]] Bytes key(uint64_t number, uint32_t part) const;
  Result<void> put(uint64_t number, uint32_t part, ByteView value);
  Result<void> drop_oldest(ZoneRecord& record);

  MDB_txn* txn_;
  MDB_dbi dbi_;
  const ZoneRecord& record_;
};

}  // namespace steward::store
