#include "client/registry_search.hh"

#include <fmt/format.h>

#include <algorithm>

#include "client/names.hh"

namespace steward::client {
namespace {

using dns::Name;

/// Agents that are left out with a line of their own.
constexpr size_t told_agents = 8;

}  // namespace

RegistrySearch::RegistrySearch(const Name& zone, Role role, const Rules& rules)
    : zone_(zone), role_(role), rules_(rules), pages_(zone, rules.term, rules.enough) {}

void RegistrySearch::queue(const std::string& agent, AgentFacts& facts) {
  for (const Question& question : facts.take_questions()) {
    Sent& sent = queue_.emplace_back();
    sent.inquiry.question = question;
    sent.agent = agent;
  }
}

void RegistrySearch::queue_agents() {
  for (Inquiry& inquiry : pages_.take_inquiries()) queue_.emplace_front().inquiry = std::move(inquiry);
  for (const Name& agent : pages_.take_agents()) {
    const std::string name = plain_text(agent);
    queue(name, facts_.emplace(name, AgentFacts(agent, zone_)).first->second);
  }
}

void RegistrySearch::start(AnswerSource& source, size_t room) {
  if (!is_done_) queue_agents();
  while (!is_done_ && !queue_.empty() && sent_.size() < max_open && room > 0) {
    Sent sent = std::move(queue_.front());
    queue_.pop_front();
    sent.at = source.now();
    if (sent_.empty()) last_heard_ = sent.at;
    const auto ticket = source.start(sent.inquiry.question, sent.inquiry.round);
    if (!ticket)
      fail_with(ticket.error().what);
    else
      sent_.emplace(*ticket, std::move(sent));
    --room;
  }
  settle(source);
}

bool RegistrySearch::take(AnswerSource& source, Arrival& arrival) {
  const auto at = sent_.find(arrival.ticket);
  if (at == sent_.end()) return false;
  const Sent sent = std::move(at->second);
  sent_.erase(at);
  last_heard_ = source.now();
  if (arrival.answer)
    latency_ = std::min(latency_, std::chrono::duration_cast<std::chrono::microseconds>(last_heard_ - sent.at));
  if (sent.agent.empty())
    take_page(sent, arrival.answer);
  else
    take_fact(sent, arrival.answer);
  if (!is_done_) queue_agents();
  settle(source);
  return true;
}

void RegistrySearch::take_page(const Sent& sent, const Result<Answer>& answer) {
  if (!answer) return fail_with(answer.error().what);
  // Nothing that is not proved is shown: not even that there is nobody.
  if (answer->security != Security::Secure)
    return fail_with(fmt::format("DNSSEC: {}: {}", to_text(answer->security), answer->note));
  pages_.take(sent.inquiry, *answer);
}

void RegistrySearch::take_fact(const Sent& sent, const Result<Answer>& answer) {
  const auto at = facts_.find(sent.agent);
  if (at == facts_.end()) return;
  AgentFacts& facts = at->second;
  if (!answer) return leave_out(sent.agent, answer.error().what);
  facts.take(*answer);
  queue(sent.agent, facts);
  if (!facts.is_done()) return;
  auto fact = facts.judge(rules_.apex, rules_.term);
  if (!fact) return leave_out(sent.agent, fact.error().what);
  facts_.erase(at);
  agents_.push_back(std::move(*fact));
}

void RegistrySearch::leave_out(const std::string& agent, const std::string& why) {
  if (++left_out_ <= told_agents) warnings_.push_back(fmt::format("{} is left out: {}", agent, why));
  facts_.erase(agent);
}

void RegistrySearch::fail_with(std::string why) {
  failure_ = std::move(why);
  is_done_ = true;
}

void RegistrySearch::expire(AnswerSource& source) {
  if (is_done_ || source.now() < deadline()) return;
  const std::string silent = fmt::format("no answer within {} ms", rules_.patience.count());
  if (!pages_.is_done()) fail_with(silent);
  while (!is_done_ && !facts_.empty()) leave_out(std::string(facts_.begin()->first), silent);
  is_done_ = true;
  settle(source);
}

/// Done where all that was to be asked has come; then nothing stays on its way.
void RegistrySearch::settle(AnswerSource& source) {
  is_done_ = is_done_ || (pages_.is_done() && facts_.empty());
  if (!is_done_) return;
  for (const auto& [ticket, sent] : sent_) source.forget(ticket);
  sent_.clear();
  queue_.clear();
}

std::vector<std::string> RegistrySearch::warnings() const {
  std::vector<std::string> all;
  if (!failure_.empty()) all.push_back(failure_);
  all.insert(all.end(), pages_.problems().begin(), pages_.problems().end());
  all.insert(all.end(), warnings_.begin(), warnings_.end());
  if (left_out_ > told_agents) all.push_back(fmt::format("{} more agents are left out", left_out_ - told_agents));
  return all;
}

AskedRegistry RegistrySearch::asked() const {
  const bool answered = latency_ != std::chrono::microseconds::max() && failure_.empty();
  return {.zone = plain_text(zone_),
          .role = role_,
          .answered = answered,
          .agents = agents_.size(),
          .latency = answered ? latency_ : std::chrono::microseconds(0)};
}

}  // namespace steward::client
