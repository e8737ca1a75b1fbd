#pragma once
// Labels of letters, digits and hyphens (RFC 5890 §2.3.1), and the A-labels among them.
//
// Pure functions, any thread.

#include <string>
#include <string_view>

#include "base/result.hh"

namespace steward::agent {

/// Whether this lower-case text is 1 to 63 octets of a-z, 0-9 and `-`, without `-` at either end, and, where it begins
/// with `xn--`, an A-label that stands for a U-label of IDNA2008 (RFC 5891 §5.4). Invalid names the rule.
Result<void> check_ldh_label(std::string_view label);

/// The U-label in UTF-8 of a sound A-label; another label as it is.
Result<std::string> u_label(std::string_view label);

/// The A-label of a U-label (RFC 5891 §4), whose ASCII letters may be capitals and which need not be normalised (NFC);
/// nothing else is mapped. A label of ASCII alone as it is. Invalid names the rule.
Result<std::string> a_label(std::string_view label);

}  // namespace steward::agent
