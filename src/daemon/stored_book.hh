#pragma once
// The book of a registry's zone as of a reader's snapshot: to be read, on the reader's thread, between acquire() and
// release().

#include <memory>

#include "agent/book.hh"
#include "store/store.hh"

namespace steward::daemon {

class StoredBook {
 public:
  StoredBook(const store::Reader& reader, const zone::ZoneInfo& zone)
      : agents_(reader.table(zone, store::ZoneTable::Agents)),
        history_(reader.table(zone, store::ZoneTable::History)),
        publishers_(reader.table(zone, store::ZoneTable::Publishers)),
        book_(zone.apex, *agents_, *history_, *publishers_) {}

  [[nodiscard]] const agent::Book& operator*() const { return book_; }
  [[nodiscard]] const agent::Book* operator->() const { return &book_; }

 private:
  std::unique_ptr<zone::OctetTable> agents_;
  std::unique_ptr<zone::OctetTable> history_;
  std::unique_ptr<zone::OctetTable> publishers_;
  agent::Book book_;
};

}  // namespace steward::daemon
