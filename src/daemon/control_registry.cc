#include "daemon/control_registry.hh"

#include <fmt/format.h>

#include <algorithm>

#include "agent/text_fields.hh"
#include "base/log.hh"
#include "config/namespace.hh"
#include "daemon/stored_book.hh"
#include "dns/encoding.hh"

namespace steward::daemon {
namespace {

constexpr size_t agents_a_line = 1000;

std::string_view to_text(agent::Presence presence) {
  switch (presence) {
    case agent::Presence::Live: return "live";
    case agent::Presence::Tombstone: return "tombstone";
    case agent::Presence::Gone: return "gone";
  }
  return "gone";
}

Json row_of(const dns::Name& agent, const agent::AgentEntry& entry) {
  return {{"agent", agent.to_text()},
          {"version", entry.version},
          {"presence", to_text(entry.presence)},
          {"status", entry.suspended ? std::string_view("suspended") : agent::to_text(entry.status)},
          {"key", entry.fingerprint},
          {"custodial", entry.custodial},
          {"trust", entry.trust},
          {"modified", seconds_of(entry.modified)},
          {"lease_until", time_or_null(entry.lease_until)}};
}

// A read of the registry's book on the export thread, in one snapshot; `work` fails with what is told.
void read_book(Server& server, const Reply& reply,
               std::function<Result<void>(const agent::Book&, const change::PublishPolicy&)> work) {
  const auto policy = server.publish_policy();
  if (!policy)
    return end(reply, "there is no registry here: the configuration has no `registry`, or its zone is not one of ours");
  server.post_export([policy, reply, work = std::move(work)](store::Reader& reader) {
    if (auto acquired = reader.acquire(); !acquired) return end(reply, acquired.error().what);
    const store::ZoneRecord* record = reader.zone_record(policy->zone);
    const Result<void> done = record != nullptr ? work(*StoredBook(reader, record->info), *policy)
                                                : fail(Errc::NotFound, policy->zone.to_text() + ": nothing is loaded");
    reader.release();
    done ? end(reply) : end(reply, done.error().what);
  });
}

Result<dns::Name> agent_argument(const Json& request, const change::PublishPolicy& policy) {
  const std::string text = argument(request, "agent");
  auto name = name_within(text, policy.zone);
  if (!name) return fail("agent '" + text + "'", name.error());
  if (!policy.namespace_of(name->folded()))
    return fail(Errc::Invalid, "agent '" + text + "': not in a namespace of " + policy.zone.to_text());
  return name->folded();
}

Result<std::string> fingerprint_argument(const Json& request) {
  std::string text = argument(request, "fingerprint");
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  if (!agent::is_sha256_text(text))
    return fail(Errc::Invalid, "fingerprint '" + text + "': expected sha256: and 64 hexadecimal digits");
  return text;
}

// A change by the writer; `line` is the result where it was made.
void change_registry(Server& server, const Reply& reply, const std::string& event, const Json& line,
                     RegistryZone::Act act) {
  server.post_registry(
      [reply, event, line, act = std::move(act)](RegistryZone& registry, ZoneKeeper& keeper) {
        // A refusal is the act's own; the transaction is none's then.
        const auto failure = std::make_shared<std::string>();
        const auto evaluate = [act, failure](RegistryZone::Changes& changes) -> Result<void> {
          failure->clear();
          if (auto done = changes.act(act); !done) *failure = done.error().what;
          return {};
        };
        registry.change(keeper, evaluate, [reply, event, line, failure](const LoadOutcome& outcome) {
          const std::string& error = outcome.ok ? *failure : outcome.error;
          const std::string subject = line.contains("agent") ? line.value("agent", "") : line.value("fingerprint", "");
          log::notice(event,
                      {{"subject", subject}, {"outcome", error.empty() ? "done" : error}, {"serial", outcome.serial}});
          if (!error.empty()) return end(reply, error);
          Json told = line;
          told["serial"] = outcome.serial;
          end_with(reply, told);
        });
      },
      [reply](const std::string& why) { end(reply, why); });
}

Json json_of(const agent::HistoryEntry& entry, bool linked) {
  return {{"number", entry.number},   {"at", seconds_of(entry.at)},
          {"action", entry.action},   {"by", entry.by},
          {"version", entry.version}, {"digest", entry.digest},
          {"reason", entry.reason},   {"hash", dns::encode(dns::hex_lower, entry.hash())},
          {"linked", linked}};
}

/// The history of one agent; whether each entry holds the hash of the one before, and the last is the book's head.
Result<Json> log_of(const agent::Book& book, const dns::Name& agent, const agent::AgentEntry& entry) {
  const auto history = book.history(agent);
  if (!history) return tl::unexpected<Error>(history.error());
  Json entries = Json::array();
  Bytes before;
  bool sound = history->size() == entry.history;
  for (const agent::HistoryEntry& one : *history) {
    const bool linked = one.previous == before;
    sound = sound && linked;
    entries.push_back(json_of(one, linked));
    before = one.hash();
  }
  sound = sound && before == entry.history_head;
  return Json{{"agent", agent.to_text()}, {"sound", sound}, {"entries", entries}};
}

}  // namespace

Result<dns::Name> space_argument(const Json& request, const change::PublishPolicy& policy) {
  const std::string text = argument(request, "namespace");
  if (text.empty()) return policy.zone;
  const auto space = config::parse_hosted_namespace(text, false);
  if (!space) return tl::unexpected<Error>(space.error());
  const auto full = config::zone_of_namespace(*space, policy.apex);
  if (!full) return full;
  const auto some_agent = full->child(as_bytes(std::string_view("a")));
  if (!some_agent || !policy.namespace_of(*some_agent))
    return fail(Errc::Invalid, fmt::format("namespace '{}': not hosted in {}", text, policy.zone.to_text()));
  return full;
}

void publisher_list(Server& server, const Reply& reply) {
  read_book(server, reply, [reply](const agent::Book& book, const change::PublishPolicy& policy) -> Result<void> {
    Json rows = Json::array();
    const auto add = [&](const agent::Publisher& publisher, std::string_view source) {
      rows.push_back({{"namespace", publisher.space.to_text()},
                      {"fingerprint", publisher.fingerprint},
                      {"note", publisher.note},
                      {"since", source == "command" ? Json(seconds_of(publisher.since)) : Json(nullptr)},
                      {"source", source}});
    };
    for (const agent::Publisher& publisher : policy.publishers) add(publisher, "configuration");
    for (const agent::Publisher& publisher : book.publishers()) add(publisher, "command");
    send(reply, {{"open", policy.open}, {"publishers", rows}});
    return {};
  });
}

void publisher_allow(Server& server, const Json& request, const Reply& reply) {
  const auto policy = server.publish_policy();
  if (!policy) return read_book(server, reply, {});
  const auto space = space_argument(request, *policy);
  const auto fingerprint = fingerprint_argument(request);
  if (!space || !fingerprint) return end(reply, !space ? space.error().what : fingerprint.error().what);
  agent::Publisher publisher{*space, *fingerprint, argument(request, "note"), server.clock().now()};
  change_registry(
      server, reply, "publisher.allow", {{"namespace", space->to_text()}, {"fingerprint", *fingerprint}},
      [publisher](change::ZoneEdit&, change::RegistryState& state) -> Result<std::optional<change::PublishEffect>> {
        if (auto allowed = state.book.allow(publisher); !allowed) return tl::unexpected<Error>(allowed.error());
        return std::nullopt;
      });
}

void publisher_remove(Server& server, const Json& request, const Reply& reply) {
  const auto policy = server.publish_policy();
  if (!policy) return read_book(server, reply, {});
  const auto space = space_argument(request, *policy);
  const auto fingerprint = fingerprint_argument(request);
  if (!space || !fingerprint) return end(reply, !space ? space.error().what : fingerprint.error().what);
  change_registry(
      server, reply, "publisher.remove", {{"namespace", space->to_text()}, {"fingerprint", *fingerprint}},
      [space = *space, fingerprint = *fingerprint](
          change::ZoneEdit&, change::RegistryState& state) -> Result<std::optional<change::PublishEffect>> {
        const auto removed = state.book.disallow(space, fingerprint);
        if (!removed) return tl::unexpected<Error>(removed.error());
        if (!*removed)
          return fail(
              Errc::NotFound,
              fmt::format(
                  "{} may not publish in {} by command; a row of registry.yaml stays until it is taken out there",
                  fingerprint, space.to_text()));
        return std::nullopt;
      });
}

void agent_list(Server& server, const Json& request, const Reply& reply) {
  read_book(server, reply,
            [reply, request](const agent::Book& book, const change::PublishPolicy& policy) -> Result<void> {
              std::optional<dns::Name> only;
              if (!argument(request, "namespace").empty()) {
                const auto space = space_argument(request, policy);
                if (!space) return tl::unexpected<Error>(space.error());
                only = *space;
              }
              for (std::optional<dns::Name> after;;) {
                const auto agents = book.agents(after, agents_a_line);
                if (!agents) return tl::unexpected<Error>(agents.error());
                Json rows = Json::array();
                for (const auto& [agent, entry] : *agents)
                  if (!only || agent.view().parent() == *only) rows.push_back(row_of(agent, entry));
                if (!rows.empty() && !send(reply, {{"agents", rows}})) return {};
                if (agents->size() < agents_a_line) return {};
                after = agents->back().first;
              }
            });
}

void agent_show(Server& server, const Json& request, const Reply& reply) {
  read_book(server, reply,
            [reply, request](const agent::Book& book, const change::PublishPolicy& policy) -> Result<void> {
              const auto agent = agent_argument(request, policy);
              if (!agent) return tl::unexpected<Error>(agent.error());
              const auto found = book.find(*agent);
              if (!found) return tl::unexpected<Error>(found.error());
              if (!*found) return fail(Errc::NotFound, agent->to_text() + ": no such agent was ever published here");
              const agent::AgentEntry& entry = **found;
              Json row = row_of(*agent, entry);
              row["first_published"] = seconds_of(entry.first_published);
              row["revoked"] = entry.revoked;
              row["rotations"] = entry.rotations;
              row["suspended"] = entry.suspended ? Json(*entry.suspended) : Json(nullptr);
              row["key_lease_until"] = time_or_null(entry.key_lease_until);
              row["capabilities"] = entry.capabilities;
              row["protocols"] = entry.protocols;
              row["looks_alike"] = entry.looks_alike;
              row["history"] = entry.history;
              row["facts"] = Json::array();
              for (const auto& [fact, what] : entry.facts)
                row["facts"].push_back(
                    {{"fact", fact}, {"value", what.value}, {"claimed", what.claimed}, {"at", seconds_of(what.at)}});
              row["trust_terms"] = Json::array();
              for (const agent::TrustTerm& term : agent::trust_of(entry, policy.trust, entry.modified).terms)
                row["trust_terms"].push_back({{"name", term.name},
                                              {"weight", term.weight},
                                              {"value", term.value},
                                              {"result", term.result},
                                              {"note", term.note}});
              send(reply, row);
              return {};
            });
}

void agent_suspend(Server& server, const Json& request, const Reply& reply) {
  const auto policy = server.publish_policy();
  if (!policy) return read_book(server, reply, {});
  const auto agent = agent_argument(request, *policy);
  const std::string reason = argument(request, "reason");
  if (!agent || reason.empty())
    return end(reply, !agent ? agent.error().what : "a reason is needed: it is told to whoever resolves the agent");
  change_registry(
      server, reply, "agent.suspend", {{"agent", agent->to_text()}},
      [&server, agent = *agent, reason, policy](
          change::ZoneEdit& edit, change::RegistryState& state) -> Result<std::optional<change::PublishEffect>> {
        auto effect = change::suspend_agent(agent, reason, *policy, edit, state, server.clock().now());
        if (!effect) return tl::unexpected<Error>(effect.error());
        return std::optional(std::move(*effect));
      });
}

void agent_restore(Server& server, const Json& request, const Reply& reply) {
  const auto policy = server.publish_policy();
  if (!policy) return read_book(server, reply, {});
  const auto agent = agent_argument(request, *policy);
  if (!agent) return end(reply, agent.error().what);
  change_registry(
      server, reply, "agent.restore", {{"agent", agent->to_text()}},
      [&server, agent = *agent, policy](change::ZoneEdit& edit,
                                        change::RegistryState& state) -> Result<std::optional<change::PublishEffect>> {
        auto effect = change::suspend_agent(agent, std::nullopt, *policy, edit, state, server.clock().now());
        if (!effect) return tl::unexpected<Error>(effect.error());
        return std::optional(std::move(*effect));
      });
}

void agent_attest(Server& server, const Json& request, const Reply& reply) {
  static constexpr std::string_view facts[] = {"tests", "success", "uptime", "endorsements", "attestation"};
  const auto policy = server.publish_policy();
  if (!policy) return read_book(server, reply, {});
  const auto agent = agent_argument(request, *policy);
  if (!agent) return end(reply, agent.error().what);
  const std::string fact = argument(request, "fact");
  if (std::find(std::begin(facts), std::end(facts), fact) == std::end(facts))
    return end(reply, "fact '" + fact + "': expected tests, success, uptime, endorsements or attestation");
  const double value = request.value("value", -1.0);
  if (!(value >= 0 && value <= 1)) return end(reply, "value: expected a number from 0 to 1");
  const std::map<std::string, agent::TrustFact> attested{{fact, {value, false, server.clock().now()}}};
  change_registry(
      server, reply, "agent.attest", {{"agent", agent->to_text()}, {"fact", fact}, {"value", value}},
      [&server, agent = *agent, policy, attested](
          change::ZoneEdit& edit, change::RegistryState& state) -> Result<std::optional<change::PublishEffect>> {
        if (auto stated = change::restate_trust(agent, attested, *policy, edit, state, server.clock().now()); !stated)
          return tl::unexpected<Error>(stated.error());
        return std::nullopt;
      });
}

void zone_log(Server& server, const Json& request, const Reply& reply) {
  const auto zone = zone_argument(request);
  if (!zone) return end(reply, zone.error().what);
  if (const auto policy = server.publish_policy(); policy && policy->zone != *zone)
    return end(reply, zone->to_text() + ": not the registry's zone, which is " + policy->zone.to_text());
  read_book(
      server, reply, [reply, request](const agent::Book& book, const change::PublishPolicy& policy) -> Result<void> {
        bool sound = true;
        const auto tell = [&](const dns::Name& agent, const agent::AgentEntry& entry) -> Result<bool> {
          const auto log = log_of(book, agent, entry);
          if (!log) return tl::unexpected<Error>(log.error());
          sound = sound && log->value("sound", false);
          return send(reply, *log);
        };
        if (!argument(request, "agent").empty()) {
          const auto agent = agent_argument(request, policy);
          if (!agent) return tl::unexpected<Error>(agent.error());
          const auto entry = book.find(*agent);
          if (!entry) return tl::unexpected<Error>(entry.error());
          if (!*entry) return fail(Errc::NotFound, agent->to_text() + ": no such agent was ever published here");
          if (auto told = tell(*agent, **entry); !told) return tl::unexpected<Error>(told.error());
        } else {
          for (std::optional<dns::Name> after;;) {
            const auto agents = book.agents(after, agents_a_line);
            if (!agents) return tl::unexpected<Error>(agents.error());
            for (const auto& [agent, entry] : *agents) {
              const auto told = tell(agent, entry);
              if (!told) return tl::unexpected<Error>(told.error());
              if (!*told) return {};
            }
            if (agents->size() < agents_a_line) break;
            after = agents->back().first;
          }
        }
        return sound ? Result<void>{}
                     : fail(Errc::Corrupt, "the history does not hold together: see which entries are not linked");
      });
}

}  // namespace steward::daemon
