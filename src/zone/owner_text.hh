#pragma once
// The owner's name of an entry: dns::Name::from_text, but into memory of the caller, and fast where nothing is escaped.

#include <array>

#include "base/result.hh"
#include "dns/name.hh"
#include "dns/token.hh"

namespace steward::zone {

using dns::NameView;

/// The name that `token` spells, completed with `origin` where it is relative, written to `wire`; errors as
/// dns::Name::from_text.
Result<NameView> owner_from_text(const dns::Token& token, NameView origin,
                                 std::array<uint8_t, dns::max_name_size>& wire);

}  // namespace steward::zone
