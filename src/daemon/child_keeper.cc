#include "daemon/child_keeper.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.hh"

namespace steward::daemon {
namespace {

using dns::RrType;
using federation::Child;
using federation::ChildState;

constexpr uint16_t dns_port = 53;  // referrals carry no port
constexpr std::chrono::milliseconds patience{10'000};
constexpr Seconds first_retry{10};
constexpr Seconds last_retry{3600};
constexpr Seconds daily{86400};
constexpr Seconds between_asked{5};
constexpr size_t most_servers_asked = federation::max_registered_addresses;

Seconds retry_after(uint32_t failures) {
  return std::min(last_retry, first_retry * (int64_t{1} << std::min<uint32_t>(failures, 16)));
}

bool is_same_request(const federation::Registration& a, const federation::Registration& b) {
  return a.servers == b.servers && a.ds == b.ds && a.is_hosted() == b.is_hosted() &&
         std::equal(a.addresses.begin(), a.addresses.end(), b.addresses.begin(), b.addresses.end(),
                    [](const auto& x, const auto& y) { return x.server == y.server && x.octets == y.octets; });
}

}  // namespace

/// One look at all servers of a child.
struct ChildKeeper::Look {
  Child child;
  std::vector<std::pair<std::string, SocketAddress>> addresses;
  std::vector<ServerAnswers> answers;
  size_t waits = 0;  ///< look-ups or talks
  std::string problem;
  bool is_proven = true;  ///< what let it in still holds
};

void ChildKeeper::start() {
  for (const Child& child : room_.children()) children_[child.registration.zone.to_text()] = child;
}

void ChildKeeper::noted(const Child& child) {
  room_.loop.post([this, child] { children_[child.registration.zone.to_text()] = child; });
}

void ChildKeeper::asked(const dns::Name& child) {
  room_.loop.post([this, zone = child.to_text()] {
    if (children_.contains(zone)) wanted_.insert(zone);
  });
}

void ChildKeeper::renew() {
  for (const auto& [zone, child] : children_)
    if (is_to_be_renewed(child)) wanted_.insert(zone);
}

void ChildKeeper::tick() {
  const UnixTime now = room_.clock.now();
  std::erase_if(wanted_, [this](const std::string& zone) { return !children_.contains(zone); });
  for (const auto& [zone, child] : children_) {
    // RFC 9859 §4.3: who asks again and again is looked at now and then.
    const bool is_wanted = wanted_.contains(zone) && asked_[zone] + between_asked <= now;
    if (looks_.contains(zone) || (!is_wanted && child.next_look > now)) continue;
    if (wanted_.erase(zone) > 0) asked_[zone] = now;
    look(child);
  }
}

void ChildKeeper::look(const Child& child) {
  const auto look = std::make_shared<Look>();
  look->child = child;
  looks_[child.registration.zone.to_text()] = look;
  // It has no servers: its certificates are all that there is to care for.
  if (child.registration.is_hosted()) return prove(look, std::nullopt, {});
  find_addresses(look);
}

// In the zone by what the child says, elsewhere by what the DNS says.
void ChildKeeper::find_addresses(const LookPtr& look) {
  const federation::Registration& asked = look->child.registration;
  for (const auto& [server, octets] : asked.addresses) found_address(look, server, octets);
  look->waits = 1;
  for (const dns::Name& server : asked.servers) {
    if (server.view().is_at_or_below(asked.zone)) continue;
    ++look->waits;
    room_.lookup.ask(server, RrType::A, [this, look, server](Result<std::vector<Bytes>> found) {
      if (!found || found->empty())
        look->problem = fmt::format("{}: {}", server.to_text(), found ? "has no address" : found.error().what);
      for (const Bytes& octets : found.value_or(std::vector<Bytes>{})) found_address(look, server, octets);
      if (--look->waits == 0) ask(look);
    });
  }
  if (--look->waits == 0) ask(look);
}

void ChildKeeper::found_address(const LookPtr& look, const dns::Name& server, ByteView octets) {
  if (const auto address = SocketAddress::from_octets(octets, dns_port); address && look->addresses.size() < most_servers_asked)
    look->addresses.emplace_back(fmt::format("{} {}", server.to_text(), address->to_text()), *address);
}

void ChildKeeper::ask(const LookPtr& look) {
  if (!look->problem.empty() || look->addresses.empty()) return conclude(look);
  look->waits = look->addresses.size();
  for (const auto& [server, address] : look->addresses) {
    std::vector<Bytes> questions;
    for (const RrType type : child_questions)
      if (auto question = Dialogues::question(look->child.registration.zone, type, false)) questions.push_back(*std::move(question));
    net::StreamCall::Options options;
    options.peer = address;
    options.whole = patience;
    room_.dialogues.start(std::move(options), std::move(questions), [this, look, server = server](Result<std::vector<dns::Message>> answers) {
      if (answers)
        look->answers.push_back({server, *std::move(answers)});
      else
        look->problem = fmt::format("{}: {}", server, answers.error().what);
      if (--look->waits == 0) conclude(look);
    });
  }
}

void ChildKeeper::conclude(const LookPtr& look) {
  const federation::Registration& asked = look->child.registration;
  const UnixTime now = room_.clock.now();
  if (!look->problem.empty()) return prove(look, {}, look->problem);
  const auto findings = check_servers(asked.zone, asked.ds, look->answers, now);
  if (!findings) return prove(look, {}, findings.error().what);
  if (look->child.state != ChildState::Delegated) return prove(look, asked.ds, {});
  const auto wanted = ds_wanted(asked.zone, asked.ds, *findings, look->answers, now);
  if (!wanted) return prove(look, {}, wanted.error().what);
  prove(look, *wanted, {});
}

// Near its end, and where ours lasts longer: a certificate does not outlive its issuer's.
bool ChildKeeper::is_to_be_renewed(const Child& child) const {
  const auto door = room_.door();
  const auto ours = door && door->identity && !door->identity->authorities().empty() ? crypto::read_certificate(door->identity->authorities().front())
                                                                                     : Result<crypto::CertificateFacts>(fail(Errc::NotFound, ""));
  return ours && ours->until > child.certified_until + daily && child.certified_until - room_.clock.now() < crypto::certificate_lifetime / 3;
}

// What let it in by a proof of its domain has to be there when certificates are renewed too.
void ChildKeeper::prove(const LookPtr& look, std::optional<std::vector<Bytes>> ds, std::string problem) {
  const auto domain = federation::challenge_name(look->child.registration.space);
  const auto door = room_.door();
  if (!domain || !door || !is_to_be_renewed(look->child) || federation::is_still_proven(look->child, door->rules.policy.zone, {}))
    return write(look, std::move(ds), std::move(problem));
  room_.lookup.ask(*domain, RrType::TXT, [this, look, ds = std::move(ds), problem = std::move(problem), zone = door->rules.policy.zone,
                                          domain = *domain](Result<std::vector<Bytes>> found) {
    look->is_proven = found && federation::is_still_proven(look->child, zone, *found);
    if (look->is_proven) return write(look, ds, problem);
    const std::string gone = fmt::format("{} TXT: {}: certificates are not renewed", domain.to_text(), found ? "the proof is gone" : found.error().what);
    write(look, ds, problem.empty() ? gone : problem + "; " + gone);
  });
}

void ChildKeeper::write(const LookPtr& look, std::optional<std::vector<Bytes>> ds, std::string problem) {
  const auto written = std::make_shared<std::optional<Child>>();
  const auto evaluate = [this, look, ds, problem, written](change::ZoneEdit& edit, ZoneTables& tables) -> Result<void> {
    federation::Children children(tables[store::ZoneTable::Children]);
    auto found = children.find(look->child.registration.zone);
    if (!found) return tl::unexpected<Error>(found.error());
    written->reset();
    if (!*found) return {};  // it has left meanwhile
    Child& child = **found;
    const UnixTime now = room_.clock.now();
    // It asked for something else meanwhile: that is looked at next.
    const bool is_stale = !is_same_request(child.registration, look->child.registration);
    child.problem = problem;
    child.failures = problem.empty() ? 0 : child.failures + 1;
    child.next_look = is_stale ? now : problem.empty() ? now + daily : now + retry_after(child.failures - 1);
    if (child.state == ChildState::Delegated && !problem.empty()) child.next_look = std::max(child.next_look, now + last_retry);
    // A proof that is gone does not keep the DS from following.
    if ((problem.empty() || !look->is_proven) && !is_stale && ds) {
      child.registration.ds = *ds;
      child.state = ChildState::Delegated;
      federation::delegate_child(child, edit);
    }
    const auto door = room_.door();
    if (is_to_be_renewed(child) && look->is_proven) {
      const auto done = federation::certify(child, door->rules.policy, {door->identity->authorities().front(), door->identity->key()}, edit, now);
      if (!done) log::warning("registration.certificates", {{"zone", child.registration.zone.to_text()}, {"error", done.error().what}});
    }
    *written = child;
    return children.put(child);
  };
  const auto done = [this, look, problem, written](bool ok) {
    const std::string zone = look->child.registration.zone.to_text();
    const auto level = problem.empty() ? log::Level::Notice : log::Level::Warning;
    if (ok && *written)
      log::write(level, "registration.look", {{"zone", zone}, {"state", federation::to_text((*written)->state)},
                                              {"servers", look->answers.size()}, {"problem", problem.empty() ? "-" : problem}});
    room_.loop.post([this, zone, look, written, ok] {
      looks_.erase(zone);
      if (ok && *written)
        children_[zone] = **written;
      else if (ok)
        children_.erase(zone);
      else
        children_[zone].next_look = room_.clock.now() + last_retry;
    });
  };
  room_.post(
      [evaluate, done](RegistryZone&, ZoneKeeper& keeper) {
        keeper.edit(evaluate, false, [done](const LoadOutcome& outcome) { done(outcome.ok); });
      },
      [done](const std::string&) { done(false); });
}

}  // namespace steward::daemon
