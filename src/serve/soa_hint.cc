#include "serve/soa_hint.hh"

#include "dns/compressed_name.hh"

namespace steward::serve {

std::optional<uint32_t> soa_hint(ByteView message, const Request& request) {
  constexpr size_t numbers_size = 20;
  size_t at = header_size + size_t{request.question_size};
  size_t used = 0;
  const auto owner = dns::name_from_message(message, at, message.size(), used);
  if (!owner || !(*owner == request.qname)) return std::nullopt;
  ByteReader head(message, at + used);
  const auto type = static_cast<dns::RrType>(head.u16());
  const auto klass = static_cast<dns::RrClass>(head.u16());
  head.u32();
  const size_t size = head.u16();
  if (!head.ok() || type != dns::RrType::SOA || klass != dns::RrClass::IN || head.left() < size) return std::nullopt;
  at = head.at();
  const size_t end = at + size;
  for (int names = 0; names < 2; ++names) {
    if (at >= end || !dns::name_from_message(message, at, end, used)) return std::nullopt;
    at += used;
  }
  if (end - at != numbers_size) return std::nullopt;
  return load_u32(&message[at]);
}

}  // namespace steward::serve
