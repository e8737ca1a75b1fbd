#pragma once
// From a term to the names of its agents at one registry: page after page by `next`, so that an agent which is there
// all the time is never missed, however the pages split and join meanwhile (steward-records(7), "FINDING").
//
// A state machine without network and clock: take_inquiries() says what is to be asked, take() gets the answers, in any
// order. It goes in rounds. A page is read as its TXT, then its PTR: only a TXT that is still the same afterwards,
// asked past every cache, says that the PTR are all of its range; such a page is confirmed. Where the ranges of two
// pages do not meet, both are read again in the next round. What a registry says is bounded: rounds, pages, agents,
// circles.
//
//   reading round 0 -> (all confirmed and meeting) -> done
//        ^   |
//        |   v  not yet, and a round is left
//      next round: what is not confirmed is asked again
//
// Used by one thread.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/find_page.hh"
#include "client/resolver.hh"

namespace steward::client {

/// A question with what it is for. The answer must not come from a cache of another round.
struct Inquiry {
  Question question;
  unsigned round = 0;
  std::string page;  ///< id; empty: the first
};

class PageWalk {
 public:
  static constexpr unsigned max_rounds = 10;
  static constexpr size_t max_pages = 20'000;
  static constexpr size_t max_agents = 100'000;
  /// Pages that bring no agent are few: two that are half empty become one.
  static constexpr size_t max_fruitless = 256;

  /// `enough`: no further page is begun once so many agents are found; 0: all are read.
  PageWalk(const dns::Name& zone, std::string_view term, size_t enough);

  std::vector<Inquiry> take_inquiries();
  /// A secure answer to one of them.
  void take(const Inquiry& inquiry, const Answer& answer);

  [[nodiscard]] bool is_done() const { return done_; }
  /// False where the zone of this name is another one, so that there is no registry here.
  [[nodiscard]] bool is_registry() const { return is_registry_; }
  /// Names of agents below the zone that have come since it was asked last, folded, each once.
  std::vector<dns::Name> take_agents();
  [[nodiscard]] uint64_t about() const { return about_; }
  /// Whether pages were left unread, since there was enough.
  [[nodiscard]] bool is_cut() const { return is_cut_; }
  /// What does not hold in the registry's pages, a sentence each.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct Page {
    std::optional<FindPage> text;
    unsigned round = 0;  ///< in which the text was read
    bool is_listed = false;
    bool is_confirmed = false;
  };

  void ask(const std::string& id, dns::RrType type);
  void take_text(const std::string& id, const Answer& answer);
  void take_list(const std::string& id, const Answer& answer);
  bool read(const std::string& id, Page& page);
  bool step(const std::string& id, const FindPage& text);
  void advance();
  void end_round();
  void begin_round();
  void reread(const std::string& id);
  void give_up(std::string problem);

  dns::Name zone_;
  std::string term_;
  size_t enough_;

  std::map<std::string, Page> pages_;  // by id
  std::set<std::string> known_;        // agents, as text
  std::vector<dns::Name> agents_;
  std::vector<Inquiry> inquiries_;
  std::vector<std::string> problems_;
  uint64_t about_ = 0;
  size_t strangers_ = 0;  // listed, but not below the zone
  bool is_registry_ = true;
  bool is_unknown_ = false;  // nobody is found by the term, any more
  bool is_cut_ = false;
  bool done_ = false;

  // Of this round.
  unsigned round_ = 0;
  size_t open_ = 0;                                      // inquiries without an answer
  std::map<std::string, std::optional<FindPage>> read_;  // texts; nothing where the page is gone
  std::set<std::string> asked_;
  std::set<std::string> passed_;
  std::string at_;        // the page that comes next along the chain
  std::string before_;    // the one before it
  std::string expected_;  // its `from`
  bool at_end_ = false;
  bool is_sound_ = true;  // every page so far is confirmed and meets the one before it
};

}  // namespace steward::client
