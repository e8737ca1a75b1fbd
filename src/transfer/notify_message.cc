#include "transfer/notify_message.hh"

#include "transfer/soa_query.hh"

namespace steward::transfer {
namespace {

constexpr uint8_t qr_octet = 0x80;

dns::Opcode opcode_of(ByteView message) { return static_cast<dns::Opcode>(message[2] >> 3 & 0x0f); }

IncomingNotify wrong(IncomingNotify notify, dns::Rcode rcode, std::string what) {
  notify.kind = IncomingNotify::Kind::Wrong;
  notify.rcode = rcode;
  notify.what = std::move(what);
  return notify;
}

}  // namespace

Result<Bytes> build_notify(uint16_t id, dns::NameView zone, ByteView soa, uint32_t ttl) {
  dns::Message message;
  message.header.id = id;
  message.header.opcode = dns::Opcode::NOTIFY;
  message.header.aa = true;  // RFC 1996 §3.3
  message.question.push_back({zone, dns::RrType::SOA, dns::RrClass::IN});
  message.answer.push_back({zone, dns::RrType::SOA, dns::RrClass::IN, ttl, Bytes(soa.begin(), soa.end())});
  return message.build();
}

IncomingNotify parse_notify(ByteView message) {
  IncomingNotify notify;
  // RFC 1996 §3: a response is never answered, or two servers could keep each other busy.
  if (message.size() < dns::header_size || (message[2] & qr_octet) != 0 || opcode_of(message) != dns::Opcode::NOTIFY)
    return notify;
  notify.header.id = load_u16(message.data());
  notify.header.opcode = dns::Opcode::NOTIFY;
  const auto parsed = dns::Message::parse(message);
  if (!parsed) return wrong(notify, dns::Rcode::FORMERR, "NOTIFY is malformed: " + parsed.error().what);
  notify.header = parsed->header;
  if (parsed->question.size() != 1)
    return wrong(notify, dns::Rcode::FORMERR, "NOTIFY has not one question (RFC 1996 §3.6)");
  const dns::Question& question = parsed->question[0];
  notify.zone = question.name;
  notify.type = question.type;
  if (question.klass != dns::RrClass::IN)
    return wrong(notify, dns::Rcode::FORMERR, "class of NOTIFY is not IN (RFC 1996 §3.6)");
  if (question.type != dns::RrType::SOA)
    return wrong(notify, dns::Rcode::NOTIMP,
                 "NOTIFY is about " + dns::to_text(question.type) + ", not SOA (RFC 1996 §3.3)");
  notify.kind = IncomingNotify::Kind::Notify;
  // RFC 1996 §3.7: a hint only; one that says nothing about this zone is none.
  for (const dns::Record& record : parsed->answer)
    if (record.type == dns::RrType::SOA && record.klass == dns::RrClass::IN && record.owner == question.name &&
        !record.rdata.empty())
      notify.serial = soa_fields(record.rdata).serial;
  return notify;
}

Result<Bytes> build_notify_response(const IncomingNotify& request, dns::Rcode rcode) {
  dns::Message response;
  response.header.id = request.header.id;
  response.header.opcode = dns::Opcode::NOTIFY;
  response.header.qr = true;
  response.header.aa = true;
  response.header.rd = request.header.rd;
  response.header.rcode = static_cast<uint8_t>(rcode) & 0x0f;
  // A request that could not be read, or of another class, has no question that could be repeated.
  if (request.rcode != dns::Rcode::FORMERR) response.question.push_back({request.zone, request.type, dns::RrClass::IN});
  return response.build();
}

std::optional<dns::Rcode> parse_notify_response(ByteView message, uint16_t id, dns::NameView zone) {
  const auto parsed = dns::Message::parse(message);
  if (!parsed || parsed->header.id != id || !parsed->header.qr || parsed->header.opcode != dns::Opcode::NOTIFY)
    return std::nullopt;
  if (parsed->question.size() > 1) return std::nullopt;
  // Servers that refuse may leave the question out.
  if (parsed->question.size() == 1) {
    const dns::Question& question = parsed->question[0];
    if (!(question.name == zone) || question.type != dns::RrType::SOA) return std::nullopt;
  }
  return parsed->rcode();
}

}  // namespace steward::transfer
