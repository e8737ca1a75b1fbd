#pragma once
// Where a worker's transfers take zones and journals from: the store, through a reader of their own.
//
// One per worker, on its thread. Copying a large zone takes a walk over its keys, which is done on the thread of the exports, so that
// queries do not wait for it.

#include <functional>
#include <memory>

#include "serve/transfer_source.hh"
#include "store/store.hh"

namespace steward::daemon {

class StoreTransfers final : public serve::TransferSource {
 public:
  /// Runs work with a reader on another thread.
  using Elsewhere = std::function<void(std::function<void(store::Reader&)>)>;
  /// Runs a task on the worker's thread; false where that has ended.
  using Here = std::function<bool(std::function<void()>)>;

  StoreTransfers(std::unique_ptr<store::Reader> reader, Elsewhere elsewhere, Here here)
      : reader_(std::move(reader)), elsewhere_(std::move(elsewhere)), here_(std::move(here)) {}

  void copy_zone(const zone::ZoneInfo& zone, std::function<void(std::unique_ptr<serve::ZoneContents>)> take) override;
  [[nodiscard]] std::optional<serve::JournalExtent> journal_extent(const zone::ZoneInfo& zone, uint32_t serial) override;
  [[nodiscard]] std::optional<serve::JournalPart> read_journal(const zone::ZoneInfo& zone, serve::JournalPlace& place) override;
  [[nodiscard]] uint64_t zone_octets(const zone::ZoneInfo& zone) override;

 private:
  std::unique_ptr<store::Reader> reader_;
  Elsewhere elsewhere_;
  Here here_;
};

}  // namespace steward::daemon
