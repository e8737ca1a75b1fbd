// The order: random changes against a map, by itself and in the store, beside readers too.

#include <atomic>
#include <random>
#include <thread>

#include "fixture.hh"
#include "store/order.hh"

using namespace steward;
using namespace steward::store;
using namespace steward::store::test;

namespace {

using Map = std::map<std::string, NodePosition>;

// Keys that share long beginnings, end in zeros as keys of the tree do, and begin with one another.
std::string random_key(std::mt19937& random) {
  static constexpr std::string_view parts[] = {"a",        "b",  "customer-support-agent-", "customer-support-",
                                               "\x01\x01", "zz", "translator-0000"};
  std::string key("\0\0\0", 3);
  key += static_cast<char>(1 + random() % 3);
  for (size_t labels = random() % 3; labels > 0; --labels) {
    key += parts[random() % std::size(parts)];
    if (random() % 2 == 0) key += std::to_string(random() % 400);
    key += '\0';
  }
  return key;
}

NodePosition expected(const Map& map, const std::string& key) {
  const auto after = map.upper_bound(key);
  return after == map.begin() ? Order::none : std::prev(after)->second;
}

std::vector<NodePosition> search(const Order::Version& version, const std::vector<std::string>& keys) {
  std::vector<std::string> padded;
  for (const std::string& key : keys) padded.push_back(key + std::string(Order::padding, '\0'));
  std::vector<Order::Search> searches(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    searches[i].key = reinterpret_cast<const uint8_t*>(padded[i].data());
    searches[i].size = keys[i].size();
  }
  Order::at_or_before(version, searches);
  std::vector<NodePosition> found;
  for (const Order::Search& one : searches) found.push_back(one.found);
  return found;
}

void check_version(const Order::Version& version, const Map& map, std::mt19937& random, size_t keys) {
  std::vector<std::string> wanted;
  for (size_t i = 0; i < keys; ++i) wanted.push_back(random_key(random));
  for (const auto& [key, position] : map)
    if (random() % 16 == 0) wanted.push_back(key);
  const auto found = search(version, wanted);
  for (size_t i = 0; i < wanted.size(); ++i) REQUIRE(found[i] == expected(map, wanted[i]));
}

void change(Order::Edit& edit, Map& map, std::mt19937& random, size_t count, uint32_t of_ten_removed) {
  for (; count > 0; --count) {
    const std::string key = random_key(random);
    if (random() % 10 < of_ten_removed) {
      edit.set(as_bytes(key), Order::none);
      map.erase(key);
    } else {
      const NodePosition position = 8 + random() % 1'000'000 * 8;
      edit.set(as_bytes(key), position);
      map[key] = position;
    }
  }
}

}  // namespace

TEST_CASE(
    "order: random changes agree with a map, what is not published is not there, and versions that are held stay as "
    "they were") {
  std::mt19937 random(7);
  Epochs epochs;
  Epochs::Slot* const slot = epochs.add_reader();
  Order order(epochs);
  Map map;
  check_version(order.version(), map, random, 10);
  const Order::Version* held = nullptr;
  Map held_map;
  for (uint64_t round = 1; round <= 300; ++round) {
    CAPTURE(round);
    Map changed = map;
    {
      Order::Edit edit(order, round % 90 == 0);
      if (round % 90 == 0) changed.clear();
      // Many at first, then few as an update makes, at last mostly removals.
      change(edit, changed, random, round < 4 ? 30'000 : random() % 40, round > 200 ? 8 : 2);
      if (round % 7 == 3) continue;
      edit.publish(round);
    }
    map = std::move(changed);
    CHECK(order.version().transaction == round);
    epochs.collect();
    check_version(order.version(), map, random, 200);
    if (held != nullptr) check_version(*held, held_map, random, 50);
    if (round % 20 == 0) {
      Epochs::leave(*slot);
      epochs.enter(*slot);
      held = &order.version();
      held_map = map;
    }
  }
  Order::Edit edit(order);
  for (const auto& [key, position] : map) edit.set(as_bytes(key), Order::none);
  edit.publish(1000);
  CHECK(order.version().root == nullptr);
  CHECK(order.memory() == 0);
  Epochs::remove_reader(*slot);
}

TEST_CASE("order: keys in sequence, as from the tree, take about 30 octets a name") {
  Epochs epochs;
  Order order(epochs);
  constexpr size_t names = 100'000;
  Order::Edit edit(order);
  for (size_t i = 0; i < names; ++i) {
    const std::string key =
        fmt::format("{}org{:03}{}gardener-{:06}{}", std::string("\0\0\0\1", 4), i / 1000, '\0', i, '\0');
    edit.set(as_bytes(key), 8 * (i + 1));
  }
  edit.publish(1);
  CHECK(order.memory() / names <= 32);
  const std::string between =
      fmt::format("{}org{:03}{}gardener-{:06}x{}", std::string("\0\0\0\1", 4), 77, '\0', 77'123, '\0');
  CHECK(search(order.version(), {between})[0] == 8 * (77'123 + 1));
}

namespace {

/// The store's own: names with and without NSEC, occluded ones, several zones.
class Denials {
 public:
  static constexpr std::string_view apexes[] = {"example.", "sub.example.", "org."};
  Denials() {
    for (const auto apex : apexes) {
      auto write = begin(*store_);
      const uint32_t id = write->add_zone(name(apex)).info.id;
      good(write->nodes(id).put({}, node_of(id, name(apex), "apex", zone::node_apex, true)));
      good(write->commit());
      zones_.push_back(id);
      with_nsec_.push_back({{std::string(), "apex"}});
    }
  }
  Store& store() { return *store_; }
  void transaction(std::mt19937& random, bool commit) {
    auto staged = with_nsec_;
    auto write = begin(*store_);
    for (size_t count = random() % 60; count > 0; --count) {
      const size_t zone = random() % zones_.size();
      const dns::Name owner = random_owner(random, zone);
      const Bytes key = key_of(owner, name(apexes[zone]));
      const std::string place(as_text(key));
      switch (random() % 4) {
        case 0:
          good(write->nodes(zones_[zone]).erase(key));
          staged[zone].erase(place);
          break;
        case 1:
          good(write->nodes(zones_[zone])
                   .put(key, node_of(zones_[zone], owner, "glue", random() % 2 == 0 ? zone::node_occluded : 0)));
          staged[zone].erase(place);
          break;
        default: {
          const std::string content = fmt::format("{}", random());
          good(write->nodes(zones_[zone]).put(key, node_of(zones_[zone], owner, content, 0, true)));
          staged[zone][place] = content;
        }
      }
    }
    if (!commit) return;
    good(write->commit());
    with_nsec_ = std::move(staged);
  }
  void compare(Reader& reader, std::mt19937& random) {
    good(reader.acquire());
    std::vector<std::pair<size_t, dns::Name>> wanted;
    for (int i = 0; i < 100; ++i) {
      const size_t zone = random() % zones_.size();
      wanted.emplace_back(zone, random_owner(random, zone).folded());
    }
    std::vector<zone::NsecProbe> probes;
    for (const auto& [zone, owner] : wanted)
      probes.push_back({&reader.zone_record(name(apexes[zone]))->info, owner, nullptr});
    reader.fetch_nsec(probes);
    size_t fetched = 0;
    size_t denied = 0;  // all but those before the first of a zone without an apex
    for (size_t i = 0; i < wanted.size(); ++i) {
      const std::string expected = denial_of(wanted[i].first, wanted[i].second);
      if (expected != "-") ++denied;
      CAPTURE(wanted[i].second.to_text());
      REQUIRE(content_of(reader.nsec_at_or_before(*probes[i].zone, wanted[i].second)) == expected);
      if (probes[i].node == nullptr) continue;
      ++fetched;
      REQUIRE(content_of(zone::NodeView(probes[i].node)) == expected);
    }
    CHECK((fetched == 0 || fetched == denied));
    ordered_ += fetched > 0 ? 1 : 0;
    reader.release();
  }
  [[nodiscard]] int ordered() const { return ordered_; }
  void reopen() {
    store_.reset();
    store_ = open_store(folder_.options());
  }

 private:
  static dns::Name random_owner(std::mt19937& random, size_t zone) {
    std::string owner = fmt::format("customer-support-{}.{}", random() % 300, apexes[zone]);
    if (random() % 3 == 0) owner = fmt::format("{}.", random() % 3) + owner;
    return random() % 60 == 0 ? name(apexes[zone]) : name(owner);
  }
  std::string denial_of(size_t zone, const dns::Name& owner) const {
    const auto& map = with_nsec_[zone];
    const auto after = map.upper_bound(std::string(as_text(key_of(owner, name(apexes[zone])))));
    return after == map.begin() ? "-" : std::prev(after)->second;
  }
  Folder folder_;
  std::unique_ptr<Store> store_ = open_store(folder_.options());
  std::vector<uint32_t> zones_;
  std::vector<std::map<std::string, std::string>> with_nsec_;
  int ordered_ = 0;
};

}  // namespace

TEST_CASE(
    "store: what denies a name is the same from the order and from the tree, through writes, aborts and reopenings") {
  std::mt19937 random(11);
  Denials denials;
  auto reader = std::move(*denials.store().make_reader());
  for (int round = 0; round < 150; ++round) {
    CAPTURE(round);
    denials.transaction(random, random() % 5 != 0);
    if (round % 30 == 29) {
      reader.reset();
      denials.reopen();
      reader = std::move(*denials.store().make_reader());
    }
    if (round % 30 == 10) {
      good(denials.store().build_index());
      CHECK(denials.store().figures().order_octets > 0);
    }
    const int before = denials.ordered();
    denials.compare(*reader, random);
    if (round % 30 >= 10 && round % 30 < 29) CHECK(denials.ordered() == before + 1);
  }
  reader.reset();
}

// Each commit moves one name about: the one before "m" is, at all times, the newest that was committed.
TEST_CASE("store: readers beside a writer are denied out of the snapshot that they hold") {
  const Folder folder;
  auto store = open_store(folder.options());
  const uint32_t zone = add_zone(*store, "example.");
  const auto commit = [&](int number) {
    auto write = begin(*store);
    good(write->nodes(zone).erase(key_of(name(fmt::format("l{:04}.example.", number - 1)), name("example."))));
    put(*write, zone, "example.", fmt::format("l{:04}", number), std::to_string(number), 0, true);
    put(*write, zone, "example.", "number", std::to_string(number));
    for (int i = 0; i < 20; ++i)
      put(*write, zone, "example.", fmt::format("a{}-{}", number % 8, i), "x", 0, number % 3 != 0);
    good(write->commit());
  };
  commit(1);
  good(store->build_index());
  std::atomic<bool> stop{false};
  std::atomic<int> strange{0};
  std::atomic<int> fetched{0};
  std::atomic<int> rounds{0};
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 2; ++i) readers.push_back(std::move(*store->make_reader()));
  std::vector<std::jthread> threads;
  for (auto& reader : readers)
    threads.emplace_back([&, &reader = *reader] {
      const dns::Name wanted = name("m.example.");
      while (!stop.load()) {
        if (!reader.acquire()) continue;
        const auto* info = reader.find_zone(wanted);
        const std::string number = content_of(reader.find(*info, name("number.example.")));
        zone::NsecProbe probe{info, wanted, nullptr};
        reader.fetch_nsec({&probe, 1});
        if (probe.node != nullptr) fetched++;
        if (probe.node != nullptr && content_of(zone::NodeView(probe.node)) != number) strange++;
        if (content_of(reader.nsec_at_or_before(*info, wanted)) != number) strange++;
        reader.release();
        rounds++;
      }
    });
  for (int i = 2; i <= 300; ++i) {
    commit(i);
    if (i % 50 == 0) good(store->build_index());
  }
  while (fetched == 0) std::this_thread::yield();
  stop = true;
  threads.clear();
  CHECK(strange == 0);
  CHECK(rounds > 0);
}
