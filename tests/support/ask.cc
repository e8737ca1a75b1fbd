#include "ask.hh"

#include <algorithm>
#include <stdexcept>

#include "dns/rdata.hh"

namespace steward::test {
namespace {

using dns::RrType;

[[noreturn]] void wrong(const std::string& what) { throw std::runtime_error("response: " + what); }

// A name at `at`, which is moved behind it. Pointers have to lead back.
dns::Name read_name(ByteView message, size_t& at) {
  Bytes wire;
  size_t here = at;
  size_t limit = at;
  bool jumped = false;
  while (true) {
    if (here >= message.size()) wrong("name runs out");
    const uint8_t length = message[here];
    if (length >= 0xc0) {
      if (here + 1 >= message.size()) wrong("pointer runs out");
      const size_t target = load_u16(&message[here]) & 0x3fffU;
      if (target >= limit || target < 12) wrong("pointer does not lead back");
      if (!jumped) at = here + 2;
      jumped = true;
      here = limit = target;
      continue;
    }
    if (length > 63 || here + length + 1 > message.size()) wrong("label runs out");
    append(wire, message.subspan(here, length + size_t{1}));
    if (wire.size() > 255) wrong("name over 255 octets");
    here += length + size_t{1};
    if (length == 0) break;
  }
  if (!jumped) at = here;
  return dns::Name(dns::NameView(wire.data(), wire.size()));
}

uint16_t read_u16(ByteView message, size_t& at) {
  if (message.size() - at < 2) wrong("runs out");
  at += 2;
  return load_u16(&message[at - 2]);
}

Response::Opt read_opt(uint16_t klass, uint32_t ttl, ByteView rdata) {
  Response::Opt opt;
  opt.udp_size = klass;
  opt.version = static_cast<uint8_t>(ttl >> 16);
  opt.flags = static_cast<uint16_t>(ttl);
  while (!rdata.empty()) {
    if (rdata.size() < 4 || rdata.size() - 4 < load_u16(&rdata[2])) wrong("option runs out");
    const ByteView data = rdata.subspan(4, load_u16(&rdata[2]));
    opt.options.push_back({load_u16(rdata.data()), Bytes(data.begin(), data.end())});
    rdata = rdata.subspan(4 + data.size());
  }
  return opt;
}

void read_section(ByteView message, size_t& at, size_t count, std::vector<Record>& out, Response& response) {
  for (; count > 0; --count) {
    Record record;
    record.owner = read_name(message, at);
    record.type = static_cast<RrType>(read_u16(message, at));
    const uint16_t klass = read_u16(message, at);
    const uint32_t ttl = static_cast<uint32_t>(read_u16(message, at)) << 16 | read_u16(message, at);
    const size_t size = read_u16(message, at);
    if (message.size() - at < size) wrong("RDATA runs out");
    if (record.type == RrType::OPT) {
      if (response.opt || !record.owner.view().is_root()) wrong("OPT twice or not at the root");
      response.opt = read_opt(klass, ttl, message.subspan(at, size));
      response.rcode = static_cast<dns::Rcode>(static_cast<uint16_t>(response.rcode) | ttl >> 24 << 4);
      at += size;
      continue;
    }
    record.ttl = ttl;
    if (auto done = dns::rdata_from_message(record.type, message, at, size, record.rdata); !done)
      wrong(to_text(record.type) + ": " + done.error().what);
    at += size;
    out.push_back(std::move(record));
  }
}

}  // namespace

Bytes make_query(std::string_view name, RrType type, const std::optional<QueryEdns>& edns, dns::RrClass klass) {
  Bytes query = {0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, static_cast<uint8_t>(edns ? 1 : 0)};
  const auto wire = dns::Name::from_text(name);
  if (!wire) throw std::runtime_error(wire.error().what);
  append(query, wire->view().wire());
  append_u16(query, value(type));
  append_u16(query, value(klass));
  if (!edns) return query;
  append_u8(query, 0);
  append_u16(query, value(RrType::OPT));
  append_u16(query, edns->udp_size);
  append_u8(query, 0);
  append_u8(query, edns->version);
  append_u16(query, static_cast<uint16_t>((edns->dnssec_ok ? 0x8000 : 0) | (edns->compact_answers_ok ? 0x4000 : 0)));
  Bytes options;
  for (const Option& option : edns->options) {
    append_u16(options, option.code);
    append_u16(options, static_cast<uint16_t>(option.data.size()));
    append(options, option.data);
  }
  append_u16(query, static_cast<uint16_t>(options.size()));
  append(query, options);
  return query;
}

const Option* Response::Opt::find(uint16_t code) const {
  const auto at = std::find_if(options.begin(), options.end(), [&](const Option& o) { return o.code == code; });
  return at == options.end() ? nullptr : &*at;
}

std::optional<uint16_t> Response::extended_error() const {
  const Option* option = opt ? opt->find(15) : nullptr;
  if (option == nullptr || option->data.size() < 2) return std::nullopt;
  return load_u16(option->data.data());
}

Response parse_response(ByteView message) {
  if (message.size() < 12) wrong("shorter than a header");
  Response response;
  response.size = message.size();
  response.id = load_u16(message.data());
  response.flags = load_u16(&message[2]);
  response.rcode = static_cast<dns::Rcode>(response.flags & 15);
  response.question_count = load_u16(&message[4]);
  if ((response.flags & 0x8000) == 0) wrong("QR is clear");
  size_t at = 12;
  if (response.question_count > 1) wrong("more than one question");
  if (response.question_count == 1) {
    response.qname = read_name(message, at);
    read_u16(message, at);
    read_u16(message, at);
  }
  read_section(message, at, load_u16(&message[6]), response.answer, response);
  read_section(message, at, load_u16(&message[8]), response.authority, response);
  read_section(message, at, load_u16(&message[10]), response.additional, response);
  if (at != message.size()) wrong("octets left over");
  return response;
}

std::vector<std::string> lines_of(const std::vector<Record>& records) {
  std::vector<std::string> lines;
  for (const Record& record : records) {
    Bytes rdata = record.rdata;
    canonicalize_rdata(record.type, rdata);
    lines.push_back(record.owner.folded().to_text() + " " + std::to_string(record.ttl) + " " + to_text(record.type) +
                    " " + rdata_to_text(record.type, rdata));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> lines_of(std::string_view zone_text, std::string_view origin) {
  return lines_of(parse_zone_text(zone_text, *dns::Name::from_text(origin)));
}

std::vector<std::string> lines_without_sigs(const std::vector<Record>& section) {
  std::vector<Record> rest;
  std::copy_if(section.begin(), section.end(), std::back_inserter(rest),
               [](const Record& record) { return record.type != RrType::RRSIG; });
  return lines_of(rest);
}

bool is_signed(const std::vector<Record>& section, const std::vector<RrType>& except) {
  return std::all_of(section.begin(), section.end(), [&](const Record& record) {
    if (record.type == RrType::RRSIG) return true;
    const bool found = std::any_of(section.begin(), section.end(), [&](const Record& sig) {
      return sig.type == RrType::RRSIG && load_u16(sig.rdata.data()) == value(record.type) &&
             sig.owner == record.owner && sig.ttl == record.ttl;
    });
    return found == (std::find(except.begin(), except.end(), record.type) == except.end());
  });
}

Server::Server()
    : client(*SocketAddress::from_text("192.0.2.1@5353")),
      local(*SocketAddress::from_text("192.0.2.53@53")),
      room_(65535) {
  context.settings = &settings;
}

std::optional<Response> Server::ask(ByteView query, Transport transport) {
  // In memory of its own, so that a sanitizer sees a read past its end.
  const auto request = std::make_unique<uint8_t[]>(query.size());
  std::copy(query.begin(), query.end(), request.get());
  Exchange exchange;
  exchange.request = ByteView(request.get(), query.size());
  exchange.room = MutableByteView(room_).first(transport == Transport::Udp ? 4096 : room_.size());
  exchange.transport = transport;
  exchange.client = &client;
  exchange.local = &local;
  pipeline.answer(std::span<Exchange>(&exchange, 1), snapshot, context);
  size_ = exchange.response_size;
  if (size_ == 0) return std::nullopt;
  return parse_response(octets());
}

Response Server::ask(std::string_view name, RrType type, const std::optional<QueryEdns>& edns, Transport transport) {
  auto response = ask(make_query(name, type, edns), transport);
  if (!response) wrong("none was sent");
  return *response;
}

}  // namespace steward::test
