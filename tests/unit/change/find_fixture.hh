#pragma once
// A zone and its pages, and a client's walk over them that knows nothing but their records.

#include <random>

#include "change/find_pages.hh"
#include "zone_fixture.hh"

namespace steward::change::test {

/// What a page says of itself.
struct PageText {
  std::map<std::string, std::string> values;
  [[nodiscard]] const std::string& at(const std::string& key) const { return values.at(key); }
};

/// example., agents of a term and of others.
class Finder {
 public:
  explicit Finder(Mode with = Mode::Unsigned, std::string_view rest = "") : mode(with) {
    zone.load(text(1, rest), mode);
  }

  /// One change in one edit: an agent with this trust under these terms, or without trust none.
  EditResult set(const std::string& label, std::optional<double> trust, std::vector<std::string> terms = {"plan"});
  /// Many in one edit.
  void set_all(const std::vector<std::pair<std::string, double>>& agents,
               const std::vector<std::string>& terms = {"plan"});

  [[nodiscard]] std::vector<std::string> ptr(const std::string& page);
  [[nodiscard]] std::optional<PageText> txt(const std::string& page);
  /// Owner of a page relative to example.
  static std::string owner(const std::string& term, const std::string& id);
  /// Follows `next` and has the rules of pages hold: no gap, ranges in order, sizes, no page that nothing leads to.
  std::vector<std::string> pages(const std::string& term = "plan");
  /// All that the pages list is what was set.
  void check_complete(const std::string& term = "plan");

  Mode mode;
  Zone zone;
  MemoryAttic table;
  std::map<std::string, FoundAgent> agents;  ///< by label

 private:
  void change(ZoneEdit& edit, const std::string& label, std::optional<double> trust,
              const std::vector<std::string>& terms);
};

/// Reads page after page as steward-records(7) tells clients to: the PTR RRset between two equal readings of the TXT.
class Walk {
 public:
  Walk(Finder& finder, std::string term) : finder_(finder), term_(std::move(term)) {}
  /// One question; false when the walk is at its end.
  bool step();
  std::set<std::string> found;
  size_t questions = 0;
  size_t pages = 0;

 private:
  Finder& finder_;
  std::string term_;
  std::vector<std::string> trail_{""};    // ids of the pages that were read, and the one that is
  std::vector<std::string> reached_{""};  // where each of them has to begin
  std::optional<PageText> first_;
  std::vector<std::string> listed_;
  bool has_listed_ = false;
};

}  // namespace steward::change::test
