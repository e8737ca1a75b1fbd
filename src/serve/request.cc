#include "serve/request.hh"

namespace steward::serve {
namespace {

using dns::RrType;

constexpr uint16_t response_flag = 0x8000;
constexpr size_t rr_head_size = 10;  // type, class, TTL, RDLENGTH

// The end of the name at `at`, or 0 where it is broken. Only steps over it: a pointer is not followed, for no name but
// the question's is looked at.
size_t skip_name(ByteView message, size_t at) {
  if (at < message.size() && message[at] == 0) return at + 1;  // OPT's
  const size_t start = at;
  while (at < message.size()) {
    const uint8_t length = message[at];
    if (length == 0) return at + 1;
    if (length >= 0xc0) {
      if (at + 1 >= message.size()) return 0;
      // A pointer points back (RFC 1035 §4.1.4), and never into the header.
      const size_t target = load_u16(&message[at]) & 0x3fffU;
      return target >= header_size && target < start ? at + 2 : 0;
    }
    if (length > dns::max_label_size) return 0;
    at += length + size_t{1};
    if (at - start >= dns::max_name_size) return 0;
  }
  return 0;
}

// The question's name: uncompressed, for there is nothing before it to point at. 0 where it is broken.
size_t question_name_size(ByteView rest) {
  size_t at = 0;
  while (at < rest.size()) {
    const uint8_t length = rest[at];
    if (length == 0) return at + 1;
    if (length > dns::max_label_size) return 0;
    at += length + size_t{1};
    if (at >= dns::max_name_size) return 0;
  }
  return 0;
}

bool parse_question(ByteView message, Request& request) {
  const size_t size = question_name_size(message.subspan(header_size));
  if (size == 0 || message.size() - header_size < size + 4) return false;
  const uint8_t* after = &message[header_size + size];
  request.qname = dns::NameView(&message[header_size], size);
  request.qtype = static_cast<RrType>(load_u16(after));
  request.qclass = static_cast<dns::RrClass>(load_u16(after + 2));
  request.question_size = static_cast<uint16_t>(size + 4);
  return true;
}

// One option. False where its length breaks the option's own rule.
bool parse_option(uint16_t code, ByteView data, RequestEdns& edns) {
  switch (static_cast<EdnsOption>(code)) {
    case EdnsOption::Nsid:
      // RFC 5001 §2.1: a request's NSID has no payload; one that has is not a request for it.
      edns.nsid = edns.nsid || data.empty();
      return true;
    case EdnsOption::UpdateLease:
      // RFC 9664 §4: a length of 4 or 8.
      if (data.size() != 4 && data.size() != 8) return false;
      edns.update_lease = UpdateLeaseOption{load_u32(data.data()), data.size() == 8 ? load_u32(&data[4]) : 0};
      return true;
    case EdnsOption::Cookie:
      // RFC 7873 §5.2.2: a length other than 8 or 16 to 40 is a FORMERR. §4: of several only the first counts.
      if (data.size() != 8 && (data.size() < 16 || data.size() > 40)) return false;
      if (edns.cookie.empty()) edns.cookie = data;
      return true;
    case EdnsOption::TcpKeepalive:
      edns.keepalive = true;
      edns.keepalive_timeout = edns.keepalive_timeout || !data.empty();
      return true;
    case EdnsOption::Padding: edns.padding = true; return true;
    case EdnsOption::ExtendedError: return true;
  }
  return true;  // RFC 6891 §6.1.2: an option that is not understood is ignored
}

bool parse_options(ByteView options, RequestEdns& edns) {
  while (!options.empty()) {
    if (options.size() < 4) return false;
    const size_t size = load_u16(&options[2]);
    if (options.size() - 4 < size) return false;
    if (!parse_option(load_u16(options.data()), options.subspan(4, size), edns)) return false;
    options = options.subspan(4 + size);
  }
  return true;
}

// The records after the question, up to the end of the message. Only OPT and TSIG are looked at.
bool parse_additional(ByteView message, size_t at, size_t before, size_t count, Request& request) {
  RequestEdns& edns = request.edns;
  bool options_hold = true;
  for (size_t i = 0; i < before + count; ++i) {
    const size_t start = at;
    at = skip_name(message, at);
    if (at == 0 || message.size() - at < rr_head_size) return false;
    const uint8_t* head = &message[at];
    const auto type = static_cast<RrType>(load_u16(head));
    const size_t size = load_u16(head + 8);
    at += rr_head_size;
    if (message.size() - at < size) return false;
    if (type == RrType::OPT) {
      // RFC 6891 §6.1.1: at most one, in the additional section, owned by the root.
      if (i < before || edns.present || message[start] != 0) return false;
      edns.present = true;
      edns.udp_size = load_u16(head + 2);
      edns.version = head[5];
      edns.dnssec_ok = (head[6] & 0x80) != 0;
      edns.compact_answers_ok = (head[6] & 0x40) != 0;
      // What the options of another version mean is not known (RFC 6891 §6.1.3).
      if (edns.version == 0) options_hold = parse_options(message.subspan(at, size), edns);
    } else if (type == RrType::TSIG) {
      // RFC 8945 §5.1: the last record, and only one.
      if (i + 1 != before + count || i < before) return false;
      request.tsig_offset = static_cast<uint16_t>(start);
    }
    at += size;
  }
  return at == message.size() && options_hold;
}

// NOTIFY and UPDATE share the form of a QUERY: a question, which UPDATE calls the zone, and three sections.
Verdict parse_other(ByteView message, Request& request) {
  Verdict verdict = Verdict::NotImplemented;
  if (request.opcode() == static_cast<uint8_t>(dns::Opcode::NOTIFY)) verdict = Verdict::Notify;
  if (request.opcode() == static_cast<uint8_t>(dns::Opcode::UPDATE)) verdict = Verdict::Update;
  if (verdict == Verdict::NotImplemented) return verdict;
  // RFC 2136 §3.1.1: exactly one zone. RFC 1996 §3.6: exactly one question.
  if (load_u16(&message[4]) != 1 || !parse_question(message, request)) return Verdict::FormatError;
  const size_t before = size_t{load_u16(&message[6])} + load_u16(&message[8]);
  const size_t at = header_size + request.question_size;
  if (!parse_additional(message, at, before, load_u16(&message[10]), request)) return Verdict::FormatError;
  return request.edns.version != 0 ? Verdict::BadVersion : verdict;
}

}  // namespace

Verdict parse_request(ByteView message, Request& request) {
  if (message.size() < header_size || message.size() > 65535) return Verdict::Drop;
  request.id = load_u16(message.data());
  request.flags = load_u16(&message[2]);
  request.question_size = 0;
  request.tsig_offset = 0;
  request.edns = RequestEdns{};
  // Two servers that answer each other's responses would never stop.
  if ((request.flags & response_flag) != 0) return Verdict::Drop;
  if (request.opcode() != static_cast<uint8_t>(dns::Opcode::QUERY)) return parse_other(message, request);

  const size_t questions = load_u16(&message[4]);
  const size_t answers = load_u16(&message[6]);
  const size_t authorities = load_u16(&message[8]);
  const size_t additionals = load_u16(&message[10]);
  // RFC 9619 §3: one question at most. An answer in a question makes no sense.
  if (questions > 1 || answers != 0) return Verdict::FormatError;
  if (questions == 1 && !parse_question(message, request)) return Verdict::FormatError;
  // RFC 1995 §3: an IXFR query has the client's SOA in the authority section; no other query has one.
  if (authorities > (questions == 1 && request.qtype == RrType::IXFR ? 1U : 0U)) return Verdict::FormatError;

  const size_t at = header_size + request.question_size;
  if (authorities + additionals == 0) {
    if (at != message.size()) return Verdict::FormatError;
  } else if (!parse_additional(message, at, authorities, additionals, request)) {
    return Verdict::FormatError;
  }
  if (request.edns.version != 0) return Verdict::BadVersion;
  if (questions == 0) return request.edns.cookie.empty() ? Verdict::FormatError : Verdict::CookieOnly;
  return Verdict::Answer;
}

}  // namespace steward::serve
