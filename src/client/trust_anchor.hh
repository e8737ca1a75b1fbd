#pragma once
// Trust anchors: DS and DNSKEY records in text form, one a line, as `dnssec-dsfromkey`, `unbound-anchor` and
// `steward-registry zone keys` write them. Pure but for read_anchor_text(), which reads a file.

#include <string>
#include <vector>

#include "base/result.hh"
#include "dns/message.hh"
#include "steward/settings.hh"

namespace steward::client {

/// Invalid with the line and the rule; also where there is none. Comments and empty lines are passed over; what stands
/// in parentheses goes on over line ends.
Result<std::vector<dns::Record>> parse_anchors(std::string_view text);

/// Of the configured file, or of the first of the system's root keys that is there.
Result<std::string> read_anchor_text(const Settings& settings);

}  // namespace steward::client
