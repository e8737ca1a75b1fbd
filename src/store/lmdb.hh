#pragma once
// LMDB behind C++: an environment, transactions, and errors as Results. Only files of this room include lmdb.h.
//
// LMDB 0.9.24's traps, kept here: a read transaction pins every page that later commits free, so none is held for long; a reader
// that died leaves its slot, so it is cleared at open (mdb_reader_check); the map is reserved large at once,
// since it cannot grow while anybody reads; no fork after open.

#include <lmdb.h>

#include <cerrno>

#include <memory>
#include <string>

#include "base/bytes.hh"
#include "base/handle.hh"
#include "base/result.hh"

namespace steward::store {

using EnvHandle = Handle<MDB_env, mdb_env_close>;
using TxnHandle = Handle<MDB_txn, mdb_txn_abort>;
using CursorHandle = Handle<MDB_cursor, mdb_cursor_close>;

inline tl::unexpected<Error> lmdb_error(std::string_view what, int code) {
  Errc kind = Errc::Io;
  std::string hint;
  if (code == MDB_MAP_FULL) {
    kind = Errc::Full;
    hint = " (raise map-size)";
  } else if (code == ENOSPC || code == EDQUOT) {
    kind = Errc::Full;
  } else if (code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_INVALID || code == MDB_VERSION_MISMATCH) {
    kind = Errc::Corrupt;
  } else if (code == MDB_NOTFOUND) {
    kind = Errc::NotFound;
  }
  return fail(kind, std::string(what) + ": " + mdb_strerror(code) + hint);
}

inline MDB_val to_val(ByteView bytes) { return {bytes.size(), const_cast<uint8_t*>(bytes.data())}; }
inline ByteView to_view(const MDB_val& value) { return {static_cast<const uint8_t*>(value.mv_data), value.mv_size}; }

/// The named databases of the environment; FORMAT.md has their keys and values.
struct Databases {
  MDB_dbi meta;
  MDB_dbi zones;
  MDB_dbi tree;
  MDB_dbi nsec3;
  MDB_dbi segments;
  MDB_dbi journal;
  MDB_dbi attic;
  MDB_dbi state;
  MDB_dbi tables;
};

}  // namespace steward::store
