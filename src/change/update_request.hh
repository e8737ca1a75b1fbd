#pragma once
// DNS UPDATE messages (RFC 2136 §2): from octets to a request, and what came of one.
//
// Values only; any thread. A request owns all that its records refer to, so that it can wait for the writer; it moves
// but is not copied.

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hh"
#include "base/result.hh"
#include "dns/name.hh"
#include "dns/rr_type.hh"

namespace steward::change {

using dns::NameView;
using dns::Rcode;
using dns::RrClass;
using dns::RrType;

struct UpdateRecord {
  NameView owner;  ///< in the case of the message
  RrType type{};
  RrClass klass{};
  uint32_t ttl = 0;
  /// Uncompressed and checked where the class is the zone's, or NONE in an update; in all other forms the octets as
  /// they came, which must be none.
  ByteView rdata;
};

struct UpdateRequest {
  UpdateRequest() = default;
  UpdateRequest(UpdateRequest&&) = default;
  UpdateRequest& operator=(UpdateRequest&&) = default;
  UpdateRequest(const UpdateRequest&) = delete;
  UpdateRequest& operator=(const UpdateRequest&) = delete;

  uint16_t id = 0;
  dns::Name zone;
  RrClass zone_class = RrClass::IN;
  std::vector<UpdateRecord> prerequisites;
  std::vector<UpdateRecord> updates;
  Bytes octets;  ///< what the records point into
};

/// Extended DNS errors (RFC 8914 §4) that an UPDATE is answered with.
enum class UpdateEde : uint16_t { Other = 0, Prohibited = 18, NotAuthoritative = 20 };

struct UpdateExplanation {
  UpdateEde code{};
  std::string text;  ///< one line of ASCII, at most 240 octets
};

/// How an UPDATE ended. Where `rcode` is not NOERROR, nothing of it stays.
struct UpdateOutcome {
  Rcode rcode = Rcode::NOERROR;
  std::optional<UpdateExplanation> why;  ///< for the EDE option and the log; always there where rcode is not NOERROR
  bool changed = false;                  ///< the zone is not what it was
  uint32_t added = 0;                    ///< records; one whose TTL alone changed too
  uint32_t removed = 0;                  ///< records; without those that an added SOA, CNAME, DNAME or WKS replaced
  uint32_t ignored = 0;                  ///< updates that RFC 2136 §3.4.2 has pass in silence, or that changed nothing

  [[nodiscard]] bool done() const { return rcode == Rcode::NOERROR; }
};

/// An outcome that is not NOERROR. Text that is too long is cut.
UpdateOutcome refused_update(Rcode rcode, UpdateEde code, std::string text);

/// An UPDATE message. What is in the additional section (OPT, TSIG, SIG(0)) is stepped over; it may have been taken off
/// before, with its count. FORMERR as an outcome where the header, the zone section (RFC 2136 §3.1.1) or any record is
/// malformed, or octets are left over.
tl::expected<UpdateRequest, UpdateOutcome> parse_update(ByteView message);

}  // namespace steward::change
