#include "daemon/control.hh"

#include <unistd.h>

#include <fstream>

#include "crypto/operation_counts.hh"
#include "daemon/control_children.hh"
#include "daemon/control_conflicts.hh"
#include "daemon/control_health.hh"
#include "daemon/control_import.hh"
#include "daemon/control_peers.hh"
#include "daemon/control_protocol.hh"
#include "daemon/control_registry.hh"
#include "daemon/control_store.hh"
#include "daemon/control_zones.hh"
#include "daemon/server.hh"

namespace steward::daemon {
namespace {

uint64_t private_octets() {
  // Private and dirty: what the kernel cannot take back. The node log is mapped and clean.
  std::ifstream rollup("/proc/self/smaps_rollup");
  std::string word;
  uint64_t kib = 0;
  while (rollup >> word)
    if (word == "Private_Dirty:") {
      rollup >> kib;
      break;
    }
  return kib * 1024;
}

std::string_view state_text(ZoneState state) {
  switch (state) {
    case ZoneState::Loading: return "loading";
    case ZoneState::Serving: return "serving";
    case ZoneState::Expired: return "expired";
    case ZoneState::Failed: return "failed";
  }
  return "failed";
}

std::string_view denial_text(zone::Denial denial) {
  switch (denial) {
    case zone::Denial::None: return "none";
    case zone::Denial::Nsec: return "nsec";
    case zone::Denial::Nsec3: return "nsec3";
  }
  return "none";
}

Json queries_of(const Server& server, Json& answers, uint64_t& truncated, uint64_t& limited) {
  uint64_t udp = 0;
  uint64_t tcp = 0;
  uint64_t tls = 0;
  std::map<std::string, uint64_t> rcodes;
  server.for_each_worker([&](const serve::Counters& counters, const net::WorkerCounters&) {
    udp += counters.queries[static_cast<size_t>(Transport::Udp)].get();
    tcp += counters.queries[static_cast<size_t>(Transport::Tcp)].get();
    tls += counters.queries[static_cast<size_t>(Transport::Tls)].get();
    truncated += counters.truncated.get();
    limited += counters.rate_limit_dropped.get() + counters.rate_limit_slipped.get();
    for (size_t rcode = 0; rcode < counters.responses.size(); ++rcode)
      if (const uint64_t count = counters.responses[rcode].get(); count > 0) rcodes[to_text(static_cast<dns::Rcode>(rcode))] += count;
  });
  answers = rcodes;
  return {{"udp", udp}, {"tcp", tcp}, {"tls", tls}};
}

Json transfers_of(const Server& server) {
  uint64_t axfr = 0;
  uint64_t ixfr = 0;
  uint64_t refused = 0;
  uint64_t notifies = 0;
  server.for_each_worker([&](const serve::Counters& counters, const net::WorkerCounters&) {
    axfr += counters.transfers_axfr.get();
    ixfr += counters.transfers_ixfr.get();
    refused += counters.transfers_refused.get();
    notifies += counters.notifies.get();
  });
  const Notifier::Figures& sent = server.notifier().figures();
  return {{"under_way", server.transfers()}, {"axfr", axfr}, {"ixfr", ixfr}, {"refused", refused}, {"notify_received", notifies},
          {"notify_sent", sent.sent}, {"notify_repeated", sent.repeated}, {"notify_answered", sent.answered}, {"notify_given_up", sent.given_up}};
}

Json updates_of(const Server& server) {
  const UpdateDesk::Figures figures = server.update_figures();
  return {{"waiting", figures.waiting}, {"done", figures.done}, {"refused", figures.failed}, {"overload", figures.overload}};
}

Json resolver_of(const ResolverDesk& resolver) {
  const ResolverDesk::Figures figures = resolver.figures();
  return {{"under_way", figures.under_way}, {"secure", figures.secure}, {"insecure", figures.insecure}, {"bogus", figures.bogus},
          {"failed", figures.failed}, {"timed_out", figures.timed_out}, {"overload", figures.overload}};
}

Json signatures_of() {
  Json json = Json::object();
  for (const crypto::OperationCount& count : crypto::operation_counts())
    if (count.made + count.checked > 0) json[std::string(crypto::to_text(count.algorithm))] = {{"made", count.made}, {"checked", count.checked}};
  return json;
}

Json publishes_of(const Server& server) {
  const UpdateDesk::Figures figures = server.update_figures();
  uint64_t refused = 0;
  for (const auto& [rule, count] : figures.publishes_refused) refused += count;
  return {{"accepted", figures.published}, {"refused", refused}, {"by_rule", figures.publishes_refused}};
}

Json registrations_of(const Server& server) {
  const RegistrationDesk::Figures figures = server.registration_figures();
  uint64_t refused = 0;
  for (const auto& [rule, count] : figures.refused) refused += count;
  const RegistryGate::Figures known = server.gate_figures();
  uint64_t unknown = 0;
  for (const auto& [rule, count] : known.refused) unknown += count;
  return {{"reserved", figures.reserved},
          {"pending", figures.pending},
          {"refused", refused},
          {"by_rule", figures.refused},
          {"revoked", server.revocations()},
          {"requests", {{"accepted", known.accepted}, {"refused", unknown}, {"by_rule", known.refused}}}};
}

Json push_of(const Server& server) {
  const FeedPusher* const pusher = server.feed_pusher();
  if (pusher == nullptr) return nullptr;
  const FeedPusher::Figures figures = pusher->figures();
  return {{"feed", pusher->feed().to_text()},
          {"acknowledged", figures.reached ? Json(*figures.reached) : Json(nullptr)},
          {"current", figures.is_current},
          {"messages", figures.messages},
          {"error", figures.error},
          {"retry_at", figures.retry_at ? Json(seconds_of(*figures.retry_at)) : Json(nullptr)}};
}

Json signatures_of(const Server& server) {
  uint64_t made = 0;
  uint64_t reused = 0;
  uint64_t refused = 0;
  server.for_each_worker([&](const serve::Counters& counters, const net::WorkerCounters&) {
    made += counters.online_signed.get();
    reused += counters.online_reused.get();
    refused += counters.online_refused.get();
  });
  return {{"made", made}, {"reused", reused}, {"refused", refused}};
}

void status(Server& server, const Reply& reply) {
  Json listen = Json::array();
  for (const SocketAddress& address : server.config().listen) listen.push_back(address.to_text());
  Json tls = {{"listen", Json::array()}, {"handshakes", 0}, {"failed", 0}};
  for (const SocketAddress& address : server.config().tls.listen) tls["listen"].push_back(address.to_text());
  uint64_t handshakes = 0;
  uint64_t failed_handshakes = 0;
  server.for_each_worker([&](const serve::Counters&, const net::WorkerCounters& counters) {
    handshakes += counters.tls_handshakes.value();
    failed_handshakes += counters.tls_failed.value();
  });
  tls["handshakes"] = handshakes;
  tls["failed"] = failed_handshakes;
  size_t serving = 0;
  size_t failed = 0;
  const auto zones = server.board().all();
  for (const ZoneStatus& zone : zones) {
    serving += zone.has_data ? 1 : 0;
    failed += zone.state == ZoneState::Failed || zone.state == ZoneState::Expired ? 1 : 0;
  }
  Json answers;
  uint64_t truncated = 0;
  uint64_t limited = 0;
  const Json queries = queries_of(server, answers, truncated, limited);
  Json result = {{"version", STEWARD_VERSION},
                 {"pid", ::getpid()},
                 {"started_at", seconds_of(server.started_at())},
                 {"ready", server.is_ready()},
                 {"config", std::filesystem::absolute(server.config().file).string()},
                 {"workers", server.workers()},
                 {"listen", listen},
                 {"tls", tls},
                 {"zones", {{"total", zones.size()}, {"serving", serving}, {"failed", failed}}},
                 {"queries", queries},
                 {"answers", answers},
                 {"truncated", truncated},
                 {"rate_limited", limited},
                 {"tcp_clients", server.connections()},
                 {"transfers", transfers_of(server)},
                 {"updates", updates_of(server)},
                 {"signatures", signatures_of()},
                 {"memory", private_octets()},
                 {"last_reload", nullptr}};
  if (const auto& registry = server.config().registry) {
    result["namespace"] = registry->space.to_text();
    result["zone"] = registry->zone.to_text();
    result["publishes"] = publishes_of(server);
    result["registrations"] = registrations_of(server);
    if (Json push = push_of(server); !push.is_null()) result["push"] = std::move(push);
    result["discover_signatures"] = signatures_of(server);
    const RegistryFigures figures = server.registry_figures();
    result["agents"] = {{"published", figures.agents}, {"leases", figures.leases}};
    result["trust"] = {{"restated", figures.trust.restated}, {"round", figures.trust.rounds}, {"looked", figures.trust.looked},
                       {"next", figures.next_trust ? Json(seconds_of(*figures.next_trust)) : Json(nullptr)}};
    if (const auto& policy = server.publish_policy()) result["replica"] = policy->replica;
  }
  if (const ResolverDesk* resolver = server.resolver()) result["resolver"] = resolver_of(*resolver);
  if (const auto& last = server.last_reload()) {
    result["last_reload"] = {{"at", seconds_of(last->at)}, {"ok", last->ok}};
    if (!last->ok) result["last_reload"]["error"] = last->error;
  }
  const store::StoreFigures figures = server.figures();
  result["database"] = {{"used", figures.tree_pages * 4096 + figures.live_octets},
                        {"size", figures.tree_pages * 4096 + figures.log_octets},
                        {"most", figures.map_size},
                        {"nodes", figures.index_names}};
  end_with(reply, result);
}

void reload(Server& server, const Reply& reply) {
  const auto changes = server.reload_config();
  if (!changes) {
    end(reply, changes.error().what);
    return;
  }
  Json list = Json::array();
  for (const config::Change& change : *changes)
    list.push_back({{"key", change.key}, {"before", change.before}, {"after", change.after},
                    {"effect", change.effect == config::Effect::Restart ? "restart" : "reload"}});
  reload_zones(server, {}, {{"changes", list}}, reply);
}

}  // namespace

Result<dns::Name> zone_argument(const Json& request) {
  const std::string text = argument(request, "zone");
  auto name = dns::Name::from_text(text);
  if (!name) return fail("zone '" + text + "'", name.error());
  return name->folded();
}

Result<dns::Name> name_within(const std::string& text, const dns::Name& apex) {
  auto name = dns::Name::from_text(text);
  if (name && name->view().is_at_or_below(apex)) return name;
  return dns::Name::from_text(text, apex);
}

Json json_of(const std::optional<ZoneEvent>& event) {
  if (!event) return nullptr;
  return {{"at", seconds_of(event->at)}, {"what", event->what}};
}

Json json_of(const ZoneStatus& status) {
  Json json = {{"zone", status.zone},
               {"serial", status.serial},
               {"signed", status.is_signed},
               {"denial", denial_text(status.denial)},
               {"nodes", status.nodes},
               {"records", status.records},
               {"file", status.file},
               {"catalog", status.catalog.catalog},
               {"state", state_text(status.state)},
               {"loaded_at", nullptr},
               {"next_event", json_of(status.next_event)}};
  if (status.loaded_at) json["loaded_at"] = seconds_of(*status.loaded_at);
  if (!status.primaries.empty()) json["primaries"] = status.primaries;
  if (!status.error.empty()) json["error"] = status.error;
  return json;
}

namespace {

void dispatch(Server& server, const Json& request, const Reply& reply) {
  const std::string command = argument(request, "command");
  if (command == control::status) return status(server, reply);
  if (command == control::health) return health(server, reply);
  if (command == control::reload) return reload(server, reply);
  if (command == control::zone_list) return zone_list(server, reply);
  if (command == control::zone_show) return zone_show(server, request, reply);
  if (command == control::zone_export) return zone_export(server, request, reply);
  if (command == control::zone_reload) return zone_reload(server, request, reply);
  if (command == control::zone_sign) return zone_sign(server, request, reply);
  if (command == control::zone_keys) return zone_keys(server, request, reply);
  if (command == control::zone_keys_rollover) return zone_keys_rollover(server, request, reply);
  if (command == control::zone_keys_ds_seen) return zone_keys_ds_seen(server, request, reply);
  if (command == control::zone_log) return zone_log(server, request, reply);
  if (command == control::publisher_list) return publisher_list(server, reply);
  if (command == control::publisher_allow) return publisher_allow(server, request, reply);
  if (command == control::publisher_remove) return publisher_remove(server, request, reply);
  if (command == control::child_invite) return child_invite(server, request, reply);
  if (command == control::child_remove) return child_remove(server, request, reply);
  if (command == control::register_at_parent) return register_at_parent(server, request, reply);
  if (command == control::pending_list) return pending_list(server, reply);
  if (command == control::pending_approve) return pending_approve(server, request, reply);
  if (command == control::pending_reject) return pending_reject(server, request, reply);
  if (command == control::agent_list) return agent_list(server, request, reply);
  if (command == control::agent_show) return agent_show(server, request, reply);
  if (command == control::agent_suspend) return agent_suspend(server, request, reply);
  if (command == control::agent_restore) return agent_restore(server, request, reply);
  if (command == control::agent_attest) return agent_attest(server, request, reply);
  if (command == control::agent_import) return agent_import(server, request, reply);
  if (command == control::conflicts_list) return conflicts_list(server, request, reply);
  if (command == control::conflicts_show) return conflicts_show(server, request, reply);
  if (command == control::conflicts_resolve) return conflicts_resolve(server, request, reply);
  if (command == control::peers) return peers(server, request, reply);
  if (command == control::backup) return backup(server, reply);
  if (command == control::store_verify) return store_verify(server, reply);
  if (command == control::store_stat) return store_stat(server, reply);
  if (command == control::stop) {
    end_with(reply, Json::object());
    return server.stop();
  }
  end(reply, "unknown command '" + command + "'");
}

}  // namespace

void handle_control(Server& server, std::string_view text, Reply reply) {
  const Json request = Json::parse(text, nullptr, false);
  if (!request.is_object()) {
    end(reply, "expected one JSON object in a line");
    return;
  }
  try {
    dispatch(server, request, reply);
  } catch (const Json::exception& error) {
    // An argument of another type than the command takes.
    end(reply, std::string("request: ") + error.what());
  }
}

}  // namespace steward::daemon
