#pragma once
// A registry's zone in a store of its own, a publisher of it, and a clock that the test moves.

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "auth/sig0.hh"
#include "daemon/registry_zone.hh"
#include "daemon/zone_keeper.hh"
#include "dns/message.hh"

namespace steward::daemon::test {

constexpr std::string_view bot = "bot.acme.example.";

inline dns::Name name(std::string_view text) { return *dns::Name::from_text(text); }

class HandClock final : public Clock {
 public:
  [[nodiscard]] UnixTime now() const override { return unix_time(time); }
  [[nodiscard]] uint64_t monotonic_ns() const override { return static_cast<uint64_t>(time) * 1'000'000'000; }
  int64_t time = 1'800'000'000;
};

struct Owner {
  crypto::KeyPair key = std::move(*crypto::KeyPair::generate(crypto::Algorithm::ED25519));

  [[nodiscard]] std::string print() const { return *key.public_key().fingerprint(); }
  [[nodiscard]] Bytes rdata() const { return key.public_key().dnskey_rdata(agent::publisher_key_flags); }
};

/// An UPDATE as a publisher sends it.
struct Publish {
  std::string agent;
  Bytes wire;  ///< with its SIG(0)
  change::UpdateRequest request;
};

struct World {
  explicit World(bool with_feed = true) {
    std::string pattern = (std::filesystem::temp_directory_path() / "steward-registry-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    std::ofstream(folder / "zone") << "$ORIGIN example.\n$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS "
                                      "ns1\nns1 A 192.0.2.1\n";
    store::StoreOptions options;
    options.folder = (folder / "store").string();
    options.map_size = uint64_t{64} << 20;
    auto opened = store::Store::open(options);
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().what));
    store = std::move(*opened);
    group = std::make_unique<GroupCommit>(*store, clock);
    room = std::make_unique<KeeperRoom>(
        KeeperRoom{*store, *group, board, clock, parallel, [](const dns::Name&, uint32_t) {}, {}});
    config::ZoneConfig zone;
    zone.name = name("example.");
    zone.file = (folder / "zone").string();
    zone.dnssec.enabled = false;
    keeper = std::make_unique<ZoneKeeper>(zone, config::ZoneFileConfig{}, *room);
    keeper->load(true);
    group->flush();
    REQUIRE(keeper->status().has_data);
    policy.zone = policy.apex = name("example.");
    policy.registry_id = "example";
    policy.replica = "eu-4f2a";
    policy.namespaces = {name("acme.example.")};
    if (with_feed) make_feed();
    start();
  }
  ~World() {
    registry.reset();
    feed.reset();
    keeper.reset();
    group.reset();
    store.reset();
    std::filesystem::remove_all(folder);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// The registry as after a start of the server.
  void start() {
    registry = std::make_unique<RegistryZone>(std::make_shared<const change::PublishPolicy>(policy), nullptr,
                                              std::move(*store->make_reader()), clock);
    registry->set_feed(feed_names, [this] { return feed.get(); });
    REQUIRE(registry->open());
  }
  /// The feed's zone, as a first start makes it and another finds it.
  void make_feed() {
    config::ZoneConfig zone;
    zone.name = feed_names.feed;
    zone.transfer_only = true;
    zone.journal = {uint64_t{1} << 20, Seconds{86400}};
    feed = std::make_unique<ZoneKeeper>(zone, config::ZoneFileConfig{}, *room);
    feed->set_text_maker([](uint32_t serial) -> Result<std::string> { return federation::feed_text(serial); });
    feed->load(false);
    group->flush();
    REQUIRE(feed->status().has_data);
  }

  [[nodiscard]] Publish publish_of(const Owner& owner, std::string version = "1.0.0", std::string_view agent = bot) {
    return signed_by(owner, records_of(owner, std::move(version), agent), agent);
  }
  [[nodiscard]] std::vector<agent::PublishedRecord> records_of(const Owner& owner, std::string version,
                                                               std::string_view agent) const {
    agent::Manifest manifest;
    manifest.name = agent.substr(0, agent.find('.'));
    manifest.version = std::move(version);
    manifest.status = "active";
    manifest.capabilities = {"plan"};
    manifest.octets = "{}";
    agent::PublishOptions options;
    options.agent = name(agent);
    options.modified = clock.now();
    auto made = agent::make_publication(manifest, options, owner.key);
    REQUIRE_MESSAGE(made, (made ? "" : made.error().what));
    return std::move(*made);
  }
  [[nodiscard]] Publish signed_by(const Owner& signer, const std::vector<agent::PublishedRecord>& records,
                                  std::string_view agent = bot) const {
    dns::Message message;
    message.header.id = 4711;
    message.header.opcode = dns::Opcode::UPDATE;
    message.question.push_back({name("example."), dns::RrType::SOA, dns::RrClass::IN});
    for (const dns::RrType type : {dns::RrType::TXT, dns::RrType::SRV, dns::RrType::SVCB, dns::RrType::KEY})
      message.authority.push_back({name(agent), type, dns::RrClass::ANY, 0, {}});
    message.authority.push_back({name("_manifest." + std::string(agent)), dns::RrType::TXT, dns::RrClass::ANY, 0, {}});
    for (const agent::PublishedRecord& one : records)
      message.authority.push_back({one.owner, one.type, dns::RrClass::IN, one.ttl, one.rdata});
    Publish publish;
    publish.agent = agent;
    publish.wire = *message.build();
    auth::Sig0Key key;
    key.signer = name(agent);
    key.key = {std::shared_ptr<const void>(), &signer.key};
    key.flags = agent::publisher_key_flags;
    REQUIRE(auth::sign_with_sig0(publish.wire, key, clock.now()));
    auto parsed = change::parse_update(publish.wire);
    REQUIRE(parsed);
    publish.request = std::move(*parsed);
    return publish;
  }

  /// Admitted in a transaction of its own; `then` comes before the commit and may fail it.
  change::PublishOutcome admit(const Publish& publish, const Owner& owner,
                               std::optional<change::UpdateLease> lease = {},
                               const std::function<Result<void>()>& then = {}) {
    const auto checked =
        change::check_publish(publish.request, name(publish.agent), owner.rdata(), {}, lease, policy, clock.now());
    REQUIRE_MESSAGE(checked, (checked ? "" : checked.error().why->text));
    change::PublishOutcome outcome;
    const auto evaluate = [&](RegistryZone::Changes& changes) -> Result<void> {
      outcome = changes.publish(publish.request, *checked, policy, config::UpdateLimits{100, 100, 1000, 4000});
      return then ? then() : Result<void>{};
    };
    registry->change(*keeper, evaluate, [&](const LoadOutcome& told) { committed = told.ok; });
    group->flush();
    return outcome;
  }

  void allow(const Owner& owner) {
    const auto evaluate = [&](RegistryZone::Changes& changes) {
      return changes.act(
          [&](change::ZoneEdit&, change::RegistryState& state) -> Result<std::optional<change::PublishEffect>> {
            if (auto allowed = state.book.allow({name("acme.example."), owner.print(), "", clock.now()}); !allowed)
              return tl::unexpected<Error>(allowed.error());
            return std::nullopt;
          });
    };
    registry->change(*keeper, evaluate, [](const LoadOutcome&) {});
    group->flush();
  }

  /// The book's entry as it is committed.
  [[nodiscard]] std::optional<agent::AgentEntry> entry(std::string_view agent = bot) {
    std::optional<agent::AgentEntry> found;
    act([&](change::ZoneEdit&, change::RegistryState& state) { found = *state.book.find(name(agent)); });
    return found;
  }
  /// TTLs of the RRsets at a name, the longest; nothing where it holds none.
  [[nodiscard]] std::optional<uint32_t> ttl_at(std::string_view owner) {
    std::optional<uint32_t> longest;
    act([&](change::ZoneEdit& edit, change::RegistryState&) {
      for (const change::EditedRrset& rrset : edit.rrsets(name(owner)))
        longest = std::max(longest.value_or(0), rrset.ttl);
    });
    return longest;
  }

  /// Something done to the registry's zone by itself, and committed.
  void act(const std::function<void(change::ZoneEdit&, change::RegistryState&)>& look) {
    const auto evaluate = [&](RegistryZone::Changes& changes) {
      return changes.act(
          [&](change::ZoneEdit& at, change::RegistryState& state) -> Result<std::optional<change::PublishEffect>> {
            look(at, state);
            return std::nullopt;
          });
    };
    registry->change(*keeper, evaluate, [](const LoadOutcome&) {});
    group->flush();
  }

  std::filesystem::path folder;
  HandClock clock;
  Parallel parallel{1};
  StatusBoard board;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<GroupCommit> group;
  std::unique_ptr<KeeperRoom> room;
  std::unique_ptr<ZoneKeeper> keeper;
  federation::FeedNames feed_names{name("example."), name("eu-4f2a._feed.example.")};
  std::unique_ptr<ZoneKeeper> feed;
  change::PublishPolicy policy;
  std::unique_ptr<RegistryZone> registry;
  bool committed = false;  ///< the last admit()
};

}  // namespace steward::daemon::test
