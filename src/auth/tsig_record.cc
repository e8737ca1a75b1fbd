#include "auth/tsig_record.hh"

#include "dns/compressed_name.hh"
#include "dns/message.hh"

namespace steward::auth {

namespace {

constexpr size_t record_head_size = 10;  // type, class, TTL, RDLENGTH
constexpr size_t fixed_tsig_size = 16;  // all fields but algorithm, MAC and Other Data
constexpr uint64_t max_time = (uint64_t{1} << 48) - 1;

void write_u48(ByteWriter& out, uint64_t value) {
  out.u16(static_cast<uint16_t>(value >> 32));
  out.u32(static_cast<uint32_t>(value));
}

}  // namespace

std::optional<TsigRecord> read_tsig(ByteView message, const FoundSignature& found) {
  TsigRecord record;
  record.key_name = found.owner;
  size_t used = 0;
  const size_t end = found.rdata_at + found.rdata_size;
  // RFC 8945 §4.2 wants the algorithm uncompressed; RFC 3597 §4 has us understand what an old signer made.
  const auto algorithm = dns::name_from_message(message, found.rdata_at, end, used);
  if (!algorithm) return std::nullopt;
  record.algorithm_name = algorithm->folded();
  ByteReader in(message.first(end), found.rdata_at + used);
  record.time_signed = static_cast<uint64_t>(in.u16()) << 32;
  record.time_signed |= in.u32();
  record.fudge = in.u16();
  record.mac = in.bytes(in.u16());
  record.original_id = in.u16();
  record.error = in.u16();
  record.other = in.bytes(in.u16());
  if (!in.ok() || in.left() != 0) return std::nullopt;
  return record;
}

size_t tsig_record_size(dns::NameView key, dns::NameView algorithm, size_t mac_size, size_t other_size) {
  return key.size() + record_head_size + algorithm.size() + fixed_tsig_size + mac_size + other_size;
}

Result<size_t> append_tsig(MutableByteView room, size_t size, const TsigRecord& record) {
  const size_t rdata_size = record.algorithm_name.size() + fixed_tsig_size + record.mac.size() + record.other.size();
  const size_t total = size + record.key_name.size() + record_head_size + rdata_size;
  if (size < dns::header_size || total > room.size() || total > dns::max_message_size) {
    return fail(Errc::Full, "no room for the TSIG record");
  }
  const uint16_t count = load_u16(&room[10]);
  if (count == 0xffff) return fail(Errc::Full, "no TSIG record fits behind 65,535 additional records");
  ByteWriter out(room, size);
  out.bytes(record.key_name.view().wire());
  out.u16(dns::value(dns::RrType::TSIG));
  out.u16(dns::value(dns::RrClass::ANY));
  out.u32(0);
  out.u16(static_cast<uint16_t>(rdata_size));
  out.bytes(record.algorithm_name.view().wire());
  write_u48(out, record.time_signed);
  out.u16(record.fudge);
  out.u16(static_cast<uint16_t>(record.mac.size()));
  out.bytes(record.mac);
  out.u16(record.original_id);
  out.u16(record.error);
  out.u16(static_cast<uint16_t>(record.other.size()));
  out.bytes(record.other);
  store_u16(&room[10], static_cast<uint16_t>(count + 1));
  return total;
}

uint64_t tsig_time(UnixTime time) {
  const int64_t seconds = seconds_of(time);
  return seconds < 0 ? 0 : static_cast<uint64_t>(seconds) & max_time;
}

bool is_in_time(const TsigRecord& record, UnixTime now) {
  const uint64_t ours = tsig_time(now);
  return (ours > record.time_signed ? ours - record.time_signed : record.time_signed - ours) <= record.fudge;
}

MacLength mac_length(const TsigRecord& record, const TsigKey& key) {
  const size_t full = mac_size(key.algorithm);
  const size_t size = record.mac.size();
  if (size > full || size < least_mac_size(key.algorithm)) return MacLength::Impossible;
  if (size == full) return MacLength::Full;
  return size < key.shortest_mac ? MacLength::BelowPolicy : MacLength::Truncated;
}

void TsigChain::add_mac(ByteView mac) {
  uint8_t size[2];
  store_u16(size, static_cast<uint16_t>(mac.size()));
  hmac_.update(size);
  hmac_.update(mac);
}

void TsigChain::add_message(ByteView message, size_t size, bool with_tsig, uint16_t original_id) {
  std::array<uint8_t, dns::header_size> header;
  std::memcpy(header.data(), message.data(), header.size());
  // RFC 8945 §5.2 and §4.3.2: as it was before the TSIG came, also where a forwarder changed the id.
  store_u16(header.data(), original_id);
  if (with_tsig) store_u16(&header[10], static_cast<uint16_t>(load_u16(&header[10]) - 1));
  hmac_.update(header);
  hmac_.update(message.first(size).subspan(header.size()));
}

void TsigChain::add_variables(const TsigRecord& record) {
  std::array<uint8_t, 2 * dns::max_name_size + 18> octets;
  ByteWriter out(octets);
  out.bytes(record.key_name.view().wire());
  out.u16(dns::value(dns::RrClass::ANY));
  out.u32(0);
  out.bytes(record.algorithm_name.view().wire());
  write_u48(out, record.time_signed);
  out.u16(record.fudge);
  out.u16(record.error);
  out.u16(static_cast<uint16_t>(record.other.size()));
  hmac_.update(ByteView(octets).first(out.at()));
  hmac_.update(record.other);
}

void TsigChain::add_timers(const TsigRecord& record) {
  std::array<uint8_t, 8> octets;
  ByteWriter out(octets);
  write_u48(out, record.time_signed);
  out.u16(record.fudge);
  hmac_.update(octets);
}

bool TsigChain::matches(ByteView mac) {
  std::array<uint8_t, crypto::max_digest_size> ours;
  const size_t size = finish(ours);
  // No caller lets a MAC through that is too short; were there one, its few octets would not be an answer.
  if (mac.size() > size || mac.size() < 10) return false;
  return crypto::equal_in_constant_time(ByteView(ours).first(mac.size()), mac);
}

}  // namespace steward::auth
