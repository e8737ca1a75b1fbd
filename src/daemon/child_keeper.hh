#pragma once
// The parent's care for its children: those that have their name are looked at until their servers answer and validate,
// then delegated to; those that are delegated to are looked at daily, for their DS follows their CDS (RFC 7344) and
// their certificates are renewed in time.
//
//   Reserved ──look: all well──► Delegated ──daily──► DS, certificates
//      └─ amiss: again after 10 s, 20 s, … up to an hour
// One that is hosted has no servers that could be asked.
//
// Main loop's thread, but for noted() and asked(); what is written is the writer's.

#include <functional>
#include <map>
#include <memory>
#include <set>

#include "base/clock.hh"
#include "daemon/child_check.hh"
#include "daemon/dialogues.hh"
#include "daemon/registration_desk.hh"

namespace steward::daemon {

class ChildKeeper {
 public:
  struct Room {
    net::Loop& loop;
    const Clock& clock;
    Dialogues& dialogues;
    NameLookup& lookup;
    std::function<std::shared_ptr<const RegistrationDoor>()> door;
    std::function<bool(std::function<void(RegistryZone&, ZoneKeeper&)>, const std::function<void(const std::string&)>&)> post;
    /// The children that have their names, as committed.
    std::function<std::vector<federation::Child>()> children;
  };

  explicit ChildKeeper(Room room) : room_(std::move(room)) {}

  /// All that are stored; once, at the start.
  void start();
  /// One is new or has changed. Any thread.
  void noted(const federation::Child& child);
  /// One asks to be looked at (NOTIFY(CDS), RFC 9859): at once, but not more often than every five seconds. Any thread.
  void asked(const dns::Name& child);
  /// Our own certificates are others: children that waited for a longer issuer's are looked at. Main loop's thread.
  void renew();
  /// Every second.
  void tick();

 private:
  struct Look;
  using LookPtr = std::shared_ptr<Look>;
  void look(const federation::Child& child);
  void find_addresses(const LookPtr& look);
  void found_address(const LookPtr& look, const dns::Name& server, ByteView octets);
  void ask(const LookPtr& look);
  void conclude(const LookPtr& look);
  [[nodiscard]] bool is_to_be_renewed(const federation::Child& child) const;
  void prove(const LookPtr& look, std::optional<std::vector<Bytes>> ds, std::string problem);
  void write(const LookPtr& look, std::optional<std::vector<Bytes>> ds, std::string problem);

  const Room room_;
  std::map<std::string, federation::Child> children_;  // by zone; as last seen
  std::map<std::string, LookPtr> looks_;               // under way
  std::set<std::string> wanted_;                       // these ask for it
  std::map<std::string, UnixTime> asked_;              // when they were last looked at since they asked
};

}  // namespace steward::daemon
