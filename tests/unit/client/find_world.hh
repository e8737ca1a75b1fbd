#pragma once
// Registries that exist in memory, as a search sees them: answers that are secure, pages that change while they are
// read, servers that are silent, and a clock that moves when nobody answers.

#include <deque>
#include <functional>
#include <random>
#include <set>

#include "client/answer_source.hh"
#include "client/page_walk.hh"
#include "signed_world.hh"

namespace steward::client::test {

inline Bytes ptr(const Name& target) { return {target.data(), target.data() + target.size()}; }

inline Answer secure_answer(const Question& question, std::vector<Bytes> rdatas, const Name& zone) {
  Answer answer{
      .question = question, .security = Security::Secure, .note = {}, .rdatas = std::move(rdatas), .message = {}};
  if (answer.rdatas.empty()) {
    answer.rcode = dns::Rcode::NXDOMAIN;
    answer.message.authority.push_back({zone, RrType::SOA, dns::RrClass::IN, 60, {}});
  }
  return answer;
}

/// The pages of one term. Agents are `a<number>` below the zone, in the order of their numbers.
class TermPages {
 public:
  struct Page {
    std::string id, from, to;
    uint64_t serial = 0;
  };

  TermPages(Name zone, std::string term, size_t count, size_t page_size)
      : zone_(std::move(zone)), term_(std::move(term)) {
    for (size_t i = 0; i < count; ++i) add(i * 10);
    pages.push_back({"", "", "", ++number_});
    for (size_t at = page_size; at < count; at += page_size) split(pages.size() - 1, key(at * 10));
  }

  static std::string key(size_t number) { return fmt::format("a{:06}", number); }
  void add(size_t number) { agents.insert(key(number)); }

  void split(size_t at, const std::string& middle) {
    Page upper{fmt::format("{:x}", ++number_), middle, pages[at].to, number_};
    pages[at].to = middle;
    pages[at].serial = number_;
    pages.insert(pages.begin() + static_cast<ptrdiff_t>(at) + 1, upper);
  }
  void join(size_t at) {
    pages[at].to = pages[at + 1].to;
    pages[at].serial = ++number_;
    pages.erase(pages.begin() + static_cast<ptrdiff_t>(at) + 1);
  }

  [[nodiscard]] Name agent_name(const std::string& label) const { return name(label + "." + zone_.to_text()); }

  [[nodiscard]] std::vector<std::string> listed(const Page& page) const {
    std::vector<std::string> out;
    for (auto at = agents.lower_bound(page.from); at != agents.end() && (page.to.empty() || *at < page.to); ++at)
      out.push_back(*at);
    return out;
  }

  /// RDATA of TXT or PTR at a page; nothing where there is no such page.
  [[nodiscard]] std::vector<Bytes> rdatas(const Question& question) const {
    for (size_t i = 0; i < pages.size(); ++i) {
      const Page& page = pages[i];
      if (find_page_name(zone_, term_, page.id).value() != question.name) continue;
      if (question.type == RrType::TXT)
        return {txt({{"v", "steward-find1"},
                     {"n", std::to_string(agents.size())},
                     {"from", page.from},
                     {"to", page.to},
                     {"next", i + 1 < pages.size() ? pages[i + 1].id : ""},
                     {"serial", std::to_string(page.serial)}})};
      std::vector<Bytes> out;
      for (const std::string& label : listed(page)) out.push_back(ptr(agent_name(label)));
      return out;
    }
    return {};
  }

  std::vector<Page> pages;
  std::set<std::string> agents;

 private:
  Name zone_;
  std::string term_;
  uint64_t number_ = 0;
};

/// A walk to its end: `answer` is asked for one open question after the other, in any order.
struct Walked {
  std::set<std::string> agents;  // labels
  size_t asked = 0;
};

inline Walked walk(PageWalk& pages, const std::function<std::vector<Bytes>(const Question&)>& answer, const Name& zone,
                   std::mt19937* any_order = nullptr) {
  Walked walked;
  std::deque<Inquiry> open;
  while (!pages.is_done()) {
    for (Inquiry& inquiry : pages.take_inquiries()) open.push_back(std::move(inquiry));
    REQUIRE_FALSE(open.empty());
    if (any_order != nullptr) std::swap(open.front(), open[(*any_order)() % open.size()]);
    const Inquiry inquiry = open.front();
    open.pop_front();
    ++walked.asked;
    pages.take(inquiry, secure_answer(inquiry.question, answer(inquiry.question), zone));
    for (const Name& agent : pages.take_agents()) walked.agents.emplace(as_text(agent.view().first_label()));
  }
  return walked;
}

}  // namespace steward::client::test
