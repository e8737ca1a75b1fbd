#pragma once
// The server: all parts, put together, and their life. Made, started and stopped by the main thread.
//
// Threads: main (signals, control socket, file watches, timers), `workers` that answer, one writer with its helpers, one for
// exports. Main never waits for the writer, except at the end.

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "base/clock.hh"
#include "base/parallel.hh"
#include "config/config.hh"
#include "config/diff.hh"
#include "daemon/answer_worker.hh"
#include "daemon/catalogs.hh"
#include "daemon/child_keeper.hh"
#include "daemon/children.hh"
#include "daemon/dialogues.hh"
#include "daemon/discovery.hh"
#include "daemon/feed_desk.hh"
#include "daemon/feed_pusher.hh"
#include "daemon/import_desk.hh"
#include "daemon/notifier.hh"
#include "daemon/notify_socket.hh"
#include "daemon/operations.hh"
#include "daemon/own_identity.hh"
#include "daemon/peer_calls.hh"
#include "daemon/registrar.hh"
#include "daemon/registration_desk.hh"
#include "daemon/registered.hh"
#include "daemon/registry_gate.hh"
#include "daemon/registry_zone.hh"
#include "daemon/resolver_desk.hh"
#include "daemon/secondaries.hh"
#include "daemon/serve.hh"
#include "daemon/store_transfers.hh"
#include "daemon/tls_certificates.hh"
#include "daemon/update_desk.hh"
#include "daemon/writer.hh"
#include "daemon/zone_keeper.hh"
#include "net/control_server.hh"
#include "net/directory_watch.hh"
#include "net/worker.hh"
#include "serve/rate_limit.hh"
#include "serve/sign_budget.hh"
#include "serve/transfer_out.hh"

namespace steward::daemon {

/// How the last reload ended, for `status`.
struct ReloadReport {
  UnixTime at{};
  bool ok = true;
  std::string error;
};

/// As of the last change.
struct RegistryFigures {
  uint64_t agents = 0;
  uint64_t leases = 0;
  std::optional<UnixTime> next_lease;  ///< when the next of them is to be looked at
  RegistryZone::TrustFigures trust;
  std::optional<UnixTime> next_trust;  ///< when the trust of the next agents is; nothing: never
  uint64_t publishers = 0;             ///< keys that `publisher allow` lists
};

class Server {
 public:
  Server(config::Config config, ServeOptions options, NotifySocket notify);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Opens the store and the sockets; gives up privileges. Whatever cannot be had is an error that names it.
  Result<void> open();
  /// Serves until told to stop.
  void run();
  /// Any thread.
  void stop();

  /// Work for the writer with the registry's zone, and what to say where there is none. Any thread.
  bool post_registry(std::function<void(RegistryZone&, ZoneKeeper&)> work, const std::function<void(const std::string&)>& refused);

  // For the control socket (main thread).
  /// What publishers may do; null where there is no registry.
  [[nodiscard]] const std::shared_ptr<const change::PublishPolicy>& publish_policy() const { return publish_policy_; }
  /// Of the agents that nobody has claimed; null where there is none.
  [[nodiscard]] std::shared_ptr<const crypto::KeyPair> custody() const { return registry_ ? registry_->custody() : nullptr; }
  /// Null where there is none. Any thread.
  [[nodiscard]] std::shared_ptr<const OwnIdentity> identity() const;
  /// A key that was made since the start is taken up.
  void look_at_identity();
  /// Where there is a registry.
  [[nodiscard]] RegistrationDesk& registrations() { return *registrations_; }
  /// Null where there is no registry, or it has no parent.
  [[nodiscard]] Registrar* registrar() { return registrar_.get(); }
  [[nodiscard]] RegistrationDesk::Figures registration_figures() const {
    return registrations_ ? registrations_->figures() : RegistrationDesk::Figures{};
  }
  /// Of what children send of their feeds.
  [[nodiscard]] const FeedDesk& feed_desk() const { return *feed_desk_; }
  /// Null where ours is not sent.
  [[nodiscard]] const FeedPusher* feed_pusher() const { return feed_pusher_.get(); }
  /// Registries that came with more than a registration.
  [[nodiscard]] RegistryGate::Figures gate_figures() const { return gate_.figures(); }
  /// Children whose KEY was seen to be gone.
  [[nodiscard]] uint64_t revocations() const { return revocations_; }
  /// Why there is none; empty where there is one.
  [[nodiscard]] const std::string& custody_error() const { return custody_error_; }
  /// Null where there is no registry.
  [[nodiscard]] ImportDesk* imports() { return imports_.get(); }
  /// The same.
  [[nodiscard]] Children* children() { return children_.get(); }
  [[nodiscard]] const config::Config& config() const { return config_; }
  [[nodiscard]] const StatusBoard& board() const { return board_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] UnixTime started_at() const { return started_at_; }
  [[nodiscard]] bool is_ready() const { return ready_; }
  [[nodiscard]] const std::optional<ReloadReport>& last_reload() const { return last_reload_; }
  [[nodiscard]] size_t workers() const { return workers_.size(); }
  /// f(serve counters, network counters) for each worker.
  template <class F>
  void for_each_worker(F f) const {
    for (const auto& worker : workers_) f(worker->answers->counters(), worker->net->counters());
  }
  [[nodiscard]] UpdateDesk::Figures update_figures() const { return updates_->figures(); }
  /// Null where nothing is resolved for clients.
  [[nodiscard]] const ResolverDesk* resolver() const { return resolver_.get(); }
  [[nodiscard]] const Notifier& notifier() const { return *notifier_; }
  [[nodiscard]] Secondaries& secondaries() { return *secondaries_; }
  [[nodiscard]] size_t transfers() const { return transfer_slots_->taken(); }
  [[nodiscard]] size_t connections() const { return client_counts_->total(); }

  /// Main thread. Agents below of which several writes stand and no operator has seen it: how many, by the child's zone.
  [[nodiscard]] std::map<std::string, uint32_t> unseen_conflicts();
  [[nodiscard]] RegistryFigures registry_figures() const {
    const std::lock_guard lock(figures_mutex_);
    return registry_figures_;
  }

  /// Of the store, as of the last work with it: so that who asks need not wait for a long write.
  [[nodiscard]] store::StoreFigures figures() const {
    const std::lock_guard lock(figures_mutex_);
    return figures_;
  }

  /// Reads the configuration again and applies it; the zones follow on the writer. What changed; or why nothing did.
  Result<std::vector<config::Change>> reload_config();

  // On the writer thread.
  Writer& writer() { return writer_; }
  [[nodiscard]] ZoneKeeper* keeper(dns::NameView zone);
  [[nodiscard]] store::Store& store() { return *store_; }
  [[nodiscard]] GroupCommit& group() { return *group_; }
  template <class F>
  void for_each_keeper(F f) {
    for (auto& [name, keeper] : keepers_) f(*keeper);
  }
  /// After a keeper has done something: timers, watches, compaction.
  void after_change();

  /// Runs `work` with the reader of the exports, on their thread, one after the other.
  void post_export(std::function<void(store::Reader&)> work);

 private:
  struct WorkerThread {
    // Transfers that are under way live in the loop.
    std::unique_ptr<StoreTransfers> source;
    std::unique_ptr<serve::TransferDesk> desk;
    std::unique_ptr<net::Loop> loop;
    std::unique_ptr<AnswerWorker> answers;
    std::unique_ptr<net::Worker> net;
    std::thread thread;
  };

  Result<void> give_up_root_before_binding();
  Result<void> open_store();
  Result<void> open_exchange();
  Result<void> open_resolver();
  std::optional<serve::SoaRecord> served_soa(const dns::Name& zone, const std::function<void(const store::ZoneRecord&)>& take);
  Result<void> open_workers(std::vector<std::vector<net::Listener>> listeners);
  Result<void> watch_signals();
  Result<void> open_control();
  void open_file_watch();
  void apply_settings();
  [[nodiscard]] std::shared_ptr<const UpdateRights> update_rights() const;
  void run_updates();
  void tell_publish(const UpdateDesk::Waiting& waiting, const change::PublishOutcome& outcome, uint32_t serial);
  void run_updates_of(const std::string& zone, std::shared_ptr<std::vector<UpdateDesk::Waiting>> batch);
  void configure_peers(const std::set<std::string>& changed);
  void first_loads(std::shared_ptr<const config::Config> config);
  void become_ready();
  void every_second();
  void files_changed(const net::DirectoryChanges& changes);
  void watch_files(const std::set<std::string>& folders);
  void sync_keepers(std::shared_ptr<const config::Config> config, const std::set<std::string>& changed);
  void sync_zones(const std::map<std::string, const config::ZoneConfig*>& wanted);
  [[nodiscard]] std::vector<config::ZoneConfig> all_zones(const config::Config& config, const catalog::Memberships& members) const;
  // server_feed.cc
  [[nodiscard]] static dns::Name feed_name_of(const config::RegistryConfig& registry, uint64_t incarnation);
  void fill_feed_soon();
  void fill_feed();
  [[nodiscard]] bool is_feed_of_registered(store::WriteTransaction& write, dns::NameView name) const;
  void drop_turned_feeds(const std::set<std::string>& feeds);
  void drop_left_feeds(const std::map<std::string, const config::ZoneConfig*>& wanted);
  // server_catalogs.cc
  [[nodiscard]] ZoneKeeper* keeper_of(const std::string& zone, const std::optional<catalog::Membership>& as);
  [[nodiscard]] std::optional<catalog::Membership> membership_of(const std::string& zone) const;
  [[nodiscard]] std::unique_ptr<ZoneKeeper> make_keeper(const config::ZoneConfig& zone);
  void sync_catalogs(const std::set<std::string>& changed);
  // server_registry.cc
  [[nodiscard]] bool has_registry_zone() const;
  [[nodiscard]] Result<std::shared_ptr<const crypto::KeyPair>> custody_key() const;
  Result<void> open_registry();
  void reload_registry();
  [[nodiscard]] ZoneKeeper* registry_keeper();
  void learn_registry();
  void look_at_leases();
  // server_identity.cc
  Result<void> open_identity();
  void set_identity(std::shared_ptr<const OwnIdentity> identity);
  void follow_identity();
  // server_registrations.cc
  void open_registrations();
  void set_door();
  void open_registrar();
  [[nodiscard]] std::vector<federation::Child> stored_children();
  void look_at_certificates();
  void renew_own_certificate(const OwnIdentity& own);
  void look_at_trust();
  // server_registered.cc
  void open_registered();
  void open_feed_pusher();
  void look_at_registered();
  void follow_registered(Registered fresh);
  [[nodiscard]] Registered read_registered();
  [[nodiscard]] std::shared_ptr<const KnownRegistries> known_registries() const;
  [[nodiscard]] Result<Bytes> root_authority() const;
  void open_anchored();
  void find_root(std::function<void(Result<Bytes>)> done);
  void find_proof(std::function<void(Result<ParentProof>)> done);
  void look_at_parent();
  void tell_parent_of_cds();
  void follow_parent_ds(std::vector<Bytes> ds);
  [[nodiscard]] Result<crypto::TlsClientOptions> registry_tls(const dns::Name& zone) const;
  [[nodiscard]] Result<Bytes> sign_as_registry(dns::Message message) const;
  // server_children.cc
  void open_children(std::unique_ptr<store::Reader> reader);
  void follow_children(const config::Config& config);
  void add_feeds_changed(const std::vector<config::Change>& changes, const config::Config& fresh, std::set<std::string>& zones) const;
  // server_discover.cc
  void follow_discover_soon();
  void follow_discover();
  void delegate_discover(ZoneKeeper& home, const dns::Name& name, const Delegation& delegation, Seconds ds_ttl);
  void leave_discover(ZoneKeeper& home, const dns::Name& name);
  void tell_discover(std::shared_ptr<const serve::DiscoverZone> answers);
  void add_followers_changed(const std::vector<config::Change>& changes, std::set<std::string>& zones) const;
  [[nodiscard]] bool concerns_discover(dns::NameView zone) const;
  void note_next_event();
  void follow_catalogs();
  void follow_catalog(const dns::Name& name);
  void carry_out(const std::vector<catalog::Change>& changes);
  void tell_members(std::set<std::string> changed);
  void add_members_changed(const std::vector<config::Change>& changes, std::set<std::string>& zones) const;
  void retire_settings();
  void load_all(const std::function<bool(const std::string&)>& which);
  void zone_changed(const dns::Name& zone, uint32_t serial);
  void compact_when_idle();
  void note_figures();
  void hang_up();

  SystemClock clock_;
  config::Config config_;
  ServeOptions options_;
  NotifySocket notify_;
  UnixTime started_at_;
  StatusBoard board_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Parallel> parallel_;

  std::unique_ptr<net::Loop> loop_;
  std::vector<std::unique_ptr<net::SignalWatch>> signals_;
  std::unique_ptr<net::ControlServer> control_;
  std::unique_ptr<net::DirectoryWatch> file_watch_;
  std::set<std::string> watched_;
  std::unique_ptr<net::Timer> second_timer_;
  std::unique_ptr<net::Timer> watchdog_timer_;

  TlsCertificates tls_;
  std::shared_ptr<net::ClientCounts> client_counts_;
  std::vector<std::unique_ptr<WorkerThread>> workers_;
  // The last is in force; those before it are kept while a worker may look at them.
  std::vector<std::unique_ptr<const serve::Settings>> settings_history_;
  std::atomic<const serve::Settings*> settings_{nullptr};
  bool retiring_settings_ = false;
  std::unique_ptr<serve::RateLimiter> rate_limiter_;
  std::unique_ptr<serve::SignBudget> sign_budget_;
  std::shared_ptr<const serve::DiscoverZone> discover_answers_;  // the main thread's, for the next settings
  serve::CookieSecrets cookie_secrets_;

  // Exchange with other servers: the main loop's, but for the desk of updates, which all share.
  std::shared_ptr<const auth::Keyring> keyring_;
  std::shared_ptr<const change::PublishPolicy> publish_policy_;
  std::unique_ptr<UpdateDesk> updates_;
  std::unique_ptr<RegistrationDesk> registrations_;  // null: no registry here
  std::unique_ptr<Dialogues> dialogues_;             // the main loop's
  std::unique_ptr<NameLookup> lookup_;               // likewise
  std::unique_ptr<ChildKeeper> child_keeper_;        // likewise; null: no registry here
  std::unique_ptr<Registrar> registrar_;             // likewise; null: no parent
  UnixTime next_certificates_{};                     // when the parent's word on ours is looked at
  RegistryGate gate_{clock_};
  std::unique_ptr<FeedDesk> feed_desk_;              // which all share
  std::unique_ptr<FeedPusher> feed_pusher_;          // the main loop's; null: our feed is not sent
  Registered registered_;                            // the main loop's
  std::atomic<bool> registered_changed_{true};       // there may be others
  uint64_t revocations_ = 0;
  std::string anchored_by_;                          // root registry and trust anchor that the lookup was opened with
  Bytes root_by_dns_;                                // the root's authority as the trust anchor validates it
  std::optional<std::vector<Bytes>> parent_keys_;    // likewise SPKI of the parent's KEYs; nothing: not known yet
  UnixTime next_parent_{};
  std::optional<std::vector<Bytes>> cds_told_;       // what the parent was told of our CDS, RDATA
  std::optional<UnixTime> cds_again_;                // it did not take that: when it is told again
  unsigned cds_failures_ = 0;                        // in a row
  int ds_looks_ = 0;                                 // at the parent's DS since then
  std::unique_ptr<ServerOperations> operations_;
  std::unique_ptr<ResolverDesk> resolver_;  // null: nothing is resolved for clients
  std::shared_ptr<serve::TransferSlots> transfer_slots_;
  std::unique_ptr<PeerCalls> peer_calls_;
  std::unique_ptr<store::Reader> main_reader_;
  std::unique_ptr<Notifier> notifier_;
  std::unique_ptr<Secondaries> secondaries_;
  // The main thread's: who is a member of a catalog, and the zones of the configuration with these.
  catalog::Memberships members_;
  std::vector<config::ZoneConfig> zones_;

  std::string identity_error_;  // told already
  mutable std::mutex identity_mutex_;
  std::shared_ptr<const OwnIdentity> identity_;

  mutable std::mutex figures_mutex_;
  store::StoreFigures figures_;
  RegistryFigures registry_figures_;
  Writer writer_;
  Writer exports_{"exports"};  // the same kind of queue, for long reads
  std::unique_ptr<store::Reader> export_reader_;
  std::unique_ptr<GroupCommit> group_;                          // the writer thread's, and so are
  bool has_changed_ = false;   // since the figures were noted
  bool compacts_ = false;      // a step of it waits
  std::unique_ptr<KeeperRoom> room_;
  std::unique_ptr<Catalogs> catalogs_;
  std::unique_ptr<RegistryZone> registry_;  // null: none here
  std::unique_ptr<ImportDesk> imports_;     // the same
  std::string custody_error_;
  std::unique_ptr<Children> children_;      // the same
  std::unique_ptr<store::Reader> discover_reader_;
  std::optional<DiscoverHome> discover_home_;  // what its zone's text is made of; nothing: it is to be loaded
  std::shared_ptr<const serve::DiscoverZone> discover_told_;
  bool follows_discover_ = false;  // a step of it waits
  bool fills_feed_ = false;        // the same
  std::map<std::string, std::unique_ptr<ZoneKeeper>> keepers_;
  std::atomic<int64_t> earliest_event_{INT64_MAX};
  std::atomic<bool> tending_{false};
  bool ready_ = false;
  std::optional<ReloadReport> last_reload_;
};

}  // namespace steward::daemon
