#include "agent/look_alike_walk.hh"

#include <algorithm>

#include "agent/look_alike_text.hh"

namespace steward::agent {
namespace {

constexpr uint8_t too_far = 9;
constexpr size_t middle = 2;  // of a row: as many code points of the query as of the path

uint8_t plus_one(uint8_t edits) { return static_cast<uint8_t>(edits + 1); }
uint8_t within(uint8_t edits, unsigned most) { return edits <= most ? edits : too_far; }
template <class Row>
bool is_dead(const Row& row) {
  return std::all_of(row.begin(), row.end(), [](uint8_t edits) { return edits == too_far; });
}

}  // namespace

EditWalk::Row EditWalk::first_row() const {
  Row row;
  row.fill(too_far);
  for (size_t i = 0; i + middle < row.size() && i <= q_.points.size(); ++i) {
    if (i > 0 && row[i + middle - 1] == too_far) break;
    row[i + middle] = within(static_cast<uint8_t>(i), i <= q_.split ? q_.first_edits : q_.edits);
  }
  return row;
}

EditWalk::Row EditWalk::step(const State& state, char32_t point, size_t depth) const {
  Row next;
  next.fill(too_far);
  for (size_t at = 0; at < next.size(); ++at) {
    if (depth + at < middle || depth + at - middle > q_.points.size()) continue;
    const size_t i = depth + at - middle;  // so many of the query's
    uint8_t arrival = too_far;
    if (i >= 1) {
      arrival = static_cast<uint8_t>(state.now[at] + (q_.points[i - 1] != point ? 1 : 0));
      if (at > 0) arrival = std::min(arrival, plus_one(next[at - 1]));
      if (i >= 2 && q_.points[i - 2] == point && q_.points[i - 1] == state.last)
        arrival = std::min(arrival, plus_one(state.before[at]));
    }
    // At the cut, edits so far are the first part's; what is put in there may be the second part's.
    const uint8_t insertion = at + 1 < next.size() ? plus_one(state.now[at + 1]) : too_far;
    next[at] = std::min(within(arrival, i <= q_.split ? q_.first_edits : q_.edits),
                        within(insertion, i < q_.split ? q_.first_edits : q_.edits));
  }
  return next;
}

// Whether it is one of those that make a difference at this depth. All others have the same row.
bool EditWalk::could_match(char32_t point, size_t depth) const {
  const size_t from = depth > middle + 2 ? depth - middle - 2 : 0;
  const size_t to = std::min(depth + middle + 1, q_.points.size());
  for (size_t i = from; i < to; ++i)
    if (q_.points[i] == point) return true;
  return false;
}

// Whether nothing below can be alike. A transposition over the cut has no cell of its own half way.
bool EditWalk::is_over(const Row& next, const State& state, char32_t point, size_t depth) const {
  if (!is_dead(next)) return false;
  const size_t at = q_.split + middle - depth;
  return depth > q_.split + middle || at >= next.size() || state.now[at] == too_far || q_.points[q_.split] != point;
}

bool EditWalk::is_alike(const NameTrie::Node& node, const Row& row) {
  const size_t at = q_.points.size() + middle - node.depth;
  if (node.depth > q_.points.size() + middle || at >= row.size()) return false;
  const unsigned edits = row[at];
  if (edits == 0 || edits > edits_alike(q_.points.size(), node.depth)) return false;
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
      const Row next = step(state, point, depth);
      if (is_over(next, state, point, depth)) return false;
      state = {state.now, next, point};
    }
  }
  // A node whose own name is exempt can have others below it.
  if (node.is_end != 0 && trie_.name(node).publisher() != q_.exempt && is_alike(node, state.now)) return true;
  return visit_below(node, state);
}

bool EditWalk::visit_below(const NameTrie::Node& node, const State& state) {
  const size_t depth = node.depth + size_t{1};
  const Row other = step(state, ~char32_t{0}, depth);
  const bool others_end = is_dead(other);
  for (const NameTrie::Edge& edge : trie_.edges(node)) {
    const bool matches = could_match(edge.point, depth);
    if (!matches && others_end) continue;
    const Row next = matches ? step(state, edge.point, depth) : other;
    if (!is_over(next, state, edge.point, depth) && visit(edge.node, depth, {state.now, next, edge.point})) return true;
  }
  return false;
}

std::optional<AlikeName> EditWalk::run() {
  State start;
  start.before.fill(too_far);
  start.now = first_row();
  const NameTrie::Node& root = trie_.node(trie_.root());
  if (!trie_.empty() && root.publisher != q_.exempt && !is_dead(start.now)) (void)visit_below(root, start);
  return found_;
}

}  // namespace steward::agent
