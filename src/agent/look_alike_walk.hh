#pragma once
// Looks through a trie for names within a few edits of one: insertions, deletions, substitutions, and transpositions of
// neighbours (optimal string alignment), each of one code point. Inside of agent/look_alikes.cc.
//
// A step goes over all cells of a row at once, as agrep's do (Wu and Manber, "Fast text searching allowing errors", 1992).
//
// With two edits allowed, a walk from the root would see most of the first levels of a million names. So the name is
// cut in two at `split`: either the part read first has at most `first_edits`, or the other part has at most edits -
// first_edits - 1, and that walk goes through the trie of the other reading. Both together find all.

#include <array>
#include <optional>

#include "agent/name_trie.hh"

namespace steward::agent {

struct EditQuery {
  std::u32string_view points;  ///< in the order of reading
  unsigned edits = 0;          ///< 1 or 2
  unsigned first_edits = 0;    ///< at most, in the first `split` code points
  size_t split = 0;
  uint32_t exempt = 0;  ///< publisher whose names do not count
};

struct AlikeName {
  uint32_t name = 0;
  unsigned edits = 0;
};

class EditWalk {
 public:
  /// Visits no more than `budget` nodes, and counts it down.
  EditWalk(const NameTrie& trie, const EditQuery& query, uint32_t& budget);
  /// One that is alike and not the same; nothing also where the budget is spent.
  std::optional<AlikeName> run();
  /// Where the budget was spent: the name that was come to last.
  [[nodiscard]] uint32_t last() const { return last_; }

 private:
  // A diagonal band of the table of edits, one bit a cell: distance of the first `depth` code points of a path to
  // depth - 2 … depth + 2 of the query, the lowest bit being depth - 2.
  using Cells = uint32_t;
  struct Row {
    std::array<Cells, 3> within{};  ///< by edits: the cells that so many reach
  };
  struct State {
    Row before;
    Row now;
    Cells seen = 0;  ///< matches() of the last code point
  };
  struct Way {
    uint32_t node = 0;
    State state;
  };
  [[nodiscard]] Row first_row() const;
  [[nodiscard]] Row step(const State& state, Cells seen, size_t depth) const;
  [[nodiscard]] bool is_over(const Row& next, const State& state, Cells seen, size_t depth) const;
  [[nodiscard]] Cells matches(char32_t point, size_t depth) const;
  [[nodiscard]] bool visit(uint32_t at, size_t depth, State state);
  [[nodiscard]] bool visit_below(const NameTrie::Node& node, const State& state);
  [[nodiscard]] bool is_alike(const NameTrie::Node& node, const Row& row);

  const NameTrie& trie_;
  const EditQuery& q_;
  uint32_t& budget_;
  std::u32string padded_;  // the query, with what no code point is equal to before and behind it
  std::optional<AlikeName> found_;
  uint32_t last_ = 0;
};

}  // namespace steward::agent
