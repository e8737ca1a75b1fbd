#include "daemon/feed_desk.hh"

#include "base/log.hh"
#include "federation/pushed_feed.hh"

namespace steward::daemon {
namespace {

using serve::ExtendedError;

constexpr std::string_view feed_label = "_feed";
constexpr size_t most_waiting_of_child = 32;
constexpr size_t most_explained = 240;  // octets of an error's text

/// Whose feed a zone of this name is; nothing where it is none's.
std::optional<dns::Name> registry_of_feed(const dns::Name& feed) {
  if (feed.view().label_count() < 3) return std::nullopt;
  const dns::NameView feeds = feed.view().parent();
  if (as_text(feeds.first_label()) != feed_label) return std::nullopt;
  return dns::Name(feeds.parent());
}

}  // namespace

/// One that is on its way.
struct FeedDesk::Asked {
  serve::UpdateRequest request;
  dns::Name child;
  change::UpdateRequest update;
  federation::FeedNames names;
  federation::PushOutcome outcome;  // of the last evaluation
};

bool FeedDesk::concerns(const serve::UpdateRequest& request) const {
  const auto child = registry_of_feed(request.zone);
  return child && room_.gate.is_child(*child);
}

FeedDesk::Figures FeedDesk::figures(const dns::Name& child) const {
  const std::lock_guard lock(mutex_);
  const auto at = figures_.find(child.to_text());
  return at != figures_.end() ? at->second : Figures{};
}

// Bounded: what is over is told to come again.
bool FeedDesk::enter(const dns::Name& child) {
  const std::lock_guard lock(mutex_);
  size_t& waiting = waiting_[child.to_text()];
  if (waiting >= most_waiting_of_child) return false;
  ++waiting;
  figures_[child.to_text()].heard_at = room_.clock.now();
  return true;
}

void FeedDesk::leave(const dns::Name& child, bool has_applied) {
  const std::lock_guard lock(mutex_);
  if (const auto at = waiting_.find(child.to_text()); at != waiting_.end() && --at->second == 0) waiting_.erase(at);
  if (has_applied) ++figures_[child.to_text()].messages;
}

void FeedDesk::take(serve::UpdateRequest request) {
  const auto child = registry_of_feed(request.zone);
  const UnixTime now = room_.clock.now();
  if (!child) return request.response.send(dns::Rcode::NOTAUTH, now, ExtendedError::NotAuthoritative);
  const auto shown = request.response.shown();
  if (!room_.gate.identify(request.message, shown ? *shown : CertificateChain{}, request.asker.client, {&*child, 1}))
    return request.response.send(dns::Rcode::REFUSED, now, ExtendedError::Prohibited);
  auto update = change::parse_update(request.message);
  if (!update) {
    room_.gate.refuse(*child, request.asker.client, "form", update.error().why ? update.error().why->text : "");
    return request.response.send(update.error().rcode, now, ExtendedError::Other);
  }
  if (!enter(*child)) return request.response.send(dns::Rcode::SERVFAIL, now, ExtendedError::NotReady);
  const dns::Name feed = request.zone;
  const auto asked = std::make_shared<Asked>(Asked{std::move(request), *child, std::move(*update), {*child, feed}, {}});
  const bool is_posted = room_.post(feed, [this, asked](ZoneKeeper* keeper) {
    const bool is_there = keeper != nullptr && keeper->config().pushed_by == asked->child && keeper->status().has_data;
    if (is_there) return apply(asked, *keeper);
    leave(asked->child, false);
    asked->request.response.send(dns::Rcode::SERVFAIL, room_.clock.now(), ExtendedError::NotReady, "the feed is not followed, or not loaded yet");
  });
  if (!is_posted) leave(*child, false);
}

void FeedDesk::apply(const AskedPtr& asked, ZoneKeeper& keeper) {
  const auto evaluate = [asked](change::ZoneEdit& edit, ZoneTables&) -> Result<void> {
    asked->outcome = federation::apply_push(asked->update, asked->names, edit);
    return {};
  };
  keeper.edit(evaluate, true, [this, asked](const LoadOutcome& committed) { answer(*asked, committed); });
}

// After the commit.
void FeedDesk::answer(Asked& asked, const LoadOutcome& committed) {
  const UnixTime now = room_.clock.now();
  const federation::PushOutcome& outcome = asked.outcome;
  serve::DeferredResponse& response = asked.request.response;
  const bool is_done = committed.ok && outcome.rcode == dns::Rcode::NOERROR;
  leave(asked.child, is_done && !asked.update.updates.empty());
  if (!committed.ok) return response.send(dns::Rcode::SERVFAIL, now, ExtendedError::Other, committed.error.substr(0, most_explained));
  if (outcome.is_refusal) room_.gate.refuse(asked.child, asked.request.asker.client, "form", outcome.why);
  const bool is_told = !asked.update.updates.empty() && !outcome.is_refusal;
  if (is_told)
    log::write(is_done ? log::Level::Debug : log::Level::Info, "feed.pushed",
               {{"child", asked.child.to_text()},
                {"feed", asked.names.feed.to_text()},
                {"outcome", to_text(outcome.rcode)},
                {"agents", outcome.agents},
                {"serial", committed.serial},
                {"why", outcome.why.empty() ? "-" : outcome.why}});
  if (outcome.state) {
    response.add(asked.names.feed, dns::RrType::SOA, 0, outcome.state->soa);
    if (outcome.state->mark_txt) response.add(asked.names.feed, dns::RrType::TXT, 0, *outcome.state->mark_txt);
  }
  if (is_done) return response.send(outcome.rcode, now);
  response.send(outcome.rcode, now, outcome.is_refusal ? ExtendedError::Prohibited : ExtendedError::Other, outcome.why.substr(0, most_explained));
}

}  // namespace steward::daemon
