// Registries that we know by registration: the children whose feeds are followed, and the parent that follows ours. The
// configuration of all else follows from the table of children, within a second.

#include "auth/registry_request.hh"
#include "base/log.hh"
#include "crypto/digest.hh"
#include "crypto/secret_file.hh"
#include "daemon/server.hh"
#include "daemon/tell_again.hh"
#include "dns/encoding.hh"
#include "federation/identity.hh"
#include "zone/node.hh"

namespace steward::daemon {
namespace {

constexpr Seconds between_looks{60};  // at the parent's KEY
constexpr Seconds soon{5};            // as long as it is not known

/// Where the KEY of a registry stands.
Result<dns::Name> identity_of(const dns::Name& zone, const dns::Name& apex) {
  return zone == apex ? federation::root_identity_name(apex) : federation::identity_name(zone, zone.view().parent());
}

std::vector<Bytes> spkis_of(const dns::Name& owner, const std::vector<Bytes>& rdatas) {
  std::vector<agent::PublishedRecord> records;
  for (const Bytes& rdata : rdatas) records.push_back({owner, dns::RrType::KEY, 0, rdata});
  std::vector<Bytes> spkis;
  if (auto identity = federation::read_identity(records, owner))
    for (federation::IdentityKey& key : identity->keys) spkis.push_back(std::move(key.spki));
  return spkis;
}

/// SPKI of the KEYs at a name of the zone; none where there are none.
std::vector<Bytes> keys_at(const store::Reader& reader, const zone::ZoneInfo& zone, const dns::Name& owner) {
  const zone::NodeView node = reader.find(zone, owner.folded());
  const auto rrset = node ? node.find(dns::RrType::KEY) : std::nullopt;
  if (!rrset) return {};
  std::vector<Bytes> rdatas;
  zone::StoredRrReader rrs(rrset->rrs);
  for (uint32_t i = 0; i < rrset->rr_count; ++i) zone::expand_rdata(dns::RrType::KEY, rrs.next().rdata, node.owner(), rdatas.emplace_back());
  return spkis_of(owner, rdatas);
}

}  // namespace

// Main thread, before the workers: what the store has of it is there from the start.
void Server::open_registered() {
  peer_calls_->set_registries({[this](const dns::Name& zone) { return registry_tls(zone); },
                               [this](dns::Message message) { return sign_as_registry(std::move(message)); }});
  if (!registry_) return;
  registered_ = read_registered();
  gate_.set(known_registries());
  registered_.add_to(config_);
  zones_ = all_zones(config_, members_);
  apply_settings();
  open_feed_pusher();
}

// Main thread.
void Server::open_feed_pusher() {
  const config::RegistryConfig& registry = *config_.registry;
  if (registry.push == config::FeedPush::None || !registry.parent) return;
  feed_pusher_ = std::make_unique<FeedPusher>(FeedPusher::Room{
      clock_, *dialogues_, *main_reader_, {registry.zone, feed_name_of(registry, store_->incarnation())}, *registry.parent,
      registry.push == config::FeedPush::Hosted, [this] { return registered_.parent; }, [this, parent = *registry.parent] { return registry_tls(parent); },
      [this](dns::Message message) { return sign_as_registry(std::move(message)); }});
}

// Main thread, every second.
void Server::look_at_registered() {
  if (cds_again_ && *cds_again_ <= clock_.now()) {
    cds_again_.reset();
    cds_told_.reset();
    registered_changed_ = true;
  }
  if (!registry_ || !registered_changed_.exchange(false)) return;
  tell_parent_of_cds();
  Registered fresh = read_registered();
  for (const auto& [zone, spkis] : fresh.keys) {
    const auto before = registered_.keys.find(zone);
    if (!spkis.empty() || before == registered_.keys.end() || before->second.empty()) continue;
    ++revocations_;
    log::warning("registry.revoked", {{"registry", zone}, {"why", "its KEY was removed"}, {"feed", "not followed any more"}});
  }
  const bool is_same = fresh.is_same(registered_);
  if (feed_pusher_ && fresh.parent != registered_.parent) loop_->post([this] { feed_pusher_->turned(); });
  if (!is_same) return follow_registered(std::move(fresh));
  registered_ = std::move(fresh);
  gate_.set(known_registries());
}

// Main thread.
void Server::follow_registered(Registered fresh) {
  std::set<std::string> changed;
  for (const dns::Name& feed : registered_.differing_feeds(fresh)) changed.insert(feed.to_text());
  std::set<std::string> turned;
  for (const dns::Name& feed : registered_.turned_feeds(fresh)) turned.insert(feed.to_text());
  registered_ = std::move(fresh);
  gate_.set(known_registries());
  registered_.add_to(config_);
  zones_ = all_zones(config_, members_);
  apply_settings();
  for (const std::string& feed : changed) log::notice("registry.feed", {{"feed", feed}, {"children", registered_.children.size()}});
  writer_.post([this, changed, turned, shared = std::make_shared<const config::Config>(config_)] {
    group_->flush();
    for (const std::string& feed : changed) keepers_.erase(feed);
    drop_turned_feeds(turned);
    sync_keepers(shared, changed);
    load_all([&](const std::string& zone) { return changed.contains(zone); });
    follow_children(*shared);
    after_change();
    loop_->post([this] { notifier_->announce(); });
  });
}

// Main thread.
Registered Server::read_registered() {
  Registered found;
  const config::RegistryConfig& registry = *config_.registry;
  const auto children = stored_children();
  if (main_reader_->acquire()) {
    if (const store::ZoneRecord* home = main_reader_->zone_record(registry.zone))
      for (const federation::Child& child : children)
        if (const auto owner = federation::identity_name(child.registration.zone, registry.zone))
          found.add(child, keys_at(*main_reader_, home->info, *owner));
    main_reader_->release();
  }
  const auto own = identity();
  if (own && registry.parent && !own->authorities().empty()) found.parent = endpoint_of_parent(*own);
  return found;
}

// Main thread.
std::shared_ptr<const KnownRegistries> Server::known_registries() const {
  auto known = std::make_shared<KnownRegistries>();
  const config::RegistryConfig& registry = *config_.registry;
  known->root = root_authority().value_or(Bytes{});
  for (const auto& [zone, spkis] : registered_.keys)
    if (const auto name = dns::Name::from_text(zone))
      if (const auto signer = federation::identity_name(*name, registry.zone)) known->zones[zone] = {*signer, spkis, false, true};
  if (!registered_.parent || !registry.parent) return known;
  const auto signer = identity_of(*registry.parent, registry.apex);
  if (signer) known->zones[registry.parent->to_text()] = {*signer, parent_keys_.value_or(std::vector<Bytes>{}), !lookup_->is_anchored()};
  return known;
}

// The certificate that all others lead to; NotFound where the configuration has none.
Result<Bytes> Server::root_authority() const {
  const auto own = identity();
  if (own && own->is_root() && !own->authorities().empty()) return own->authorities().front();
  const std::string file = config_.registry ? config_.registry->root_ca.string() : std::string();
  if (file.empty()) {
    if (!root_by_dns_.empty()) return root_by_dns_;
    return fail(Errc::NotFound, "registry.root-ca, or registry.root and registry.trust-anchor: what other registries are known by is missing");
  }
  const auto text = crypto::read_small_file(file);
  if (!text) return fail("registry.root-ca", text.error());
  auto certificates = crypto::certificates_from_pem(*text);
  if (!certificates) return fail(file, certificates.error());
  return std::move(certificates->front());
}

// Main thread: with whom we speak, and what we show.
Result<crypto::TlsClientOptions> Server::registry_tls(const dns::Name& zone) const {
  const auto own = identity();
  if (!own || own->authorities().empty()) return fail(Errc::Refused, "we have no certificates from a parent yet");
  crypto::TlsClientOptions options;
  options.name = zone.to_text();
  options.name.pop_back();
  options.now = clock_.now();
  options.certificate = own->path() + ".crt";
  options.key = own->path();
  if (const auto at = registered_.keys.find(zone.to_text()); at != registered_.keys.end()) {
    if (at->second.empty()) return fail(Errc::Refused, zone.to_text() + ": its KEY was removed: it is revoked");
    for (const Bytes& spki : at->second) options.pins.push_back(crypto::spki_pin(spki));
  }
  if (config_.registry->parent == zone && lookup_->is_anchored()) {
    if (!parent_keys_ || parent_keys_->empty()) return fail(Errc::Refused, zone.to_text() + ": no KEY of it is known: it is revoked, or was not looked up yet");
    for (const Bytes& spki : *parent_keys_) options.pins.push_back(crypto::spki_pin(spki));
  }
  auto root = root_authority();
  if (!root && options.pins.empty()) return tl::unexpected<Error>(root.error());
  options.verify = root ? crypto::TlsClientOptions::Verify::Registry : crypto::TlsClientOptions::Verify::Pin;
  if (root) options.root = *std::move(root);
  return options;
}

// Main thread: after a start, a reload, another identity.
void Server::open_anchored() {
  const config::RegistryConfig& registry = *config_.registry;
  std::string by = registry.trust_anchor.string();
  for (const SocketAddress& root : registry.root) by += ' ' + root.to_text();
  if (by == anchored_by_ && (lookup_->is_anchored() || registry.root.empty())) return;
  auto opened = AnchoredLookup::open(*loop_, registry);
  if (!opened) log::error("registry.trust-anchor", {{"error", opened.error().what}, {"without", "the parent is known by registry.root-ca alone"}});
  anchored_by_ = by;
  parent_keys_.reset();
  root_by_dns_.clear();
  next_parent_ = {};
  lookup_->anchor(registry.apex, opened ? *std::move(opened) : nullptr);
}

// Main thread: as the file has it, else what the trust anchor validates: CERT of the root registry.
void Server::find_root(std::function<void(Result<Bytes>)> done) {
  auto known = root_authority();
  const dns::Name apex = config_.registry->apex;
  const auto owner = federation::root_identity_name(apex);
  if (known || !lookup_->is_anchored() || !owner) return done(std::move(known));
  lookup_->ask(*owner, dns::RrType::CERT, [this, apex, owner = *owner, done = std::move(done)](Result<std::vector<Bytes>> found) {
    if (!found) return done(tl::unexpected<Error>(found.error()));
    auto name = crypto::certificate_name(apex);
    for (const Bytes& rdata : *found) {
      auto certificate = federation::certificate_from_rdata(rdata);
      const auto facts = certificate ? crypto::read_certificate(*certificate) : Result<crypto::CertificateFacts>(tl::unexpected<Error>(certificate.error()));
      if (!facts || !name || !facts->authority || facts->permitted != std::vector<std::string>{*name}) continue;
      root_by_dns_ = *std::move(certificate);
      gate_.set(known_registries());
      return done(root_by_dns_);
    }
    done(fail(Errc::NotFound, owner.to_text() + " CERT: the root's authority is not there"));
  });
}

// Main thread.
void Server::find_proof(std::function<void(Result<ParentProof>)> done) {
  find_root([this, done = std::move(done)](Result<Bytes> root) {
    if (!root) return done(tl::unexpected<Error>(root.error()));
    const config::RegistryConfig& registry = *config_.registry;
    const auto owner = identity_of(*registry.parent, registry.apex);
    if (!owner) return done(tl::unexpected<Error>(owner.error()));
    if (!lookup_->is_anchored()) return done(ParentProof{*std::move(root), false, {}});
    lookup_->ask(*owner, dns::RrType::KEY, [owner = *owner, root = *std::move(root), done](Result<std::vector<Bytes>> found) {
      if (!found) return done(tl::unexpected<Error>(found.error()));
      done(ParentProof{root, true, spkis_of(owner, *found)});
    });
  });
}

// Main thread, every second: whether the parent that follows us is still who it was.
void Server::look_at_parent() {
  const UnixTime now = clock_.now();
  if (!registry_ || !registered_.parent || !lookup_->is_anchored() || now < next_parent_) return;
  next_parent_ = now + (parent_keys_ ? between_looks : soon);
  find_proof([this](const Result<ParentProof>& proof) {
    if (!proof) return log::notice("registry.parent", {{"error", proof.error().what}, {"known_by", parent_keys_ ? "what it was" : "nothing yet"}});
    if (parent_keys_ == proof->spkis) return;
    if (proof->spkis.empty())
      log::warning("registry.revoked", {{"registry", config_.registry->parent->to_text()}, {"why", "its KEY was removed"}, {"feed", "is not given to it"}});
    next_parent_ = clock_.now() + between_looks;
    parent_keys_ = proof->spkis;
    gate_.set(known_registries());
  });
}

// Main thread: NOTIFY(CDS), RFC 9859 §4. The first time after a start it may be nothing new, which does no harm.
void Server::tell_parent_of_cds() {
  // Where the parent answers for us, there is no DS.
  if (!registered_.parent || config_.registry->push == config::FeedPush::Hosted || !main_reader_->acquire()) return;
  const dns::Name zone = config_.registry->zone;
  std::vector<Bytes> cds;
  if (const store::ZoneRecord* home = main_reader_->zone_record(zone))
    if (const zone::NodeView apex = main_reader_->find(home->info, zone.folded()))
      if (const auto rrset = apex.find(dns::RrType::CDS)) {
        zone::StoredRrReader rrs(rrset->rrs);
        for (uint32_t i = 0; i < rrset->rr_count; ++i) zone::expand_rdata(dns::RrType::CDS, rrs.next().rdata, zone, cds.emplace_back());
      }
  main_reader_->release();
  if (cds.empty() || cds_told_ == cds) return;
  dns::Message message;
  message.header.id = net::random_message_id();
  message.header.opcode = dns::Opcode::NOTIFY;
  message.header.aa = true;
  message.question.push_back({zone, dns::RrType::CDS, dns::RrClass::IN});
  auto octets = sign_as_registry(std::move(message));
  auto options = registry_tls(*config_.registry->parent);
  auto context = options ? crypto::TlsClientContext::open(*std::move(options)) : Result<std::shared_ptr<const crypto::TlsClientContext>>(tl::unexpected<Error>(options.error()));
  if (!octets || !context) {
    registered_changed_ = true;  // its KEY is not known yet, say: again in a second
    return;
  }
  cds_told_ = cds;
  ds_looks_ = 0;
  net::StreamCall::Options call;
  call.peer = *registered_.parent;
  call.tls = *std::move(context);
  call.whole = std::chrono::milliseconds(10'000);
  dialogues_->start(std::move(call), {*std::move(octets)}, [this](Result<std::vector<dns::Message>> answers) {
    const std::string said = answers ? std::string(dns::to_text(answers->front().rcode())) : answers.error().what;
    log::info("registry.cds", {{"parent", config_.registry->parent->to_text()}, {"answer", said}});
    next_certificates_ = clock_.now() + soon;
    const bool is_taken = answers && answers->front().rcode() == dns::Rcode::NOERROR;
    const auto wait = is_taken ? std::nullopt : wait_to_tell_again(++cds_failures_);
    cds_again_.reset();
    if (!wait)
      cds_failures_ = 0;
    else
      cds_again_ = clock_.now() + std::chrono::duration_cast<Seconds>(*wait);
  });
}

Result<Bytes> Server::sign_as_registry(dns::Message message) const {
  const auto own = identity();
  if (!own) return fail(Errc::NotFound, "registry.identity: there is none");
  auth::Nonce nonce{};
  crypto::random_octets(nonce);
  return auth::sign_registry_request(std::move(message), {own->name(), {own, &own->key()}}, clock_.now(), nonce);
}

}  // namespace steward::daemon
