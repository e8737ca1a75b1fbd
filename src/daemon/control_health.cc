#include "daemon/control_health.hh"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstring>

#include "daemon/server.hh"

namespace steward::daemon {
namespace {

constexpr int64_t late_seconds = 60;  // leases and trust are looked at each second, a batch of them at a time

enum class Verdict : uint8_t { Well, Note, Ill };

class Checks {
 public:
  void add(std::string_view check, Verdict verdict, std::string detail) {
    rows_.push_back({{"check", check}, {"ok", verdict != Verdict::Ill}, {"note", verdict == Verdict::Note}, {"detail", std::move(detail)}});
    healthy_ = healthy_ && verdict != Verdict::Ill;
  }
  [[nodiscard]] Json result() const { return {{"healthy", healthy_}, {"checks", rows_}}; }

 private:
  Json rows_ = Json::array();
  bool healthy_ = true;
};

Verdict well_if(bool well) { return well ? Verdict::Well : Verdict::Ill; }

void check_zones(const Server& server, int64_t now, Checks& checks) {
  std::string failing;
  std::string late;
  const auto zones = server.board().all();
  for (const ZoneStatus& zone : zones) {
    if (zone.state == ZoneState::Failed || zone.state == ZoneState::Expired || !zone.has_data) failing += (failing.empty() ? "" : ", ") + zone.zone;
    // An hour past its time is no longer a matter of being busy.
    if (zone.next_event && seconds_of(zone.next_event->at) + 3600 < now) late += (late.empty() ? "" : ", ") + zone.zone;
  }
  checks.add("zones", well_if(failing.empty()), failing.empty() ? fmt::format("{} zones are served as configured", zones.size()) : "failed: " + failing);
  checks.add("signatures", well_if(late.empty()), late.empty() ? "all are renewed in time" : "work is overdue for: " + late);
}

void check_disk(const Server& server, Checks& checks) {
  constexpr uint64_t mib = 1 << 20;
  constexpr uint64_t least_mib = 256;
  struct statvfs disk {};
  const std::string data = server.config().data.string();
  if (::statvfs(data.c_str(), &disk) != 0) return checks.add("disk", Verdict::Ill, data + ": " + std::strerror(errno));
  const uint64_t free_mib = disk.f_bavail * disk.f_frsize / mib;
  checks.add("disk", well_if(free_mib >= least_mib), fmt::format("{} MiB free for {}", free_mib, data));
}

void check_database(const Server& server, Checks& checks) {
  constexpr uint64_t mib = 1 << 20;
  const store::StoreFigures figures = server.figures();
  const uint64_t used = figures.tree_pages * 4096;
  checks.add("database", well_if(used < figures.map_size / 10 * 9), fmt::format("{} MiB of at most {} MiB", used / mib, figures.map_size / mib));
}

// The server goes on without the key, and with one whose file was lost, until it is started again and makes another.
void check_custody(const Server& server, Checks& checks) {
  const std::string path = server.config().registry->custody_key.string();
  std::error_code error;
  if (server.custody() == nullptr)
    checks.add("custody", Verdict::Ill, fmt::format("{}: the key {}: nothing can be imported or claimed", path, server.custody_error()));
  else if (!std::filesystem::exists(path, error))
    checks.add("custody", Verdict::Ill, path + ": the key is in use and its file is missing: the next start makes another, and what this one signed cannot be claimed");
  else
    checks.add("custody", Verdict::Well, "the key is at hand");
}

// Who we are to other registries. Certificates are renewed when a third of their time is left: a sixth is late.
void check_identity(const Server& server, int64_t now, Checks& checks) {
  const auto own = server.identity();
  if (!own) return checks.add("identity", Verdict::Well, "none: without registry.identity it is not part of a federation");
  if (own->authorities().empty())
    return checks.add("identity", Verdict::Note, "no parent has issued its certificates: steward-registry register");
  const int64_t left = seconds_of(own->until()) - now;
  const bool in_time = left > crypto::certificate_lifetime.count() / 6;
  checks.add("identity", well_if(in_time), fmt::format("certificates end in {} days{}", left / 86400, in_time ? "" : ": they are not renewed"));
}

// That a parent is away for a while is no illness: it is sent what it lacks when it is back.
void check_push(const Server& server, Checks& checks) {
  const FeedPusher* const pusher = server.feed_pusher();
  if (pusher == nullptr) return;
  const FeedPusher::Figures figures = pusher->figures();
  if (!figures.error.empty())
    checks.add("push", Verdict::Note, "the parent does not take our feed: " + figures.error);
  else
    checks.add("push", Verdict::Well, figures.is_current ? "the parent has all of our feed" : "the parent does not have all of our feed yet");
}

void check_allow_list(const Server& server, const change::PublishPolicy& policy, const RegistryFigures& figures, Checks& checks) {
  const uint64_t keys = policy.publishers.size() + figures.publishers;
  if (policy.open)
    checks.add("allow-list", Verdict::Well, "any key may publish a name that nobody has");
  else if (keys == 0 && server.is_ready())
    checks.add("allow-list", Verdict::Note, "empty: no key may publish a name that is new; `publisher allow` lists one");
  else
    checks.add("allow-list", Verdict::Well, fmt::format("{} keys may publish", keys));
}

// A failure now and then is a full disk for a moment; one in a hundred is a state.
void check_publishing(const Server& server, Checks& checks) {
  const UpdateDesk::Figures figures = server.update_figures();
  const Verdict verdict = figures.recent_failed == 0                      ? Verdict::Well
                          : figures.recent_failed * 100 < figures.recent ? Verdict::Note
                                                                         : Verdict::Ill;
  checks.add("publishing", verdict, fmt::format("{} of {} publishes of the last hour failed", figures.recent_failed, figures.recent));
}

// A place that was taken away is mended, and still nothing that should have been there.
void check_listings(const RegistryZone::TrustFigures& trust, Checks& checks) {
  if (trust.faults > 0)
    return checks.add("listings", Verdict::Ill, fmt::format("{} agents are not listed as the book has them, the first {}", trust.faults, trust.fault));
  if (trust.strays > 0)
    return checks.add("listings", Verdict::Note,
                      fmt::format("{} places of agents that the book does not have so were taken out of the listings, the first {}", trust.strays, trust.stray));
  checks.add("listings", Verdict::Well, "agents are listed as the book has them, and nobody else, where the walk over their trust came by");
}

void check_times(const RegistryFigures& figures, int64_t now, Checks& checks) {
  const int64_t lease_late = figures.next_lease ? now - seconds_of(*figures.next_lease) : 0;
  checks.add("leases", well_if(lease_late < late_seconds),
             lease_late < late_seconds ? fmt::format("{} end in time", figures.leases) : fmt::format("the next is overdue by {} s", lease_late));
  const RegistryZone::TrustFigures& trust = figures.trust;
  const int64_t trust_late = figures.next_trust ? now - seconds_of(*figures.next_trust) : 0;
  if (!trust.error.empty())
    checks.add("trust", Verdict::Ill, trust.error);
  else if (trust_late >= late_seconds)
    checks.add("trust", Verdict::Ill, fmt::format("the next agents are overdue by {} s", trust_late));
  else if (!figures.next_trust && figures.agents > 0)
    checks.add("trust", Verdict::Note, "not restated by time: restate-interval is 0");
  else
    checks.add("trust", Verdict::Well, fmt::format("{} of {} agents looked at in round {}", trust.looked, figures.agents, trust.rounds + 1));
  check_listings(trust, checks);
}

void check_conflicts(Server& server, Checks& checks) {
  const auto unseen = server.unseen_conflicts();
  uint64_t count = 0;
  std::string where;
  for (const auto& [child, conflicts] : unseen) {
    count += conflicts;
    where += (where.empty() ? "" : ", ") + child;
  }
  checks.add("conflicts", unseen.empty() ? Verdict::Well : Verdict::Note,
             unseen.empty() ? "none of agents below that nobody has seen"
                            : fmt::format("{} of agents below that nobody has seen, of {}: steward-registry conflicts list, and resolve --seen", count, where));
}

void check_registry(Server& server, int64_t now, Checks& checks) {
  const auto& policy = server.publish_policy();
  if (!policy) return;
  const RegistryFigures figures = server.registry_figures();
  check_custody(server, checks);
  check_identity(server, now, checks);
  check_push(server, checks);
  check_allow_list(server, *policy, figures, checks);
  check_publishing(server, checks);
  check_times(figures, now, checks);
  check_conflicts(server, checks);
}

}  // namespace

void health(Server& server, const Reply& reply) {
  const int64_t now = seconds_of(server.clock().now());
  Checks checks;
  check_zones(server, now, checks);
  check_disk(server, checks);
  const bool clock_ok = now > 1'700'000'000;
  checks.add("clock", well_if(clock_ok), clock_ok ? "plausible" : "before the year 2024: signatures would not be valid");
  check_database(server, checks);
  check_registry(server, now, checks);
  end_with(reply, checks.result());
}

}  // namespace steward::daemon
