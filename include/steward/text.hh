#pragma once
// Text from the network, made safe for a terminal. Pure functions.

#include <string>
#include <string_view>

namespace steward::client {

/// As one line of sound UTF-8 that moves no cursor, changes no colour and does not reorder what stands beside it:
/// control characters (C0, C1, DEL), bidirectional controls, invisible format characters, line separators, tags and
/// octets that are no UTF-8 come as `\x1b`, `\u202e`; a backslash as `\\`.
std::string for_terminal(std::string_view text);

/// A domain name with its A-labels as U-labels in UTF-8 (RFC 5890 §2.3.2.1): for people. Look-alikes are told apart by
/// the name itself alone. Empty where no label is a sound A-label.
std::string unicode_name(std::string_view name);

/// The name for a terminal: where labels are A-labels "bücher-bot.acme.com (xn--bcher-bot-q9a.acme.com)", the name
/// itself always with it. Where letters run from right to left, and would reorder what stands beside them, the name
/// itself alone.
std::string shown_name(std::string_view name);

}  // namespace steward::client
