#pragma once
// What is known of the zones for people: written by the writer thread, read by the control socket and the health checks.

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hh"
#include "dns/name.hh"
#include "zone/snapshot.hh"

namespace steward::daemon {

enum class ZoneState : uint8_t {
  Loading,  ///< nothing to answer from yet
  Serving,
  Expired,  ///< its primaries were silent for longer than its SOA allows: answered with SERVFAIL
  Failed,   ///< the file or the keys were refused; what was served before is served on
};

struct ZoneEvent {
  UnixTime at{};
  std::string what;
};

/// What catalogs (RFC 9432) have to do with a zone.
struct CatalogNote {
  std::string catalog;              ///< that has brought it, with its final dot; empty: none
  std::vector<std::string> groups;  ///< as that catalog lists it
  std::string error;                ///< of a catalog that is consumed: why its newest version is not followed
};

struct ZoneStatus {
  std::string zone;  ///< with its final dot
  ZoneState state = ZoneState::Loading;
  bool has_data = false;
  uint32_t serial = 0;
  bool is_signed = false;
  zone::Denial denial = zone::Denial::None;
  uint64_t nodes = 0;
  uint64_t records = 0;
  std::string file;                    ///< empty: transferred
  std::vector<std::string> primaries;
  std::vector<std::string> files;
  std::vector<std::string> warnings;
  std::string error;
  std::optional<UnixTime> loaded_at;
  std::optional<ZoneEvent> next_event;
  size_t keys = 0;
  CatalogNote catalog;
};

class StatusBoard {
 public:
  void set(const ZoneStatus& status) {
    const std::lock_guard lock(mutex_);
    zones_[status.zone] = status;
  }
  void remove(const std::string& zone) {
    const std::lock_guard lock(mutex_);
    zones_.erase(zone);
  }
  [[nodiscard]] std::vector<ZoneStatus> all() const {
    const std::lock_guard lock(mutex_);
    std::vector<ZoneStatus> list;
    for (const auto& [name, status] : zones_) list.push_back(status);
    return list;
  }
  [[nodiscard]] std::optional<ZoneStatus> find(const std::string& zone) const {
    const std::lock_guard lock(mutex_);
    const auto at = zones_.find(zone);
    return at != zones_.end() ? std::optional(at->second) : std::nullopt;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, ZoneStatus> zones_;
};

}  // namespace steward::daemon
