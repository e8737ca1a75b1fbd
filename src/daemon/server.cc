#include "daemon/server.hh"

#include <unistd.h>

#include <csignal>

#include "base/log.hh"
#include "config/diff.hh"
#include "config/loader.hh"
#include "crypto/digest.hh"
#include "daemon/control.hh"
#include "daemon/control_protocol.hh"
#include "daemon/privileges.hh"
#include "daemon/settings.hh"

namespace steward::daemon {
namespace {

namespace fs = std::filesystem;

// What a start as root makes or left there must not keep the server out: the database, the socket's folder and folders of
// keys that are not there yet. Key files are the operator's: who may read them is not ours to widen.
Result<void> hand_over(const config::Config& config, const Account& account) {
  const auto give = [&](const fs::path& own) -> Result<void> {
    if (::lchown(own.c_str(), account.uid, account.gid) != 0) return fail(Errc::Io, own.string() + ": " + std::strerror(errno));
    return {};
  };
  std::error_code error;
  std::set<fs::path> own{config.data};
  if (const fs::path folder = config.control.parent_path(); !folder.empty() && fs::is_directory(folder, error)) own.insert(folder);
  for (const config::ZoneConfig& zone : config.zones)
    if (zone.dnssec.enabled && fs::create_directories(zone.dnssec.key_directory, error)) own.insert(zone.dnssec.key_directory);
  for (fs::recursive_directory_iterator at(config.data / "store", error), end; !error && at != end; at.increment(error))
    own.insert(at->path());
  if (fs::is_directory(config.data / "store", error)) own.insert(config.data / "store");
  for (const fs::path& path : own)
    if (auto given = give(path); !given) return given;
  return {};
}

unsigned worker_count(const config::Config& config) {
  return config.workers != 0 ? config.workers : std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

Server::Server(config::Config config, ServeOptions options, NotifySocket notify)
    : config_(std::move(config)), options_(std::move(options)), notify_(std::move(notify)), started_at_(clock_.now()) {}

Server::~Server() {
  exports_.stop();
  if (imports_) imports_->stop();
  if (children_) children_->stop();
  writer_.stop();
  secondaries_.reset();
  notifier_.reset();
  dialogues_.reset();
  for (const auto& worker : workers_) {
    worker->loop->stop();
    if (worker->thread.joinable()) worker->thread.join();
  }
  control_.reset();
}

Result<void> Server::open() {
  auto loop = net::Loop::open();
  if (!loop) return tl::unexpected<Error>(loop.error());
  loop_ = std::move(*loop);
  auto activated = net::take_activated_sockets();
  if (auto done = give_up_root_before_binding(); !done) return done;
  net::ListenConfig listen;
  listen.addresses = config_.listen;
  listen.tls = config_.tls.listen;
  listen.workers = worker_count(config_);
  auto listeners = net::open_listeners(listen, std::move(activated));
  if (!listeners) return tl::unexpected<Error>(listeners.error());
  if (auto dropped = drop_capabilities(); !dropped) return dropped;
  if (auto opened = open_store(); !opened) return opened;
  const auto secrets = read_cookie_secrets(config_.cookies.secret_file);
  if (!secrets) return tl::unexpected<Error>(secrets.error());
  cookie_secrets_ = *secrets;
  auto keyring = keyring_of(config_);
  if (!keyring) return fail(config_.file.string() + ": keys", keyring.error());
  keyring_ = std::make_shared<const auth::Keyring>(std::move(*keyring));
  if (auto opened = open_registry(); !opened) return opened;
  if (auto opened = open_identity(); !opened) return opened;
  apply_settings();
  // With the rights that a later reload will have, not those of the start.
  if (auto opened = tls_.open(config_.tls, clock_.now()); !opened) return opened;
  if (auto opened = open_exchange(); !opened) return opened;
  open_registered();
  if (auto opened = open_resolver(); !opened) return opened;
  if (auto opened = open_workers(std::move(*listeners)); !opened) return opened;
  if (auto watching = watch_signals(); !watching) return watching;
  if (auto opened = open_control(); !opened) return opened;
  open_file_watch();
  return {};
}

Result<void> Server::give_up_root_before_binding() {
  std::error_code error;
  fs::create_directories(config_.data, error);
  if (error) return fail(Errc::Io, config_.data.string() + ": " + error.message());
  if (is_root() && !config_.user.empty()) {
    const auto account = find_account(config_.group.empty() ? config_.user : config_.user + ":" + config_.group);
    if (!account) return fail("user", account.error());
    if (auto handed = hand_over(config_, *account); !handed) return handed;
    if (auto became = become(*account); !became) return became;
    log::info("process.user", {{"user", account->user}});
  }
  return harden(false);
}

Result<void> Server::open_store() {
  store::StoreOptions options;
  options.folder = (config_.data / "store").string();
  if (config_.map_size != 0) options.map_size = config_.map_size;
  auto opened = store::Store::open(options);
  if (!opened) return tl::unexpected<Error>(opened.error());
  store_ = std::move(*opened);
  if (const auto dead = store_->figures().dead_readers; dead > 0) log::notice("store.readers", {{"cleared", dead}});
  auto reader = store_->make_reader();
  if (!reader) return tl::unexpected<Error>(reader.error());
  export_reader_ = std::move(*reader);
  parallel_ = std::make_unique<Parallel>(std::max(1U, std::thread::hardware_concurrency()));
  group_ = std::make_unique<GroupCommit>(*store_, clock_);
  room_.reset(new KeeperRoom{*store_, *group_, board_, clock_, *parallel_,
                             [this](const dns::Name& zone, uint32_t serial) { zone_changed(zone, serial); },
                             [this](const dns::Name& zone) {
                               loop_->post([this, zone = zone.to_text()] {
                                 if (Secondary* secondary = secondaries_->find(zone)) secondary->refresh_now(false);
                               });
                             }});
  catalogs_ = std::make_unique<Catalogs>(*store_);
  members_ = stored_memberships(*store_, config_);
  zones_ = all_zones(config_, members_);
  writer_.set_between([this](bool more) {
    if (!more || group_->is_due()) group_->flush();
    // Whatever the change came from: what it made dead is reclaimed.
    if (std::exchange(has_changed_, false)) {
      note_figures();
      compact_when_idle();
    }
  });
  return {};
}

Result<void> Server::open_workers(std::vector<std::vector<net::Listener>> listeners) {
  if (config_.rate_limit.answers_per_second > 0) {
    std::array<uint64_t, 2> secret{};
    crypto::random_octets({reinterpret_cast<uint8_t*>(secret.data()), sizeof secret});
    rate_limiter_ = std::make_unique<serve::RateLimiter>(rate_limits_of(config_.rate_limit), secret);
  }
  if (config_.registry) {
    sign_budget_ = std::make_unique<serve::SignBudget>(sign_budget_of(*config_.registry), crypto::random_siphash_key());
  }
  const net::StreamLimits limits = stream_limits_of(config_.tcp);
  const net::WorkerOptions options{.tls = tls_.context(), .proxies = config_.proxies};
  client_counts_ = std::make_shared<net::ClientCounts>(limits.clients, limits.clients_per_address);
  for (auto& own : listeners) {
    auto worker = std::make_unique<WorkerThread>();
    auto loop = net::Loop::open();
    if (!loop) return tl::unexpected<Error>(loop.error());
    worker->loop = std::move(*loop);
    auto reader = store_->make_reader();
    if (!reader) return tl::unexpected<Error>(reader.error());
    worker->answers = std::make_unique<AnswerWorker>(std::move(*reader), settings_, clock_);
    worker->answers->set_cookies(cookie_secrets_);
    worker->answers->set_rate_limiter(rate_limiter_.get());
    worker->answers->set_sign_budget(sign_budget_.get());
    worker->answers->set_recursion(resolver_.get());
    auto transfers = store_->make_reader();
    if (!transfers) return tl::unexpected<Error>(transfers.error());
    worker->source = std::make_unique<StoreTransfers>(
        std::move(*transfers), [this](std::function<void(store::Reader&)> work) { post_export(std::move(work)); },
        [mailbox = worker->loop->mailbox()](std::function<void()> task) { return mailbox->post(std::move(task)); });
    worker->desk = std::make_unique<serve::TransferDesk>(*worker->source, *operations_, transfer_slots_, clock_);
    worker->answers->set_operations(operations_.get(), worker->desk.get());
    auto opened = net::Worker::open(*worker->loop, std::move(own), *worker->answers, limits, client_counts_, options);
    if (!opened) return tl::unexpected<Error>(opened.error());
    worker->net = std::move(*opened);
    workers_.push_back(std::move(worker));
  }
  return {};
}

Result<void> Server::watch_signals() {
  const auto add = [&](int signal, std::function<void()> action) -> Result<void> {
    auto watch = net::SignalWatch::open(*loop_, signal, std::move(action));
    if (!watch) return tl::unexpected<Error>(watch.error());
    signals_.push_back(std::move(*watch));
    return {};
  };
  for (const int signal : {SIGTERM, SIGINT})
    if (auto added = add(signal, [this] { stop(); }); !added) return added;
  return add(SIGHUP, [this] { hang_up(); });
}

Result<void> Server::open_control() {
  if (config_.control.empty()) return {};
  net::ControlConfig control;
  control.path = config_.control.string();
  control.line = control::max_request;
  auto opened = net::ControlServer::open(*loop_, control, [this](std::string request, std::shared_ptr<net::ControlReply> reply) {
    handle_control(*this, request, std::move(reply));
  });
  if (!opened) return tl::unexpected<Error>(opened.error());
  control_ = std::move(*opened);
  return {};
}

void Server::open_file_watch() {
  if (!config_.zone_files.watch) return;
  auto opened = net::DirectoryWatch::open(*loop_, {}, [this](const net::DirectoryChanges& changes) { files_changed(changes); });
  if (opened)
    file_watch_ = std::move(*opened);
  else
    log::warning("files.watch", {{"error", opened.error().what}, {"instead", "reload on SIGHUP or by command"}});
}

void Server::apply_settings() {
  auto settings = settings_of(config_);
  settings->keys = keyring_;
  settings->discover = discover_answers_;
  settings->recursion = recursion_rights_of(config_);
  settings->access = std::make_shared<const serve::AccessTable>(access_of(zones_, config_.registry));
  settings_history_.push_back(std::move(settings));
  settings_.store(settings_history_.back().get(), std::memory_order_release);
  retire_settings();
  if (updates_) updates_->set_rights(update_rights());
  log::set_level(options_.log_level.value_or(config_.log.level));
  log::set_format(options_.log_format.value_or(config_.log.format));
}

void Server::run() {
  for (const auto& worker : workers_) worker->thread = std::thread([&loop = *worker->loop] { loop.run(); });
  exports_.start();
  if (resolver_) resolver_->start();
  if (imports_) imports_->start();
  if (children_) children_->start();
  writer_.start();
  writer_.post([this, config = std::make_shared<const config::Config>(config_)] { first_loads(config); });
  second_timer_ = std::make_unique<net::Timer>(*loop_);
  second_timer_->every(std::chrono::seconds(1), [this] { every_second(); });
  if (const auto period = notify_.watchdog_period()) {
    watchdog_timer_ = std::make_unique<net::Timer>(*loop_);
    watchdog_timer_->every(std::chrono::duration_cast<std::chrono::milliseconds>(*period / 2), [this] { notify_.watchdog(); });
  }
  loop_->run();
  notify_.stopping();
  log::info("stopping");
  second_timer_.reset();
  watchdog_timer_.reset();
  // A thread that waits for a client to read goes on, and can end.
  control_.reset();
  exports_.stop();
  if (imports_) imports_->stop();
  if (children_) children_->stop();
  writer_.stop();
}

void Server::stop() { loop_->stop(); }

void Server::become_ready() {
  if (ready_) return;
  ready_ = true;
  if (child_keeper_) child_keeper_->start();
  notify_.ready();
  std::string addresses;
  for (const SocketAddress& address : config_.listen) addresses += (addresses.empty() ? "" : " ") + address.to_text();
  std::string encrypted;
  for (const SocketAddress& address : config_.tls.listen) encrypted += (encrypted.empty() ? "" : " ") + address.to_text();
  log::info("ready", {{"listen", addresses}, {"tls", encrypted}, {"workers", workers_.size()}, {"zones", zones_.size()}});
}

Result<std::vector<config::Change>> Server::reload_config() {
  last_reload_ = ReloadReport{clock_.now(), true, ""};
  auto fresh = config::load_file(options_.config);
  // All that can be refused comes before anything is applied.
  auto keyring = fresh ? keyring_of(*fresh) : Result<auth::Keyring>(auth::Keyring{});
  if (!fresh || !keyring) {
    const Error error = !fresh ? fresh.error() : fail(options_.config.string() + ": keys", keyring.error()).value();
    last_reload_->ok = false;
    last_reload_->error = error.what;
    log::error("reload.refused", {{"error", error.what}, {"serving", "the configuration before"}});
    return tl::unexpected<Error>(error);
  }
  std::set<std::string> changed_zones;
  auto changes = config::diff(config_, *fresh);
  for (const config::Change& change : changes) {
    const bool restart = change.effect == config::Effect::Restart;
    log::notice("reload.change", {{"key", change.key}, {"before", change.before}, {"after", change.after},
                                  {"effect", restart ? "restart" : "reload"}});
    if (change.key.starts_with("zone-files."))
      for (const config::ZoneConfig& zone : fresh->zones) changed_zones.insert(zone.name.to_text());
    if (change.key.starts_with("zones[")) changed_zones.insert(change.key.substr(6, change.key.find(']') - 6));
  }
  if (fresh->registry && config_.registry) fresh->registry->push = config_.registry->push;
  registered_.add_to(*fresh);
  add_members_changed(changes, changed_zones);
  add_feeds_changed(changes, *fresh, changed_zones);
  for (const std::string& warning : fresh->warnings) log::warning("config", {{"at", warning}});
  // config_ is the main thread's: the writer gets a copy of its own.
  auto shared = std::make_shared<const config::Config>(*fresh);
  // What needs a restart stays as it is in force.
  fresh->data = config_.data;
  fresh->control = config_.control;
  fresh->listen = config_.listen;
  fresh->tls.listen = config_.tls.listen;
  fresh->resolver = config_.resolver;
  tls_.reload(fresh->tls, clock_.now());
  config_ = std::move(*fresh);
  add_followers_changed(changes, changed_zones);
  zones_ = all_zones(config_, members_);
  keyring_ = std::make_shared<const auth::Keyring>(std::move(*keyring));
  reload_registry();
  set_door();
  apply_settings();
  writer_.post([this, shared, changed_zones = std::move(changed_zones)] {
    group_->flush();
    for (const std::string& zone : changed_zones)
      if (const auto name = dns::Name::from_text(zone)) {
        const std::string key = name->folded().to_text();
        keepers_.erase(key);
      }
    group_->flush();
    sync_keepers(shared, changed_zones);
    load_all([](const std::string&) { return true; });
    follow_discover();
    follow_catalogs();
    follow_children(*shared);
    after_change();
    loop_->post([this] {
      notifier_->announce();
      notify_.ready();
    });
  });
  return changes;
}

void Server::hang_up() {
  notify_.reloading();
  if (!reload_config()) {
    // The files of the zones are read again all the same.
    writer_.post([this] {
      load_all([](const std::string&) { return true; });
        after_change();
    });
    notify_.ready();
  }
}

void Server::post_export(std::function<void(store::Reader&)> work) {
  exports_.post([this, work = std::move(work)] { work(*export_reader_); });
}

}  // namespace steward::daemon
