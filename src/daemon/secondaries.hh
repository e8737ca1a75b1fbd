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
  explicit Secondaries(Secondary::Room room);
  ~Secondaries();

  /// Zones that are new or changed begin anew; those that are gone end.
  void configure(const std::vector<config::ZoneConfig>& zones, const std::set<std::string>& changed);
  /// Every second.
  void tick();
  void notified(const serve::Notification& notification);
  /// RFC 2136 §6: to the primary that helped last, to the next one where it cannot be reached or is not the zone's; the response goes back.
  void forward(serve::UpdateRequest request);
  /// Null where the zone is none of ours.
  [[nodiscard]] Secondary* find(const std::string& zone);
  template <class F>
  void for_each(F f) {
    for (auto& [name, secondary] : zones_) f(*secondary);
  }

 private:
  struct Forwarded;
  using Place = std::list<Forwarded>::iterator;
  void hand_on(Place update);
  Result<void> call(Place update, const config::Peer& primary);
  void take_reply(Place update, ByteView reply);
  void ended(Place update);

  Secondary::Room room_;
  std::map<std::string, std::unique_ptr<Secondary>> zones_;  // by the text of the apex
  std::list<Forwarded> forwarded_;
};

}  // namespace steward::daemon
