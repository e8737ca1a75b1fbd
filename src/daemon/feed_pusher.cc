#include "daemon/feed_pusher.hh"

#include "base/log.hh"
#include "serve/request.hh"

namespace steward::daemon {
namespace {

constexpr std::chrono::milliseconds patience_of_push{60'000};  // for some messages, each of which is a commit

/// EXTRA-TEXT (RFC 8914 §2) of an answer, or its response code.
std::string said_by(const dns::Message& answer) {
  if (const dns::Record* opt = answer.opt()) {
    ByteView left = opt->rdata;
    while (const auto option = dns::next_edns_option(left))
      if (option->code == static_cast<uint16_t>(serve::EdnsOption::ExtendedError) && option->data.size() > 2)
        return std::string(as_text(option->data.subspan(2)));
  }
  return std::string(to_text(answer.rcode()));
}

}  // namespace

void FeedPusher::changed() {
  turns_.changed();
  step();
}

void FeedPusher::turned() {
  messages_.forget();
  turns_.turned();
  step();
}

FeedPusher::Figures FeedPusher::figures() const {
  Figures figures = figures_;
  figures.is_current = turns_.is_current();
  if (turns_.failures() > 0) figures.retry_at = turns_.not_before();
  return figures;
}

void FeedPusher::step() {
  if (!room_.endpoint()) return;
  switch (turns_.next(room_.clock.now())) {
    case PushTurns::Next::Nothing: return;
    case PushTurns::Next::Ask: return send({federation::push_question(room_.names.feed)});
    case PushTurns::Next::Send: break;
  }
  auto messages = read();
  if (!messages) return;
  messages->empty() ? turns_.found_current() : send(*std::move(messages));
}

// Nothing: it cannot be read yet.
std::optional<std::vector<dns::Message>> FeedPusher::read() {
  if (const auto acquired = room_.reader.acquire(); !acquired) {
    fail_with(acquired.error().what);
    return std::nullopt;
  }
  std::optional<std::vector<dns::Message>> messages;
  const store::ZoneRecord* const feed = room_.reader.zone_record(room_.names.feed);
  if (feed != nullptr && feed->info.availability == zone::Availability::Serving) messages = messages_.next(room_.reader, *feed, *turns_.held());
  room_.reader.release();
  return messages;
}

void FeedPusher::send(std::vector<dns::Message> messages) {
  auto tls = room_.tls();
  auto context = tls ? crypto::TlsClientContext::open(*std::move(tls)) : Result<std::shared_ptr<const crypto::TlsClientContext>>(tl::unexpected<Error>(tls.error()));
  if (!context) return fail_with(context.error().what);
  std::vector<Bytes> questions;
  const uint16_t first_id = net::random_message_id();
  size_t updates = 0;
  for (dns::Message& message : messages) {
    message.header.id = static_cast<uint16_t>(first_id + questions.size());
    updates += message.authority.empty() ? 0U : 1U;
    auto octets = room_.sign(std::move(message));
    if (!octets) return fail_with(octets.error().what);
    questions.push_back(*std::move(octets));
  }
  net::StreamCall::Options call;
  call.peer = *room_.endpoint();
  call.tls = *std::move(context);
  call.whole = patience_of_push;
  turns_.began();
  room_.dialogues.start(std::move(call), std::move(questions), [this, updates](const Result<std::vector<dns::Message>>& answers) { answered(answers, updates); });
}

// They are applied in their order: the last answer says what the parent holds after all of them.
void FeedPusher::answered(const Result<std::vector<dns::Message>>& answers, size_t updates) {
  if (!answers) return fail_with(answers.error().what);
  const dns::Message* refused = nullptr;
  for (const dns::Message& answer : *answers)
    if (refused == nullptr && answer.rcode() != dns::Rcode::NOERROR) refused = &answer;
  auto state = federation::push_state_of(answers->back(), room_.names.feed);
  if (refused != nullptr) messages_.forget();
  if (!state) return fail_with(refused != nullptr ? said_by(*refused) : "the parent does not say what it holds");
  figures_.reached = state->mark.reached;
  figures_.error = refused != nullptr ? said_by(*refused) : "";
  if (refused == nullptr) figures_.messages += updates;
  if (refused != nullptr || updates > 0)
    log::write(refused != nullptr ? log::Level::Notice : log::Level::Info, "feed.push",
               {{"parent", room_.parent.to_text()},
                {"messages", updates},
                {"acknowledged", state->mark.reached ? std::to_string(*state->mark.reached) : "-"},
                {"answer", refused != nullptr ? said_by(*refused) : "NOERROR"}});
  turns_.told(*std::move(state), updates > 0, room_.clock.now());
  step();
}

void FeedPusher::fail_with(const std::string& why) {
  const UnixTime now = room_.clock.now();
  messages_.forget();
  turns_.failed(now);
  figures_.error = why;
  log::notice("feed.push", {{"parent", room_.parent.to_text()}, {"error", why}, {"again_in", (turns_.not_before() - now).count()}});
}

}  // namespace steward::daemon
