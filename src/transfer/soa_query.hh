#pragma once
// The queries of a secondary: SOA (RFC 1034 §4.3.5), AXFR (RFC 5936 §2.1), IXFR (RFC 1995 §3), and the answer to the
// first. Values only, any thread. TSIG is added and verified elsewhere.

#include <cstdint>
#include <optional>

#include "base/bytes.hh"
#include "base/result.hh"
#include "dns/message.hh"
#include "dns/name.hh"

namespace steward::transfer {

/// The numbers of an SOA (RFC 1035 §3.3.13), in seconds but for the serial.
struct SoaFields {
  uint32_t serial = 0;
  uint32_t refresh = 0;
  uint32_t retry = 0;
  uint32_t expire = 0;
  uint32_t minimum = 0;

  friend bool operator==(const SoaFields&, const SoaFields&) = default;
};
/// Of SOA RDATA that satisfies dns::check_rdata.
SoaFields soa_fields(ByteView rdata);

/// An EDNS OPT record for a query over UDP; none where there is no value. Transfers need none.
struct QueryEdns {
  uint16_t udp_size = 1232;  ///< octets
};

Result<Bytes> build_soa_query(uint16_t id, dns::NameView zone, std::optional<QueryEdns> edns = {});
Result<Bytes> build_axfr_query(uint16_t id, dns::NameView zone, std::optional<QueryEdns> edns = {});
/// `soa` is the RDATA of our version's SOA: it stands in the authority section (RFC 1995 §3).
Result<Bytes> build_ixfr_query(uint16_t id, dns::NameView zone, ByteView soa, uint32_t ttl = 0,
                               std::optional<QueryEdns> edns = {});

/// What a primary answered to an SOA query.
struct SoaAnswer {
  enum class Kind : uint8_t {
    Soa,        ///< `soa` and `ttl` hold
    Truncated,  ///< TC over UDP: ask again over TCP
    Refused,    ///< `what` says why: a response code, no authority (AA), no SOA, malformed
    NotOurs,    ///< another ID or question: over UDP wait on, over TCP give up
  };
  Kind kind = Kind::Refused;
  SoaFields soa;
  uint32_t ttl = 0;
  std::optional<dns::Rcode> rcode;  ///< Refused: where that is the reason
  std::string what;
};
SoaAnswer parse_soa_answer(ByteView message, uint16_t id, dns::NameView zone, bool datagram);

}  // namespace steward::transfer
