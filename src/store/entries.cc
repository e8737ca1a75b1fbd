#include "store/entries.hh"

#include <fmt/format.h>

#include <algorithm>

namespace steward::store {

Bytes Entries::full(ByteView key) const {
  Bytes whole = prefix_;
  append(whole, key);
  return whole;
}

bool Entries::found(int code) const {
  if (code != 0 && code != MDB_NOTFOUND) failed_(lmdb_error(name_, code).value());
  return code == 0;
}

Bytes Entries::find(ByteView key) {
  const Bytes whole = full(key);
  MDB_val k = to_val(whole);
  MDB_val v;
  if (!found(mdb_get(txn_, dbi_, &k, &v))) return {};
  const ByteView octets = to_view(v);
  return {octets.begin(), octets.end()};
}

bool Entries::at_or_after(Bytes& key) {
  MDB_cursor* cursor = nullptr;
  if (const int code = mdb_cursor_open(txn_, dbi_, &cursor); code != 0) return found(code);
  const CursorHandle closer(cursor);
  const Bytes whole = full(key);
  MDB_val k = to_val(whole);
  MDB_val v;
  if (!found(mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE))) return false;
  const ByteView octets = to_view(k);
  if (octets.size() < prefix_.size() || !std::equal(prefix_.begin(), prefix_.end(), octets.begin())) return false;
  key.assign(octets.begin() + static_cast<long>(prefix_.size()), octets.end());
  return true;
}

Result<void> Entries::put(ByteView key, ByteView octets) {
  if (!wrote_) return fail(Errc::Refused, fmt::format("{}: a snapshot is only read", name_));
  if (key.size() > zone::max_table_key)
    return fail(Errc::Invalid,
                fmt::format("{}: a key of {} octets, of at most {}", name_, key.size(), zone::max_table_key));
  wrote_();
  const Bytes whole = full(key);
  MDB_val k = to_val(whole);
  MDB_val v = to_val(octets);
  const int code = octets.empty() ? mdb_del(txn_, dbi_, &k, nullptr) : mdb_put(txn_, dbi_, &k, &v, 0);
  if (code != 0 && code != MDB_NOTFOUND) return lmdb_error(name_, code);
  return {};
}

}  // namespace steward::store
