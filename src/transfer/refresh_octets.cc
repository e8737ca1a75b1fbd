// Refresh: what is kept over a restart. Network byte order: version (1), data (1), again (1), 0 (1), the five numbers
// of the SOA (20), verified (8), next round (8), failed rounds (4), failed transfers (4), good primary (4), CRC-32C of
// all that (4).

#include "base/checksum.hh"
#include "base/time_octets.hh"
#include "transfer/refresh.hh"

namespace steward::transfer {
namespace {

constexpr uint8_t version = 1;

// Times that can be counted with: between 1970 and about the year 36000.
bool is_sound(UnixTime time) { return seconds_of(time) >= 0 && seconds_of(time) < int64_t{1} << 40; }

}  // namespace

Bytes Refresh::to_octets() const {
  Bytes out;
  out.reserve(octets_size);
  append_u8(out, version);
  append_u8(out, static_cast<uint8_t>(stored_.data));
  // A round that a restart cuts off is begun again.
  append_u8(out, stored_.again || activity_ != Activity::Idle ? 1 : 0);
  append_u8(out, 0);
  for (const uint32_t number :
       {stored_.soa.serial, stored_.soa.refresh, stored_.soa.retry, stored_.soa.expire, stored_.soa.minimum})
    append_u32(out, number);
  append_time(out, stored_.verified);
  append_time(out, stored_.next_round);
  append_u32(out, stored_.failed_rounds);
  append_u32(out, stored_.failed_transfers);
  append_u32(out, stored_.good_primary);
  append_u32(out, crc32c(out));
  return out;
}

Result<Refresh> Refresh::from_octets(ByteView octets, size_t primaries, const RefreshLimits& limits) {
  if (octets.size() != octets_size || octets[0] != version)
    return fail(Errc::Corrupt, "state of a secondary zone is of another size or version");
  ByteReader reader(octets);
  reader.skip(octets_size - 4);
  if (reader.u32() != crc32c(octets.first(octets_size - 4)))
    return fail(Errc::Corrupt, "state of a secondary zone does not match its checksum");
  reader = ByteReader(octets, 1);
  Refresh refresh(primaries, limits);
  Stored& stored = refresh.stored_;
  const uint8_t data = reader.u8();
  stored.data = static_cast<Data>(data);
  stored.again = reader.u8() != 0;
  reader.skip(1);
  for (uint32_t* number :
       {&stored.soa.serial, &stored.soa.refresh, &stored.soa.retry, &stored.soa.expire, &stored.soa.minimum})
    *number = reader.u32();
  stored.verified = read_time(reader);
  stored.next_round = read_time(reader);
  stored.failed_rounds = reader.u32();
  stored.failed_transfers = reader.u32();
  stored.good_primary = reader.u32();
  if (data > static_cast<uint8_t>(Data::Expired) || !is_sound(stored.verified) || !is_sound(stored.next_round))
    return fail(Errc::Corrupt, "state of a secondary zone has a value out of range");
  if (stored.good_primary >= refresh.primaries_) stored.good_primary = 0;
  refresh.primary_ = stored.good_primary;
  return refresh;
}

}  // namespace steward::transfer
