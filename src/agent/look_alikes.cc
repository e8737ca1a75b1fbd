#include "agent/look_alikes.hh"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>

#include "agent/look_alike_text.hh"
#include "agent/look_alike_walk.hh"
#include "agent/name_trie.hh"
#include "base/bytes.hh"
#include "zone/octet_hash.hh"

namespace steward::agent {
namespace {

// Nodes that one find() visits at most: less than a millisecond, with nothing of them in the processor's caches, and more
// than any name needs among a million that nobody put there to hurt. Where names of others stand so thick around a name
// that this is not enough, it counts as alike: one look-alike less would have refused it as well, so whoever puts them
// there gains nothing.
constexpr uint32_t most_visits = 1'500;
constexpr uint32_t nobody = NameTrie::many - 1;

enum class Class : uint8_t { WithoutSeparators = 1, Skeleton = 2 };

// A name in its classes of equal ones, ordered so that those of one publisher stand together.
struct ClassMember {
  uint64_t hash;
  uint32_t publisher;
  uint32_t name;
  friend auto operator<=>(const ClassMember&, const ClassMember&) = default;
};

std::u32string form_of(std::u32string_view points, Class which) {
  return which == Class::Skeleton ? skeleton_of(points) : without_separators(points);
}

uint64_t hash_of(std::u32string_view form, Class which) {
  return zone::hash_octets({reinterpret_cast<const uint8_t*>(form.data()), form.size() * sizeof(char32_t)},
                           static_cast<uint64_t>(which));
}

std::u32string indexed_points(std::string_view label) {
  std::u32string points = label_points(label);
  points.resize(std::min(points.size(), max_indexed_points));
  return points;
}

bool is_ascii(std::u32string_view points) {
  return std::all_of(points.begin(), points.end(), [](char32_t point) { return point < 0x80; });
}

}  // namespace

struct LookAlikes::State {
  struct Publisher {
    std::string fingerprint;
    size_t names = 0;
  };

  [[nodiscard]] uint32_t publisher(std::string_view fingerprint) const {
    const auto at = numbers.find(std::string(fingerprint));
    return at != numbers.end() ? at->second : nobody;
  }
  uint32_t enlist(std::string_view fingerprint);
  void strike(uint32_t publisher);
  [[nodiscard]] std::string label_of(uint32_t name) const;
  [[nodiscard]] std::optional<uint32_t> same_class(std::u32string_view points, Class which, uint32_t exempt) const;
  [[nodiscard]] std::optional<LookAlike> within_edits(std::u32string_view points, uint32_t exempt) const;

  IndexedNames names;
  NameTrie from_front{names, Reading::FromFront};
  NameTrie from_end{names, Reading::FromEnd};
  std::set<ClassMember> classes;
  std::map<uint32_t, std::string> labels;  // of names that are not ASCII: as they stand in the DNS
  std::unordered_map<std::string, uint32_t> numbers;
  std::deque<Publisher> publishers;
  std::vector<uint32_t> free_publishers;
  size_t size = 0;
};

uint32_t LookAlikes::State::enlist(std::string_view fingerprint) {
  const auto [at, is_new] = numbers.try_emplace(std::string(fingerprint), static_cast<uint32_t>(publishers.size()));
  if (is_new && !free_publishers.empty()) {
    at->second = free_publishers.back();
    free_publishers.pop_back();
  }
  if (at->second == publishers.size()) publishers.emplace_back();
  Publisher& publisher = publishers[at->second];
  if (is_new) publisher = {std::string(fingerprint), 0};
  ++publisher.names;
  return at->second;
}

void LookAlikes::State::strike(uint32_t number) {
  Publisher& publisher = publishers[number];
  if (--publisher.names > 0) return;
  numbers.erase(publisher.fingerprint);
  free_publishers.push_back(number);
}

std::string LookAlikes::State::label_of(uint32_t name) const {
  if (const auto at = labels.find(name); at != labels.end()) return at->second;
  std::string label;
  for (const char32_t point : names[name].points()) label += static_cast<char>(point);
  return label;
}

// A name of another publisher with the same form. The hash is no proof of it.
std::optional<uint32_t> LookAlikes::State::same_class(std::u32string_view points, Class which, uint32_t exempt) const {
  const std::u32string form = form_of(points, which);
  const uint64_t hash = hash_of(form, which);
  for (auto at = classes.lower_bound({hash, 0, 0}); at != classes.end() && at->hash == hash;) {
    if (at->publisher == exempt) {
      at = classes.lower_bound({hash, exempt + 1, 0});
      continue;
    }
    const std::u32string other = names[at->name].points();
    if (other != points && form_of(other, which) == form) return at->name;
    ++at;
  }
  return std::nullopt;
}

std::optional<LookAlike> LookAlikes::State::within_edits(std::u32string_view points, uint32_t exempt) const {
  const unsigned edits = edits_alike(points.size(), points.size());
  if (edits == 0) return std::nullopt;
  const std::u32string reversed(points.rbegin(), points.rend());
  // Where to cut: two code points behind what others share with the name from the front, where few are left, but not so
  // late that what stands behind is common as well. Cutting random names of 1 M two earlier costs ten times as many
  // nodes.
  const size_t front = from_front.shared(points, exempt);
  const size_t end = from_end.shared(reversed, exempt);
  const size_t balance = (front + points.size() - end) / 2 + 1;
  const size_t split = std::clamp<size_t>(std::min(front + 2, balance), 1, points.size() - 1);
  uint32_t budget = most_visits;
  const unsigned first_edits = edits / 2;
  const EditQuery front_query{points, edits, first_edits, split, exempt};
  const EditQuery end_query{reversed, edits, edits - first_edits - 1, points.size() - split, exempt};
  for (const auto& [trie, query] : {std::pair(&from_front, &front_query), std::pair(&from_end, &end_query)}) {
    EditWalk walk(*trie, *query, budget);
    if (const auto alike = walk.run())
      return LookAlike{label_of(alike->name), fmt::format("edit distance {}", alike->edits)};
    if (budget == 0) return LookAlike{label_of(walk.last()), "too many names close to it"};
  }
  return std::nullopt;
}

LookAlikes::LookAlikes() : state_(std::make_unique<State>()) {}
LookAlikes::~LookAlikes() = default;
LookAlikes::LookAlikes(LookAlikes&&) noexcept = default;
LookAlikes& LookAlikes::operator=(LookAlikes&&) noexcept = default;

void LookAlikes::add(std::string_view label, std::string_view publisher) {
  const std::u32string points = indexed_points(label);
  if (points.empty()) return;
  remove(label);
  const uint32_t owner = state_->enlist(publisher);
  const uint32_t name = state_->names.add(points, owner);
  state_->from_front.insert(name);
  state_->from_end.insert(name);
  for (const Class which : {Class::WithoutSeparators, Class::Skeleton})
    state_->classes.insert({hash_of(form_of(points, which), which), owner, name});
  if (!is_ascii(points)) state_->labels.emplace(name, label);
  ++state_->size;
}

void LookAlikes::remove(std::string_view label) {
  const std::u32string points = indexed_points(label);
  const auto name = state_->from_front.find(points);
  if (!name) return;
  const uint32_t owner = state_->names[*name].publisher();
  state_->from_front.erase(*name);
  state_->from_end.erase(*name);
  for (const Class which : {Class::WithoutSeparators, Class::Skeleton})
    state_->classes.erase({hash_of(form_of(points, which), which), owner, *name});
  state_->labels.erase(*name);
  state_->names.remove(*name);
  state_->strike(owner);
  --state_->size;
}

size_t LookAlikes::size() const { return state_->size; }

size_t LookAlikes::memory() const {
  constexpr size_t tree_node = 4 * sizeof(void*) + 2 * sizeof(void*);  // of a std::set, with what the allocator adds
  const size_t publishers = state_->publishers.size() * (sizeof(State::Publisher) + 3 * sizeof(std::string));
  return sizeof(State) + state_->names.memory() + state_->from_front.memory() + state_->from_end.memory() +
         state_->classes.size() * (tree_node + sizeof(ClassMember)) +
         state_->labels.size() * 2 * (tree_node + sizeof(std::string)) + publishers;
}

std::optional<LookAlike> LookAlikes::find(std::string_view label, std::string_view publisher) const {
  const std::u32string points = indexed_points(label);
  const uint32_t exempt = state_->publisher(publisher);
  if (const auto name = state_->same_class(points, Class::WithoutSeparators, exempt))
    return LookAlike{state_->label_of(*name), "equal but for '-'"};
  if (const auto name = state_->same_class(points, Class::Skeleton, exempt))
    return LookAlike{state_->label_of(*name), "same skeleton"};
  return state_->within_edits(points, exempt);
}

}  // namespace steward::agent
