#include "daemon/registration_desk.hh"

#include <fmt/format.h>

#include <algorithm>

#include "agent/text_fields.hh"
#include "base/log.hh"
#include "crypto/digest.hh"
#include "dns/encoding.hh"
#include "federation/identity.hh"
#include "federation/replays.hh"

namespace steward::daemon {
namespace {

using federation::RegistrationOutcome;
using federation::RegistrationRule;
using serve::ExtendedError;

constexpr size_t most_text = 240;  // octets of an error's text
constexpr size_t nonce_octets = 16;
// The label that no registration can be without (federation/registration.hh).
constexpr std::string_view mark = "\x0b_registries";

std::string random_text() {
  std::array<uint8_t, nonce_octets> octets{};
  crypto::random_octets(octets);
  return dns::encode(dns::hex_lower, octets);
}

}  // namespace

/// One that is on its way.
struct RegistrationDesk::Asked {
  serve::UpdateRequest request;
  std::shared_ptr<const RegistrationDoor> door;
  federation::Registration registration;
  std::optional<auth::RegistryRequest> signature;  ///< its views lead into the message
  dns::Name signer;
  Bytes spki;
  std::string nonce;

  // Of the last evaluation.
  federation::ReplayVerdict replay = federation::ReplayVerdict::Fresh;
  federation::RegistrationDecision decision;
  bool was_challenged = false;  ///< before this request
};

RegistrationDesk::RegistrationDesk(Room room) : room_(std::move(room)), budget_({}, crypto::random_siphash_key()) {}

void RegistrationDesk::set_door(std::shared_ptr<const RegistrationDoor> door) {
  const std::lock_guard lock(mutex_);
  door_ = std::move(door);
}

std::shared_ptr<const RegistrationDoor> RegistrationDesk::door() const {
  const std::lock_guard lock(mutex_);
  return door_;
}

RegistrationDesk::Figures RegistrationDesk::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

void RegistrationDesk::count(std::string_view rule) {
  const std::lock_guard lock(mutex_);
  ++figures_.refused[std::string(rule)];
}

bool RegistrationDesk::concerns(const serve::UpdateRequest& request) const {
  // An operator's own, who revokes a child by removing its KEY, say, is signed with TSIG or adds nothing there.
  if (request.asker.key) return false;
  // Every UPDATE comes by here: one that lacks the label is not parsed for it.
  if (as_text(request.message).find(mark) == std::string_view::npos) return false;
  const auto door = this->door();
  if (!door || door->rules.policy.zone != request.zone) return false;
  const auto parsed = change::parse_update(request.message);
  return parsed && federation::is_registration(*parsed, request.zone);
}

void RegistrationDesk::refuse(serve::UpdateRequest& request, std::string_view rule, const std::string& reason,
                              dns::Rcode rcode) {
  count(rule);
  log::notice("registration.refused", {{"zone", request.zone.to_text()},
                                       {"client", request.asker.client.to_text()},
                                       {"rule", rule},
                                       {"why", reason}});
  const std::string text = fmt::format("{}: {}", rule, reason).substr(0, most_text);
  request.response.send(rcode, room_.clock.now(), ExtendedError::Prohibited, text);
}

// Cheap rules first; one public-key operation at most.
bool RegistrationDesk::check_request(Asked& asked) {
  serve::UpdateRequest& request = asked.request;
  const auto deny = [&](std::string_view rule, const std::string& reason, dns::Rcode rcode = dns::Rcode::REFUSED) {
    refuse(request, rule, reason, rcode);
    return false;
  };
  const auto shown = request.response.shown();
  if (request.asker.transport != Transport::Tls || !shown)
    return deny("tls", "a registration comes over TLS with the certificate of the identity's key");
  if (!asked.door->identity || asked.door->identity->authorities().empty())
    return deny("closed", "this registry has no authority yet to issue certificates with");
  const federation::RegistrationPolicy& policy = asked.door->rules.policy;
  auto parsed = change::parse_update(request.message);
  if (!parsed) return deny("form", parsed.error().why->text, parsed.error().rcode);
  auto read = federation::read_registration(*parsed, policy.zone, policy.apex);
  if (!read) return deny(federation::to_text(read.error().rule), read.error().reason);
  asked.registration = *std::move(read);
  const auto owner = federation::identity_name(asked.registration.zone, policy.zone);
  const auto facts = crypto::read_certificate(shown->front());
  const auto name = crypto::certificate_name(asked.registration.zone);
  if (!owner || !facts || !name || facts->names != std::vector<std::string>{*name} || facts->authority)
    return deny("tls", fmt::format("the certificate is not for {}", asked.registration.zone.to_text()));
  asked.signer = *owner;
  asked.spki = facts->spki;
  const auto signature = auth::read_registry_request(request.message);
  if (!signature) return deny("request", std::string(auth::to_text(signature.error())), auth::rcode_of(signature.error()));
  asked.signature = *signature;
  const auth::VerifyAllowance allowance{&budget_, request.asker.client, room_.clock.monotonic_ns()};
  const auto verdict = auth::verify_registry_request(request.message, *asked.signature, {asked.signer, asked.registration.key},
                                                     room_.clock.now(), allowance);
  if (verdict != auth::RequestVerdict::Good)
    return deny("request", std::string(auth::to_text(verdict)), auth::rcode_of(verdict));
  return true;
}

void RegistrationDesk::take(serve::UpdateRequest request) {
  auto asked = std::make_shared<Asked>(Asked{std::move(request), door(), {}, {}, {}, {}, random_text(), {}, {}, {}});
  if (check_request(*asked)) judge(asked, {}, false);
}

void RegistrationDesk::judge(const AskedPtr& asked, std::vector<Bytes> proofs, bool is_second) {
  const auto refused = [this, asked](const std::string& why) { refuse(asked->request, "closed", why, dns::Rcode::SERVFAIL); };
  room_.post(
      [this, asked, proofs = std::move(proofs), is_second](RegistryZone& registry, ZoneKeeper& keeper) {
        keeper.edit([this, asked, proofs, is_second, &registry](change::ZoneEdit& edit, ZoneTables& tables) {
          return evaluate(*asked, proofs, is_second, registry, edit, tables);
        },
                    false, [this, asked, is_second](const LoadOutcome& outcome) { conclude(asked, outcome, is_second); });
      },
      refused);
}

// In the transaction; perhaps more than once.
Result<void> RegistrationDesk::evaluate(Asked& asked, const std::vector<Bytes>& proofs, bool is_second, RegistryZone& registry,
                                        change::ZoneEdit& edit, ZoneTables& tables) const {
  const UnixTime now = room_.clock.now();
  if (!is_second) {
    const auto admitted = federation::Replays(tables[store::ZoneTable::Replays]).admit(*asked.signature, now);
    if (!admitted) return tl::unexpected<Error>(admitted.error());
    asked.replay = *admitted;
    if (asked.replay != federation::ReplayVerdict::Fresh) return {};
  }
  federation::Children children(tables[store::ZoneTable::Children]);
  RegistryZone::Changes changes(registry, edit, tables);
  federation::RegistrationState state{edit, children, changes.book()};
  const auto waiting = children.find_pending(asked.registration.zone, agent::sha256_text(asked.spki));
  if (!waiting) return tl::unexpected<Error>(waiting.error());
  asked.was_challenged = waiting->has_value();
  const OwnIdentity& own = *asked.door->identity;
  auto decision = federation::admit_registration(asked.registration, {asked.signer, asked.spki}, asked.door->rules,
                                                 {own.authorities().front(), own.key()}, state, proofs, asked.nonce, now);
  if (!decision) return tl::unexpected<Error>(decision.error());
  asked.decision = *std::move(decision);
  return {};
}

void RegistrationDesk::conclude(const AskedPtr& asked, const LoadOutcome& outcome, bool is_second) {
  if (!outcome.ok) return refuse(asked->request, "failed", outcome.error, dns::Rcode::SERVFAIL);
  if (asked->replay != federation::ReplayVerdict::Fresh)
    return refuse(asked->request, "replay", std::string(federation::to_text(asked->replay)),
                  federation::rcode_of(asked->replay));
  const federation::RegistrationVerdict& verdict = asked->decision.verdict;
  const auto domain = federation::challenge_name(asked->registration.space);
  if (verdict.outcome == RegistrationOutcome::Pending && !verdict.challenge.empty() && asked->was_challenged && !is_second && domain)
    return room_.ask_txt(*domain, [this, asked](std::vector<Bytes> proofs) { judge(asked, std::move(proofs), true); });
  answer(*asked);
}

void RegistrationDesk::answer(Asked& asked) {
  const federation::RegistrationVerdict& verdict = asked.decision.verdict;
  serve::UpdateRequest& request = asked.request;
  const UnixTime now = room_.clock.now();
  const auto tell = [&](std::string_view outcome, std::string_view why) {
    log::notice("registration", {{"namespace", asked.registration.space},
                                 {"client", request.asker.client.to_text()},
                                 {"key", agent::sha256_text(asked.spki)},
                                 {"outcome", outcome},
                                 {"why", why}});
  };
  switch (verdict.outcome) {
    case RegistrationOutcome::Refused:
      return refuse(request, federation::to_text(verdict.rule), verdict.reason, dns::Rcode::REFUSED);
    case RegistrationOutcome::Pending: {
      {
        const std::lock_guard lock(mutex_);
        ++figures_.pending;
      }
      tell("pending", verdict.reason);
      const auto domain = federation::challenge_name(asked.registration.space);
      if (!verdict.challenge.empty() && domain) {
        Bytes txt;
        for (std::string_view left = verdict.challenge; !left.empty(); left.remove_prefix(std::min<size_t>(left.size(), 255))) {
          append_u8(txt, static_cast<uint8_t>(std::min<size_t>(left.size(), 255)));
          append(txt, as_bytes(left.substr(0, 255)));
        }
        request.response.add(*domain, dns::RrType::TXT, 0, txt);
      }
      return request.response.send(dns::Rcode::REFUSED, now, ExtendedError::NotReady,
                                   fmt::format("pending: {}", verdict.reason).substr(0, most_text));
    }
    case RegistrationOutcome::Left:
      tell("left", "it asked for it");
      return request.response.send(dns::Rcode::NOERROR, now);
    case RegistrationOutcome::Reserved: {
      {
        const std::lock_guard lock(mutex_);
        ++figures_.reserved;
      }
      tell("reserved", federation::to_text(verdict.way));
      request.response.send(dns::Rcode::NOERROR, now);
      return room_.reserved(asked.decision.child);
    }
  }
}

void RegistrationDesk::approve(const dns::Name& zone, const std::string& fingerprint, Done done) {
  using Decision = federation::RegistrationDecision;
  const auto door = this->door();
  if (!door || !door->identity || door->identity->authorities().empty())
    return done(fail(Errc::Refused, "this registry has no authority yet to issue certificates with"));
  const auto decision = std::make_shared<Result<Decision>>(Decision{});
  const auto evaluate = [this, zone, fingerprint, door, decision](RegistryZone& registry, change::ZoneEdit& edit, ZoneTables& tables) -> Result<void> {
    federation::Children children(tables[store::ZoneTable::Children]);
    RegistryZone::Changes changes(registry, edit, tables);
    federation::RegistrationState state{edit, children, changes.book()};
    const auto waiting = children.find_pending(zone, fingerprint);
    if (!waiting) return tl::unexpected<Error>(waiting.error());
    if (!*waiting) return fail(Errc::NotFound, fmt::format("{}: no registration with key {} waits", zone.to_text(), fingerprint));
    auto made = federation::approve_registration(**waiting, door->rules, {door->identity->authorities().front(), door->identity->key()},
                                                 state, room_.clock.now());
    if (!made) return tl::unexpected<Error>(made.error());
    const federation::RegistrationVerdict& verdict = made->verdict;
    if (verdict.outcome != RegistrationOutcome::Reserved)
      return fail(Errc::Refused, fmt::format("{}: {}", federation::to_text(verdict.rule), verdict.reason));
    *decision = *std::move(made);
    return {};
  };
  room_.post(
      [this, evaluate, decision, done](RegistryZone& registry, ZoneKeeper& keeper) {
        keeper.edit([evaluate, &registry](change::ZoneEdit& edit, ZoneTables& tables) { return evaluate(registry, edit, tables); }, false,
                    [this, decision, done](const LoadOutcome& outcome) {
                      if (!outcome.ok) return done(fail(Errc::Refused, outcome.error));
                      {
                        const std::lock_guard lock(mutex_);
                        ++figures_.reserved;
                      }
                      room_.reserved((*decision)->child);
                      done(*decision);
                    });
      },
      [done](const std::string& why) { done(fail(Errc::NotFound, why)); });
}

}  // namespace steward::daemon
