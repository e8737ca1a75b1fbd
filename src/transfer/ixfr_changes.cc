#include "transfer/ixfr_changes.hh"

#include <fmt/format.h>

#include "transfer/soa_query.hh"

namespace steward::transfer {
namespace {

// A record in the run: owner's size (1), type (2), TTL (4), RDATA's size (2), owner, RDATA.
constexpr size_t head_size = 9;

size_t size_at(const uint8_t* at) { return head_size + at[0] + load_u16(at + 7); }

TransferRecord record_at(const uint8_t* at) {
  const uint8_t* owner = at + head_size;
  return {NameView(owner, at[0]),
          static_cast<RrType>(load_u16(at + 1)),
          load_u32(at + 3),
          {owner + at[0], load_u16(at + 7)}};
}

}  // namespace

TransferRecord ChangeRange::Iterator::operator*() const { return record_at(at_); }

ChangeRange::Iterator& ChangeRange::Iterator::operator++() {
  at_ += size_at(at_);
  return *this;
}

ChangeRange::Iterator ChangeRange::Iterator::operator++(int) {
  const Iterator before = *this;
  ++*this;
  return before;
}

IxfrDifference IxfrChanges::operator[](size_t index) const {
  const Place& place = differences_[index];
  const ByteView all(octets_);
  IxfrDifference difference;
  difference.old_soa = record_at(&octets_[place.old_soa]);
  difference.new_soa = record_at(&octets_[place.new_soa]);
  difference.from = soa_fields(difference.old_soa.rdata).serial;
  difference.to = soa_fields(difference.new_soa.rdata).serial;
  difference.removed = {all.subspan(place.removed, place.new_soa - place.removed), place.removed_count};
  difference.added = {all.subspan(place.added, place.end - place.added), place.added_count};
  return difference;
}

Result<void> IxfrChanges::begin(const TransferBeginning& beginning) {
  if (beginning.kind != TransferKind::Ixfr) return fail(Errc::Unsupported, "a whole zone came where differences go");
  from_ = beginning.from;
  to_ = beginning.to;
  return {};
}

Result<void> IxfrChanges::record(const TransferRecord& /*record*/) {
  return fail(Errc::Unsupported, "a record of a whole zone came where differences go");
}

Result<void> IxfrChanges::removing(const TransferRecord& old_soa) {
  Place place;
  place.old_soa = octets_.size();
  differences_.push_back(place);
  auto done = append_record(old_soa);
  differences_.back().removed = octets_.size();
  return done;
}

Result<void> IxfrChanges::removed(const TransferRecord& record) {
  ++differences_.back().removed_count;
  ++record_count_;
  return append_record(record);
}

Result<void> IxfrChanges::adding(const TransferRecord& new_soa) {
  differences_.back().new_soa = octets_.size();
  auto done = append_record(new_soa);
  differences_.back().added = differences_.back().end = octets_.size();
  return done;
}

Result<void> IxfrChanges::added(const TransferRecord& record) {
  ++differences_.back().added_count;
  ++record_count_;
  auto done = append_record(record);
  differences_.back().end = octets_.size();
  return done;
}

Result<void> IxfrChanges::append_record(const TransferRecord& record) {
  const size_t size = head_size + record.owner.size() + record.rdata.size();
  if (octets_.size() + size + differences_.size() * sizeof(Place) > max_octets_)
    return fail(Errc::Full, fmt::format("differences are over the limit of {} octets", max_octets_));
  append_u8(octets_, static_cast<uint8_t>(record.owner.size()));
  append_u16(octets_, dns::value(record.type));
  append_u32(octets_, record.ttl);
  append_u16(octets_, static_cast<uint16_t>(record.rdata.size()));
  append(octets_, record.owner.wire());
  append(octets_, record.rdata);
  return {};
}

}  // namespace steward::transfer
