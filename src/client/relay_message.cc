#include "client/relay_message.hh"

#include "dns/message.hh"
#include "dns/rr_type.hh"

namespace steward::client {
namespace {

constexpr size_t header_size = 12;
constexpr size_t padding_block = 128;
constexpr uint16_t padding_option = 12;
constexpr size_t opt_head = 11;  // the root, TYPE, CLASS, TTL, RDLENGTH
constexpr size_t option_head = 4;

uint16_t count(ByteView message, size_t section) { return load_u16(&message[4 + 2 * section]); }

/// Where the question of a message ends; 0 where it is cut short or compressed, which no query has any use for.
size_t question_end(ByteView message) {
  size_t at = header_size;
  while (at < message.size() && message[at] != 0) {
    if (message[at] > 63) return 0;
    at += size_t{1} + message[at];
  }
  at += 1 + 4;
  return at <= message.size() ? at : 0;
}

/// Where the RDATA of the OPT record begins that is the only and last one; 0: there is no such record, or it is padded.
size_t paddable_opt(ByteView query) {
  const size_t at = question_end(query);
  if (count(query, 3) != 1 || query.size() < at + opt_head) return 0;
  if (query[at] != 0 || load_u16(&query[at + 1]) != dns::value(dns::RrType::OPT)) return 0;
  if (at + opt_head + load_u16(&query[at + opt_head - 2]) != query.size()) return 0;
  ByteView options = query.subspan(at + opt_head);
  while (const auto option = dns::next_edns_option(options))
    if (option->code == padding_option) return 0;
  return options.empty() ? at + opt_head : 0;
}

}  // namespace

bool is_plain_query(ByteView message) {
  // QR and the opcode are 0.
  return message.size() > header_size && (message[2] & 0xF8) == 0 && count(message, 0) == 1 && count(message, 1) == 0 &&
         count(message, 2) == 0 && question_end(message) != 0;
}

Bytes relayed_query(ByteView query, uint16_t id) {
  Bytes out(query.begin(), query.end());
  store_u16(out.data(), id);
  const size_t rdata = paddable_opt(query);
  if (rdata == 0) return out;
  const size_t bare = out.size() + option_head;
  const size_t padding = (padding_block - bare % padding_block) % padding_block;
  append_u16(out, padding_option);
  append_u16(out, static_cast<uint16_t>(padding));
  out.resize(bare + padding);
  store_u16(&out[rdata - 2], static_cast<uint16_t>(out.size() - rdata));
  return out;
}

Bytes servfail_to(ByteView query) {
  Bytes out(query.begin(), query.begin() + static_cast<long>(question_end(query)));
  out[2] = static_cast<uint8_t>(0x80 | (query[2] & 0x01));  // QR, RD as it was
  out[3] = static_cast<uint8_t>((query[3] & 0x10) | static_cast<uint8_t>(dns::Rcode::SERVFAIL));
  std::fill(out.begin() + 6, out.begin() + header_size, uint8_t{0});
  return out;
}

std::optional<dns::Name> referral_of(ByteView response) {
  constexpr uint8_t authoritative = 0x04;
  if (response.size() <= header_size || (response[2] & authoritative) != 0 || (response[3] & 0x0F) != 0) return {};
  if (count(response, 1) != 0 || count(response, 2) == 0) return {};
  const auto message = dns::Message::parse(response);
  if (!message || message->question.empty()) return {};
  for (const dns::Record& record : message->authority)
    if (record.type == dns::RrType::NS && message->question.front().name.view().is_at_or_below(record.owner))
      return record.owner.folded();
  return {};
}

}  // namespace steward::client
