#include "transfer/incoming.hh"

#include <fmt/format.h>

#include "dns/compressed_name.hh"
#include "dns/message.hh"
#include "dns/rdata.hh"
#include "dns/ttl.hh"

namespace steward::transfer {
namespace {

constexpr uint16_t qr_bit = 0x8000;
constexpr uint16_t tc_bit = 0x0200;
constexpr size_t record_head = 10;  // octets between owner and RDATA

// Past the name at `at` without looking where its pointer leads; false where it runs out.
bool skip_name(ByteView message, size_t& at) {
  while (at < message.size()) {
    const uint8_t octet = message[at];
    if (octet >= 0xc0) return (at += 2) <= message.size();
    if (octet > dns::max_label_size) return false;
    at += octet + size_t{1};
    if (octet == 0) return true;
  }
  return false;
}

}  // namespace

IncomingTransfer::IncomingTransfer(const TransferQuery& query, TransferSink& sink, const TransferLimits& limits)
    : query_(query), sink_(sink), limits_(limits), at_(query.serial) {}

IncomingTransfer::Step IncomingTransfer::take(ByteView message) {
  if (state_ == State::Over) return fail_with(Step::Refused, "message after the end of the transfer", Errc::Invalid);
  ++messages_;
  octets_ += message.size();
  section_ = "";
  index_ = 0;
  owner_at_ = not_here;
  if (octets_ > limits_.max_octets)
    return refuse(fmt::format("transfer is over the limit of {} octets", limits_.max_octets), Errc::Full);
  Step step = check_header(message);
  if (step != Step::More) return step;
  size_t at = dns::header_size;
  step = take_question(message, at);
  if (step == Step::More) step = take_answers(message, at);
  if (step == Step::More) step = take_rest(message, at);
  return step == Step::More ? end_message() : step;
}

IncomingTransfer::Step IncomingTransfer::closed() {
  section_ = "";
  index_ = 0;
  switch (state_) {
    case State::Over: return last_;
    case State::Second:
      // RFC 1995 §4: a single SOA means that we are up to date, but it is newer than ours.
      return fall_back("connection ended after one SOA that is newer than ours (RFC 1995 §4)");
    case State::First:
    case State::Whole:
    case State::Removing:
    case State::Adding:
    case State::Complete: break;
  }
  return refuse("connection ended before the closing SOA (RFC 5936 §2.2)", Errc::Io);
}

// RFC 5936 §2.2.1. The response code goes first: a server that is not willing may get the rest wrong.
IncomingTransfer::Step IncomingTransfer::check_header(ByteView message) {
  if (message.size() < dns::header_size) return refuse("message is shorter than its header (RFC 1035 §4.1.1)");
  const uint16_t flags = load_u16(&message[2]);
  if (load_u16(message.data()) != query_.id) return refuse("ID is not that of the query (RFC 5936 §2.2.1)");
  if ((flags & qr_bit) == 0) return refuse("message is no response (RFC 5936 §2.2.1)");
  if ((flags >> 11 & 0x0f) != static_cast<unsigned>(dns::Opcode::QUERY))
    return refuse("opcode is not QUERY (RFC 5936 §2.2.1)");
  if ((flags & tc_bit) != 0) {
    if (query_.datagram) return finish(Step::RetryOverTcp);
    return refuse("message on a stream is marked as truncated (RFC 5936 §2.2.1)");
  }
  if (const Step step = check_rcode(static_cast<dns::Rcode>(flags & 0x0f)); step != Step::More) return step;
  // RFC 5936 §2.2.1 has AA set, but Knot DNS up to 3.2 leaves it clear: who is asked is known by configuration, not by
  // that bit.
  return Step::More;
}

IncomingTransfer::Step IncomingTransfer::check_rcode(dns::Rcode rcode) {
  if (rcode == dns::Rcode::NOERROR) return Step::More;
  rcode_ = rcode;
  const std::string what = "primary answered " + dns::to_text(rcode);
  // RFC 1995 §4 leaves it open. SERVFAIL: primaries say so where the history that they would send is broken.
  const bool no_ixfr = rcode == dns::Rcode::FORMERR || rcode == dns::Rcode::NOTIMP || rcode == dns::Rcode::SERVFAIL;
  if (query_.type == RrType::IXFR && state_ == State::First && no_ixfr) return fall_back(what);
  return refuse(what, Errc::Refused);
}

// RFC 5936 §2.2.1, §2.2.2: one question in the first message, then one or none, and the one that was asked.
IncomingTransfer::Step IncomingTransfer::take_question(ByteView message, size_t& at) {
  const size_t count = load_u16(&message[4]);
  if (count > 1) return refuse("more than one question (RFC 5936 §2.2.1)");
  if (count == 0) {
    if (messages_ == 1) return refuse("first message has no question (RFC 5936 §2.2.1)");
    return Step::More;
  }
  size_t used = 0;
  const auto name = dns::name_from_message(message, at, message.size(), used);
  if (!name) return refuse("question: " + name.error().what);
  at += used;
  if (message.size() - at < 4) return refuse("question is cut short");
  const bool same = *name == query_.zone && load_u16(&message[at]) == dns::value(query_.type) &&
                    load_u16(&message[at + 2]) == dns::value(dns::RrClass::IN);
  at += 4;
  if (!same) return refuse("question is not that of the query (RFC 5936 §2.2.2)");
  return Step::More;
}

IncomingTransfer::Step IncomingTransfer::take_answers(ByteView message, size_t& at) {
  const size_t count = load_u16(&message[6]);
  if (count == 0) {
    if (state_ == State::First && query_.type == RrType::IXFR) return fall_back("answer to IXFR is empty");
    if (state_ == State::First) return refuse("first message does not begin with the SOA (RFC 5936 §2.2)");
    if (++empty_messages_ > limits_.max_empty_messages)
      return refuse(fmt::format("more than {} messages in a row without a record", limits_.max_empty_messages));
    return Step::More;
  }
  empty_messages_ = 0;
  section_ = "answer";
  for (index_ = 1; index_ <= count; ++index_) {
    Step step = read_record(message, at);
    if (step == Step::More) step = place_record();
    if (step != Step::More) return step;
  }
  return Step::More;
}

IncomingTransfer::Step IncomingTransfer::read_record(ByteView message, size_t& at) {
  if (++records_ > limits_.max_records)
    return refuse(fmt::format("transfer is over the limit of {} records", limits_.max_records), Errc::Full);
  if (const Step step = read_owner(message, at); step != Step::More) return step;
  if (message.size() - at < record_head) return refuse("record is cut short: fewer than the header counts");
  const uint8_t* head = &message[at];
  const auto type = static_cast<RrType>(load_u16(head));
  const uint32_t ttl = load_u32(head + 4);
  const size_t size = load_u16(head + 8);
  at += record_head;
  if (dns::value(type) == 0 || dns::is_meta_type(type))
    return refuse(dns::to_text(type) + " cannot be in a zone (RFC 6895 §3.1)");
  if (load_u16(head + 2) != dns::value(dns::RrClass::IN))
    return refuse("class is " + dns::to_text(static_cast<dns::RrClass>(load_u16(head + 2))) +
                  ", not that of the zone, IN (RFC 5936 §2.2)");
  if (message.size() - at < size) return refuse("RDATA runs past the end of the message");
  rdata_.clear();
  if (const auto read = dns::rdata_from_message(type, message, at, size, rdata_); !read)
    return refuse(read.error().what);
  at += size;
  record_ = {owner_, type, ttl > dns::max_ttl ? 0 : ttl, rdata_};
  return Step::More;
}

// Nearly every owner is a pointer to that of the record before it: then owner_ stays.
IncomingTransfer::Step IncomingTransfer::read_owner(ByteView message, size_t& at) {
  const bool pointer = message.size() - at >= 2 && message[at] >= 0xc0;
  const size_t labels_at = pointer ? load_u16(&message[at]) & 0x3fffU : at;
  if (pointer && labels_at == owner_at_) {
    at += 2;
    return Step::More;
  }
  size_t used = 0;
  const auto name = dns::name_from_message(message, at, message.size(), used);
  if (!name) return refuse("owner: " + name.error().what);
  at += used;
  owner_ = *name;
  owner_at_ = labels_at;
  if (!owner_.view().is_at_or_below(query_.zone))
    return refuse(owner_.to_text() + " is not in the zone " + query_.zone.to_text() + " (RFC 5936 §3.1)");
  return Step::More;
}

// Authority (RFC 5936 §2.2.4: empty) and additional (§2.2.5: OPT, TSIG, SIG(0)): nothing of them goes into the zone,
// but they must be as many as the header says, and the message must end with them.
IncomingTransfer::Step IncomingTransfer::take_rest(ByteView message, size_t& at) {
  const size_t authority = load_u16(&message[8]);
  const size_t count = authority + load_u16(&message[10]);
  for (size_t i = 0; i < count; ++i) {
    section_ = i < authority ? "authority" : "additional";
    index_ = i < authority ? i + 1 : i - authority + 1;
    if (!skip_name(message, at) || message.size() - at < record_head) return refuse("record is cut short");
    const auto type = static_cast<RrType>(load_u16(&message[at]));
    const uint32_t ttl = load_u32(&message[at + 4]);
    const size_t size = load_u16(&message[at + 8]);
    at += record_head;
    if (message.size() - at < size) return refuse("RDATA runs past the end of the message");
    at += size;
    // RFC 6891 §6.1.3: the upper eight bits.
    if (type == RrType::OPT && (ttl >> 24) != 0)
      return check_rcode(static_cast<dns::Rcode>((ttl >> 24) << 4 | (message[3] & 0x0fU)));
  }
  section_ = "";
  index_ = 0;
  if (at != message.size()) return refuse("octets are left over after the last record");
  return Step::More;
}

IncomingTransfer::Step IncomingTransfer::end_message() {
  if (state_ == State::Complete) {
    const Step step = passed_on(sink_.end());
    return step == Step::More ? finish(Step::Done) : step;
  }
  // RFC 1995 §2, §4: an answer that does not fit a datagram is cut down to the SOA.
  if (query_.datagram) return finish(Step::RetryOverTcp);
  return Step::More;
}

IncomingTransfer::Step IncomingTransfer::finish(Step step) {
  state_ = State::Over;
  return last_ = step;
}

IncomingTransfer::Step IncomingTransfer::refuse(std::string_view what, Errc code) {
  return fail_with(Step::Refused, what, code);
}

IncomingTransfer::Step IncomingTransfer::fall_back(std::string_view what) {
  return fail_with(Step::FallBackToAxfr, what, Errc::Invalid);
}

IncomingTransfer::Step IncomingTransfer::fail_with(Step step, std::string_view what, Errc code) {
  error_.code = code;
  error_.what = index_ == 0 ? fmt::format("message {}: {}", messages_, what)
                            : fmt::format("message {}, {} record {}: {}", messages_, section_, index_, what);
  return finish(step);
}

}  // namespace steward::transfer
