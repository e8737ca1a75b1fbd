#include "serve/recursion.hh"

#include <algorithm>

#include "serve/cookie.hh"
#include "serve/response.hh"

namespace steward::serve {
namespace {

using dns::RrType;

constexpr size_t most_text = 240;  // octets of EXTRA-TEXT: a word for people, not a way to a larger answer
constexpr uint16_t flag_rd = 0x0100;
constexpr uint16_t flag_ad = 0x0020;
constexpr uint16_t flag_cd = 0x0010;

bool is_proof(RrType type) { return type == RrType::RRSIG || type == RrType::NSEC || type == RrType::NSEC3; }

}  // namespace

bool RecursionRights::admits(const SocketAddress& client, dns::NameView name) const {
  return name.is_at_or_below(apex) &&
         std::any_of(allow.begin(), allow.end(), [&](const AddressBlock& block) { return block.contains(client); });
}

void keep_below(Resolution& found, dns::NameView apex) {
  const auto is_outside = [&](const dns::Record& record) { return !record.owner.view().is_at_or_below(apex); };
  const size_t taken = std::erase_if(found.answer, is_outside) + std::erase_if(found.authority, is_outside);
  if (taken > 0) found.secure = false;
}

RecursiveResponse::RecursiveResponse(const Exchange& exchange, const Request& request, const Settings& settings,
                                     ByteView server_cookie)
    : limit_(size_limit(exchange, request, settings)),
      reply_(exchange.source->defer(exchange)),
      question_{dns::Name(request.qname), request.qtype, request.qclass},
      id_(request.id),
      flags_(request.flags),
      udp_size_(std::max<uint16_t>(settings.udp_size, 512)),
      edns_(request.edns.present),
      dnssec_ok_(request.edns.dnssec_ok) {
  if (server_cookie.empty()) return;
  append(cookie_, request.edns.cookie.first(client_cookie_size));
  append(cookie_, server_cookie);
}

dns::Message RecursiveResponse::begin(dns::Rcode rcode) const {
  dns::Message message;
  message.header = {.id = id_, .qr = true, .rd = (flags_ & flag_rd) != 0, .ra = true, .cd = (flags_ & flag_cd) != 0,
                    .rcode = static_cast<uint8_t>(static_cast<uint16_t>(rcode) & 0x0f)};
  message.question.push_back(question_);
  return message;
}

void RecursiveResponse::add_opt(dns::Message& message, std::optional<ExtendedError> error, std::string_view text) const {
  if (!edns_) return;
  Bytes options;
  if (!cookie_.empty()) dns::append_edns_option(options, static_cast<uint16_t>(EdnsOption::Cookie), cookie_);
  if (error) {
    Bytes data;
    append_u16(data, static_cast<uint16_t>(*error));
    append(data, as_bytes(text.substr(0, most_text)));
    dns::append_edns_option(options, static_cast<uint16_t>(EdnsOption::ExtendedError), data);
  }
  message.additional.push_back(dns::make_opt(udp_size_, dnssec_ok_, std::move(options)));
}

std::vector<dns::Record> RecursiveResponse::shown(const std::vector<dns::Record>& records) const {
  std::vector<dns::Record> out;
  for (const dns::Record& record : records)
    if (dnssec_ok_ || !is_proof(record.type) || record.type == question_.type) out.push_back(record);
  return out;
}

void RecursiveResponse::send(const Resolution& found) {
  dns::Message message = begin(found.rcode);
  message.header.ad = found.secure && (dnssec_ok_ || (flags_ & flag_ad) != 0);
  message.answer = shown(found.answer);
  message.authority = shown(found.authority);
  add_opt(message, {}, {});
  write(std::move(message));
}

void RecursiveResponse::fail(dns::Rcode rcode, ExtendedError error, std::string_view text) {
  dns::Message message = begin(rcode);
  add_opt(message, error, text);
  write(std::move(message));
}

void RecursiveResponse::write(dns::Message message) {
  if (reply_ == nullptr) return;
  auto wire = message.build(limit_);
  if (!wire) {
    message.answer.clear();
    message.authority.clear();
    message.header.tc = true;
    message.header.ad = false;
    wire = message.build(limit_);
  }
  if (wire) reply_->write(*wire);
  reply_.reset();
}

}  // namespace steward::serve
