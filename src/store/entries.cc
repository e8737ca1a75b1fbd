#include "store/entries.hh"

#include <fmt/format.h>

#include <algorithm>

namespace steward::store {

ByteView Entries::full(ByteView key) {
  key_.assign(prefix_.begin(), prefix_.end());
  append(key_, key);
  return key_;
}

bool Entries::found(int code) const {
  if (code != 0 && code != MDB_NOTFOUND) failed_(lmdb_error(name_, code).value());
  return code == 0;
}

// Null, which failed() was told, where there is none to be had.
MDB_cursor* Entries::cursor() {
  if (cursor_) return cursor_.get();
  MDB_cursor* cursor = nullptr;
  if (const int code = mdb_cursor_open(txn_, dbi_, &cursor); code != 0) found(code);
  cursor_.reset(cursor);
  return cursor;
}

Bytes Entries::find(ByteView key) {
  MDB_val k = to_val(full(key));
  MDB_val v;
  if (!wrote_) {
    if (!found(mdb_get(txn_, dbi_, &k, &v))) return {};
  } else if (MDB_cursor* const at = cursor(); at == nullptr || !found(mdb_cursor_get(at, &k, &v, MDB_SET))) {
    return {};
  }
  const ByteView octets = to_view(v);
  return {octets.begin(), octets.end()};
}

bool Entries::at_or_after(Bytes& key) {
  MDB_cursor* const at = cursor();
  if (at == nullptr) return false;
  MDB_val k = to_val(full(key));
  MDB_val v;
  const bool is_found = found(mdb_cursor_get(at, &k, &v, MDB_SET_RANGE));
  const ByteView octets = is_found ? to_view(k) : ByteView{};
  const bool is_mine =
      octets.size() >= prefix_.size() && std::equal(prefix_.begin(), prefix_.end(), octets.begin()) && is_found;
  if (is_mine) key.assign(octets.begin() + static_cast<long>(prefix_.size()), octets.end());
  if (!wrote_) cursor_.reset();  // a snapshot's reader may go on to the next one
  return is_mine;
}

Result<void> Entries::put(ByteView key, ByteView octets) {
  if (!wrote_) return fail(Errc::Refused, fmt::format("{}: a snapshot is only read", name_));
  if (key.size() > zone::max_table_key)
    return fail(Errc::Invalid,
                fmt::format("{}: a key of {} octets, of at most {}", name_, key.size(), zone::max_table_key));
  wrote_();
  MDB_val k = to_val(full(key));
  MDB_val v = to_val(octets);
  if (octets.empty()) {
    const int code = mdb_del(txn_, dbi_, &k, nullptr);
    return code == 0 || code == MDB_NOTFOUND ? Result<void>{} : lmdb_error(name_, code);
  }
  MDB_cursor* const at = cursor();
  const int code = at == nullptr ? ENOMEM : mdb_cursor_put(at, &k, &v, 0);
  return code == 0 ? Result<void>{} : lmdb_error(name_, code);
}

}  // namespace steward::store
