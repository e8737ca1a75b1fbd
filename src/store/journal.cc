#include "store/journal.hh"

namespace steward::store {
namespace {

constexpr size_t part_size = 64 << 10;

// Where the next part of `records` ends: at a record, at part_size or as soon as possible behind it.
size_t part_end(ByteView records) {
  size_t at = 0;
  while (at < records.size() && at < part_size) {
    const size_t owner = records[at + 1];
    const size_t rdata = load_u16(&records[at + 2 + owner + 6]);
    at += 2 + owner + 8 + rdata;
  }
  return at;
}

}  // namespace

Bytes Journal::key(uint64_t number, uint32_t part) const {
  Bytes key;
  append_u32(key, record_.info.id);
  append_u32(key, static_cast<uint32_t>(number >> 32));
  append_u32(key, static_cast<uint32_t>(number));
  append_u32(key, part);
  return key;
}

std::optional<Journal::Header> Journal::header(uint64_t number) const {
  const Bytes at = key(number, 0);
  MDB_val k = to_val(at);
  MDB_val v;
  if (mdb_get(txn_, dbi_, &k, &v) != 0) return std::nullopt;
  ByteReader reader(to_view(v));
  Header header;
  header.from = reader.u32();
  header.to = reader.u32();
  header.at = static_cast<int64_t>((uint64_t{reader.u32()} << 32) | reader.u32());
  header.parts = reader.u32();
  header.octets = (uint64_t{reader.u32()} << 32) | reader.u32();
  return reader.ok() ? std::optional(header) : std::nullopt;
}

Result<void> Journal::put(uint64_t number, uint32_t part, ByteView value) {
  const Bytes at = key(number, part);
  MDB_val k = to_val(at);
  MDB_val v = to_val(value);
  if (const int code = mdb_put(txn_, dbi_, &k, &v, 0); code != 0) return lmdb_error("journal", code);
  return {};
}

Result<void> Journal::drop_oldest(ZoneRecord& record) {
  const auto oldest = header(record.journal_first);
  if (!oldest) return fail(Errc::Corrupt, record.info.apex.to_text() + ": the journal's oldest difference is missing");
  for (uint32_t part = 0; part <= oldest->parts; ++part) {
    const Bytes at = key(record.journal_first, part);
    MDB_val k = to_val(at);
    if (const int code = mdb_del(txn_, dbi_, &k, nullptr); code != 0) return lmdb_error("journal", code);
  }
  ++record.journal_first;
  record.journal_octets -= std::min(record.journal_octets, oldest->octets);
  return {};
}

Result<void> Journal::clear(ZoneRecord& record) {
  while (record.journal_first < record.journal_next)
    if (auto dropped = drop_oldest(record); !dropped) return dropped;
  return {};
}

Result<void> Journal::append(ZoneRecord& record, const zone::Difference& difference, const JournalLimits& limits, UnixTime now) {
  if (record.journal_first < record.journal_next) {
    const auto newest = header(record.journal_next - 1);
    if (!newest || newest->to != difference.from)
      if (auto cleared = clear(record); !cleared) return cleared;
  }
  if (difference.records.size() > limits.octets) return clear(record);

  uint32_t parts = 0;
  for (ByteView left = difference.records; !left.empty();) {
    const size_t size = part_end(left);
    if (auto stored = put(record.journal_next, ++parts, left.first(size)); !stored) return stored;
    left = left.subspan(size);
  }
  Bytes value;
  append_u32(value, difference.from);
  append_u32(value, difference.to);
  const auto seconds = static_cast<uint64_t>(seconds_of(now));
  append_u32(value, static_cast<uint32_t>(seconds >> 32));
  append_u32(value, static_cast<uint32_t>(seconds));
  append_u32(value, parts);
  append_u32(value, static_cast<uint32_t>(uint64_t{difference.records.size()} >> 32));
  append_u32(value, static_cast<uint32_t>(difference.records.size()));
  if (auto stored = put(record.journal_next, 0, value); !stored) return stored;
  ++record.journal_next;
  record.journal_octets += difference.records.size();

  const auto is_over = [&] {
    if (record.journal_octets > limits.octets || record.journal_next - record.journal_first > limits.differences) return true;
    const auto oldest = header(record.journal_first);
    return oldest && oldest->at < seconds_of(now) - limits.age.count();
  };
  while (record.journal_first + 1 < record.journal_next && is_over())
    if (auto dropped = drop_oldest(record); !dropped) return dropped;
  return {};
}

// Serials rise along the journal (RFC 1982), so that their distance from the newest falls.
std::optional<uint64_t> Journal::find(uint32_t serial) const {
  uint64_t low = record_.journal_first;
  uint64_t high = record_.journal_next;
  const uint32_t wanted = record_.serial - serial;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    const auto found = header(middle);
    if (!found) return std::nullopt;
    const uint32_t distance = record_.serial - found->from;
    if (distance == wanted) return middle;
    if (distance > wanted)
      low = middle + 1;
    else
      high = middle;
  }
  return std::nullopt;
}

std::optional<JournalPart> Journal::read(JournalPlace& place) const {
  const auto number = find(place.serial);
  if (!number) return std::nullopt;
  const auto difference = header(*number);
  if (!difference || place.part >= difference->parts) return std::nullopt;
  const Bytes at = key(*number, place.part + 1);
  MDB_val k = to_val(at);
  MDB_val v;
  if (mdb_get(txn_, dbi_, &k, &v) != 0) return std::nullopt;
  const ByteView records = to_view(v);
  JournalPart part{difference->from, difference->to, place.part == 0, place.part + 1 == difference->parts,
                   Bytes(records.begin(), records.end())};
  place = part.last ? JournalPlace{difference->to, 0} : JournalPlace{place.serial, place.part + 1};
  return part;
}

std::optional<JournalExtent> Journal::extent(uint32_t serial) const {
  const auto first = find(serial);
  if (!first) return std::nullopt;
  JournalExtent extent;
  constexpr uint64_t looked_at_most = 10'000;  // beyond it the octets are told by the whole journal's
  extent.differences = record_.journal_next - *first;
  if (extent.differences > looked_at_most) {
    extent.octets = record_.journal_octets;
    return extent;
  }
  for (uint64_t number = *first; number < record_.journal_next; ++number)
    if (const auto found = header(number)) extent.octets += found->octets;
  return extent;
}

}  // namespace steward::store
