#include <fmt/format.h>

#include <CLI/App.hpp>

#include "cli/commands.hh"
#include "cli/remote.hh"
#include "daemon/control_protocol.hh"

namespace steward::cli {
namespace {

namespace control = daemon::control;

int64_t integer(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_number_integer() ? at->get<int64_t>() : 0;
}

std::string size_field(const Json& object, const char* key) {
  return number_field(object, key) == "-" ? "-" : human_size(static_cast<uint64_t>(integer(object, key)));
}

std::string counts(const Json& object) {
  std::string out;
  for (const auto& [name, count] : object.items())
    if (count.is_number() && count != 0) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, count.dump());
  return out.empty() ? "none" : out;
}

std::string last_reload(const Json& status) {
  const Json& reload = object_field(status, "last_reload");
  if (reload.empty()) return "none";
  return fmt::format("{} {}", time_field(reload, "at"),
                     flag_field(reload, "ok") ? "done" : "failed: " + text_field(reload, "error"));
}

void show_status(Console& console, const Json& status) {
  const Json& zones = object_field(status, "zones");
  const Json& queries = object_field(status, "queries");
  const Json& database = object_field(status, "database");
  const int64_t started = integer(status, "started_at");
  const int64_t now =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()).time_since_epoch().count();
  const bool ready = flag_field(status, "ready");
  const auto row = [&](std::string_view name, std::string_view value) {
    console.line(fmt::format("{:<14}{}", name, printable(value)));
  };
  row("version", text_field(status, "version"));
  console.line(fmt::format("{:<14}{}", "state",
                           ready ? console.toned(Tone::Good, "ready") : console.toned(Tone::Warn, "starting")));
  row("process", fmt::format("{}, up {}", number_field(status, "pid"), human_duration(now - started)));
  row("configuration", text_field(status, "config"));
  row("namespace", text_field(status, "namespace"));
  row("listening", joined(list_field(status, "listen")));
  row("workers", number_field(status, "workers"));
  row("zones", fmt::format("{} of {} serving, {} failed", number_field(zones, "serving"), number_field(zones, "total"),
                           number_field(zones, "failed")));
  row("queries", fmt::format("{} UDP, {} TCP", number_field(queries, "udp"), number_field(queries, "tcp")));
  row("answers", counts(object_field(status, "answers")));
  row("limited",
      fmt::format("{} by rate, {} truncated", number_field(status, "rate_limited"), number_field(status, "truncated")));
  row("TCP clients", number_field(status, "tcp_clients"));
  const Json& transfers = object_field(status, "transfers");
  const Json& updates = object_field(status, "updates");
  row("transfers", fmt::format("{} AXFR, {} IXFR, {} refused, {} under way", number_field(transfers, "axfr"),
                               number_field(transfers, "ixfr"), number_field(transfers, "refused"), number_field(transfers, "under_way")));
  row("NOTIFY", fmt::format("{} sent, {} answered, {} given up, {} received", number_field(transfers, "notify_sent"),
                            number_field(transfers, "notify_answered"), number_field(transfers, "notify_given_up"),
                            number_field(transfers, "notify_received")));
  row("updates", fmt::format("{} done, {} refused, {} waiting", number_field(updates, "done"), number_field(updates, "refused"),
                             number_field(updates, "waiting")));
  if (const Json& push = object_field(status, "push"); !push.empty()) {
    const std::string error = push.value("error", "");
    row("push", !error.empty()               ? "the parent does not take our feed: " + error
                : flag_field(push, "current") ? "the parent has our feed up to serial " + number_field(push, "acknowledged")
                                              : "on its way, up to serial " + number_field(push, "acknowledged"));
  }
  if (status.contains("publishes")) {
    const Json& publishes = object_field(status, "publishes");
    const Json& agents = object_field(status, "agents");
    row("publishes", fmt::format("{} accepted, {} refused", number_field(publishes, "accepted"), number_field(publishes, "refused")));
    row("agents", fmt::format("{}, {} with a lease", number_field(agents, "published"), number_field(agents, "leases")));
    const Json& trust = object_field(status, "trust");
    row("trust", fmt::format("{} agents restated by time, {} looked at in round {}", number_field(trust, "restated"),
                             number_field(trust, "looked"), integer(trust, "round") + 1));
    const Json& signatures = object_field(status, "discover_signatures");
    row("discover", fmt::format("{} signatures made, {} reused, {} refused", number_field(signatures, "made"),
                                number_field(signatures, "reused"), number_field(signatures, "refused")));
    row("replica", text_field(status, "replica"));
  }
  if (status.contains("resolver")) {
    const Json& resolver = object_field(status, "resolver");
    row("resolver", fmt::format("{} secure, {} insecure, {} bogus, {} failed, {} late, {} over limits, {} under way", number_field(resolver, "secure"),
                                number_field(resolver, "insecure"), number_field(resolver, "bogus"), number_field(resolver, "failed"),
                                number_field(resolver, "timed_out"), number_field(resolver, "overload"), number_field(resolver, "under_way")));
  }
  row("database",
      fmt::format("{} nodes, {} used of {}, at most {}", number_field(database, "nodes"), size_field(database, "used"),
                  size_field(database, "size"), size_field(database, "most")));
  row("memory", size_field(status, "memory"));
  row("last reload", last_reload(status));
}

void show_health(Console& console, const Json& health) {
  const bool healthy = flag_field(health, "healthy");
  console.line(healthy ? console.toned(Tone::Good, "healthy") : console.toned(Tone::Bad, "not healthy"));
  for (const Json& check : list_field(health, "checks")) {
    const bool ok = flag_field(check, "ok");
    const bool note = flag_field(check, "note");
    console.line(fmt::format("  {}  {}: {}",
                             !ok    ? console.toned(Tone::Bad, "failed")
                             : note ? console.toned(Tone::Warn, "note  ")
                                    : console.toned(Tone::Good, "ok    "),
                             printable(text_field(check, "check")), printable(text_field(check, "detail"))));
  }
}

void show_reload(Console& console, const Json& reload) {
  for (const Json& change : list_field(reload, "changes"))
    console.line(
        fmt::format("{}: {} -> {}{}", printable(text_field(change, "key")), printable(text_field(change, "before")),
                    printable(text_field(change, "after")),
                    text_field(change, "effect") == "restart" ? console.toned(Tone::Warn, "  needs a restart") : ""));
  bool all = true;
  for (const Json& zone : list_field(reload, "zones")) {
    if (flag_field(zone, "ok")) continue;
    all = false;
    console.warn(fmt::format("zone {}: {}", text_field(zone, "zone"), text_field(zone, "error")));
  }
  console.line(all ? "reloaded" : "reloaded the configuration, and the zones that are not warned of");
}

}  // namespace

void add_status(CLI::App& app, Console& console) {
  CLI::App* status = app.add_subcommand("status", "Show what the running server is doing");
  status->footer("Examples:\n  steward-registry status\n  steward-registry status --json | jq .queries");
  auto remote = add_remote_options(*status, JsonOption::Offered);
  status->callback([&console, remote] {
    ask(console, *remote, {{"command", control::status}}, [&](const Json& reply) { show_status(console, reply); });
  });

  CLI::App* health =
      app.add_subcommand("health", "Tell whether the running server is well; exit status 1 where it is not");
  health->footer("Examples:\n  steward-registry health\n  steward-registry health --json --timeout 5");
  auto health_remote = add_remote_options(*health, JsonOption::Offered);
  health->callback([&console, remote = health_remote] {
    bool healthy = false;
    ask(
        console, *remote, {{"command", control::health}}, [&](const Json& reply) { show_health(console, reply); },
        [&](const Json& reply) { healthy = flag_field(reply, "healthy"); });
    if (!healthy) console.exit_code = exit_failed;
  });

  CLI::App* reload = app.add_subcommand("reload", "Read the configuration and all zone files again, as SIGHUP does");
  reload->footer("Examples:\n  steward-registry reload\n  steward-registry reload --json");
  auto reload_remote = add_remote_options(*reload, JsonOption::Offered);
  reload->callback([&console, remote = reload_remote] {
    ask(console, *remote, {{"command", control::reload}}, [&](const Json& reply) { show_reload(console, reply); });
  });

  CLI::App* stop = app.add_subcommand("stop", "Stop the running server, as SIGTERM does");
  stop->footer("Examples:\n  steward-registry stop\n  steward-registry stop --config acme/registry.yaml");
  auto stop_remote = add_remote_options(*stop, JsonOption::Left);
  stop->callback([&console, remote = stop_remote] {
    ask(console, *remote, {{"command", control::stop}}, [&](const Json&) { console.line("stopping"); });
  });
}

}  // namespace steward::cli
