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
  explicit CopiedZone(std::shared_ptr<const store::ZoneCopy> copy) : copy_(std::move(copy)) {}
  [[nodiscard]] size_t size() const override { return copy_->nodes().size(); }
  [[nodiscard]] zone::NodeView node(size_t index) const override { return copy_->nodes()[index]; }
  static std::unique_ptr<serve::ZoneContents> of(std::shared_ptr<const store::ZoneCopy> copy) {
    return copy ? std::make_unique<CopiedZone>(std::move(copy)) : nullptr;
  }

 private:
  std::shared_ptr<const store::ZoneCopy> copy_;
};

std::shared_ptr<const store::ZoneCopy> copy_with(store::Reader& reader, const zone::ZoneInfo& zone) {
  const Holding held(reader);
  if (!held) return nullptr;
  auto copy = reader.copy_zone(zone);
  return copy ? std::move(*copy) : nullptr;
}

}  // namespace

void StoreTransfers::copy_zone(const zone::ZoneInfo& zone, std::function<void(std::unique_ptr<serve::ZoneContents>)> take) {
  uint64_t nodes = 0;
  if (const Holding held(*reader_); held)
    if (const store::ZoneRecord* record = reader_->zone_record(zone.apex)) nodes = record->nodes;
  if (nodes <= copied_here) return take(CopiedZone::of(copy_with(*reader_, zone)));
  elsewhere_([take = std::move(take), zone, here = here_](store::Reader& reader) mutable {
    here([take = std::move(take), copy = copy_with(reader, zone)] { take(CopiedZone::of(copy)); });
  });
}

std::optional<serve::JournalExtent> StoreTransfers::journal_extent(const zone::ZoneInfo& zone, uint32_t serial) {
  const Holding held(*reader_);
  return held ? reader_->journal_extent(zone, serial) : std::nullopt;
}

std::optional<serve::JournalPart> StoreTransfers::read_journal(const zone::ZoneInfo& zone, serve::JournalPlace& place) {
  const Holding held(*reader_);
  return held ? reader_->read_journal(zone, place) : std::nullopt;
}

uint64_t StoreTransfers::zone_octets(const zone::ZoneInfo& zone) {
  const Holding held(*reader_);
  if (!held) return 0;
  const store::ZoneRecord* record = reader_->zone_record(zone.apex);
  if (record == nullptr) return 0;
  return record->records * (record->info.denial == zone::Denial::None ? octets_of_a_record : octets_of_a_signed_record);
}

}  // namespace steward::daemon
