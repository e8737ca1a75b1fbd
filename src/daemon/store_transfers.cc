#include "daemon/store_transfers.hh"

#include <utility>

namespace steward::daemon {
namespace {

constexpr uint64_t copied_here = 4000;       // nodes: a walk that no query notices
// About, with what compression leaves. A signed zone's records are for the most part RRSIGs.
constexpr uint64_t octets_of_a_record = 60;
constexpr uint64_t octets_of_a_signed_record = 160;

/// Acquires for as long as a call takes.
class Holding {
 public:
  explicit Holding(store::Reader& reader) : reader_(reader), held_(reader.acquire()) {}
  ~Holding() {
    if (held_) reader_.release();
  }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;
  explicit operator bool() const { return held_.has_value(); }

 private:
  store::Reader& reader_;
  Result<void> held_;
};

class CopiedZone final : public serve::ZoneContents {
 public:
  explicit CopiedZone(std::unique_ptr<store::ZoneCopy> copy) : copy_(std::move(copy)) {}
  [[nodiscard]] size_t size() const override { return copy_->nodes().size(); }
  [[nodiscard]] zone::NodeView node(size_t index) const override { return copy_->nodes()[index]; }

 private:
  std::unique_ptr<store::ZoneCopy> copy_;
};

std::unique_ptr<serve::ZoneContents> copy_with(store::Reader& reader, const zone::ZoneInfo& zone) {
  const Holding held(reader);
  if (!held) return nullptr;
  auto copy = reader.copy_zone(zone);
  if (!copy) return nullptr;
  return std::make_unique<CopiedZone>(std::move(*copy));
}

}  // namespace

void StoreTransfers::copy_zone(const zone::ZoneInfo& zone, std::function<void(std::unique_ptr<serve::ZoneContents>)> take) {
  uint64_t nodes = 0;
  if (const Holding held(*reader_); held)
    if (const store::ZoneRecord* record = reader_->zone_record(zone.apex)) nodes = record->nodes;
  if (nodes <= copied_here) return take(copy_with(*reader_, zone));
  // What is handed back must go where it came from, also when nobody takes it any more.
  auto shared = std::make_shared<std::function<void(std::unique_ptr<serve::ZoneContents>)>>(std::move(take));
  elsewhere_([shared, zone, here = here_](store::Reader& reader) mutable {
    std::shared_ptr<serve::ZoneContents> contents = copy_with(reader, zone);
    here([shared = std::move(shared), contents = std::move(contents)]() mutable {
      class Shared final : public serve::ZoneContents {
       public:
        explicit Shared(std::shared_ptr<serve::ZoneContents> of) : of_(std::move(of)) {}
        [[nodiscard]] size_t size() const override { return of_->size(); }
        [[nodiscard]] zone::NodeView node(size_t index) const override { return of_->node(index); }

       private:
        std::shared_ptr<serve::ZoneContents> of_;
      };
      (*shared)(contents ? std::make_unique<Shared>(std::move(contents)) : nullptr);
    });
  });
}

std::optional<serve::JournalExtent> StoreTransfers::journal_extent(const zone::ZoneInfo& zone, uint32_t serial) {
  const Holding held(*reader_);
  if (!held) return std::nullopt;
  const auto extent = reader_->journal_extent(zone, serial);
  if (!extent) return std::nullopt;
  return serve::JournalExtent{extent->octets, extent->differences};
}

std::optional<serve::JournalPart> StoreTransfers::read_journal(const zone::ZoneInfo& zone, serve::JournalPlace& place) {
  const Holding held(*reader_);
  if (!held) return std::nullopt;
  store::JournalPlace at{place.serial, place.part};
  auto part = reader_->read_journal(zone, at);
  if (!part) return std::nullopt;
  place = {at.serial, at.part};
  return serve::JournalPart{part->from, part->to, part->first, part->last, std::move(part->records)};
}

uint64_t StoreTransfers::zone_octets(const zone::ZoneInfo& zone) {
  const Holding held(*reader_);
  if (!held) return 0;
  const store::ZoneRecord* record = reader_->zone_record(zone.apex);
  if (record == nullptr) return 0;
  return record->records * (record->info.denial == zone::Denial::None ? octets_of_a_record : octets_of_a_signed_record);
}

}  // namespace steward::daemon
