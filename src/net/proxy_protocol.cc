#include "net/proxy_protocol.hh"

#include <algorithm>
#include <array>
#include <cstring>

namespace steward::net {
namespace {

constexpr std::array<uint8_t, 12> signature{0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};
constexpr uint8_t version_2 = 0x20;
constexpr uint8_t command_local = 0x0;
constexpr uint8_t command_proxy = 0x1;
constexpr uint8_t family_inet = 0x1;
constexpr uint8_t family_inet6 = 0x2;
constexpr uint8_t protocol_stream = 0x1;
constexpr uint8_t protocol_datagram = 0x2;

SocketAddress inet(const uint8_t* octets, const uint8_t* port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  std::memcpy(&address.sin_addr, octets, 4);
  std::memcpy(&address.sin_port, port, 2);
  return {reinterpret_cast<const sockaddr*>(&address), sizeof address};
}

SocketAddress inet6(const uint8_t* octets, const uint8_t* port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  std::memcpy(&address.sin6_addr, octets, 16);
  std::memcpy(&address.sin6_port, port, 2);
  return {reinterpret_cast<const sockaddr*>(&address), sizeof address};
}

/// Whether the rest behind the addresses is a row of whole TLVs: type, length of 2 octets, value (§2.2).
bool are_tlvs(ByteView rest) {
  while (!rest.empty()) {
    if (rest.size() < 3) return false;
    const size_t size = size_t{3} + load_u16(&rest[1]);
    if (rest.size() < size) return false;
    rest = rest.subspan(size);
  }
  return true;
}

}  // namespace

ProxyHeader parse_proxy_header(ByteView octets) {
  using Outcome = ProxyHeader::Outcome;
  const size_t common = std::min(octets.size(), signature.size());
  if (!std::equal(signature.begin(), signature.begin() + static_cast<long>(common), octets.begin())) return {};
  if (octets.size() < proxy_fixed_size) return {.outcome = Outcome::Incomplete, .size = proxy_fixed_size};
  const uint8_t command = octets[12] & 0x0F;
  if ((octets[12] & 0xF0) != version_2 || command > command_proxy) return {};
  ProxyHeader header{.size = proxy_fixed_size + load_u16(&octets[14])};
  if (header.size > proxy_most_size) return {};
  if (octets.size() < header.size) return {.outcome = Outcome::Incomplete, .size = header.size};
  if (command == command_local) {
    header.outcome = Outcome::Local;  // whatever addresses it carries are to be ignored
    return header;
  }
  const ByteView body = octets.subspan(proxy_fixed_size, header.size - proxy_fixed_size);
  const uint8_t protocol = octets[13] & 0x0F;
  // Both stand for either transport here: a proxy hands on what came over TCP or HTTPS as a datagram.
  if (protocol != protocol_stream && protocol != protocol_datagram) return {};
  // AF_UNSPEC and AF_UNIX: a client that has no address must not get the rights of the proxy's (§2.2 leaves it to us).
  const uint8_t family = octets[13] >> 4;
  const size_t address = family == family_inet ? 4 : family == family_inet6 ? 16 : 0;
  const size_t addresses = 2 * address + 4;
  if (address == 0 || body.size() < addresses || !are_tlvs(body.subspan(addresses))) return {};
  const auto make = family == family_inet ? inet : inet6;
  header.source = make(body.data(), &body[2 * address]);
  header.destination = make(&body[address], &body[2 * address + 2]);
  header.outcome = Outcome::Proxied;
  return header;
}

}  // namespace steward::net
