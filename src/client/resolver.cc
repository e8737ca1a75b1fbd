#include "client/resolver.hh"

#include <fmt/format.h>
#include <poll.h>
#include <unbound.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <string>

#include "base/handle.hh"
#include "client/names.hh"
#include "client/registry_tls.hh"
#include "client/tls_relay.hh"
#include "dns/rdata.hh"

namespace steward::client {
namespace {

using dns::Record;
using Clock = std::chrono::steady_clock;

struct DeleteContext {
  void operator()(ub_ctx* context) const { ub_ctx_delete(context); }
};
struct FreeResult {
  void operator()(ub_result* result) const { ub_resolve_free(result); }
};

/// One question on its way: libunbound's callback fills it.
struct Pending {
  int id = 0;
  bool done = false;
  int error = UB_NOERROR;
  std::unique_ptr<ub_result, FreeResult> result;
};

void on_answer(void* data, int error, ub_result* result) {
  auto* pending = static_cast<Pending*>(data);
  pending->done = true;
  pending->error = error;
  pending->result.reset(result);
}

struct Option {
  const char* name;
  std::string value;
};

Result<void> set_options(ub_ctx* context, std::span<const Option> options) {
  for (const Option& option : options)
    if (const int error = ub_ctx_set_option(context, option.name, option.value.c_str()); error != UB_NOERROR)
      return fail(Errc::Invalid, fmt::format("resolver: {} {}: {}", option.name, option.value, ub_strerror(error)));
  return {};
}

/// The questions that a user asks for and the keys that prove the answers, and nothing else.
std::vector<Option> plain_options() {
  return {{"do-not-query-localhost:", "no"},
          {"qname-minimisation:", "no"},
          {"aggressive-nsec:", "no"},
          {"trust-anchor-signaling:", "no"},
          {"root-key-sentinel:", "no"},
          // RFC 9276 §3.2: more iterations than this are insecure.
          {"val-nsec3-keysize-iterations:", "1024 100 2048 100 4096 100"}};
}

/// Every address but that of the relay: where a registry refers to other servers, these would be asked in the clear.
std::vector<Option> nobody_but(const SocketAddress& relay) {
  std::vector<Option> options{{"tcp-upstream:", "yes"}, {"do-not-query-address:", "::/0"}};
  const uint32_t address = load_u32(relay.octets().data());
  for (unsigned length = 1; length <= 32; ++length) {
    const unsigned host_bits = 32 - length;
    const uint32_t other = (address >> host_bits ^ 1) << host_bits;
    options.push_back({"do-not-query-address:", fmt::format("{}.{}.{}.{}/{}", other >> 24, other >> 16 & 0xFF,
                                                            other >> 8 & 0xFF, other & 0xFF, length)});
  }
  return options;
}

Result<std::unique_ptr<TlsRelay>> open_relay(const Settings& settings) {
  const auto registry = SocketAddress::from_text(settings.registry);
  if (!registry) return fail(fmt::format("registry '{}'", settings.registry), registry.error());
  auto tls = open_registry_tls(settings, settings.tls_name);
  if (!tls) return fail("tls", tls.error());
  return TlsRelay::start({.registry = *registry, .tls = std::move(*tls), .timeout = settings.timeout});
}

/// `address`: of the registry, or of the relay that leads to it. May be called for several.
Result<void> use_registry(ub_ctx* context, const std::string& apex, const std::string& address) {
  // Names that a resolver keeps from the network (RFC 6761) go to the registry like any other.
  const std::vector<Option> options{{"local-zone:", "test. nodefault"}, {"local-zone:", "home.arpa. nodefault"}};
  if (auto set = set_options(context, options); !set) return set;
  // Below the apex referrals are followed; nothing else is asked of anybody else.
  int error = ub_ctx_set_stub(context, apex.c_str(), address.c_str(), 0);
  if (error == UB_NOERROR) error = ub_ctx_set_fwd(context, address.c_str());
  if (error != UB_NOERROR)
    return fail(Errc::Invalid, fmt::format("registry '{}': {}", address, ub_strerror(error)));
  return {};
}

Result<void> use_anchors(ub_ctx* context, std::span<const Record> anchors) {
  for (const Record& anchor : anchors) {
    const std::string text = fmt::format("{} IN {} {}", anchor.owner.to_text(), dns::to_text(anchor.type),
                                         dns::rdata_to_text(anchor.type, anchor.rdata));
    if (const int error = ub_ctx_add_ta(context, text.c_str()); error != UB_NOERROR)
      return fail(Errc::Invalid, fmt::format("trust anchor {}: {}", text, ub_strerror(error)));
  }
  return {};
}

std::string described(const Question& question) {
  return fmt::format("{} {}", plain_text(question.name), dns::to_text(question.type));
}

Result<Answer> answer_of(const Question& question, const ub_result& result) {
  Answer answer{.question = question, .note = {}, .rdatas = {}, .message = {}};
  answer.rcode = static_cast<dns::Rcode>(result.rcode);
  answer.security = result.secure != 0 ? Security::Secure : result.bogus != 0 ? Security::Bogus : Security::Insecure;
  if (answer.security == Security::Bogus) {
    answer.note = result.why_bogus != nullptr ? result.why_bogus : described(question);
    return answer;
  }
  if (answer.rcode != dns::Rcode::NOERROR && answer.rcode != dns::Rcode::NXDOMAIN)
    return fail(Errc::Io,
                fmt::format("{}: no server gives an answer ({})", described(question), dns::to_text(answer.rcode)));
  if (answer.security == Security::Insecure)
    answer.note = fmt::format("{}: no chain of signatures leads to it from the trust anchor", described(question));
  const ByteView packet(static_cast<const uint8_t*>(result.answer_packet), static_cast<size_t>(result.answer_len));
  auto message = dns::Message::parse(packet);
  if (!message) return fail(Errc::Io, fmt::format("{}: {}", described(question), message.error().what));
  answer.message = std::move(*message);
  for (const Record& record : answer.message.answer)
    if (record.type == question.type && record.owner == question.name) answer.rdatas.push_back(record.rdata);
  return answer;
}

}  // namespace

struct Resolver::State {
  std::unique_ptr<TlsRelay> relay;  // null without TLS; goes after who asks it
  std::unique_ptr<ub_ctx, DeleteContext> context;
  std::chrono::milliseconds timeout{};
  std::string asked;  // for messages
  struct Started {
    Question question;
    Pending pending;
  };
  std::map<uint64_t, std::unique_ptr<Started>> started;  // by ticket
  uint64_t last_ticket = 0;

  Result<void> make();
  /// After all settings.
  Result<void> begin(std::span<const Record> anchors);
  [[nodiscard]] Result<void> wait(std::vector<Pending>& all, std::span<const Question> questions) const;
  /// What has come, or why nothing did: the relay knows more of that than libunbound.
  [[nodiscard]] Result<Answer> answer_to(const Question& question, const ub_result& result) const;
  [[nodiscard]] Result<void> check_relay(dns::NameView name) const;
};

Result<void> Resolver::State::check_relay(dns::NameView name) const {
  if (!relay) return {};
  if (const std::string why = relay->trouble(); !why.empty()) return fail(Errc::Io, why);
  if (const dns::Name zone = relay->handed_on(name); !zone.view().is_root())
    return fail(Errc::Io, fmt::format("{}: the registry refers to other servers, which are not asked: TLS is wanted, "
                                      "and their names are not known to be theirs",
                                      plain_text(zone)));
  return {};
}

Result<Answer> Resolver::State::answer_to(const Question& question, const ub_result& result) const {
  auto answer = answer_of(question, result);
  if (answer && answer->security != Security::Bogus) return answer;
  if (auto checked = check_relay(question.name); !checked) return tl::unexpected(checked.error());
  return answer;
}

Resolver::Resolver(std::unique_ptr<State> state) : state_(std::move(state)) {}
Resolver::Resolver(Resolver&&) noexcept = default;
Resolver& Resolver::operator=(Resolver&&) noexcept = default;
Resolver::~Resolver() = default;

Result<void> Resolver::State::make() {
  context.reset(ub_ctx_create());
  if (context == nullptr) return fail(Errc::Full, "resolver: no memory");
  ub_ctx_debugout(context.get(), nullptr);
  return set_options(context.get(), plain_options());
}

Result<void> Resolver::State::begin(std::span<const Record> anchors) {
  if (auto set = use_anchors(context.get(), anchors); !set) return set;
  if (const int error = ub_ctx_async(context.get(), 1); error != UB_NOERROR)
    return fail(Errc::Io, fmt::format("resolver: {}", ub_strerror(error)));
  return {};
}

Result<Resolver> Resolver::open_below(const dns::Name& apex, std::span<const SocketAddress> servers,
                                      std::span<const Record> anchors) {
  auto state = std::make_unique<State>();
  state->asked = "the root registry";
  if (auto made = state->make(); !made) return tl::unexpected(made.error());
  for (const SocketAddress& server : servers)
    if (auto set = use_registry(state->context.get(), apex.to_text(), server.to_text()); !set)
      return tl::unexpected(set.error());
  if (auto begun = state->begin(anchors); !begun) return tl::unexpected(begun.error());
  return Resolver(std::move(state));
}

Result<Resolver> Resolver::open(const Settings& settings, std::span<const Record> anchors) {
  return open(settings, anchors, std::nullopt);
}

Result<Resolver> Resolver::open(const Settings& settings, std::span<const Record> anchors,
                                const std::optional<Closest>& closest) {
  auto state = std::make_unique<State>();
  state->timeout = settings.timeout;
  state->asked = settings.registry.empty() ? "the system's resolver" : settings.registry;
  if (auto made = state->make(); !made) return tl::unexpected(made.error());
  ub_ctx* context = state->context.get();
  if (!settings.registry.empty()) {
    std::string address = settings.registry;
    if (settings.tls) {
      auto relay = open_relay(settings);
      if (!relay) return tl::unexpected(relay.error());
      state->relay = std::move(*relay);
      address = state->relay->address().to_text();
      if (auto set = set_options(context, nobody_but(state->relay->address())); !set)
        return tl::unexpected(set.error());
    }
    if (auto set = use_registry(context, settings.apex, address); !set) return tl::unexpected(set.error());
  } else if (const int error = ub_ctx_resolvconf(context, nullptr); error != UB_NOERROR) {
    return fail(Errc::Io, fmt::format("/etc/resolv.conf: {}", ub_strerror(error)));
  }
  if (closest)
    if (const int error = ub_ctx_set_stub(context, closest->zone.to_text().c_str(), closest->server.c_str(), 0); error != UB_NOERROR)
      return fail(Errc::Invalid, fmt::format("server '{}': {}", closest->server, ub_strerror(error)));
  if (auto begun = state->begin(anchors); !begun) return tl::unexpected(begun.error());
  return Resolver(std::move(state));
}

Result<void> Resolver::State::wait(std::vector<Pending>& all, std::span<const Question> questions) const {
  const auto end = Clock::now() + timeout;
  while (true) {
    size_t open = all.size();
    for (size_t i = 0; i < all.size(); ++i) {
      if (!all[i].done) open = std::min(open, i);
      if (all[i].done && all[i].error != UB_NOERROR)
        return fail(Errc::Io, fmt::format("{} of {}: {}", described(questions[i]), asked, ub_strerror(all[i].error)));
    }
    if (open == all.size()) return {};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0) {
      if (auto checked = check_relay(questions[open].name); !checked) return checked;
      return fail(Errc::Io,
                  fmt::format("{} of {}: no answer within {} ms", described(questions[open]), asked, timeout.count()));
    }
    pollfd readable{.fd = ub_fd(context.get()), .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, static_cast<int>(left.count())) < 0 && errno != EINTR)
      return fail(Errc::Io, fmt::format("resolver: {}", std::strerror(errno)));
    if (ub_process(context.get()) != UB_NOERROR) return fail(Errc::Io, "resolver: its thread has ended");
  }
}

Result<std::vector<Answer>> Resolver::ask(std::span<const Question> questions) {
  std::vector<Pending> all(questions.size());
  ub_ctx* context = state_->context.get();
  Result<void> done;
  for (size_t i = 0; i < all.size() && done; ++i) {
    const int error = ub_resolve_async(context, questions[i].name.to_text().c_str(), dns::value(questions[i].type),
                                       dns::value(dns::RrClass::IN), &all[i], on_answer, &all[i].id);
    if (error == UB_NOERROR) continue;
    all[i].done = true;
    done = fail(Errc::Io, fmt::format("{}: {}", described(questions[i]), ub_strerror(error)));
  }
  if (done) done = state_->wait(all, questions);
  // No callback may come once `all` is gone.
  for (const Pending& pending : all)
    if (!pending.done && pending.id != 0) ub_cancel(context, pending.id);
  if (!done) return tl::unexpected(done.error());
  std::vector<Answer> answers;
  for (size_t i = 0; i < all.size(); ++i) {
    auto answer = state_->answer_to(questions[i], *all[i].result);
    if (!answer) return state_->relay ? tl::unexpected(answer.error()) : fail(state_->asked, answer.error());
    answers.push_back(std::move(*answer));
  }
  return answers;
}

Result<uint64_t> Resolver::start(const Question& question) {
  auto started = std::make_unique<State::Started>(State::Started{question, {}});
  Pending& pending = started->pending;
  const int error = ub_resolve_async(state_->context.get(), question.name.to_text().c_str(), dns::value(question.type),
                                     dns::value(dns::RrClass::IN), &pending, on_answer, &pending.id);
  if (error != UB_NOERROR) return fail(Errc::Io, fmt::format("{}: {}", described(question), ub_strerror(error)));
  state_->started.emplace(++state_->last_ticket, std::move(started));
  return state_->last_ticket;
}

int Resolver::fd() const { return ub_fd(state_->context.get()); }

std::vector<Arrival> Resolver::take_arrivals() {
  std::vector<Arrival> arrivals;
  const bool ended = ub_process(state_->context.get()) != UB_NOERROR;
  for (auto at = state_->started.begin(); at != state_->started.end();) {
    const auto& [question, pending] = *at->second;
    if (!pending.done && !ended) {
      ++at;
      continue;
    }
    if (!pending.done)
      arrivals.push_back({at->first, fail(Errc::Io, "resolver: its thread has ended")});
    else if (pending.error != UB_NOERROR)
      arrivals.push_back(
          {at->first, fail(Errc::Io, fmt::format("{}: {}", described(question), ub_strerror(pending.error)))});
    else
      arrivals.push_back({at->first, state_->answer_to(question, *pending.result)});
    at = state_->started.erase(at);
  }
  return arrivals;
}

void Resolver::forget(uint64_t ticket) {
  const auto at = state_->started.find(ticket);
  if (at == state_->started.end()) return;
  if (!at->second->pending.done) ub_cancel(state_->context.get(), at->second->pending.id);
  state_->started.erase(at);
}

}  // namespace steward::client
