// layout-bench: what a lookup costs in the storage layouts that were weighed for the store (src/store/FORMAT.md).
//
// Builds the same nodes in each layout, checks that every layout finds the same ones, and prints microseconds a
// lookup: the median of interleaved rounds with fresh random names, with least and most. One thread; pin it to a core.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>

#include "layout_order.hh"
#include "layout_trees.hh"

namespace steward::bench {
namespace {

constexpr size_t kProofOctets = 200;  ///< what a denial copies of the predecessor's node: NSEC and its RRSIG

struct Settings {
  uint64_t names = 1'000'000;
  size_t value = 700;  ///< octets
  size_t rounds = 7;
  size_t lookups = 200'000;  ///< a round
  std::filesystem::path dir = "/tmp/layout-bench";
};

/// Looks a batch up and returns the sum of the ranks it found, which all layouts must agree on.
using Lookup = std::function<uint64_t(const Key*, size_t)>;

struct Candidate {
  const char* what;
  bool denial;  ///< looks for predecessors of names that do not exist
  Lookup lookup;
  std::vector<double> us = {};
};

/// Where answers are put: a buffer a query, as in a recvmmsg batch.
struct Out {
  char octets[kBatch][4096];
  uint64_t copy(size_t i, const char* value, size_t size) {
    std::memcpy(octets[i], value, size);
    return rank_of(octets[i]);
  }
};

class Bench {
 public:
  explicit Bench(const Settings& settings)
      : set_(settings),
        names_(settings.names),
        arena_(set_.dir / "arena", arena_size()),
        huge_(arena_size()),
        slots_(settings.names),
        fat_(set_.dir / "fat", names_, [this](uint64_t rank) { return fat_value(rank); }),
        dense_(set_.dir / "dense", names_, [this](uint64_t rank) { return dense_value(rank); }),
        order8_(arena_, places_),
        order16_(arena_, places_),
        packed_(arena_, places_) {
    std::memcpy(huge_.at(0), arena_.at(0), arena_.size());
    add_lookups();
    add_denials();
  }

  void run() {
    for (size_t round = 0; round <= set_.rounds; ++round) {
      const std::vector<Key> hits = names_.hits(set_.lookups, round + 1);
      const std::vector<Key> misses = names_.misses(set_.lookups, round + 1);
      uint64_t sums[2] = {};
      for (Candidate& candidate : candidates_) {
        const uint64_t sum = time(candidate, candidate.denial ? misses : hits, round);
        uint64_t& expected = sums[candidate.denial ? 1 : 0];
        if (expected == 0) expected = sum;
        if (sum != expected) throw std::runtime_error(std::string("wrong nodes found by ") + candidate.what);
      }
    }
  }

  void print() {
    std::printf("names=%llu value=%zu octets, %zu lookups a round, median of %zu rounds [least, most], us a lookup\n",
                static_cast<unsigned long long>(set_.names), set_.value, set_.lookups, set_.rounds);
    for (Candidate& candidate : candidates_) {
      std::sort(candidate.us.begin(), candidate.us.end());
      std::printf("%7.3f  [%.3f, %.3f]  %s\n", candidate.us[candidate.us.size() / 2], candidate.us.front(),
                  candidate.us.back(), candidate.what);
    }
    const double names = static_cast<double>(set_.names);
    std::printf("octets a name beside the nodes: slots %.1f, heads of 8 + refs %.1f, of 16 + refs %.1f, packed %.1f\n",
                static_cast<double>(slots_.octets()) / names, static_cast<double>(order8_.octets()) / names,
                static_cast<double>(order16_.octets()) / names, static_cast<double>(packed_.octets()) / names);
  }

 private:
  size_t arena_size() const {
    uint64_t size = 0;
    for (uint64_t rank = 0; rank < names_.size(); ++rank) size += node_room(names_.at(rank).size, set_.value);
    return size + 4096;  // a batch prefetches past the last node
  }
  std::string_view fat_value(uint64_t rank) {
    value_.resize(set_.value);
    fill_value(rank, value_);
    return {value_.data(), value_.size()};
  }
  /// Appends the node to the arena, and gives the reference to it.
  std::string_view dense_value(uint64_t rank) {
    const Key& key = names_.at(rank);
    const std::string_view value = fat_value(rank);
    char* node = arena_.at(end_);
    *node = static_cast<char>(key.size);
    std::memcpy(node + 1, key.octets, key.size);
    std::memcpy(node + 1 + key.size, value.data(), value.size());
    slots_.add(hash_key(key.view()), end_);
    places_.push_back(end_);
    end_ += node_room(key.size, set_.value);
    return {reinterpret_cast<const char*>(&places_.back()), sizeof(uint64_t)};
  }
  Node at_reference(std::string_view reference) const {
    uint64_t place = 0;
    std::memcpy(&place, reference.data(), sizeof place);
    return Node{arena_.at(place)};
  }

  template <class Value>
  void add(const char* what, bool denial, Value value_of) {
    const size_t size = denial ? std::min(kProofOctets, set_.value) : set_.value;
    candidates_.push_back({what, denial, [this, size, value_of](const Key* keys, size_t count) {
                             uint64_t sum = 0;
                             for (size_t i = 0; i < count; ++i) sum += out_->copy(i, value_of(keys[i].view()), size);
                             return sum;
                           }});
  }
  template <class Renew>
  void add_tree(const char* what, bool denial, Renew value_of, Tree& tree) {
    add(what, denial, value_of);
    candidates_.back().lookup = [&tree, inner = candidates_.back().lookup](const Key* keys, size_t count) {
      tree.renew();
      return inner(keys, count);
    };
  }

  void add_staged(const char* what, const Mapping& arena) {
    candidates_.push_back({what, false, [this, &arena](const Key* keys, size_t count) {
                             const char* found[kBatch];
                             find_batch(slots_, arena, keys, count, set_.value, found);
                             uint64_t sum = 0;
                             for (size_t i = 0; i < count; ++i) sum += out_->copy(i, found[i], set_.value);
                             return sum;
                           }});
  }
  template <class Index>
  void add_batch(const char* what, const Index& index) {
    candidates_.push_back({what, true, [this, &index](const Key* keys, size_t count) {
                             uint64_t found[kBatch];
                             index.before_batch(keys, count, found);
                             const size_t size = std::min(kProofOctets, set_.value);
                             uint64_t sum = 0;
                             for (size_t i = 0; i < count; ++i) {
                               for (size_t at = 0; at < size; at += 64) __builtin_prefetch(arena_.at(found[i]) + at);
                             }
                             for (size_t i = 0; i < count; ++i) {
                               sum += out_->copy(i, Node{arena_.at(found[i])}.value(), size);
                             }
                             return sum;
                           }});
  }

  void add_lookups() {
    add_tree(
        "(a) LMDB, whole value in the tree, copy", false, [this](auto key) { return fat_.get(key).data(); }, fat_);
    add_tree(
        "(b) LMDB of references, value in the arena, copy", false,
        [this](auto key) { return at_reference(dense_.get(key)).value(); }, dense_);
    add("(c) slots over the arena, one at a time, copy", false,
        [this](auto key) { return find_one(slots_, arena_, key); });
    add_staged("(d) slots over the arena, batch of 32 in stages, copy", arena_);
    add_staged("(d) the same, arena in huge pages", huge_);
  }

  void add_denials() {
    add_tree(
        "(e) predecessor: LMDB, whole value in the tree", true, [this](auto key) { return fat_.before(key).data(); },
        fat_);
    add_tree(
        "(e) predecessor: LMDB of references", true,
        [this](auto key) { return at_reference(dense_.before(key)).value(); }, dense_);
    add("(f) predecessor: heads of 8, binary", true, [this](auto k) { return node(order8_.before_binary(k)); });
    add("(f) predecessor: heads of 8, Eytzinger", true, [this](auto k) { return node(order8_.before_eytzinger(k)); });
    add("(f) predecessor: heads of 8, blocks of 16", true, [this](auto k) { return node(order8_.before_blocks(k)); });
    add("(f) predecessor: heads of 16, binary", true, [this](auto k) { return node(order16_.before_binary(k)); });
    add("(f) predecessor: heads of 16, Eytzinger", true, [this](auto k) { return node(order16_.before_eytzinger(k)); });
    add("(f) predecessor: heads of 16, blocks of 16", true, [this](auto k) { return node(order16_.before_blocks(k)); });
    add_batch("(f) predecessor: heads of 8, binary, batch of 32 in step", order8_);
    add_batch("(f) predecessor: heads of 16, binary, batch of 32 in step", order16_);
    add("(f) predecessor: front-coded leaves of 16", true, [this](auto k) { return node(packed_.before(k)); });
    add_batch("(f) predecessor: front-coded leaves of 16, batch of 32", packed_);
  }
  const char* node(uint64_t place) const { return Node{arena_.at(place)}.value(); }

  uint64_t time(Candidate& candidate, const std::vector<Key>& keys, size_t round) {
    const auto from = std::chrono::steady_clock::now();
    uint64_t sum = 0;
    for (size_t at = 0; at < keys.size(); at += kBatch) {
      sum += candidate.lookup(keys.data() + at, std::min(kBatch, keys.size() - at));
    }
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - from;
    if (round > 0) candidate.us.push_back(took.count() / static_cast<double>(keys.size()));  // round 0 maps the pages
    return sum;
  }

  Settings set_;
  Names names_;
  Mapping arena_;
  Mapping huge_;
  Slots slots_;
  std::vector<char> value_;
  std::vector<uint64_t> places_;
  uint64_t end_ = 0;
  Tree fat_;
  Tree dense_;
  Order<Head8> order8_;
  Order<Head16> order16_;
  PackedOrder packed_;
  std::unique_ptr<Out> out_ = std::make_unique<Out>();
  std::vector<Candidate> candidates_;
};

constexpr const char* kUsage =
    "usage: layout-bench [--names N] [--value OCTETS] [--rounds N] [--lookups N] [--dir DIR]\n"
    "Example: taskset -c 1 layout-bench --names 1000000 --value 700\n"
    "DIR (default /tmp/layout-bench) takes about 2.5 times names * value octets, and is removed afterwards.\n";

bool parse(int argc, char** argv, Settings& set) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    if (i + 1 >= argc) return false;
    const char* text = argv[i + 1];
    if (option == "--dir") {
      set.dir = text;
      continue;
    }
    char* end = nullptr;
    const uint64_t number = std::strtoull(text, &end, 10);
    if (*end != '\0' || number == 0 || number > 100'000'000) return false;
    if (option == "--names")
      set.names = number;
    else if (option == "--value")
      set.value = number;
    else if (option == "--rounds")
      set.rounds = number;
    else if (option == "--lookups")
      set.lookups = number;
    else
      return false;
  }
  return set.value >= 8 && set.value <= sizeof(Out::octets[0]) && set.names >= 2;
}

}  // namespace
}  // namespace steward::bench

int main(int argc, char** argv) {
  steward::bench::Settings settings;
  if (!steward::bench::parse(argc, argv, settings)) {
    std::fputs(steward::bench::kUsage, stderr);
    return 2;
  }
  try {
    std::filesystem::create_directories(settings.dir);
    {
      steward::bench::Bench bench(settings);
      bench.run();
      bench.print();
    }
    std::filesystem::remove_all(settings.dir);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "layout-bench: %s\n", error.what());
    return 1;
  }
}
