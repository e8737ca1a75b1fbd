#pragma once
// Layouts (a), (b) and (e): LMDB with the whole value in the tree ("fat") and with an 8-octet reference ("dense").
//
// Owns the environment and one read transaction, renewed once a batch as the server does. One thread.

#include <lmdb.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "layout_names.hh"

namespace steward::bench {

inline void must(int code, const char* what) {
  if (code != MDB_SUCCESS) throw std::runtime_error(std::string(what) + ": " + mdb_strerror(code));
}

class Tree {
 public:
  /// `value_of(rank)` gives the stored value; it stays valid until the next call.
  template <class ValueOf>
  Tree(const std::filesystem::path& dir, const Names& names, ValueOf value_of) {
    std::filesystem::create_directories(dir);
    must(mdb_env_create(&env_), "mdb_env_create");
    must(mdb_env_set_mapsize(env_, size_t{64} << 30), "mdb_env_set_mapsize");
    // MDB_NORDAHEAD: lookups are random. No sync: the data is thrown away afterwards.
    must(mdb_env_open(env_, dir.c_str(), MDB_NOSYNC | MDB_NORDAHEAD, 0600), "mdb_env_open");
    MDB_txn* txn = nullptr;
    must(mdb_txn_begin(env_, nullptr, 0, &txn), "mdb_txn_begin");
    must(mdb_dbi_open(txn, nullptr, 0, &dbi_), "mdb_dbi_open");
    for (uint64_t rank = 0; rank < names.size(); ++rank) {
      MDB_val key = val(names.at(rank).view());
      MDB_val data = val(value_of(rank));
      must(mdb_put(txn, dbi_, &key, &data, MDB_APPEND), "mdb_put");
    }
    must(mdb_txn_commit(txn), "mdb_txn_commit");
    must(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &read_), "mdb_txn_begin");
    must(mdb_cursor_open(read_, dbi_, &cursor_), "mdb_cursor_open");
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  ~Tree() {
    mdb_cursor_close(cursor_);
    mdb_txn_abort(read_);
    mdb_env_close(env_);
  }

  /// The start of a batch: a fresh snapshot, at the price that the server pays for it.
  void renew() {
    mdb_txn_reset(read_);
    must(mdb_txn_renew(read_), "mdb_txn_renew");
    must(mdb_cursor_renew(read_, cursor_), "mdb_cursor_renew");
  }

  std::string_view get(std::string_view name) {
    MDB_val key = val(name);
    MDB_val data{};
    must(mdb_get(read_, dbi_, &key, &data), "mdb_get");
    return {static_cast<const char*>(data.mv_data), data.mv_size};
  }

  /// Value of the last name before one that does not exist; the zone's last name before the first (RFC 4034 §4.1.1).
  std::string_view before(std::string_view name) {
    MDB_val key = val(name);
    MDB_val data{};
    const int found = mdb_cursor_get(cursor_, &key, &data, MDB_SET_RANGE);
    const int step = found == MDB_NOTFOUND ? MDB_NOTFOUND : mdb_cursor_get(cursor_, &key, &data, MDB_PREV);
    if (step == MDB_NOTFOUND) {
      must(mdb_cursor_get(cursor_, &key, &data, MDB_LAST), "mdb_cursor_get");
    } else {
      must(step, "mdb_cursor_get");
    }
    return {static_cast<const char*>(data.mv_data), data.mv_size};
  }

 private:
  static MDB_val val(std::string_view octets) { return {octets.size(), const_cast<char*>(octets.data())}; }

  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
  MDB_txn* read_ = nullptr;
  MDB_cursor* cursor_ = nullptr;
};

}  // namespace steward::bench
