#include "net/stream_limits.hh"

#include <algorithm>
#include <string_view>

namespace steward::net {

size_t ClientCounts::KeyHash::operator()(const Key& key) const {
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(key.data()), key.size()});
}

ClientCounts::Key ClientCounts::key_of(const SocketAddress& client) {
  // A household or host commonly has a /56 of IPv6 to itself (RFC 6177 §2), so that is one client; the first octet
  // behind the prefix tells the families apart.
  const ByteView octets = client.octets();
  Key key{};
  std::copy_n(octets.begin(), octets.size() == 4 ? 4 : 7, key.begin());
  key[7] = octets.size() == 4 ? 4 : 6;
  return key;
}

ClientCounts::Admission ClientCounts::admit(const SocketAddress& client) {
  const std::lock_guard lock(mutex_);
  if (total_ >= most_) return Admission::TooMany;
  if (!count_address(client)) return Admission::TooManyOfAddress;
  ++total_;
  return Admission::Admitted;
}

bool ClientCounts::count_address(const SocketAddress& client) {
  const Key key = key_of(client);
  if (const auto found = of_address_.find(key); found != of_address_.end() && found->second >= most_per_address_)
    return false;
  ++of_address_[key];
  return true;
}

ClientCounts::Admission ClientCounts::admit_proxy() {
  const std::lock_guard lock(mutex_);
  if (total_ >= most_) return Admission::TooMany;
  ++total_;
  return Admission::Admitted;
}

ClientCounts::Admission ClientCounts::admit_proxied(const SocketAddress& client) {
  const std::lock_guard lock(mutex_);
  return count_address(client) ? Admission::Admitted : Admission::TooManyOfAddress;
}

void ClientCounts::release_proxy() {
  const std::lock_guard lock(mutex_);
  --total_;
}

void ClientCounts::release(const SocketAddress& client) {
  const std::lock_guard lock(mutex_);
  const auto found = of_address_.find(key_of(client));
  if (found == of_address_.end()) return;
  if (--found->second == 0) of_address_.erase(found);
  --total_;
}

size_t ClientCounts::total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

}  // namespace steward::net
