#include "serve/response.hh"

#include <algorithm>

#include "serve/cookie.hh"

namespace steward::serve {
namespace {

using dns::RrType;

constexpr size_t opt_size = 11;  // without options
constexpr size_t option_head_size = 4;
constexpr size_t min_udp_size = 512;   // RFC 1035 §4.2.1
constexpr size_t padding_block = 468;  // RFC 8467 §4.1: of responses

bool sends_nsid(const Request& request, const Settings& settings) {
  return request.edns.nsid && !settings.nsid.empty();
}

// RFC 7828 §3.2.2, §3.3.2: only on TCP, and ignored over UDP. HTTP keeps its own connections.
bool sends_keepalive(const Request& request, Transport transport) {
  return request.edns.keepalive && (transport == Transport::Tcp || transport == Transport::Tls);
}

// RFC 7830 §4, §6: where the request was padded, and only where what is sent is encrypted.
bool sends_padding(const Request& request, Transport transport) {
  return request.edns.padding && (transport == Transport::Tls || transport == Transport::Https);
}

void write_option_head(ByteWriter& out, EdnsOption option, size_t size) {
  out.u16(static_cast<uint16_t>(option));
  out.u16(static_cast<uint16_t>(size));
}

}  // namespace

size_t size_limit(const Exchange& exchange, const Request& request, const Settings& settings) {
  if (exchange.transport != Transport::Udp) return std::min<size_t>(exchange.room.size(), 65535);
  // RFC 6891 §6.2.3: values below 512 are treated as 512.
  const size_t asked = request.edns.present ? std::max<size_t>(request.edns.udp_size, min_udp_size) : min_udp_size;
  return std::min({asked, std::max<size_t>(settings.udp_size, min_udp_size), exchange.room.size()});
}

bool Response::begin(const Exchange& exchange, const Request& request, const Settings& settings, size_t signature) {
  // RFC 8945 §5.3: what the TSIG takes is taken from the response, which is truncated where it does not fit beside it.
  const size_t limit = size_limit(exchange, request, settings);
  if (limit < signature) return false;
  room_ = exchange.room.first(limit - signature);
  request_ = &request;
  transport_ = exchange.transport;
  server_cookie_ = {};
  extended_error_.reset();
  counts_[0] = counts_[1] = counts_[2] = 0;
  rcode_ = dns::Rcode::NOERROR;
  authoritative_ = truncated_ = compact_answers_ok_ = recursion_available_ = leads_on_ = false;

  size_t reserved = 0;
  if (request.edns.present) {
    reserved = opt_size;
    if (sends_nsid(request, settings)) reserved += option_head_size + settings.nsid.size();
    if (!request.edns.cookie.empty() && settings.cookies != CookiePolicy::Off)
      reserved += option_head_size + client_cookie_size + server_cookie_size;
    if (sends_keepalive(request, transport_)) reserved += option_head_size + 2;
  }
  const size_t head = header_size + request.question_size;
  if (room_.size() < head + reserved) return false;
  std::memcpy(&room_[header_size], &exchange.request[header_size], request.question_size);
  out_ = ByteWriter(room_.first(room_.size() - reserved), head);
  return true;
}

bool Response::put_with_owner(Section section, const zone::StoredRrset& rrset, dns::NameView owner, size_t shared,
                              uint16_t place, bool with_sigs) {
  const size_t start = out_.at();
  const ByteView rrs = with_sigs ? rrset.rrs_with_sigs : rrset.rrs;
  for (size_t at = 0; at < rrs.size();) {
    const size_t size = 12U + load_u16(&rrs[at + 10]);
    // The first RR has the owner's own labels and a pointer to the rest, the others a pointer to the first, if it
    // reaches.
    if (at == 0 || start > 0x3fff) {
      out_.bytes(owner.wire().first(shared));
      out_.u16(static_cast<uint16_t>(0xc000 | place));
    } else {
      out_.u16(static_cast<uint16_t>(0xc000 | start));
    }
    out_.bytes(rrs.subspan(at + 2, size - 2));
    at += size;
  }
  if (!out_.ok()) {
    out_.rewind(start);
    return false;
  }
  count(section, rrset.rr_count + (with_sigs ? rrset.sig_count : 0U));
  return true;
}

bool Response::put_sigs(const zone::StoredRrset& rrset, uint16_t place) {
  const size_t start = out_.at();
  out_.bytes(rrset.sigs());
  if (!out_.ok()) {
    out_.rewind(start);
    return false;
  }
  uint8_t* const message = out_.data();
  for (size_t at = start; at < out_.at(); at += 12U + load_u16(message + at + 10))
    store_u16(message + at, static_cast<uint16_t>(0xc000 | place));
  count(Section::Answer, rrset.sig_count);
  return true;
}

bool Response::put_name_record(uint16_t place, RrType type, uint32_t ttl, ByteView prefix, uint16_t target) {
  const size_t start = out_.at();
  out_.u16(static_cast<uint16_t>(0xc000 | place));
  out_.u16(value(type));
  out_.u16(value(dns::RrClass::IN));
  out_.u32(ttl);
  out_.u16(static_cast<uint16_t>(prefix.size() + 2));
  out_.bytes(prefix);
  out_.u16(static_cast<uint16_t>(0xc000 | target));
  if (!out_.ok()) {
    out_.rewind(start);
    return false;
  }
  count(Section::Answer, 1);
  return true;
}

bool Response::put_chaos_txt(std::string_view text) {
  const size_t start = out_.at();
  text = text.substr(0, 255);
  out_.u16(0xc000 | question_place);
  out_.u16(value(RrType::TXT));
  out_.u16(value(dns::RrClass::CH));
  out_.u32(0);
  out_.u16(static_cast<uint16_t>(text.size() + 1));
  out_.u8(static_cast<uint8_t>(text.size()));
  out_.bytes(as_bytes(text));
  if (!out_.ok()) {
    out_.rewind(start);
    return false;
  }
  count(Section::Answer, 1);
  return true;
}

bool Response::put_record(dns::NameView owner, RrType type, uint32_t ttl, ByteView rdata, Section section) {
  const size_t start = out_.at();
  const size_t own = owner.size() - std::min(owner.size(), request_->qname.size());
  out_.bytes(owner.wire().first(own));
  out_.u16(0xc000 | question_place);
  out_.u16(value(type));
  out_.u16(value(dns::RrClass::IN));
  out_.u32(ttl);
  out_.u16(static_cast<uint16_t>(rdata.size()));
  out_.bytes(rdata);
  if (!out_.ok()) {
    out_.rewind(start);
    return false;
  }
  count(section, 1);
  return true;
}

void Response::clear() {
  out_.rewind(header_size + size_t{request_->question_size});
  counts_[0] = counts_[1] = counts_[2] = 0;
  authoritative_ = truncated_ = leads_on_ = false;
}

void Response::write_opt(ByteWriter& out, const Settings& settings) {
  const uint16_t size = std::max<uint16_t>(settings.udp_size, min_udp_size);
  // The upper bits of the response code, our version 0, DO as it came (RFC 3225 §3), and CO where it was heeded (RFC
  // 9824 §5.1); all other flags are zero (RFC 6891 §6.1.4).
  const std::array<uint8_t, opt_size> head = {
      0,
      0,
      static_cast<uint8_t>(RrType::OPT),
      static_cast<uint8_t>(size >> 8),
      static_cast<uint8_t>(size),
      static_cast<uint8_t>(static_cast<uint16_t>(rcode_) >> 4),
      0,
      static_cast<uint8_t>((request_->edns.dnssec_ok ? 0x80 : 0) | (compact_answers_ok_ ? 0x40 : 0)),
      0,
      0,
      0};
  out.bytes(head);
  const size_t options = out.at();
  if (!server_cookie_.empty()) {
    write_option_head(out, EdnsOption::Cookie, client_cookie_size + server_cookie_.size());
    out.bytes(request_->edns.cookie.first(client_cookie_size));
    out.bytes(server_cookie_);
  }
  if (sends_nsid(*request_, settings)) {
    write_option_head(out, EdnsOption::Nsid, settings.nsid.size());
    out.bytes(settings.nsid);
  }
  if (sends_keepalive(*request_, transport_)) {
    write_option_head(out, EdnsOption::TcpKeepalive, 2);
    out.u16(settings.keepalive_timeout);
  }
  // RFC 8914 §3: extra information, for which nothing else gives way.
  if (extended_error_ && out.left() >= option_head_size + 2) {
    write_option_head(out, EdnsOption::ExtendedError, 2);
    out.u16(static_cast<uint16_t>(*extended_error_));
  }
  if (sends_padding(*request_, transport_)) write_padding(out);
  if (out.at() != options) store_u16(out.data() + options - 2, static_cast<uint16_t>(out.at() - options));
}

void Response::write_padding(ByteWriter& out) {
  if (out.left() < option_head_size) return;
  const size_t unpadded = out.at() + option_head_size;
  const size_t padded = (unpadded + padding_block - 1) / padding_block * padding_block;
  const size_t size = std::min(padded - unpadded, out.left() - option_head_size);
  write_option_head(out, EdnsOption::Padding, size);
  // RFC 7830 §3: the octets SHOULD be zero.
  static constexpr std::array<uint8_t, padding_block> zeros{};
  out.bytes(ByteView(zeros).first(size));
}

size_t Response::finish(const Settings& settings) {
  ByteWriter out(room_, out_.at());
  if (request_->edns.present) write_opt(out, settings);
  uint8_t* const header = room_.data();
  store_u16(header, request_->id);
  // QR, the request's opcode and RD. RFC 4035 §3.1.6: AD and CD are clear in an authoritative response.
  unsigned flags = 0x8000U | (request_->flags & 0x7900U);
  if (authoritative_) flags |= 0x0400U;
  if (truncated_) flags |= 0x0200U;
  if (recursion_available_) flags |= 0x0080U;
  // Without OPT there is no place for the upper bits; none of the codes that need them is sent without it.
  flags |= static_cast<uint16_t>(rcode_) & 0x0fU;
  store_u16(header + 2, static_cast<uint16_t>(flags));
  store_u16(header + 4, request_->question_size != 0 ? 1 : 0);
  store_u16(header + 6, counts_[0]);
  store_u16(header + 8, counts_[1]);
  store_u16(header + 10, static_cast<uint16_t>(counts_[2] + (request_->edns.present ? 1 : 0)));
  return out.at();
}

}  // namespace steward::serve
