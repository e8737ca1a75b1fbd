#include "daemon/anchored_lookup.hh"

#include <fmt/format.h>

#include <utility>

#include "client/trust_anchor.hh"

namespace steward::daemon {
namespace {

constexpr std::chrono::milliseconds anchored_patience{10'000};

Result<std::vector<Bytes>> rdatas_in(Result<client::Answer> answer) {
  if (!answer) return tl::unexpected<Error>(answer.error());
  const std::string what = fmt::format("{} {}", answer->question.name.to_text(), dns::to_text(answer->question.type));
  if (answer->security != client::Security::Secure)
    return fail(Errc::Refused, fmt::format("{}: not validated from registry.trust-anchor: {}", what, answer->note));
  if (answer->rcode != dns::Rcode::NOERROR && answer->rcode != dns::Rcode::NXDOMAIN)
    return fail(Errc::Io, fmt::format("{}: {}", what, dns::to_text(answer->rcode)));
  return std::move(answer->rdatas);
}

}  // namespace

Result<std::unique_ptr<AnchoredLookup>> AnchoredLookup::open(net::Loop& loop, const config::RegistryConfig& registry) {
  if (registry.root.empty() || registry.trust_anchor.empty()) return std::unique_ptr<AnchoredLookup>{};
  client::Settings settings;
  settings.trust_anchor = registry.trust_anchor.string();
  const auto text = client::read_anchor_text(settings);
  if (!text) return fail("registry.trust-anchor", text.error());
  const auto anchors = client::parse_anchors(*text);
  if (!anchors) return fail(settings.trust_anchor, anchors.error());
  std::unique_ptr<AnchoredLookup> lookup(new AnchoredLookup(loop, registry, *anchors));
  if (auto begun = lookup->begin(); !begun) return tl::unexpected<Error>(begun.error());
  return lookup;
}

// With nothing in its cache. Nothing may be under way.
Result<void> AnchoredLookup::begin() {
  watch_.reset();
  auto resolver = client::Resolver::open_below(registry_.apex, registry_.root, anchors_);
  if (!resolver) return tl::unexpected<Error>(resolver.error());
  resolver_.emplace(*std::move(resolver));
  auto watch = net::FdWatch::open(loop_, resolver_->fd(), *this);
  if (!watch) return tl::unexpected<Error>(watch.error());
  watch_ = *std::move(watch);
  watch_->want(net::Ready::Read);
  forgets_ = false;
  return {};
}

void AnchoredLookup::ask(const dns::Name& name, dns::RrType type, Done done) {
  auto begun = forgets_ && asked_.empty() ? begin() : Result<void>{};
  const auto ticket = begun ? resolver_->start({name, type}) : Result<uint64_t>(tl::unexpected<Error>(begun.error()));
  if (!ticket) {
    loop_.post([done = std::move(done), error = ticket.error()] { done(tl::unexpected<Error>(error)); });
    return;
  }
  Asked& asked = asked_[*ticket];
  asked.name = name;
  asked.done = std::move(done);
  asked.late = std::make_unique<net::Timer>(loop_);
  asked.late->after(anchored_patience, [this, ticket = *ticket] {
    resolver_->forget(ticket);
    end(ticket, fail(Errc::Io, asked_.at(ticket).name.to_text() + ": no answer from the root registry and whom it refers to"));
  });
}

void AnchoredLookup::on_ready(net::Ready) {
  for (client::Arrival& arrival : resolver_->take_arrivals()) end(arrival.ticket, rdatas_in(std::move(arrival.answer)));
}

void AnchoredLookup::end(uint64_t ticket, Result<std::vector<Bytes>> found) {
  const auto at = asked_.find(ticket);
  if (at == asked_.end()) return;
  // The timer may be who calls: it goes when it has returned.
  auto asked = std::make_shared<Asked>(std::move(at->second));
  asked_.erase(at);
  forgets_ = forgets_ || !found || found->empty();
  loop_.post([asked, found = std::move(found)] { asked->done(found); });
}

}  // namespace steward::daemon
