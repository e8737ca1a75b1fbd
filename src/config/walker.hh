#pragma once
// Walks the tree of a file along the table of keys, and writes the values into a Config.

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hh"
#include "config/schema.hh"
#include "config/syntax.hh"

namespace steward::config {

class Walker {
 public:
  Walker(Config& config, const Path& folder) : target_{config}, folder_(folder) {}

  /// The whole file; then the defaults of all keys that it does not give.
  void walk(const Node& root);
  /// Only the defaults of the keys below "zones[]", for a zone without a file's entry.
  void zone_defaults(ZoneConfig& zone);

  [[nodiscard]] std::vector<Problem>& problems() { return problems_; }

 private:
  /// Where the walk is: the path in the table, and the same with names for `[]`, as settings are called.
  struct Place {
    std::string pattern;
    std::string actual;
    bool recorded = true;  ///< false inside access lists, which are one setting as a whole
  };

  void map(const Node& node, const Place& place);
  void entry(const Node& key, const Node& value, const Row& row, const Place& place);
  void scalar(const Node& node, const Row& row, const Place& place);
  void list(const Node& node, const Row& row, const Place& place);
  void section(const Node& node, const Row& row, const Place& place);
  void sections(const Node& node, const Row& row, const Place& place);
  void element(const Node& node, const Row& row, const Place& place);
  void defaults(const Place& place);
  void record(const Place& place, std::string text, Mark at);
  void wrong(const Node& node, const Row& row, const Place& place, std::string_view found);
  void availability(const Row& row, const Place& place, Mark at);

  Target target_;
  Path folder_;
  std::vector<Problem> problems_;
};

/// "registry.yaml:4:9: …"; without line and column where there are none.
[[nodiscard]] std::string at_text(const Path& file, Mark at);

}  // namespace steward::config
