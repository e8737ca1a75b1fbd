#include "base/address.hh"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <charconv>

namespace steward {
namespace {

template <class N>
std::optional<N> number(std::string_view text) {
  N value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

SocketAddress::SocketAddress(const sockaddr* address, socklen_t size) {
  std::memcpy(&storage_, address, std::min<size_t>(size, sizeof storage_));
}

std::optional<SocketAddress> SocketAddress::from_octets(ByteView octets, uint16_t port) {
  SocketAddress address;
  if (octets.size() == sizeof address.storage_.v4.sin_addr) {
    address.storage_.v4.sin_family = AF_INET;
    std::memcpy(&address.storage_.v4.sin_addr, octets.data(), octets.size());
  } else if (octets.size() == sizeof address.storage_.v6.sin6_addr) {
    address.storage_.v6.sin6_family = AF_INET6;
    std::memcpy(&address.storage_.v6.sin6_addr, octets.data(), octets.size());
  } else {
    return std::nullopt;
  }
  address.set_port(port);
  return address;
}

Result<SocketAddress> SocketAddress::from_text(std::string_view text, uint16_t default_port) {
  const auto bad = [&](std::string_view rule) {
    return fail(Errc::Invalid, "'" + std::string(text) + "': " + std::string(rule));
  };
  std::string host(text.substr(0, text.find('@')));
  uint16_t port = default_port;
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    const auto given = number<uint16_t>(text.substr(at + 1));
    if (!given) return bad("the port is not a number from 0 to 65535");
    port = *given;
  }
  SocketAddress address;
  if (inet_pton(AF_INET, host.c_str(), &address.storage_.v4.sin_addr) == 1) {
    address.storage_.v4.sin_family = AF_INET;
    address.storage_.v4.sin_port = htons(port);
    return address;
  }
  if (const auto percent = host.find('%'); percent != std::string::npos) {
    const std::string scope = host.substr(percent + 1);
    const auto index = number<uint32_t>(scope).value_or(if_nametoindex(scope.c_str()));
    if (index == 0) return bad("no network interface of that name");
    address.storage_.v6.sin6_scope_id = index;
    host.resize(percent);
  }
  if (inet_pton(AF_INET6, host.c_str(), &address.storage_.v6.sin6_addr) != 1)
    return bad("not an IPv4 or IPv6 address; expected ADDRESS or ADDRESS@PORT");
  address.storage_.v6.sin6_family = AF_INET6;
  address.storage_.v6.sin6_port = htons(port);
  return address;
}

std::string SocketAddress::to_text() const {
  char text[INET6_ADDRSTRLEN] = "?";
  if (family() == AF_INET6)
    inet_ntop(AF_INET6, &storage_.v6.sin6_addr, text, sizeof text);
  else if (family() == AF_INET)
    inet_ntop(AF_INET, &storage_.v4.sin_addr, text, sizeof text);
  return std::string(text) + "@" + std::to_string(port());
}

uint16_t SocketAddress::port() const {
  return ntohs(family() == AF_INET6 ? storage_.v6.sin6_port : storage_.v4.sin_port);
}

void SocketAddress::set_port(uint16_t port) {
  (family() == AF_INET6 ? storage_.v6.sin6_port : storage_.v4.sin_port) = htons(port);
}

ByteView SocketAddress::octets() const {
  if (family() == AF_INET6) {
    const ByteView all(storage_.v6.sin6_addr.s6_addr, 16);
    return IN6_IS_ADDR_V4MAPPED(&storage_.v6.sin6_addr) ? all.subspan(12) : all;
  }
  return {reinterpret_cast<const uint8_t*>(&storage_.v4.sin_addr), 4};
}

bool SocketAddress::is_loopback() const {
  const ByteView o = octets();
  return o.size() == 4 ? o[0] == 127 : IN6_IS_ADDR_LOOPBACK(&storage_.v6.sin6_addr) != 0;
}

bool SocketAddress::is_wildcard() const {
  const ByteView o = octets();
  return std::all_of(o.begin(), o.end(), [](uint8_t octet) { return octet == 0; });
}

bool operator==(const SocketAddress& a, const SocketAddress& b) {
  const ByteView x = a.octets();
  const ByteView y = b.octets();
  return a.family() == b.family() && a.port() == b.port() && std::equal(x.begin(), x.end(), y.begin(), y.end());
}

Result<AddressBlock> AddressBlock::from_text(std::string_view text) {
  const auto bad = [&](std::string_view rule) {
    return fail(Errc::Invalid, "'" + std::string(text) + "': " + std::string(rule));
  };
  AddressBlock block;
  const auto slash = text.find('/');
  const std::string host(text.substr(0, slash));
  if (inet_pton(AF_INET, host.c_str(), block.octets_.data()) == 1)
    block.size_ = 4;
  else if (inet_pton(AF_INET6, host.c_str(), block.octets_.data()) == 1)
    block.size_ = 16;
  else
    return bad("not an address or address block; expected ADDRESS or ADDRESS/PREFIX");
  const unsigned bits = block.size_ * 8U;
  block.prefix_ = static_cast<uint8_t>(bits);
  if (slash == std::string_view::npos) return block;
  const auto prefix = number<uint8_t>(text.substr(slash + 1));
  if (!prefix || *prefix > bits) return bad("the prefix is not a number from 0 to " + std::to_string(bits));
  block.prefix_ = *prefix;
  for (unsigned bit = *prefix; bit < bits; ++bit)
    if ((block.octets_[bit / 8] >> (7 - bit % 8)) & 1) return bad("there are bits set behind the prefix");
  return block;
}

bool AddressBlock::contains(const SocketAddress& address) const {
  const ByteView o = address.octets();
  if (o.size() != size_) return false;
  const size_t whole = prefix_ / 8;
  if (!std::equal(o.begin(), o.begin() + static_cast<long>(whole), octets_.begin())) return false;
  const unsigned rest = prefix_ % 8;
  return rest == 0 || ((o[whole] ^ octets_[whole]) >> (8 - rest)) == 0;
}

std::string AddressBlock::to_text() const {
  char text[INET6_ADDRSTRLEN] = "?";
  inet_ntop(size_ == 4 ? AF_INET : AF_INET6, octets_.data(), text, sizeof text);
  return std::string(text) + "/" + std::to_string(prefix_);
}

}  // namespace steward
