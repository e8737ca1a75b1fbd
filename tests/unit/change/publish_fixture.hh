#pragma once
// A registry in memory, and publishers who send it UPDATEs.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "change/publish.hh"
#include "update_fixture.hh"

namespace steward::change::test {

using agent::AgentStatus;
using agent::PublishedRecord;

/// A publisher's key.
struct Owner {
  Owner();
  explicit Owner(crypto::KeyPair made);

  std::shared_ptr<const crypto::KeyPair> pair;
  std::string print;
  Bytes rdata;  ///< of its KEY
};

/// One publish as a client makes it, before anything is done to it.
struct Draft {
  std::string agent = "bot.acme.example.";
  std::string version = "1.0.0";
  AgentStatus status = AgentStatus::Active;
  UnixTime modified{};  ///< 0: the registry's time
  std::vector<std::string> capabilities{"plan"};
  bool has_endpoint = true;
  bool has_manifest = true;
  std::string reason = "lost";
  uint32_t ttl = 300;
};

class Registry {
 public:
  explicit Registry(Mode mode = Mode::Unsigned, std::string_view rest = "");

  /// What make_publication() or make_tombstone() makes of it.
  std::vector<PublishedRecord> records(const Draft& draft, const Owner& owner) const;
  /// An UPDATE that deletes what a publish replaces, and adds `records` and `rotation`.
  static Script update(const std::string& agent, const std::vector<PublishedRecord>& records, ByteView rotation = {});

  /// Parsed, checked, admitted and finished, signed with `signer`. What is refused must have left everything as it was.
  PublishOutcome send(const Script& script, const Owner& signer, std::string_view agent = "bot.acme.example.",
                      std::optional<UpdateLease> lease = {});
  PublishOutcome publish(const Draft& draft, const Owner& owner, std::optional<UpdateLease> lease = {});
  /// A publish whose key follows another one.
  PublishOutcome rotate(const Draft& draft, const Owner& from, const Owner& to, uint32_t number);
  PublishOutcome claim(const Draft& draft, std::string_view custodial, const Owner& to, uint32_t number);

  Result<PublishEffect> act(const std::function<Result<PublishEffect>(ZoneEdit&, RegistryState&)>& what);
  Result<PublishEffect> import(const Draft& draft, const std::map<std::string, agent::TrustFact>& facts = {});

  void allow(const Owner& owner, std::string_view space = "acme.example.");
  [[nodiscard]] std::optional<agent::AgentEntry> entry(std::string_view agent = "bot.acme.example.");
  /// "300 TXT …" and so on, of all that is content.
  std::vector<std::string> at(std::string_view owner);
  std::vector<Bytes> rdatas(std::string_view owner, RrType type);
  void pass(Seconds time) { clock += time; }

  UnixTime clock = now;
  Zone zone;
  Mode mode;
  steward::test::MemoryOctets agents;
  steward::test::MemoryOctets history;
  steward::test::MemoryOctets publishers;
  steward::test::MemoryOctets ranks;
  steward::test::MemoryOctets pages;
  agent::Book book;
  PublishPolicy policy;
  UpdateLimits limits{100, 100, 1000, 4000};
  Owner custody;
  std::map<std::string, agent::LookAlikes> look_alikes;
  std::map<std::string, std::string> keys;  ///< by agent: the fingerprint, of those that are not gone
  bool examine = true;                      ///< faults of the zone after each change

 private:
  RegistryState state();
  void learn(const PublishEffect& effect);
};

/// Changes the fields of the statement among `records` and signs it again, for the agent of this name.
using Fields = std::vector<agent::TextField>;
void state_anew(std::vector<PublishedRecord>& records, const Owner& owner, const std::function<void(Fields&)>& change,
                std::string_view agent = "bot.acme.example.");
/// Puts a value in place of that of `key`, or a new field before `ep`.
void put_field(Fields& fields, std::string_view key, std::string_view value);

/// The rule that an outcome was refused by, empty where it was not.
std::string rule_of(const PublishOutcome& outcome);
bool mentions(const PublishOutcome& outcome, std::string_view part);
/// REFUSED, for a rule with these words in it.
#define CHECK_REFUSED(outcome, part)                       \
  do {                                                     \
    const auto checked_outcome = (outcome);                \
    INFO("rule: ", rule_of(checked_outcome));              \
    CHECK(checked_outcome.update.rcode == Rcode::REFUSED); \
    CHECK(mentions(checked_outcome, part));                \
  } while (false)
#define REQUIRE_DONE(outcome)                                           \
  do {                                                                  \
    const auto done_outcome = (outcome);                                \
    REQUIRE_MESSAGE(done_outcome.update.done(), rule_of(done_outcome)); \
  } while (false)

}  // namespace steward::change::test
