#pragma once
// What a request says: header, question and EDNS, parsed in place without an allocation.
//
// Everything in a Request borrows from the message that was parsed. Any thread.

#include <cstdint>
#include <optional>

#include "base/bytes.hh"
#include "dns/name.hh"
#include "dns/rr_type.hh"

namespace steward::serve {

constexpr size_t header_size = 12;

/// EDNS options that we know (IANA, "DNS EDNS0 Option Codes").
enum class EdnsOption : uint16_t {
  UpdateLease = 2,     // RFC 9664
  Nsid = 3,            // RFC 5001
  Cookie = 10,         // RFC 7873
  TcpKeepalive = 11,   // RFC 7828
  Padding = 12,        // RFC 7830
  ExtendedError = 15,  // RFC 8914
};

/// Extended DNS errors (RFC 8914 §4) that we send.
enum class ExtendedError : uint16_t {
  Other = 0,
  DnssecBogus = 6,
  NotReady = 14,
  Prohibited = 18,
  NotAuthoritative = 20,
  NotSupported = 21,
  NoReachableAuthority = 22,
  InvalidData = 24,
  UnsupportedNsec3Iterations = 27,
  InvalidQueryType = 30,
};

/// An Update Lease option (RFC 9664 §4), seconds.
struct UpdateLeaseOption {
  uint32_t lease = 0;
  uint32_t key_lease = 0;  ///< 0: the short form, without it
};

/// The OPT record of a request (RFC 6891 §6.1).
struct RequestEdns {
  bool present = false;
  bool dnssec_ok = false;
  bool compact_answers_ok = false;  ///< CO (RFC 9824 §5.1)
  uint8_t version = 0;
  uint16_t udp_size = 0;  ///< as the client said it, not yet raised to 512
  bool nsid = false;      ///< an empty NSID option
  bool padding = false;
  bool keepalive = false;
  bool keepalive_timeout =
      false;        ///< the keepalive option held a timeout, which a client may not send (RFC 7828 §3.2.1)
  std::optional<UpdateLeaseOption> update_lease;
  ByteView cookie;  ///< 8 octets, or 16 to 40 (RFC 7873 §4); empty where there is none
};

struct Request {
  uint16_t id = 0;
  uint16_t flags = 0;          ///< the second word of the header
  uint16_t question_size = 0;  ///< octets of the question after the header; 0 where there is none, or a broken one
  dns::NameView qname;         ///< in the case of the request
  dns::RrType qtype{};
  dns::RrClass qclass{};
  RequestEdns edns;
  uint16_t tsig_offset = 0;  ///< where a TSIG record starts, the last of the message; 0 where there is none

  [[nodiscard]] uint8_t opcode() const { return static_cast<uint8_t>(flags >> 11 & 15); }
  [[nodiscard]] bool recursion_desired() const { return (flags & 0x0100) != 0; }
};

/// What is to be done with a message.
enum class Verdict : uint8_t {
  Answer,          ///< a well-formed QUERY with one question
  CookieOnly,      ///< no question, but a cookie (RFC 7873 §5.4)
  Notify,          ///< a well-formed NOTIFY: one question, and whatever sections it has (RFC 1996 §3.7)
  Update,          ///< an UPDATE with one zone, all of whose sections hold together (RFC 2136 §2.2)
  Drop,            ///< no response at all: too short for a header, or itself a response
  NotImplemented,  ///< an opcode that we do not have
  FormatError,
  BadVersion,  ///< an EDNS version above 0 (RFC 6891 §6.1.3)
};

/// Parses `message`. Whatever the verdict but Drop, id and flags are set; the question where `question_size` is not 0.
Verdict parse_request(ByteView message, Request& request);

}  // namespace steward::serve
