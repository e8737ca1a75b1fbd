// Random histories of one name against a small model of it, the rules written down a second time; and publishers who
// race.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>

#include "publish_fixture.hh"

using namespace steward;
using namespace steward::change;
using namespace steward::change::test;

namespace {

constexpr const char* bot = "bot.acme.example.";
constexpr size_t owners = 4;

struct Model {
  bool known = false;
  bool gone = false;
  int version = 0;
  UnixTime modified{};
  size_t key = 0;
  AgentStatus status = AgentStatus::Active;
  uint32_t rotations = 0;
  std::set<size_t> revoked;
  std::optional<UnixTime> lease;
  uint64_t writes = 0;

  static bool is_ending(AgentStatus status) {
    return status == AgentStatus::Withdrawn || status == AgentStatus::Revoked;
  }
  [[nodiscard]] bool supersedes(int next, AgentStatus with, size_t signer, UnixTime at) const {
    if (at <= modified || next < version) return false;
    return next > version || gone || with != status || signer != key;
  }
  /// Whether the key may sign the next statement, as it stands or with a rotation from `from`.
  [[nodiscard]] bool may_sign(size_t signer, std::optional<std::pair<size_t, uint32_t>> from, AgentStatus with) const {
    if (!known) return !from && !is_ending(with);
    if (revoked.contains(signer)) return false;
    if (status == AgentStatus::Revoked) return !from && !is_ending(with);
    if (signer == key) return !from;
    return from && from->first == key && from->second == rotations + 1 && !is_ending(with);
  }
  void publish(int next, AgentStatus with, size_t signer, UnixTime at, bool rotated, std::optional<UnixTime> until) {
    known = true;
    gone = false;
    version = next;
    modified = at;
    key = signer;
    status = with;
    if (rotated) ++rotations;
    if (with == AgentStatus::Revoked) revoked.insert(signer);
    if (until) lease = until;
    if (is_ending(with)) lease.reset();
    ++writes;
  }
};

class History {
 public:
  explicit History(uint64_t seed) : random_(seed) {
    for (const Owner& owner : keys_) registry_.allow(owner);
  }

  void step() {
    registry_.pass(Seconds(pick(0, 3)));
    const int choice = pick(0, 99);
    if (choice < 10) return expire();
    if (choice < 16) return suspend();
    const size_t signer = choice < 70 ? model_.key : static_cast<size_t>(pick(0, owners - 1));
    const int version = std::max(1, model_.version + pick(-1, 2));
    const auto status = static_cast<AgentStatus>(std::min(pick(0, choice < 60 ? 1 : 12), 3));
    if (choice < 80)
      publish(version, status, signer);
    else
      rotate(version, status, choice < 95 ? model_.key : static_cast<size_t>(pick(0, owners - 1)), signer,
             model_.rotations + static_cast<uint32_t>(choice % 7 == 0 ? 2 : 1));
  }

  void compare() {
    const auto entry = registry_.entry();
    REQUIRE(entry.has_value() == model_.known);
    const auto statements = registry_.rdatas(bot, RrType::TXT);
    const bool is_served = model_.known && !model_.gone;
    REQUIRE(statements.size() == (is_served ? 1 : 0));
    CHECK(registry_.at("_registry.bot.acme.example.").size() == (is_served ? 1 : 0));
    const bool is_listed = is_served && !Model::is_ending(model_.status) && !suspended_;
    CHECK(registry_.at("_a2a._tcp.acme.example.").size() == (is_listed ? 1 : 0));
    CHECK(registry_.rdatas("_keys.bot.acme.example.", RrType::TXT).size() == (is_served ? model_.rotations : 0));
    if (!entry) return;
    CHECK(entry->version == text_of(model_.version));
    CHECK(entry->modified == model_.modified);
    CHECK(entry->fingerprint == keys_[model_.key].print);
    CHECK(entry->status == model_.status);
    CHECK(entry->rotations == model_.rotations);
    CHECK(entry->revoked.size() == model_.revoked.size());
    for (const size_t key : model_.revoked)
      CHECK(std::ranges::find(entry->revoked, keys_[key].print) != entry->revoked.end());
    CHECK((entry->presence == agent::Presence::Gone) == model_.gone);
    CHECK(entry->lease_until == model_.lease);
    CHECK(entry->write.clock.at("eu-4f2a") == model_.writes);
    CHECK(entry->history == model_.writes);
    if (is_served) verify(statements.front());
  }

  // The whole chain of hashes.
  void end() {
    const auto history = registry_.book.history(name(bot));
    REQUIRE(history);
    for (size_t i = 1; i < history->size(); ++i) CHECK((*history)[i].previous == (*history)[i - 1].hash());
    CHECK(faults(registry_.zone, registry_.mode).empty());
  }
  [[nodiscard]] uint64_t accepted() const { return model_.writes; }

 private:
  int pick(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }
  static std::string text_of(int version) { return fmt::format("{}.0.0", version); }

  // What a client sees, it can prove.
  void verify(const Bytes& txt) {
    const auto statement = agent::Statement::from_txt(txt);
    REQUIRE(statement);
    const auto keys = registry_.rdatas(bot, RrType::KEY);
    const std::vector<ByteView> views(keys.begin(), keys.end());
    CHECK(statement->verify(name(bot), views));
    std::vector<agent::Endpoint> rows;
    const auto srv = registry_.rdatas(bot, RrType::SRV);
    const auto svcb = registry_.rdatas(bot, RrType::SVCB);
    for (const Bytes& rdata : srv) rows.push_back({RrType::SRV, rdata});
    for (const Bytes& rdata : svcb) rows.push_back({RrType::SVCB, rdata});
    CHECK(statement->verify_endpoints(rows));
  }

  [[nodiscard]] Draft draft(int version, AgentStatus status) const {
    Draft made;
    made.version = text_of(version);
    made.status = status;
    return made;
  }

  void publish(int version, AgentStatus status, size_t signer) {
    const bool leased = pick(0, 3) == 0;
    // The same statement once more, within one second, is a repetition and no change.
    const bool may = model_.may_sign(signer, {}, status) &&
                     (!model_.known || model_.supersedes(version, status, signer, registry_.clock));
    const auto outcome = registry_.publish(draft(version, status), keys_[signer],
                                           leased ? std::optional(UpdateLease{30, 0}) : std::nullopt);
    INFO("version ", version, " status ", agent::to_text(status), " key ", signer, ": ", rule_of(outcome));
    if (outcome.update.done() && !outcome.update.changed) {
      CHECK(model_.modified == registry_.clock);
      if (outcome.granted) model_.lease = registry_.clock + Seconds(30);
      return;
    }
    CHECK(outcome.update.done() == may);
    if (may)
      model_.publish(version, status, signer, registry_.clock, false,
                     leased ? std::optional(registry_.clock + Seconds(30)) : std::nullopt);
  }

  void rotate(int version, AgentStatus status, size_t from, size_t to, uint32_t number) {
    if (from == to) return;
    const bool may = model_.known && model_.may_sign(to, std::pair(from, number), status) &&
                     model_.supersedes(version, status, to, registry_.clock);
    const auto outcome = registry_.rotate(draft(version, status), keys_[from], keys_[to], number);
    INFO("version ", version, " status ", agent::to_text(status), " keys ", from, " to ", to, " n ", number, ": ",
         rule_of(outcome));
    CHECK(outcome.update.done() == may);
    if (may) model_.publish(version, status, to, registry_.clock, true, {});
  }

  void expire() {
    if (pick(0, 1) == 0) registry_.pass(Seconds(30));
    const bool may = model_.known && !model_.gone && model_.lease && *model_.lease <= registry_.clock;
    const auto effect = registry_.act([&](ZoneEdit& edit, RegistryState& state) {
      return expire_agent(name(bot), registry_.policy, edit, state, registry_.clock);
    });
    CHECK(effect.has_value() == may);
    if (!may) return;
    model_.gone = true;
    model_.lease.reset();
    ++model_.writes;
  }

  void suspend() {
    const bool may = model_.known && !model_.gone;
    const auto reason = suspended_ ? std::nullopt : std::optional<std::string>("spam");
    const auto effect = registry_.act([&](ZoneEdit& edit, RegistryState& state) {
      return suspend_agent(name(bot), reason, registry_.policy, edit, state, registry_.clock);
    });
    CHECK(effect.has_value() == may);
    if (!may) return;
    suspended_ = !suspended_;
    ++model_.writes;
  }

  std::mt19937_64 random_;
  Registry registry_{Mode::Nsec};
  std::array<Owner, owners> keys_;
  Model model_;
  bool suspended_ = false;
};

}  // namespace

TEST_CASE("publish: random histories of one name end as a small model of the rules says") {
  uint64_t accepted = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    History history(seed);
    for (int i = 0; i < 60; ++i) {
      history.step();
      history.compare();
    }
    history.end();
    accepted += history.accepted();
  }
  CHECK(accepted > 100);
}

TEST_CASE("publish: of a thousand racing publishers exactly one wins each version, with and without a prerequisite") {
  for (const bool with_prerequisite : {true, false}) {
    Registry registry;
    registry.examine = false;
    const Owner owner;
    registry.allow(owner);
    size_t version = 0;
    for (int round = 0; round < 10; ++round) {
      registry.pass(Seconds(1));
      const auto present = registry.rdatas(bot, RrType::TXT);
      // Each has read the same, and says something else under the same version.
      size_t winners = 0;
      for (int publisher = 0; publisher < 100; ++publisher) {
        Draft draft;
        draft.version = fmt::format("1.{}.0", version);
        draft.modified = registry.clock + Seconds(publisher % 3);
        draft.capabilities = {fmt::format("c{}", publisher)};
        auto script = Registry::update(bot, registry.records(draft, owner));
        if (with_prerequisite && present.empty()) script.absent(bot, RrType::TXT);
        if (with_prerequisite && !present.empty())
          script.prerequisite({name(bot), RrType::TXT, RrClass::IN, 0, present.front()});
        const auto outcome = registry.send(script, owner);
        if (outcome.update.done()) ++winners;
      }
      CHECK(winners == 1);
      registry.pass(Seconds(3));
      ++version;
    }
    CHECK(registry.entry()->history == 10);
    CHECK(registry.entry()->version == "1.9.0");
  }
}
