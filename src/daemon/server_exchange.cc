// What the server exchanges with others: updates and transfers in and out, NOTIFY, and whom it asks and tells.

#include "daemon/server.hh"
#include "base/log.hh"
#include "daemon/settings.hh"

namespace steward::daemon {

namespace fs = std::filesystem;

// Main thread: of the zone as it is stored; `take` sees its record also where it has no SOA yet.
std::optional<serve::SoaRecord> Server::served_soa(const dns::Name& zone, const std::function<void(const store::ZoneRecord&)>& take) {
  std::optional<serve::SoaRecord> soa;
  if (!main_reader_->acquire()) return soa;
  if (const store::ZoneRecord* record = main_reader_->zone_record(zone)) {
    take(*record);
    if (const zone::NodeView apex = main_reader_->find(record->info, zone.folded())) soa = serve::SoaRecord::of(apex);
  }
  main_reader_->release();
  return soa;
}

Result<void> Server::open_exchange() {
  std::array<std::unique_ptr<store::Reader>, 2> readers;
  for (auto& reader : readers) {
    auto made = store_->make_reader();
    if (!made) return tl::unexpected<Error>(made.error());
    reader = std::move(*made);
  }
  updates_ = std::make_unique<UpdateDesk>(
      std::move(readers[0]), clock_, [this] { writer_.post([this] { run_updates(); }); },
      [this](serve::UpdateRequest request) {
        // A posted task is copied.
        auto shared = std::make_shared<serve::UpdateRequest>(std::move(request));
        loop_->post([this, shared] { secondaries_->forward(std::move(*shared)); });
      });
  updates_->set_rights(update_rights());
  peer_calls_ = std::make_unique<PeerCalls>(*loop_, clock_);
  open_registrations();
  feed_desk_ = std::make_unique<FeedDesk>(FeedDesk::Room{clock_, gate_, [this](const dns::Name& feed, std::function<void(ZoneKeeper*)> work) {
    return writer_.post([this, feed, work = std::move(work)] { work(keeper(feed)); });
  }});
  operations_ = std::make_unique<ServerOperations>(*updates_, registrations_.get(), *feed_desk_, gate_, [this](serve::Notification notification) {
    loop_->post([this, notification = std::move(notification)] { secondaries_->notified(notification); });
  }, [this](const dns::Name& child) { child_keeper_->asked(child); });
  transfer_slots_ = std::make_shared<serve::TransferSlots>(serve::TransferLimits{});
  notifier_ = std::make_unique<Notifier>(*peer_calls_, [this](const dns::Name& zone) { return served_soa(zone, [](const store::ZoneRecord&) {}); });
  main_reader_ = std::move(readers[1]);

  const std::string spool = (config_.data / "transfers").string();
  std::error_code error;
  fs::create_directories(spool, error);
  if (error) return fail(Errc::Io, spool + ": " + error.message());
  secondaries_ = std::make_unique<Secondaries>(Secondary::Room{
      *peer_calls_,
      [this](const std::string& zone, std::function<void(ZoneKeeper*)> work) {
        return writer_.post([this, zone, as = membership_of(zone), work = std::move(work)] { work(keeper_of(zone, as)); });
      },
      [this](std::function<void()> task) { loop_->post(std::move(task)); },
      [this](const dns::Name& zone) {
        StoredSecondary stored;
        stored.soa = served_soa(zone, [&](const store::ZoneRecord& record) {
          stored.state = store_->state_of(record.info.id);
          stored.written_at = record.loaded_at;
        });
        return stored;
      },
      spool});
  return {};
}

// Main thread: before the workers, which hand questions to it.
Result<void> Server::open_resolver() {
  if (!config_.resolver) return {};
  auto opened = ResolverDesk::open(config_, clock_);
  if (!opened) return fail("resolver", opened.error());
  resolver_ = std::move(*opened);
  std::string clients;
  for (const AddressBlock& block : config_.resolver->allow) clients += (clients.empty() ? "" : " ") + block.to_text();
  log::info("resolver", {{"below", config_.registry->apex.to_text()}, {"allow", clients}});
  return {};
}

std::shared_ptr<const UpdateRights> Server::update_rights() const {
  auto rights = std::make_shared<UpdateRights>();
  rights->registry = publish_policy_;
  for (const config::ZoneConfig& zone : zones_)
    if (!zone.allow_update.empty() || (publish_policy_ && publish_policy_->zone == zone.name))
      rights->zones.emplace(zone.name.to_text(), UpdateRights::Zone{change::UpdatePolicy(zone.allow_update, zone.dnssec.enabled),
                                                                    zone.update_limits, !zone.primaries.empty()});
  return rights;
}

// Main thread: whom we tell, whom we ask.
void Server::configure_peers(const std::set<std::string>& changed) {
  peer_calls_->configure(keyring_, config_.outgoing);
  notifier_->configure(zones_);
  secondaries_->configure(zones_, changed);
}

}  // namespace steward::daemon
