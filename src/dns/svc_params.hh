#pragma once
// SvcParams of SVCB and HTTPS (RFC 9460): their keys, and their text. What is well-formed is in check_svc_params().
// Pure functions.

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hh"

namespace steward::dns {

/// IANA "Service Parameter Keys (SvcParamKeys)".
enum class SvcKey : uint16_t {
  Mandatory = 0,
  Alpn = 1,
  NoDefaultAlpn = 2,
  Port = 3,
  Ipv4Hint = 4,
  Ech = 5,
  Ipv6Hint = 6,
  DohPath = 7,
  Ohttp = 8,
};

/// "alpn", "key65400".
void append_svc_key(std::string& out, uint16_t key);
/// In lower case; also keyNNNNN without leading zeros (RFC 9460 §2.1).
std::optional<uint16_t> svc_key_from_text(std::string_view word);

/// Steps through sound SvcParams.
struct SvcParam {
  uint16_t key;
  ByteView value;
};
/// Takes the first one off `params`; nothing at the end or where it is cut short.
std::optional<SvcParam> next_svc_param(ByteView& params);

/// Sound SvcParams in text, separated by spaces.
void append_svc_params(std::string& out, ByteView params);

}  // namespace steward::dns
