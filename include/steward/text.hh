#pragma once
// Text from the network, made safe for a terminal. Pure functions.

#include <string>
#include <string_view>

namespace steward::client {

/// As one line of sound UTF-8 that moves no cursor, changes no colour and does not reorder what stands beside it:
/// control characters (C0, C1, DEL), bidirectional controls, invisible format characters, line separators, tags and
/// octets that are no UTF-8 come as `\x1b`, `\u202e`; a backslash as `\\`.
std::string for_terminal(std::string_view text);

}  // namespace steward::client
