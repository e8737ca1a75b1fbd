// UPDATEs on the writer's thread: all that wait are evaluated zone by zone, signed once, committed together, and answered.

#include "base/log.hh"
#include "daemon/server.hh"

namespace steward::daemon {
namespace {

void tell(const UpdateDesk::Waiting& waiting, const change::UpdateOutcome& outcome, uint32_t serial) {
  const dns::Name* signer = waiting.sender.signer();
  const auto level = outcome.done() ? log::Level::Debug : log::Level::Info;
  log::write(level, "update", {{"zone", waiting.request.zone.to_text()},
                               {"client", waiting.sender.address.to_text()},
                               {"key", signer != nullptr ? signer->to_text() : "-"},
                               {"outcome", to_text(outcome.rcode)},
                               {"added", outcome.added},
                               {"removed", outcome.removed},
                               {"serial", serial},
                               {"why", outcome.why ? outcome.why->text : "-"}});
}

}  // namespace

// Writer thread, after the commit.
void Server::tell_publish(const UpdateDesk::Waiting& waiting, const change::PublishOutcome& outcome, uint32_t serial) {
  const change::CheckedPublish& publish = *waiting.publish;
  updates_->tell_publish(publish.agent, waiting.sender.address, outcome.update);
  if (!outcome.update.done()) return;
  const auto& effect = outcome.effect;
  log::info("agent.publish", {{"agent", publish.agent.to_text()},
                              {"version", publish.statement.version()},
                              {"status", agent::to_text(publish.statement.status())},
                              {"key", publish.signer},
                              {"client", waiting.sender.address.to_text()},
                              {"lease", effect && effect->lease_until ? seconds_of(*effect->lease_until) : 0},
                              {"serial", serial}});
  if (effect && effect->lease_until) note_next_event();
}

void Server::run_updates() {
  std::map<std::string, std::shared_ptr<std::vector<UpdateDesk::Waiting>>> by_zone;
  for (UpdateDesk::Waiting& waiting : updates_->drain()) {
    auto& batch = by_zone[waiting.request.zone.folded().to_text()];
    if (!batch) batch = std::make_shared<std::vector<UpdateDesk::Waiting>>();
    batch->push_back(std::move(waiting));
  }
  for (auto& [zone, batch] : by_zone) run_updates_of(zone, std::move(batch));
  group_->flush();
}

void Server::run_updates_of(const std::string& zone, std::shared_ptr<std::vector<UpdateDesk::Waiting>> batch) {
  const auto at = keepers_.find(zone);
  if (at == keepers_.end()) {
    for (UpdateDesk::Waiting& waiting : *batch) waiting.response.send(dns::Rcode::NOTAUTH, clock_.now(), serve::ExtendedError::NotAuthoritative);
    return updates_->count(0, batch->size());
  }
  RegistryZone* registry = registry_ && registry_->zone() == at->second->config().name ? registry_.get() : nullptr;
  auto outcomes = std::make_shared<std::vector<change::PublishOutcome>>();
  const auto in_registry = [batch, outcomes, zone](RegistryZone::Changes& changes) -> Result<void> {
    outcomes->clear();
    for (const UpdateDesk::Waiting& waiting : *batch) {
      const UpdateRights::Zone& rights = waiting.rights->zones.at(zone);
      if (waiting.publish)
        outcomes->push_back(changes.publish(waiting.request, *waiting.publish, *waiting.rights->registry, rights.limits));
      else
        outcomes->push_back({changes.update(waiting.request, rights.policy, waiting.sender, rights.limits), {}, {}});
    }
    return {};
  };
  const auto evaluate = [batch, outcomes, zone](change::ZoneEdit& edit, ZoneTables&) -> Result<void> {
    outcomes->clear();
    for (const UpdateDesk::Waiting& waiting : *batch) {
      const UpdateRights::Zone& rights = waiting.rights->zones.at(zone);
      outcomes->push_back({change::evaluate_update(waiting.request, rights.policy, waiting.sender, rights.limits, edit), {}, {}});
    }
    return {};
  };
  const auto done = [this, zone, batch, outcomes](const LoadOutcome& outcome) {
    if (!outcome.ok && batch->size() > 1) {
      // One of them spoils it for all: each by itself.
      for (UpdateDesk::Waiting& waiting : *batch) {
        auto alone = std::make_shared<std::vector<UpdateDesk::Waiting>>();
        alone->push_back(std::move(waiting));
        run_updates_of(zone, std::move(alone));
        group_->flush();
      }
      return;
    }
    size_t changed = 0;
    for (size_t i = 0; i < batch->size(); ++i) {
      UpdateDesk::Waiting& waiting = (*batch)[i];
      if (!outcome.ok) {
        // By no fault of the publisher's: counted, for `health`.
        if (waiting.publish)
          updates_->tell_publish(waiting.publish->agent, waiting.sender.address,
                                 change::refused_update(dns::Rcode::SERVFAIL, change::UpdateEde::Other, outcome.error));
        waiting.response.send(dns::Rcode::SERVFAIL, clock_.now(), serve::ExtendedError::Other, outcome.error.substr(0, 240));
        continue;
      }
      const change::UpdateOutcome& mine = (*outcomes)[i].update;
      if (waiting.publish)
        tell_publish(waiting, (*outcomes)[i], outcome.serial);
      else
        tell(waiting, mine, outcome.serial);
      if (const auto& granted = (*outcomes)[i].granted) waiting.response.grant({granted->lease, granted->key_lease});
      changed += mine.done() ? size_t{1} : size_t{0};
      if (mine.why)
        waiting.response.send(mine.rcode, clock_.now(), static_cast<serve::ExtendedError>(mine.why->code), mine.why->text);
      else
        waiting.response.send(mine.rcode, clock_.now());
    }
    updates_->count(changed, batch->size() - changed);
  };
  registry != nullptr ? registry->change(*at->second, in_registry, done) : at->second->edit(evaluate, false, done);
}

}  // namespace steward::daemon
