#include "daemon/control_children.hh"

#include <fmt/format.h>

#include "agent/text_fields.hh"
#include "base/log.hh"
#include "config/namespace.hh"
#include "crypto/digest.hh"
#include "dns/encoding.hh"

namespace steward::daemon {
namespace {

using federation::Child;

constexpr size_t token_octets = 20;
constexpr int64_t most_days = 3650;

Json row_of(const Child& child) {
  const federation::Registration& asked = child.registration;
  Json servers = Json::array();
  for (const dns::Name& server : asked.servers) servers.push_back(server.to_text());
  return {{"namespace", asked.space},
          {"zone", asked.zone.to_text()},
          {"fingerprint", child.fingerprint},
          {"state", federation::to_text(child.state)},
          {"way", federation::to_text(child.way)},
          {"since", seconds_of(child.since)},
          {"asked", seconds_of(child.asked)},
          {"servers", servers},
          {"certified_until", child.state == federation::ChildState::Pending ? Json(nullptr) : Json(seconds_of(child.certified_until))},
          {"next_look", child.state == federation::ChildState::Reserved ? Json(seconds_of(child.next_look)) : Json(nullptr)},
          {"problem", child.problem}};
}

/// The zone of `namespace`, which has to be one label below ours.
Result<dns::Name> child_argument(const Json& request, const config::RegistryConfig& registry) {
  const std::string text = argument(request, "namespace");
  const auto space = config::parse_namespace(text);
  if (!space) return tl::unexpected<Error>(space.error());
  const auto zone = config::zone_of_namespace(*space, registry.apex);
  if (!zone) return zone;
  if (zone->view().is_root() || !(zone->view().parent() == registry.zone))
    return fail(Errc::Invalid, fmt::format("namespace '{}': {} is not one label below {}", text, zone->to_text(), registry.zone.to_text()));
  return zone->folded();
}

Result<dns::Name> child_argument(Server& server, const Json& request) {
  if (!server.publish_policy() || !server.config().registry)
    return fail(Errc::NotFound, "there is no registry here: the configuration has no `registry`, or its zone is not one of ours");
  return child_argument(request, *server.config().registry);
}

/// A change of the table by the writer.
void change_children(Server& server, const Reply& reply, const Json& line, std::function<Result<void>(federation::Children&)> change) {
  server.post_registry(
      [reply, line, change = std::move(change)](RegistryZone&, ZoneKeeper& keeper) {
        keeper.edit(
            [change](change::ZoneEdit&, ZoneTables& tables) -> Result<void> {
              federation::Children children(tables[store::ZoneTable::Children]);
              return change(children);
            },
            false, [reply, line](const LoadOutcome& outcome) { outcome.ok ? end_with(reply, line) : end(reply, outcome.error); });
      },
      [reply](const std::string& why) { end(reply, why); });
}

/// One that waits for the zone; of several, the one whose key is named.
Result<Child> waiting_for(const federation::Children& children, const dns::Name& zone, const std::string& fingerprint) {
  const auto pending = children.pending();
  if (!pending) return tl::unexpected<Error>(pending.error());
  std::vector<Child> found;
  for (const Child& child : *pending)
    if (child.registration.zone == zone && (fingerprint.empty() || child.fingerprint == fingerprint)) found.push_back(child);
  if (found.empty()) return fail(Errc::NotFound, zone.to_text() + ": no such registration waits");
  if (found.size() > 1)
    return fail(Errc::Invalid, fmt::format("{}: {} registrations wait; say which key is meant: --key FINGERPRINT", zone.to_text(), found.size()));
  return found.front();
}

}  // namespace

void child_invite(Server& server, const Json& request, const Reply& reply) {
  const auto zone = child_argument(server, request);
  if (!zone) return end(reply, zone.error().what);
  if (!server.config().registry->registration.invitations) return end(reply, "registry.registration.invitations is off: nobody is let in by one");
  const int64_t days = request.value("days", int64_t{14});
  if (days < 1 || days > most_days) return end(reply, fmt::format("days: expected 1 to {}", most_days));
  std::array<uint8_t, token_octets> octets{};
  crypto::random_octets(octets);
  const std::string token = dns::encode(dns::hex_lower, octets);
  const federation::Invitation invitation{*zone, agent::sha256_text(as_bytes(token)), server.clock().now() + Seconds{days * 86400}};
  log::notice("registration.invite", {{"zone", zone->to_text()}, {"days", days}});
  change_children(server, reply, {{"zone", zone->to_text()}, {"token", token}, {"until", seconds_of(invitation.until)}},
                  [invitation](federation::Children& children) { return children.put(invitation); });
}

void register_at_parent(Server& server, const Json& request, const Reply& reply) {
  const auto& registry = server.config().registry;
  server.look_at_identity();
  const auto own = server.identity();
  if (server.registrar() == nullptr || !registry) return end(reply, "there is no registry here that has a parent: registry.parent");
  if (!own) return end(reply, "registry.identity: there is none; steward-registry keygen makes one");
  const auto parent = dns::Name::from_text(argument(request, "parent"));
  const auto space = config::parse_namespace(argument(request, "namespace"));
  if (!parent || parent->folded() != *registry->parent)
    return end(reply, fmt::format("parent '{}': the configuration has {}", argument(request, "parent"), registry->parent->to_text()));
  if (!space || *space != registry->space)
    return end(reply, fmt::format("namespace '{}': the configuration has {}", argument(request, "namespace"), registry->space.to_text()));
  if (argument(request, "fingerprint") != own->fingerprint())
    return end(reply, fmt::format("the key is not that of registry.identity, {}", own->fingerprint()));
  Registrar::Order order;
  order.token = argument(request, "token");
  order.leaves = request.value("leave", false);
  if (const std::string text = argument(request, "at"); !text.empty()) {
    const auto at = SocketAddress::from_text(text);
    if (!at) return end(reply, at.error().what);
    order.at = *at;
  }
  server.registrar()->go(
      std::move(order), [reply](const std::string& step) { send(reply, {{"step", step}}); },
      [reply](const Result<Registrar::Outcome>& outcome) {
        if (!outcome) return end(reply, outcome.error().what);
        Json line{{"state", to_text(outcome->state)}, {"reason", outcome->reason}};
        if (!outcome->challenge.empty()) line["challenge"] = {{"name", outcome->challenge_name}, {"text", outcome->challenge}};
        if (outcome->state != Registrar::State::Pending && outcome->state != Registrar::State::Left) line["until"] = seconds_of(outcome->until);
        end_with(reply, line);
      });
}

void pending_list(Server& server, const Reply& reply) {
  const auto policy = server.publish_policy();
  if (!policy) return end(reply, "there is no registry here: the configuration has no `registry`, or its zone is not one of ours");
  server.post_export([policy, reply](store::Reader& reader) {
    if (auto acquired = reader.acquire(); !acquired) return end(reply, acquired.error().what);
    Json rows = Json::array();
    Json invitations = Json::array();
    Result<void> done;
    if (const store::ZoneRecord* record = reader.zone_record(policy->zone)) {
      const auto table = reader.table(record->info, store::ZoneTable::Children);
      const federation::Children children(*table);
      for (const auto& list : {children.pending(), children.registered()}) {
        if (!list) done = tl::unexpected<Error>(list.error());
        for (const Child& child : list.value_or(std::vector<Child>{})) rows.push_back(row_of(child));
      }
      for (const federation::Invitation& invitation : children.invitations().value_or(std::vector<federation::Invitation>{}))
        invitations.push_back({{"zone", invitation.zone.to_text()}, {"until", seconds_of(invitation.until)}});
    }
    reader.release();
    done ? end_with(reply, {{"children", rows}, {"invitations", invitations}}) : end(reply, done.error().what);
  });
}

void pending_approve(Server& server, const Json& request, const Reply& reply) {
  const auto zone = child_argument(server, request);
  if (!zone) return end(reply, zone.error().what);
  const std::string fingerprint = argument(request, "fingerprint");
  // Which one is meant is looked up in a snapshot; the desk looks again in the transaction.
  server.post_export([&server, home = server.config().registry->zone, zone = *zone, fingerprint, reply](store::Reader& reader) {
    if (auto acquired = reader.acquire(); !acquired) return end(reply, acquired.error().what);
    Result<Child> found = fail(Errc::NotFound, "nothing is loaded");
    if (const store::ZoneRecord* record = reader.zone_record(home)) {
      const auto table = reader.table(record->info, store::ZoneTable::Children);
      found = waiting_for(federation::Children(*table), zone, fingerprint);
    }
    reader.release();
    if (!found) return end(reply, found.error().what);
    server.registrations().approve(zone, found->fingerprint, [reply](const Result<federation::RegistrationDecision>& decision) {
      decision ? end_with(reply, row_of(decision->child)) : end(reply, decision.error().what);
    });
  });
}

void child_remove(Server& server, const Json& request, const Reply& reply) {
  const auto zone = child_argument(server, request);
  if (!zone) return end(reply, zone.error().what);
  const auto door = server.registrations().door();
  const auto remove = [zone = *zone, door](RegistryZone& registry, change::ZoneEdit& edit, ZoneTables& tables) -> Result<void> {
    federation::Children children(tables[store::ZoneTable::Children]);
    const auto child = children.find(zone);
    if (!child) return tl::unexpected<Error>(child.error());
    if (!*child) return fail(Errc::NotFound, zone.to_text() + ": no registry of that name is a child of this one");
    RegistryZone::Changes changes(registry, edit, tables);
    federation::RegistrationState state{edit, children, changes.book()};
    return federation::remove_child(**child, door->rules.policy, state);
  };
  server.post_registry(
      [reply, remove, zone = *zone](RegistryZone& registry, ZoneKeeper& keeper) {
        keeper.edit([remove, &registry](change::ZoneEdit& edit, ZoneTables& tables) { return remove(registry, edit, tables); }, false,
                    [reply, zone](const LoadOutcome& outcome) {
                      log::notice("registration.remove", {{"zone", zone.to_text()}, {"outcome", outcome.ok ? "done" : outcome.error}, {"serial", outcome.serial}});
                      outcome.ok ? end_with(reply, {{"zone", zone.to_text()}, {"serial", outcome.serial}}) : end(reply, outcome.error);
                    });
      },
      [reply](const std::string& why) { end(reply, why); });
}

void pending_reject(Server& server, const Json& request, const Reply& reply) {
  const auto zone = child_argument(server, request);
  if (!zone) return end(reply, zone.error().what);
  log::notice("registration.reject", {{"zone", zone->to_text()}});
  change_children(server, reply, {{"zone", zone->to_text()}}, [zone = *zone, fingerprint = argument(request, "fingerprint")](federation::Children& children) -> Result<void> {
    const auto found = waiting_for(children, zone, fingerprint);
    if (!found) return tl::unexpected<Error>(found.error());
    return children.remove(*found);
  });
}

}  // namespace steward::daemon
