#include "agent/look_alike_walk.hh"

#include <algorithm>

#include "agent/look_alike_text.hh"

namespace steward::agent {
namespace {

constexpr size_t middle = 2;  // of a row: as many code points of the query as of the path
constexpr size_t cells = 2 * middle + 1;
constexpr uint32_t all_cells = (1U << cells) - 1;
constexpr char32_t padding = ~char32_t{0};  // no code point

// Cells of a row at `depth` that stand for fewer than `count` of the query's code points.
uint32_t cells_below(size_t count, size_t depth) {
  if (count + middle <= depth) return 0;
  return all_cells >> (cells - std::min(count + middle - depth, cells));
}

}  // namespace

EditWalk::EditWalk(const NameTrie& trie, const EditQuery& query, uint32_t& budget)
    : trie_(trie), q_(query), budget_(budget) {
  padded_.assign(middle + 2, padding);
  padded_ += q_.points;
  padded_.append(cells + middle, padding);
}

EditWalk::Row EditWalk::first_row() const {
  const Cells first_part = cells_below(q_.split + 1, 0);
  const Cells there = cells_below(q_.points.size() + 1, 0);
  Row row;
  row.within[0] = Cells{1} << middle;
  for (unsigned edits = 1; edits <= q_.edits; ++edits) {
    const Cells deletion = row.within[edits - 1] << 1;
    row.within[edits] = (row.within[edits - 1] | (edits <= q_.first_edits ? deletion : deletion & ~first_part)) & there;
  }
  return row;
}

// Which of the query's code points that make a difference at this depth are this one: depth - 4 … depth + 2, counted
// from 0.
EditWalk::Cells EditWalk::matches(char32_t point, size_t depth) const {
  if (depth > q_.points.size() + middle) return 0;
  const char32_t* const window = &padded_[depth];
  Cells seen = 0;
  for (unsigned i = 0; i < cells + 2; ++i) seen |= Cells{window[i] == point} << i;
  return seen;
}

EditWalk::Row EditWalk::step(const State& state, Cells seen, size_t depth) const {
  const Cells same = seen >> 1;
  const Cells swapped = seen & state.seen >> 2;
  const Cells there = cells_below(q_.points.size() + 1, depth);
  // At the cut, edits so far are the first part's; what is put in there may be the second part's.
  const Cells first_part = cells_below(q_.split + 1, depth);
  const Cells before_cut = cells_below(q_.split, depth);
  Row next;
  next.within[0] = state.now.within[0] & same & there;
  for (unsigned edits = 1; edits <= q_.edits; ++edits) {
    const Cells fewer = state.now.within[edits - 1];
    const Cells deletion = next.within[edits - 1] << 1;
    Cells arrival = (state.now.within[edits] & same) | fewer | (state.before.within[edits - 1] & swapped) | deletion;
    Cells insertion = fewer >> 1;
    if (edits > q_.first_edits) arrival &= ~first_part, insertion &= ~before_cut;
    next.within[edits] = (next.within[edits - 1] | arrival | insertion) & there;
  }
  return next;
}

// Whether nothing below can be alike. A transposition over the cut has no cell of its own half way.
bool EditWalk::is_over(const Row& next, const State& state, Cells seen, size_t depth) const {
  if (next.within[q_.edits] != 0) return false;
  const Cells at_cut = cells_below(q_.split + 1, depth) & ~cells_below(q_.split, depth);
  return (state.now.within[q_.edits] & at_cut & seen >> 2) == 0;
}

bool EditWalk::is_alike(const NameTrie::Node& node, const Row& row) {
  const Cells at_end = cells_below(q_.points.size() + 1, node.depth) & ~cells_below(q_.points.size(), node.depth);
  unsigned edits = 0;
  while (edits <= q_.edits && (row.within[edits] & at_end) == 0) ++edits;
  if (edits == 0 || edits > q_.edits || edits > edits_alike(q_.points.size(), node.depth)) return false;
  found_ = {node.name, edits};
  return true;
}

// `state` has taken `depth` code points, the first of the node among them.
bool EditWalk::visit(uint32_t at, size_t depth, State state) {
  if (budget_ == 0) return true;
  --budget_;
  const NameTrie::Node& node = trie_.node(at);
  if (node.publisher == q_.exempt) return false;
  if (node.count == 0 && (node.depth > q_.points.size() + q_.edits || node.depth + q_.edits < q_.points.size()))
    return false;
  last_ = node.name;
  if (depth < node.depth) {
    const IndexedName name = trie_.name(node);
    while (depth < node.depth) {
      const char32_t point = trie_.point(name, depth++);
      const Cells seen = matches(point, depth);
      const Row next = step(state, seen, depth);
      if (is_over(next, state, seen, depth)) return false;
      state = {state.now, next, seen};
    }
  }
  // A node whose own name is exempt can have others below it.
  if (node.is_end != 0 && trie_.name(node).publisher() != q_.exempt && is_alike(node, state.now)) return true;
  return visit_below(node, state);
}

// What is visited next is fetched for several at once: most of a walk's time is waiting for memory.
bool EditWalk::visit_below(const NameTrie::Node& node, const State& state) {
  const size_t depth = node.depth + size_t{1};
  const Row other = step(state, 0, depth);
  const bool others_end = is_over(other, state, 0, depth);
  std::array<Way, 16> ways;
  size_t count = 0;
  const std::span<const NameTrie::Edge> edges = trie_.edges(node);
  for (const NameTrie::Edge& edge : edges) {
    const Cells seen = matches(edge.point, depth);
    if (seen != 0 || !others_end) {
      const Row next = seen != 0 ? step(state, seen, depth) : other;
      if (!is_over(next, state, seen, depth)) ways[count++] = {edge.node, {state.now, next, seen}};
    }
    if (count < ways.size() && &edge != &edges.back()) continue;
    for (size_t i = 0; i < count; ++i) trie_.fetch_node(ways[i].node);
    for (size_t i = 0; i < count; ++i) trie_.fetch_what_it_has(ways[i].node);
    for (size_t i = 0; i < count; ++i)
      if (visit(ways[i].node, depth, ways[i].state)) return true;
    count = 0;
  }
  return false;
}

std::optional<AlikeName> EditWalk::run() {
  State start;
  start.now = first_row();
  const NameTrie::Node& root = trie_.node(trie_.root());
  if (!trie_.empty() && root.publisher != q_.exempt && start.now.within[q_.edits] != 0) (void)visit_below(root, start);
  return found_;
}

}  // namespace steward::agent
