#pragma once
// One registry in a search: its pages, the facts of the agents that they list, and how long it may be silent. Used by
// one thread.

#include <deque>
#include <map>
#include <string>

#include "client/agent_facts.hh"
#include "client/answer_source.hh"
#include "client/page_walk.hh"

namespace steward::client {

class RegistrySearch {
 public:
  struct Rules {
    dns::Name apex;
    std::string term;
    size_t enough = 0;
    std::chrono::milliseconds patience{};
  };
  /// Questions of one registry on their way at once.
  static constexpr size_t max_open = 32;

  RegistrySearch(const dns::Name& zone, Role role, const Rules& rules);

  /// Starts what is to be asked, within the limit and `room`, the number of further questions that all may start.
  void start(AnswerSource& source, size_t room);
  /// True where the ticket is one of its own.
  bool take(AnswerSource& source, Arrival& arrival);
  /// Gives up what has not come by now.
  void expire(AnswerSource& source);

  [[nodiscard]] bool is_done() const { return is_done_; }
  [[nodiscard]] size_t open() const { return sent_.size(); }
  /// When it has been silent for too long; never while nothing is on its way.
  [[nodiscard]] AnswerSource::TimePoint deadline() const {
    return sent_.empty() ? AnswerSource::TimePoint::max() : last_heard_ + rules_.patience;
  }

  [[nodiscard]] const dns::Name& zone() const { return zone_; }
  [[nodiscard]] const PageWalk& pages() const { return pages_; }
  [[nodiscard]] const std::vector<AgentFact>& agents() const { return agents_; }
  [[nodiscard]] std::vector<std::string> warnings() const;
  /// Whether all that it has was read.
  [[nodiscard]] bool is_complete() const {
    return failure_.empty() && left_out_ == 0 && !pages_.is_cut() && pages_.problems().empty();
  }
  [[nodiscard]] AskedRegistry asked() const;

 private:
  struct Sent {
    Inquiry inquiry;
    std::string agent;  // whose facts these are; empty: a page
    AnswerSource::TimePoint at;
  };

  void queue_agents();
  void queue(const std::string& agent, AgentFacts& facts);
  void take_page(const Sent& sent, const Result<Answer>& answer);
  void take_fact(const Sent& sent, const Result<Answer>& answer);
  void leave_out(const std::string& agent, const std::string& why);
  void fail_with(std::string why);
  void settle(AnswerSource& source);

  dns::Name zone_;
  Role role_;
  const Rules& rules_;
  PageWalk pages_;
  std::map<std::string, AgentFacts> facts_;  // that are awaited, by name
  std::deque<Sent> queue_;
  std::map<uint64_t, Sent> sent_;  // by ticket
  AnswerSource::TimePoint last_heard_;
  std::chrono::microseconds latency_ = std::chrono::microseconds::max();
  bool is_done_ = false;
  std::string failure_;  // why it is given up
  std::vector<std::string> warnings_;
  size_t left_out_ = 0;  // agents
  std::vector<AgentFact> agents_;
};

}  // namespace steward::client
