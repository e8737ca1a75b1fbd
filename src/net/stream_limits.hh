#pragma once
// What a client of a stream may take of us (RFC 7766 §6.2.2, §6.2.3), and who is here.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "base/address.hh"

namespace steward::net {

struct StreamLimits {
  size_t clients = 1000;             ///< connections of all workers together
  size_t clients_per_address = 100;  ///< of one IPv4 address or IPv6 /56
  size_t in_flight = 64;             ///< deferred queries of one connection; then reading pauses
  size_t output = 256 * 1024;        ///< octets of unread answers of one connection; then reading pauses
  /// A connection with nothing to do is closed after this; sooner when more than half of `clients` are here.
  /// The value that RFC 7828's option announces.
  std::chrono::milliseconds idle{30'000};
  /// From accept to the end of the TLS handshake, and of a proxy's header: nobody asks without.
  std::chrono::milliseconds handshake{10'000};
  std::chrono::milliseconds message{10'000};    ///< from a message's first octet to its last
  std::chrono::milliseconds write{10'000};      ///< with answers waiting and none of their octets taken
  std::chrono::milliseconds accept_pause{100};  ///< when descriptors or memory ran out
};

/// Counts the connections of all workers. Any thread; asked when a connection comes and goes, not when it speaks.
class ClientCounts {
 public:
  enum class Admission : uint8_t { Admitted, TooMany, TooManyOfAddress };

  ClientCounts(size_t most, size_t most_per_address) : most_(most), most_per_address_(most_per_address) {}
  /// Admitted has to be given back by release().
  Admission admit(const SocketAddress& client);
  void release(const SocketAddress& client);
  /// A proxy brings many clients, so that only the whole is counted until it names one: then admit_proxied(), after
  /// which release() of that client gives all back. Before, release_proxy() does.
  Admission admit_proxy();
  Admission admit_proxied(const SocketAddress& client);
  void release_proxy();
  [[nodiscard]] size_t total() const;
  [[nodiscard]] size_t most() const { return most_; }

 private:
  using Key = std::array<uint8_t, 8>;
  struct KeyHash {
    size_t operator()(const Key& key) const;
  };
  static Key key_of(const SocketAddress& client);
  bool count_address(const SocketAddress& client);  ///< with the mutex held

  const size_t most_;
  const size_t most_per_address_;
  mutable std::mutex mutex_;
  size_t total_ = 0;
  std::unordered_map<Key, size_t, KeyHash> of_address_;
};

}  // namespace steward::net
