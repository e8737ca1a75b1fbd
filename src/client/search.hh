#pragma once
// A search through registries: whom to ask, all at once or one after the other, and what comes of their answers. Used
// by one thread; blocks while it runs.

#include <list>
#include <map>
#include <set>
#include <string>

#include "client/registry_search.hh"

namespace steward::client {

/// How long a registry may be silent where several are asked at once.
constexpr std::chrono::milliseconds parallel_patience{1000};

class Search {
 public:
  static constexpr size_t max_registries = 256;
  /// Questions on their way at once, to all registries.
  static constexpr size_t max_open = 512;

  /// The source outlives it. `options.patience` is set.
  Search(AnswerSource& source, const dns::Name& apex, std::string term, DiscoverOptions options);

  /// `local`: the apex, or below it.
  Discovery run(const dns::Name& local);

 private:
  void add(const dns::Name& zone, Role role);
  void add_siblings(const RegistrySearch& registry);
  void run_all();
  bool step();
  void finish(const RegistrySearch& registry);
  void merge(const RegistrySearch& registry);
  void conclude();

  AnswerSource& source_;
  DiscoverOptions options_;
  RegistrySearch::Rules rules_;
  std::list<RegistrySearch> running_;
  std::set<std::string> added_;  // zones
  std::map<std::string, FoundAgent> agents_;
  Discovery discovery_;
};

}  // namespace steward::client
