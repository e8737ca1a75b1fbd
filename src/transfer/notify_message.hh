#pragma once
// NOTIFY (RFC 1996): the message that a primary sends, the one that a secondary gets, and the responses to them.
//
// Values only, any thread. Who may notify, and TSIG, are decided elsewhere.

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hh"
#include "base/result.hh"
#include "dns/message.hh"
#include "dns/name.hh"

namespace steward::transfer {

/// A NOTIFY for `zone` with its new SOA (RDATA and TTL) as a hint in the answer section (RFC 1996 §3.7).
Result<Bytes> build_notify(uint16_t id, dns::NameView zone, ByteView soa, uint32_t ttl);

/// A NOTIFY that came in.
struct IncomingNotify {
  enum class Kind : uint8_t {
    Notify,   ///< `zone` and perhaps `serial` hold
    Wrong,    ///< to be answered with `rcode`; `what` says why
    Silence,  ///< a response, or no message at all: never answered
  };
  Kind kind = Kind::Silence;
  dns::Header header;  ///< of the request, for the response
  dns::Name zone;
  dns::RrType type = dns::RrType::SOA;
  std::optional<uint32_t> serial;  ///< of the SOA in the answer section: a hint, unless TSIG vouches for it
  dns::Rcode rcode = dns::Rcode::NOERROR;
  std::string what;
};
/// Looks at a whole message whose opcode is NOTIFY. Wrong: FORMERR where it is malformed, has not one question, or that
/// is not of class IN; NOTIMP where its QTYPE is not SOA, the only event that RFC 1996 §3.3 defines.
IncomingNotify parse_notify(ByteView message);

/// The response (RFC 1996 §3.8, §4.7): same ID and question, AA, `rcode`. Without the question where the request was
/// malformed.
Result<Bytes> build_notify_response(const IncomingNotify& request, dns::Rcode rcode);

/// Whether `message` is the response to the NOTIFY that we sent; its response code. Nothing where it is not: another
/// ID, opcode or question.
std::optional<dns::Rcode> parse_notify_response(ByteView message, uint16_t id, dns::NameView zone);

}  // namespace steward::transfer
