#pragma once
// libsteward: resolve and verify agents of STEWARD registries, with DNSSEC validated here, from a trust anchor of one's
// own.
//
//   auto settings = steward::client::Settings::load(steward::client::Settings::default_file());
//   auto client = steward::client::Client::open(*settings);
//   auto agent = client->resolve("vibe-agency-orchestrator");
//   if (agent && agent->usable) connect(agent->endpoints);
//
// A Client is used by one thread; it blocks, at most Settings::timeout a question. Any number of them may exist.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "steward/agent.hh"
#include "steward/discover.hh"
#include "steward/outcome.hh"
#include "steward/settings.hh"
#include "steward/text.hh"
#include "steward/trust.hh"
#include "steward/verification.hh"

namespace steward::client {

/// The agent's fully qualified name, lower case, without the final dot. Taken are: the full name, with or without a
/// final dot; a name below the apex ("agent.vibe-agency.com"); a label, completed with Settings::name_space; the
/// reversed form of listings ("com.vibe-agency.agent"), where the form before would not be a name of that namespace.
/// Invalid with the rule.
Outcome<std::string> full_name(std::string_view agent, const Settings& settings);

enum class ProofOf : uint8_t { Presence, Absence };

class Client {
 public:
  /// Invalid or Io where a setting, or the trust anchor's file, is no good. Sends nothing.
  static Outcome<Client> open(Settings settings);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  /// All of an agent's records, asked for at once. NotFound where its absence is proved; Untrusted where DNSSEC is
  /// bogus, or the statement's signature does not hold.
  Outcome<Agent> resolve(std::string_view agent);
  /// Every proof, also of the manifest. A Failure only where nothing could be asked.
  Outcome<Verification> verify(std::string_view agent, const VerifyOptions& options = {});
  /// The agent's records, or the proof of their absence, with the chain of DNSSEC from the trust anchor on: what
  /// verify_bundle() checks without a network (steward(1), "BUNDLES").
  Outcome<std::vector<uint8_t>> prove(std::string_view agent, ProofOf what = ProofOf::Presence);
  /// How the registry's trust in the agent comes about.
  Outcome<TrustSum> trust(std::string_view agent);

  /// The agents that registries list under a term: a capability, an agent's label, or a word of it. The local registry
  /// is that of Settings::name_space; without one the root is asked alone. A registry that is out of reach costs its
  /// rows and a warning, never the search.
  Outcome<Discovery> discover(std::string_view term, const DiscoverOptions& options = {});

  [[nodiscard]] const Settings& settings() const;

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Checks a bundle with nothing but the trust anchor (text of DS or DNSKEY records) and a time (seconds since 1970).
Verification verify_bundle(const std::vector<uint8_t>& bundle, std::string_view trust_anchor, int64_t now,
                           const VerifyOptions& options = {});

/// The text of Settings::trust_anchor, or of the system's root key where that is empty.
Outcome<std::string> read_trust_anchor(const Settings& settings);

}  // namespace steward::client
