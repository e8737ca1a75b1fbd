#pragma once
// What registrations have brought beside the configuration: children whose feeds are followed, and the parent that follows
// ours. It is added to the configuration as its file has it, so that all else goes by that alone. Values; main thread.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hh"
#include "federation/children.hh"

namespace steward::daemon {

struct Registered {
  std::vector<config::ChildConfig> children;       ///< those that have a feed and a KEY
  std::map<std::string, std::vector<Bytes>> keys;  ///< of all that are children: SPKI of their KEYs; none: revoked. By zone
  std::optional<SocketAddress> parent;             ///< its endpoint for TLS, where it has let us in

  /// Takes a child; `spkis` of its KEYs.
  void add(const federation::Child& child, std::vector<Bytes> spkis);
  /// In place of what another one of these has added. A child that the file has stays as it is there; the others get the
  /// ceiling and the quota of `registry.registration`.
  void add_to(config::Config& config) const;
  /// Whether both add the same.
  [[nodiscard]] bool is_same(const Registered& other) const;
  /// Feeds that one of them fetches and the other is sent: their serials are not the same one's.
  [[nodiscard]] std::vector<dns::Name> turned_feeds(const Registered& other) const;
  /// Feeds that only one of them follows, or that come from elsewhere, by name.
  [[nodiscard]] std::vector<dns::Name> differing_feeds(const Registered& other) const;
};

}  // namespace steward::daemon
