#include "transfer/soa_query.hh"

namespace steward::transfer {
namespace {

dns::Message query_of(uint16_t id, dns::NameView zone, dns::RrType type, std::optional<QueryEdns> edns) {
  dns::Message query;
  query.header.id = id;
  query.question.push_back({zone, type, dns::RrClass::IN});
  if (edns) query.additional.push_back(dns::make_opt(edns->udp_size, false));
  return query;
}

SoaAnswer refused(std::string what, std::optional<dns::Rcode> rcode = {}) {
  SoaAnswer answer;
  answer.rcode = rcode;
  answer.what = std::move(what);
  return answer;
}

}  // namespace

SoaFields soa_fields(ByteView rdata) {
  const uint8_t* numbers = rdata.data() + (rdata.size() - 20);
  return {load_u32(numbers), load_u32(numbers + 4), load_u32(numbers + 8), load_u32(numbers + 12),
          load_u32(numbers + 16)};
}

Result<Bytes> build_soa_query(uint16_t id, dns::NameView zone, std::optional<QueryEdns> edns) {
  return query_of(id, zone, dns::RrType::SOA, edns).build();
}

Result<Bytes> build_axfr_query(uint16_t id, dns::NameView zone, std::optional<QueryEdns> edns) {
  return query_of(id, zone, dns::RrType::AXFR, edns).build();
}

Result<Bytes> build_ixfr_query(uint16_t id, dns::NameView zone, ByteView soa, uint32_t ttl,
                               std::optional<QueryEdns> edns) {
  dns::Message query = query_of(id, zone, dns::RrType::IXFR, edns);
  query.authority.push_back({zone, dns::RrType::SOA, dns::RrClass::IN, ttl, Bytes(soa.begin(), soa.end())});
  return query.build();
}

SoaAnswer parse_soa_answer(ByteView message, uint16_t id, dns::NameView zone, bool datagram) {
  SoaAnswer answer;
  answer.kind = SoaAnswer::Kind::NotOurs;
  if (message.size() < dns::header_size || load_u16(message.data()) != id || (message[2] & 0x80) == 0) return answer;
  // A truncated message need not be whole beyond its header.
  if (datagram && (message[2] & 0x02) != 0) {
    answer.kind = SoaAnswer::Kind::Truncated;
    return answer;
  }
  const auto parsed = dns::Message::parse(message);
  if (!parsed) return refused("answer to SOA is malformed: " + parsed.error().what);
  if (parsed->header.opcode != dns::Opcode::QUERY) return answer;
  if (parsed->question.size() == 1) {
    const dns::Question& question = parsed->question[0];
    if (!(question.name == zone) || question.type != dns::RrType::SOA || question.klass != dns::RrClass::IN)
      return answer;
  }
  const dns::Rcode rcode = parsed->rcode();
  if (rcode != dns::Rcode::NOERROR) return refused("primary answered SOA with " + dns::to_text(rcode), rcode);
  if (parsed->question.size() != 1) return refused("answer to SOA has not one question (RFC 1035 §4.1.2)");
  // RFC 1034 §4.3.5: the check is made with a server that is authoritative for the zone.
  if (!parsed->header.aa) return refused("answer to SOA is not authoritative (RFC 1034 §4.3.5)");
  const dns::Record* soa = nullptr;
  for (const dns::Record& record : parsed->answer) {
    if (record.type != dns::RrType::SOA || record.klass != dns::RrClass::IN || !(record.owner == zone)) continue;
    if (soa != nullptr) return refused("answer to SOA has more than one (RFC 1035 §5.2)");
    soa = &record;
  }
  if (soa == nullptr) return refused("answer to SOA has none of the zone (RFC 1034 §4.3.5)");
  answer.kind = SoaAnswer::Kind::Soa;
  answer.soa = soa_fields(soa->rdata);
  answer.ttl = soa->ttl;
  return answer;
}

}  // namespace steward::transfer
