#pragma once
// Socket addresses: IPv4 and IPv6 with a port, written `127.0.0.1@5300` and `::1@5300` as Knot DNS and NSD do.

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hh"
#include "base/result.hh"

namespace steward {

class SocketAddress {
 public:
  SocketAddress() = default;
  /// `size` octets of a sockaddr_in or sockaddr_in6, as the kernel gave them.
  SocketAddress(const sockaddr* address, socklen_t size);

  /// "192.0.2.1@53", "2001:db8::1@53"; without `@port` the default is taken. A `%scope` may stand behind an IPv6 address.
  static Result<SocketAddress> from_text(std::string_view text, uint16_t default_port = 53);
  /// Of 4 or 16 octets, as A and AAAA have them; nothing for another count.
  static std::optional<SocketAddress> from_octets(ByteView octets, uint16_t port);
  [[nodiscard]] std::string to_text() const;

  [[nodiscard]] int family() const { return storage_.any.sa_family; }
  [[nodiscard]] const sockaddr* data() const { return &storage_.any; }
  [[nodiscard]] sockaddr* data() { return &storage_.any; }
  [[nodiscard]] socklen_t size() const { return family() == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in); }
  static constexpr socklen_t capacity() { return sizeof(sockaddr_in6); }
  [[nodiscard]] uint16_t port() const;
  void set_port(uint16_t port);
  /// The 4 or 16 octets; an IPv4-mapped IPv6 address yields its 4.
  [[nodiscard]] ByteView octets() const;
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_wildcard() const;

  friend bool operator==(const SocketAddress& a, const SocketAddress& b);

 private:
  union Storage {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } storage_ = {};
};

/// An address block, "192.0.2.0/24", "2001:db8::/32", or one address.
class AddressBlock {
 public:
  static Result<AddressBlock> from_text(std::string_view text);
  [[nodiscard]] bool contains(const SocketAddress& address) const;
  [[nodiscard]] std::string to_text() const;

 private:
  std::array<uint8_t, 16> octets_{};
  uint8_t size_ = 4;     // 4 or 16
  uint8_t prefix_ = 32;  // bits
};

}  // namespace steward
