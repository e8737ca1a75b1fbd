#pragma once
// DNS cookies (RFC 7873) with the interoperable server cookie of RFC 9018.

#include <array>
#include <cstdint>

#include "base/address.hh"
#include "base/bytes.hh"
#include "serve/context.hh"

namespace steward::serve {

constexpr size_t client_cookie_size = 8;
constexpr size_t server_cookie_size = 16;
using ServerCookie = std::array<uint8_t, server_cookie_size>;

enum class CookieState : uint8_t {
  Absent,    ///< no cookie option
  New,       ///< a client cookie alone
  Rejected,  ///< with a server cookie that is not ours, or too old
  Valid,
};

/// Version 1, Reserved, Timestamp, Hash (RFC 9018 §4): SipHash-2-4 over the client's cookie, the former three and its
/// address.
ServerCookie make_server_cookie(ByteView client_cookie, const std::array<uint8_t, 16>& secret, ByteView address,
                                uint32_t now);

/// Judges the option's data `cookie` (8, or 16 to 40 octets, or none) and writes the server cookie for the response to
/// `reply`: the client's own while that is fresh, otherwise a new one (RFC 9018 §4.3). `now`: seconds since 1970,
/// modulo 2^32.
CookieState check_cookie(ByteView cookie, const CookieSecrets& secrets, ByteView address, uint32_t now,
                         ServerCookie& reply);

}  // namespace steward::serve
