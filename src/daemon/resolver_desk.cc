#include "daemon/resolver_desk.hh"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.hh"
#include "client/trust_anchor.hh"

namespace steward::daemon {
namespace {

using serve::ExtendedError;
using serve::RecursiveResponse;

constexpr uint64_t ns_per_second = 1'000'000'000;
constexpr uint64_t ns_per_ms = 1'000'000;

Bytes key_of(const SocketAddress& client) {
  const ByteView octets = client.octets();
  return {octets.begin(), octets.end()};
}

serve::Resolution resolution_of(const client::Answer& answer) {
  return {answer.rcode, answer.security == client::Security::Secure, answer.message.answer, answer.message.authority};
}

}  // namespace

Result<std::unique_ptr<ResolverDesk>> ResolverDesk::open(const config::Config& config, const Clock& clock) {
  client::Settings settings;
  settings.trust_anchor = config.registry->trust_anchor.string();
  const auto text = client::read_anchor_text(settings);
  if (!text) return fail("registry.trust-anchor", text.error());
  const auto anchors = client::parse_anchors(*text);
  if (!anchors) return fail(settings.trust_anchor, anchors.error());
  auto resolver = client::Resolver::open_below(config.registry->apex, config.registry->root, *anchors);
  if (!resolver) return tl::unexpected(resolver.error());
  std::unique_ptr<ResolverDesk> desk(new ResolverDesk(config, clock, std::move(*resolver)));
  desk->wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (desk->wake_ < 0) return fail(Errc::Io, std::string("eventfd: ") + std::strerror(errno));
  return desk;
}

ResolverDesk::ResolverDesk(const config::Config& config, const Clock& clock, client::Resolver resolver)
    : apex_(config.registry->apex.folded()), limits_(*config.resolver), clock_(clock), resolver_(std::move(resolver)) {}

ResolverDesk::~ResolverDesk() {
  stop();
  if (wake_ >= 0) ::close(wake_);
}

void ResolverDesk::start() {
  thread_ = std::thread([this] { run(); });
}

void ResolverDesk::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  ::eventfd_write(wake_, 1);
  if (thread_.joinable()) thread_.join();
}

void ResolverDesk::resolve(RecursiveResponse response) {
  bool taken = false;
  {
    const std::lock_guard lock(mutex_);
    uint32_t& of_client = clients_[key_of(response.client())];
    taken = !stop_ && figures_.under_way < limits_.max_queries && of_client < limits_.max_client_queries;
    if (taken) {
      ++of_client;
      ++figures_.under_way;
    } else {
      if (of_client == 0) clients_.erase(key_of(response.client()));
      ++figures_.overload;
    }
    const uint64_t until_ns = clock_.monotonic_ns() + static_cast<uint64_t>(limits_.timeout.count()) * ns_per_second;
    if (taken) waiting_.push_back({std::move(response), until_ns});
  }
  if (!taken) return response.fail(dns::Rcode::SERVFAIL, ExtendedError::NotReady, "too many questions are under way");
  ::eventfd_write(wake_, 1);
}

ResolverDesk::Figures ResolverDesk::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

void ResolverDesk::run() {
  while (true) {
    wait();
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
    }
    begin_waiting();
    answer_arrivals();
    give_up_late();
  }
}

// Until something has come, or the first question is late.
void ResolverDesk::wait() {
  int timeout_ms = -1;
  if (!asked_.empty()) {
    const uint64_t now = clock_.monotonic_ns();
    const uint64_t until = asked_.begin()->second.until_ns;
    timeout_ms = until <= now ? 0 : static_cast<int>((until - now) / ns_per_ms + 1);
  }
  pollfd both[] = {{.fd = wake_, .events = POLLIN, .revents = 0}, {.fd = resolver_.fd(), .events = POLLIN, .revents = 0}};
  ::poll(both, std::size(both), timeout_ms);
  eventfd_t rung = 0;
  ::eventfd_read(wake_, &rung);
}

void ResolverDesk::begin_waiting() {
  std::deque<Asked> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting = std::exchange(waiting_, {});
  }
  for (Asked& asked : waiting) {
    const dns::Question& question = asked.response.question();
    const auto ticket = resolver_.start({question.name, question.type});
    if (ticket)
      asked_.emplace(*ticket, std::move(asked));
    else
      answer(asked.response, tl::unexpected(ticket.error()));
  }
}

void ResolverDesk::answer_arrivals() {
  for (const client::Arrival& arrival : resolver_.take_arrivals()) {
    const auto at = asked_.find(arrival.ticket);
    if (at == asked_.end()) continue;
    answer(at->second.response, arrival.answer);
    asked_.erase(at);
  }
}

void ResolverDesk::give_up_late() {
  const uint64_t now = clock_.monotonic_ns();
  while (!asked_.empty() && asked_.begin()->second.until_ns <= now) {
    RecursiveResponse& response = asked_.begin()->second.response;
    end(response, &Figures::timed_out);
    response.fail(dns::Rcode::SERVFAIL, ExtendedError::NoReachableAuthority, "no answer in time");
    resolver_.forget(asked_.begin()->first);
    asked_.erase(asked_.begin());
  }
}

void ResolverDesk::answer(RecursiveResponse& response, const Result<client::Answer>& answer) {
  if (!answer) {
    end(response, &Figures::failed);
    return response.fail(dns::Rcode::SERVFAIL, ExtendedError::NoReachableAuthority, answer.error().what);
  }
  if (answer->security == client::Security::Bogus) {
    end(response, &Figures::bogus);
    tell_bogus(response, answer->note);
    return response.fail(dns::Rcode::SERVFAIL, ExtendedError::DnssecBogus, answer->note);
  }
  serve::Resolution found = resolution_of(*answer);
  serve::keep_below(found, apex_);
  end(response, found.secure ? &Figures::secure : &Figures::insecure);
  response.send(found);
}

// Before it is answered, so that whoever has the answer finds it counted.
void ResolverDesk::end(const RecursiveResponse& response, uint64_t Figures::*count) {
  const std::lock_guard lock(mutex_);
  ++(figures_.*count);
  --figures_.under_way;
  const auto client = clients_.find(key_of(response.client()));
  if (client != clients_.end() && --client->second == 0) clients_.erase(client);
}

// A client can ask for the same again and again: one line a second.
void ResolverDesk::tell_bogus(const RecursiveResponse& response, std::string_view why) {
  const uint64_t now = clock_.monotonic_ns();
  if (told_bogus_ns_ != 0 && now - told_bogus_ns_ < ns_per_second) return;
  told_bogus_ns_ = now;
  const dns::Question& question = response.question();
  log::warning("resolver.bogus", {{"name", question.name.to_text()}, {"type", dns::to_text(question.type)}, {"why", why}});
}

}  // namespace steward::daemon
