#include "zone/difference.hh"

namespace steward::zone {

void append_difference_record(Bytes& out, const DifferenceRecord& record) {
  append_u8(out, record.added ? 1 : 0);
  append_u8(out, static_cast<uint8_t>(record.owner.size()));
  append(out, record.owner.wire());
  append_u16(out, value(record.type));
  append_u32(out, record.ttl);
  append_u16(out, static_cast<uint16_t>(record.rdata.size()));
  append(out, record.rdata);
}

std::optional<DifferenceRecord> DifferenceReader::next() {
  if (left_.empty() || !ok_) return std::nullopt;
  ByteReader in(left_);
  const uint8_t added = in.u8();
  const ByteView owner = in.bytes(in.u8());
  const auto type = static_cast<dns::RrType>(in.u16());
  const uint32_t ttl = in.u32();
  const ByteView rdata = in.bytes(in.u16());
  const auto name = dns::NameView::from_wire(owner);
  ok_ = in.ok() && added <= 1 && name && name->size() == owner.size();
  if (!ok_) return std::nullopt;
  left_ = in.rest();
  return DifferenceRecord{added == 1, *name, type, ttl, rdata};
}

}  // namespace steward::zone
