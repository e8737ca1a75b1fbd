#pragma once
// All zones that are transferred from primaries, and the updates that are handed on to these. Main loop's thread only.

#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "daemon/secondary.hh"
#include "serve/operations.hh"

namespace steward::daemon {

class Secondaries {
 public:
  explicit Secondaries(Secondary::Room room) : room_(std::move(room)) {}

  /// Zones that are new or changed begin anew; those that are gone end.
  void configure(const std::vector<config::ZoneConfig>& zones, const std::set<std::string>& changed);
  /// Every second.
  void tick();
  void notified(const serve::Notification& notification);
  /// RFC 2136 §6: to the primary that helped last; its response goes back.
  void forward(serve::UpdateRequest request);
  /// Null where the zone is none of ours.
  [[nodiscard]] Secondary* find(const std::string& zone);
  template <class F>
  void for_each(F f) {
    for (auto& [name, secondary] : zones_) f(*secondary);
  }

 private:
  struct Forwarded;
  Secondary::Room room_;
  std::map<std::string, std::unique_ptr<Secondary>> zones_;  // by the text of the apex
  std::list<std::shared_ptr<Forwarded>> forwarded_;
};

}  // namespace steward::daemon
