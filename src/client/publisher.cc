#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/clock.hh"
#include "client/failure.hh"
#include "client/names.hh"
#include "client/publish_plan.hh"
#include "client/publisher_key.hh"
#include "client/registry_call.hh"
#include "client/registry_finder.hh"
#include "client/registry_tls.hh"
#include "client/standing.hh"
#include "dns/record_text.hh"
#include "steward/publish.hh"

namespace steward::client {

namespace {

using agent::AgentStatus;

constexpr int most_attempts = 3;

Status public_status(AgentStatus status) {
  switch (status) {
    case AgentStatus::Active: return Status::Active;
    case AgentStatus::Deprecated: return Status::Deprecated;
    case AgentStatus::Withdrawn: return Status::Withdrawn;
    case AgentStatus::Revoked: return Status::Revoked;
  }
  return Status::Active;
}

/// To the registry of the settings, or else to the one whose zone the name lies in.
Outcome<RegistryCall> call_of(const Settings& settings, const dns::Name& name) {
  FoundRegistry found;
  if (settings.registry.empty()) {
    auto registry = find_registry(settings, name);
    if (!registry) return failure_of(registry.error());
    found = std::move(*registry);
  } else {
    const auto address = SocketAddress::from_text(settings.registry);
    if (!address) return failure_of(address.error());
    found = {*address, settings.tls_name};
  }
  auto tls = open_registry_tls(settings, found.host);
  if (!tls) return failure_of(tls.error());
  auto call = RegistryCall::open({.address = found.address, .tls = std::move(*tls), .timeout = settings.timeout});
  if (!call) return failure_of(call.error());
  return std::move(*call);
}

/// As an operator names a namespace: without the apex.
std::string below_apex(dns::NameView space, const dns::Name& apex) {
  const std::string text = plain_text(space);
  const std::string end = "." + plain_text(apex);
  return space.is_below(apex) ? text.substr(0, text.size() - end.size()) : text;
}

/// What to do about a refusal, where that is known; else nothing.
std::string advice(const PublishPlan& plan, dns::Rcode rcode, const dns::Name& apex) {
  switch (rcode) {
    case dns::Rcode::REFUSED: {
      if (plan.action != "publish" && plan.action != "claim") return {};
      const dns::NameView space = plan.update.agent.view().parent();
      const std::string option =
          space == plan.update.zone.view() ? std::string() : " --namespace " + below_apex(space, apex);
      return fmt::format(
          "; if the namespace does not allow this key yet, the registry's operator does: steward-registry publisher "
          "allow "
          "{}{}",
          plan.statement.fingerprint(), option);
    }
    case dns::Rcode::NOTAUTH: return "; is this machine's clock right, and does the registry serve that zone itself?";
    case dns::Rcode::SERVFAIL: return "; the registry could not do it now: try again later";
    case dns::Rcode::NOTIMP: return "; that server takes no UPDATE (RFC 2136): is --registry the right one?";
    default: return {};
  }
}

std::vector<std::string> record_lines(const PublishUpdate& update) {
  std::string text;
  for (const agent::PublishedRecord& record : update.records)
    dns::append_record_text(text, record.owner, record.ttl, record.type, record.rdata);
  if (update.rotation)
    dns::append_record_text(text, rotations_name(update.agent), agent::agent_ttl, dns::RrType::TXT, *update.rotation);
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::vector<std::string> names_of(const PublishUpdate& update) {
  std::vector<std::string> names;
  const auto add = [&](const dns::Name& owner, dns::RrType type) {
    std::string name = fmt::format("{} {}", plain_text(owner), dns::to_text(type));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  };
  for (const agent::PublishedRecord& record : update.records) add(record.owner, record.type);
  if (update.rotation) add(rotations_name(update.agent), dns::RrType::TXT);
  return names;
}

}  // namespace

class Publisher::State {
 public:
  State(Settings settings, PublisherOptions options) : settings_(std::move(settings)), options_(std::move(options)) {}

  Outcome<Published> publish(std::string_view text, const PublishRequest& request) {
    std::string label;
    if (!request.agent.empty()) {
      const auto given = name_in(request.agent, request.name_space);
      if (!given) return given.failure();
      label = as_text(given->view().first_label());
    }
    const auto manifest = agent::read_manifest(text, label);
    if (!manifest) {
      const bool unfit = label.empty() && !manifest.error().name.empty() && !agent::agent_label(manifest.error().name);
      return Failure{Fault::Invalid, manifest.error().text() + (unfit ? "; --agent gives it a name" : "")};
    }
    const auto lease = lease_of(request);
    if (!lease) return lease.failure();
    const auto name = name_of(*manifest, request);
    if (!name) return name.failure();
    auto done = change(*name, *lease, [&](const PublishWish& wish, const Standing& standing, auto keys) {
      return plan_publish(*manifest, wish, standing, keys);
    });
    if (done) done->notes = manifest->notes;
    return done;
  }

  Outcome<Published> rotate(std::string_view agent) {
    const auto name = agent_name(agent, settings_);
    if (!name) return failure_of(name.error());
    return change(*name, {}, [&](const PublishWish& wish, const Standing& standing, auto keys) {
      return plan_rotation(wish, standing, keys);
    });
  }

  Outcome<Published> set_status(std::string_view agent, AgentStatus status, std::string_view reason,
                                std::string_view successor) {
    const auto name = agent_name(agent, settings_);
    if (!name) return failure_of(name.error());
    StatusWish wanted{status, {}, std::string(reason)};
    if (!successor.empty()) {
      const auto other = agent_name(successor, settings_);
      if (!other) return failure_of(other.error());
      if (*other == *name) return Failure{Fault::Invalid, "an agent is not its own successor"};
      wanted.successor = plain_text(*other);
    }
    return change(*name, {}, [&](const PublishWish& wish, const Standing& standing, auto keys) {
      return plan_status(wanted, wish, standing, keys);
    });
  }

 private:
  Outcome<Done> connect(const dns::Name& name) {
    // Without an address of its own each name may lie in another registry.
    if (call_ && !settings_.registry.empty()) return Done{};
    auto call = call_of(settings_, name);
    if (!call) return call.failure();
    call_ = std::move(*call);
    return Done{};
  }

  void step(const std::string& what) const {
    if (options_.on_step) options_.on_step(what);
  }

  static Outcome<std::optional<Lease>> lease_of(const PublishRequest& request) {
    if (!request.lease) {
      if (request.key_lease) return Failure{Fault::Invalid, "a key lease needs a lease (RFC 9664 §4)"};
      return std::optional<Lease>();
    }
    if (*request.lease == 0) return Failure{Fault::Invalid, "a lease of 0 seconds"};
    if (request.key_lease && *request.key_lease < *request.lease)
      return Failure{Fault::Invalid, "the key lease is shorter than the lease (RFC 9664 §4.1)"};
    return std::optional(Lease{*request.lease, request.key_lease.value_or(0)});
  }

  [[nodiscard]] Outcome<dns::Name> name_in(std::string_view agent, const std::string& name_space) const {
    Settings settings = settings_;
    if (!name_space.empty()) settings.name_space = name_space;
    const auto name = agent_name(agent, settings);
    if (!name) return failure_of(name.error());
    return *name;
  }

  Outcome<dns::Name> name_of(const agent::Manifest& manifest, const PublishRequest& request) {
    if (!request.agent.empty()) return name_in(request.agent, request.name_space);
    if (!manifest.owner || !request.name_space.empty()) return name_in(manifest.name, request.name_space);
    const auto space = space_of_owner(*manifest.owner);
    if (!space) return space.failure();
    return name_in(manifest.name, *space);
  }

  /// user/X and org/X are one name for admission: the one that is there, else user/X.
  Outcome<std::string> space_of_owner(const std::string& owner) {
    const auto organisation = dns::Name::from_text(fmt::format("org/{}.github.{}", owner, settings_.apex));
    if (!organisation) return failure_of(organisation.error());
    if (const auto connected = connect(*organisation); !connected) return connected.failure();
    const auto there = is_there(*call_, *organisation);
    if (!there)
      return Failure{there.failure().fault, there.failure().what + " (--namespace names another than GitHub's)"};
    return fmt::format("{}/{}.github", *there ? "org" : "user", owner);
  }

  Outcome<std::vector<crypto::StoredKey>> keys_for(const dns::Name& agent) const {
    auto keys = read_keys_for(options_.key_folder, agent);
    if (!keys) return failure_of(keys.error());
    if (options_.key.empty()) return std::move(*keys);
    auto first = read_publisher_key(options_.key);
    if (!first) return failure_of(first.error());
    keys->insert(keys->begin(), std::move(*first));
    return std::move(*keys);
  }

  /// Again where the records that were read are of two moments: a publish came in between.
  Outcome<Standing> standing_of(const dns::Name& agent) {
    step("reading what stands at " + call_->text());
    auto standing = read_standing(*call_, agent);
    if (standing || standing.failure().fault != Fault::Untrusted) return standing;
    return read_standing(*call_, agent);
  }

  template <class Plan>
  Outcome<Published> change(const dns::Name& agent, std::optional<Lease> lease, const Plan& make) {
    const auto keys = keys_for(agent);
    if (!keys) return keys.failure();
    if (const auto connected = connect(agent); !connected) return connected.failure();
    const auto standing = standing_of(agent);
    if (!standing) return standing.failure();
    const PublishWish wish{agent, SystemClock().now(), lease};
    const auto plan = make(wish, *standing, std::span<const crypto::StoredKey>(*keys));
    if (!plan) return failure_of(plan.error());
    Published done = described(*plan, *standing);
    if (options_.dry_run) return done;
    const auto sent = send(*plan, wish.now, done);
    if (!sent) return sent.failure();
    done.sent = true;
    return done;
  }

  [[nodiscard]] Published described(const PublishPlan& plan, const Standing& standing) const {
    Published done;
    done.agent = plain_text(plan.update.agent);
    done.zone = plain_text(plan.update.zone);
    done.registry = call_->text();
    done.action = plan.action;
    done.version = plan.statement.version();
    if (standing.statement) done.previous_version = standing.statement->version();
    done.status = public_status(plan.statement.status());
    done.modified = agent::modified_to_text(plan.statement.modified());
    done.fingerprint = plan.statement.fingerprint();
    done.previous_fingerprint = plan.previous_fingerprint;
    done.records = record_lines(plan.update);
    done.names = names_of(plan.update);
    std::string server = call_->address().to_text();
    std::replace(server.begin(), server.end(), '@', ' ');
    done.script = nsupdate_script(plan.update, server);
    done.key_file = file_of(plan.signer);
    return done;
  }

  [[nodiscard]] std::string file_of(const crypto::StoredKey& key) const {
    const std::string stem = crypto::key_file_stem(key.zone, key.key->algorithm(), key.tag());
    const std::filesystem::path file = std::filesystem::path(options_.key_folder) / (stem + ".private");
    std::error_code ignored;
    return std::filesystem::exists(file, ignored) ? file.string() : options_.key;
  }

  Outcome<Done> send(const PublishPlan& plan, UnixTime now, Published& done) {
    const uint16_t id = net::random_message_id();
    // The signer is the agent, whatever name the key's file bears (steward-records(7), "A publish").
    const auth::Sig0Key key{plan.update.agent, plan.signer.key, plan.signer.flags};
    const auto message = build_signed_publish(id, plan.update, key, now);
    if (!message) return failure_of(message.error());
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      step(fmt::format("sending the UPDATE to {}", call_->text()));
      const auto response = call_->exchange_once(*message);
      if (response) return take_response(plan, *response, id, done);
      if (!response.error().sent)
        return Failure{Fault::Unreachable, fmt::format("registry {}: nothing was published", response.error().why)};
      step("the answer was lost: reading whether it is there");
      const auto there = is_published(plan, response.error().why);
      if (!there) return there.failure();
      if (*there) return Done{};
    }
    return Failure{Fault::Unreachable,
                   fmt::format("registry {}: no answer to {} UPDATEs, none of which was carried out", call_->text(),
                               most_attempts)};
  }

  /// False: what stood there before still does, and the same message may be sent again. It is the supersede rule and
  /// the prerequisite that make that safe.
  Outcome<bool> is_published(const PublishPlan& plan, const std::string& why) {
    const auto texts = read_texts(*call_, plan.update.agent);
    if (!texts) {
      return Failure{
          Fault::Unreachable,
          fmt::format("registry {}: the UPDATE was sent, its answer was lost, and {}; it may have been carried "
                      "out: publish again to find out",
                      why, texts.failure().what)};
    }
    if (texts->size() == 1 && std::ranges::equal(texts->front(), plan.statement.txt_rdata())) return true;
    if (*texts == plan.update.statement_as_read) return false;
    return Failure{Fault::Refused, overtaken(plan, *texts)};
  }

  [[nodiscard]] std::string overtaken(const PublishPlan& plan, const std::vector<Bytes>& texts) const {
    const auto other = texts.size() == 1 ? agent::Statement::from_txt(texts.front())
                                         : Result<agent::Statement>(fail(Errc::NotFound, ""));
    return fmt::format("{}: another publish was first{}", plain_text(plan.update.agent),
                       other ? fmt::format(": version {} of {} stands there now", other->version(),
                                           agent::modified_to_text(other->modified()))
                             : std::string());
  }

  Outcome<Done> take_response(const PublishPlan& plan, ByteView octets, uint16_t id, Published& done) {
    const auto response = read_publish_response(octets, id);
    if (!response) return Failure{Fault::Refused, fmt::format("registry {}: {}", call_->text(), response.error().what)};
    if (response->rcode == dns::Rcode::NOERROR) {
      if (response->lease) {
        done.lease = response->lease->records;
        if (response->lease->key != 0) done.key_lease = response->lease->key;
      }
      return Done{};
    }
    // RFC 2136 §3.2.5: a prerequisite does not hold. Ours may be one that was carried out, and sent again.
    if (response->rcode == dns::Rcode::NXRRSET || response->rcode == dns::Rcode::YXRRSET) {
      const auto there = is_published(plan, call_->text());
      if (!there) return there.failure();
      if (*there) return Done{};
    }
    const auto apex = dns::Name::from_text(settings_.apex);
    return Failure{Fault::Refused, fmt::format("registry {} refuses to {} {}: {}{}{}", call_->text(), plan.action,
                                               plain_text(plan.update.agent), dns::to_text(response->rcode),
                                               response->text.empty() ? "" : ": " + response->text,
                                               advice(plan, response->rcode, apex ? *apex : dns::Name()))};
  }

  Settings settings_;
  PublisherOptions options_;
  std::optional<RegistryCall> call_;  ///< once it is known which
};

Outcome<Publisher> Publisher::open(Settings settings, PublisherOptions options) {
  if (!settings.registry.empty()) {
    if (const auto address = SocketAddress::from_text(settings.registry); !address) return failure_of(address.error());
  }
  return Publisher(std::make_unique<State>(std::move(settings), std::move(options)));
}

Publisher::Publisher(std::unique_ptr<State> state) : state_(std::move(state)) {}
Publisher::Publisher(Publisher&&) noexcept = default;
Publisher& Publisher::operator=(Publisher&&) noexcept = default;
Publisher::~Publisher() = default;

Outcome<Published> Publisher::publish(std::string_view manifest, const PublishRequest& request) {
  return state_->publish(manifest, request);
}
Outcome<Published> Publisher::rotate(std::string_view agent) { return state_->rotate(agent); }
Outcome<Published> Publisher::withdraw(std::string_view agent) {
  return state_->set_status(agent, AgentStatus::Withdrawn, {}, {});
}
Outcome<Published> Publisher::revoke(std::string_view agent, std::string_view reason, std::string_view successor) {
  return state_->set_status(agent, AgentStatus::Revoked, reason, successor);
}
Outcome<Published> Publisher::deprecate(std::string_view agent, std::string_view successor) {
  return state_->set_status(agent, AgentStatus::Deprecated, {}, successor);
}

}  // namespace steward::client
