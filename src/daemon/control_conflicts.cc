#include "daemon/control_conflicts.hh"

#include "agent/text_fields.hh"
#include "base/log.hh"
#include "daemon/control_referrals.hh"
#include "federation/conflict.hh"

namespace steward::daemon {
namespace {

constexpr const char* no_registry = "there is no registry here: the configuration has no `registry`, or its zone is not one of ours";

std::optional<Json> conflict_row(const dns::Name& child, const federation::Referrals::Row& row) {
  const federation::Referral& referral = row.referral;
  if (!referral.has_conflict()) return std::nullopt;
  Json writes = Json::array();
  for (const Bytes& rdata : referral.conflict) {
    Json write = Json::object();
    if (const auto fields = agent::fields_from_txt(rdata))
      for (const agent::TextField& field : *fields)
        if (field.key != "v") write[field.key] = field.value;
    writes.push_back(std::move(write));
  }
  return Json{{"agent", row.agent.to_text()},
              {"child", child.to_text()},
              {"number", referral.losers.size() + 1},
              {"seen", referral.is_conflict_seen},
              {"writes", std::move(writes)}};
}

/// The child whose agent it is: none where no row of it is kept.
Result<std::optional<dns::Name>> child_of(const federation::Referrals& rows, const dns::Name& agent) {
  const auto children = rows.children();
  if (!children) return tl::unexpected<Error>(children.error());
  for (const dns::Name& child : *children)
    if (agent.view().is_below(child)) return std::optional(child);
  return std::optional<dns::Name>();
}

Result<Json> read_conflict(store::Reader& reader, const dns::Name& zone, const dns::Name& agent) {
  const store::ZoneRecord* home = reader.zone_record(zone);
  if (home == nullptr) return fail(Errc::NotFound, zone.to_text() + ": nothing is loaded");
  const auto table = reader.table(home->info, store::ZoneTable::Referrals);
  const federation::Referrals rows(zone, *table);
  const auto row = rows.find(agent);
  const auto child = child_of(rows, agent);
  if (!row || !child) return tl::unexpected<Error>(row ? child.error() : row.error());
  std::optional<Json> found;
  if (*row && *child) found = conflict_row(**child, {agent, {}, **row});
  if (!found) return fail(Errc::NotFound, agent.to_text() + ": there is no conflict of it");
  return *found;
}

/// The agent of a request; nothing where the reply has the error.
std::optional<dns::Name> agent_of(const Json& request, const change::PublishPolicy& policy, const Reply& reply) {
  const std::string text = argument(request, "agent");
  const auto name = name_within(text, policy.zone);
  if (name && name->view().is_below(policy.zone)) return name->folded();
  end(reply, "agent '" + text + "': " + (name ? "not below " + policy.zone.to_text() : name.error().what));
  return std::nullopt;
}

void see(Server& server, const Reply& reply, const dns::Name& agent) {
  const auto work = [reply, agent](RegistryZone& registry, ZoneKeeper& keeper) {
    const auto failure = std::make_shared<std::string>();
    const auto write = [agent, failure, &registry](change::ZoneEdit& edit, ZoneTables& tables, RegistryZone::FeedPart&) -> Result<void> {
      failure->clear();
      const auto seen = federation::see_conflict(edit, tables[store::ZoneTable::Referrals], registry.zone(), agent);
      if (seen || seen.error().code != Errc::NotFound) return seen;
      *failure = seen.error().what;
      return {};
    };
    registry.edit(keeper, write, [reply, agent, failure](const LoadOutcome& outcome) {
      const std::string& error = outcome.ok ? *failure : outcome.error;
      log::notice("conflict.seen", {{"agent", agent.to_text()}, {"outcome", error.empty() ? "done" : error}, {"serial", outcome.serial}});
      if (!error.empty()) return end(reply, error);
      end_with(reply, {{"agent", agent.to_text()}, {"serial", outcome.serial}});
    });
  };
  server.post_registry(work, [reply](const std::string& why) { end(reply, why); });
}

}  // namespace

void conflicts_list(Server& server, const Json& request, const Reply& reply) {
  const auto policy = server.publish_policy();
  if (!policy) return end(reply, no_registry);
  const std::string only = argument(request, "namespace");
  std::vector<dns::Name> children;
  if (const auto& registry = server.config().registry)
    for (const config::ChildConfig& child : registry->children) {
      const auto name = dns::Name::from_text(only, policy->apex);
      if (only.empty() || (name && name->folded() == child.zone)) children.push_back(child.zone);
    }
  if (!only.empty() && children.empty()) return end(reply, "namespace '" + only + "': not one of registry.children");
  server.post_export([reply, zone = policy->zone, children](store::Reader& reader) {
    tell_referrals(reader, reply, zone, children, "conflicts", conflict_row);
  });
}

void conflicts_show(Server& server, const Json& request, const Reply& reply) {
  const auto policy = server.publish_policy();
  if (!policy) return end(reply, no_registry);
  const auto agent = agent_of(request, *policy, reply);
  if (!agent) return;
  server.post_export([reply, zone = policy->zone, agent = *agent](store::Reader& reader) {
    if (auto acquired = reader.acquire(); !acquired) return end(reply, acquired.error().what);
    const auto conflict = read_conflict(reader, zone, agent);
    reader.release();
    conflict ? end_with(reply, *conflict) : end(reply, conflict.error().what);
  });
}

void conflicts_resolve(Server& server, const Json& request, const Reply& reply) {
  const auto policy = server.publish_policy();
  if (!policy) return end(reply, no_registry);
  const auto agent = agent_of(request, *policy, reply);
  if (!agent) return;
  if (request.value("seen", false)) return see(server, reply, *agent);
  server.post_export([reply, zone = policy->zone, agent = *agent](store::Reader& reader) {
    if (auto acquired = reader.acquire(); !acquired) return end(reply, acquired.error().what);
    const auto conflict = read_conflict(reader, zone, agent);
    reader.release();
    if (!conflict) return end(reply, conflict.error().what);
    end(reply, agent.to_text() + ": only its home registry, " + conflict->value("child", "") +
                   ", can write what ends the conflict; --seen takes it off the list here");
  });
}

}  // namespace steward::daemon
