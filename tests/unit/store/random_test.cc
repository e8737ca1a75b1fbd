// Random writes: the store, with and without its index, agrees with a map.

#include <random>

#include "fixture.hh"

using namespace steward;
using namespace steward::store;
using namespace steward::store::test;

namespace {

constexpr std::string_view apexes[] = {"example.", "sub.example.", "org.", "."};

class Model {
 public:
  Model() {
    for (const auto apex : apexes) zones_.push_back(add_zone(*store_, apex));
    for (size_t i = 0; i < std::size(apexes); ++i) truth_[{i, std::string(apexes[i])}] = "apex";
    reader_ = std::move(*store_->make_reader());
  }
  void transaction(std::mt19937& random, bool commit) {
    auto staged = truth_;
    auto write = begin(*store_);
    for (size_t count = random() % 200; count > 0; --count) {
      const size_t zone = random() % zones_.size();
      const std::string owner = owner_of(random, zone);
      if (random() % 3 != 0) {
        const std::string content = fmt::format("{}-{}", random() % 1000, std::string(random() % 300, 'c'));
        put(*write, zones_[zone], apexes[zone], owner, content);
        staged[{zone, owner}] = content;
      } else if (owner != apexes[zone]) {
        good(write->nodes(zones_[zone]).erase(key_of(name(owner), name(apexes[zone]))));
        staged.erase({zone, owner});
      }
    }
    for (int i = 0; i < 30; ++i) {
      const size_t zone = random() % zones_.size();
      const std::string owner = owner_of(random, zone);
      const auto found = staged.find({zone, owner});
      REQUIRE(content_of(write->nodes(zones_[zone]).find(key_of(name(owner), name(apexes[zone])))) ==
              (found == staged.end() ? "-" : found->second));
    }
    if (!commit) return;
    good(write->commit());
    truth_ = std::move(staged);
  }
  void compare(std::mt19937& random) {
    good(reader_->acquire());
    for (const auto& [key, content] : truth_) REQUIRE(look_up(key.first, key.second) == content);
    for (int i = 0; i < 300; ++i) {
      const size_t zone = random() % zones_.size();
      const std::string owner = owner_of(random, zone);
      const auto found = truth_.find({zone, owner});
      REQUIRE(look_up(zone, owner) == (found == truth_.end() ? "-" : found->second));
    }
    size_t walked = 0;
    for (const auto apex : apexes) {
      const auto* record = reader_->zone_record(name(apex));
      REQUIRE(record != nullptr);
      for (Bytes key; reader_->node_at_or_after(record->info, key); key.push_back(0)) ++walked;
    }
    CHECK(walked == truth_.size());
    reader_->release();
  }
  void reopen() {
    reader_.reset();
    store_.reset();
    store_ = open_store(folder_.options());
    reader_ = std::move(*store_->make_reader());
  }
  Store& store() { return *store_; }
  [[nodiscard]] size_t size() const { return truth_.size(); }

 private:
  std::string owner_of(std::mt19937& random, size_t zone) {
    std::string owner = fmt::format("n{}.", random() % 700);
    if (random() % 4 == 0) owner = fmt::format("\\00{}.", random() % 10) + owner;
    if (random() % 50 == 0) return std::string(apexes[zone]);
    return owner + (apexes[zone] == "." ? "" : std::string(apexes[zone]));
  }
  std::string look_up(size_t zone, const std::string& owner) {
    const auto* record = reader_->zone_record(name(apexes[zone]));
    return record == nullptr ? "no zone" : content_of(reader_->find(record->info, name(owner).folded()));
  }

  Folder folder_;
  std::unique_ptr<Store> store_ = open_store(folder_.options());
  std::vector<uint32_t> zones_;
  std::map<std::pair<size_t, std::string>, std::string> truth_;
  std::unique_ptr<Reader> reader_;
};

}  // namespace

TEST_CASE("store: random writes, aborts, reopenings and compactions agree with a map") {
  std::mt19937 random(20261123);
  Model model;
  for (int round = 0; round < 100; ++round) {
    CAPTURE(round);
    model.transaction(random, random() % 5 != 0);
    if (round % 20 == 10) good(model.store().build_index());
    if (round % 20 == 19) model.reopen();
    if (round % 7 == 0) good(model.store().compact());
    model.compare(random);
    if (round % 20 >= 10 && round % 20 < 19) CHECK(model.store().figures().index_names == model.size());
    if (round % 10 == 9) good(model.store().verify());
  }
}
