#pragma once
// Discovery: from a word to the agents that registries list under it, from the local registry up to the root.
//
// Every answer is validated with DNSSEC from the client's own trust anchor, and every agent's statement with its
// publisher's key; what does not hold is left out, with a warning that names the registry. Texts come from the network:
// for_terminal() before they are shown.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "steward/agent.hh"
#include "steward/outcome.hh"

namespace steward::client {

/// Who is asked. `Climb`: the local registry, the one above it only where that has nothing, and so on to the root.
/// `All`: all of these. `Federated`: these, and every registry that their agents' names lead to.
enum class Scope : uint8_t { Climb, All, Federated };
enum class SortBy : uint8_t { Trust, Latency, Name };
enum class Role : uint8_t { Local, Parent, Root, Sibling };

/// What one registry says of an agent.
struct Sighting {
  std::string registry;         ///< its zone, without the final dot
  std::optional<double> trust;  ///< 0 to 1, as that registry states it
  bool is_home = false;         ///< it is the registry that the agent was published in
  std::chrono::microseconds latency{0};
};

struct FoundAgent {
  std::string name;        ///< fully qualified, lower case, no final dot
  std::string label;       ///< the agent's own label
  std::string name_space;  ///< below the apex, "vibe-agency.com"
  std::string reversed;    ///< "com.vibe-agency.orchestrator"
  std::string version;
  Status status = Status::Active;  ///< active or deprecated: others are left out
  std::vector<std::string> capabilities;
  std::string description;
  std::string fingerprint;  ///< "sha256:…" of the publisher's key

  std::optional<double> trust;           ///< the lowest that was stated
  bool self_stated = false;              ///< by its home registry alone
  std::chrono::microseconds latency{0};  ///< of the quickest registry that told of it
  std::vector<Sighting> found_at;        ///< the home registry first, the root last
};

struct AskedRegistry {
  std::string zone;  ///< without the final dot
  Role role = Role::Local;
  bool answered = false;
  size_t agents = 0;                     ///< that hold
  std::chrono::microseconds latency{0};  ///< of its quickest answer
};

/// An address of the local registry, as DiscoverOptions::geo_aware measures it.
struct MeasuredReplica {
  std::string address;  ///< "192.0.2.1@53"
  std::string host;     ///< whose address it is, without the final dot
  bool answered = false;
  std::chrono::microseconds latency{0};  ///< the quickest of three answers
  bool used = false;                     ///< the search was made there
};

struct DiscoveryWarning {
  std::string registry;  ///< its zone
  std::string what;
};

struct Discovery {
  std::string term;  ///< as it was asked, in lower case
  std::vector<FoundAgent> agents;
  std::vector<AskedRegistry> registries;  ///< that exist, in the order in which they were asked
  std::vector<MeasuredReplica> replicas;  ///< the closest first; none unless they were measured
  std::vector<DiscoveryWarning> warnings;
  uint64_t about = 0;        ///< how many there are, nearly, as the registries say
  bool is_complete = false;  ///< no agent was left unread for `limit`, and no registry was out of reach
};

struct DiscoverOptions {
  Scope scope = Scope::Climb;
  SortBy sort = SortBy::Trust;
  size_t limit = 50;  ///< agents; 0: all
  /// How long a registry may be silent before it is given up. 0: one second where several are asked at once, and
  /// Settings::timeout where one is asked after the other.
  std::chrono::milliseconds patience{0};
  /// All addresses of the local registry are measured, and the closest is asked; where it fails, the next. Not with
  /// Settings::tls, which allows no address but one.
  bool geo_aware = false;
  /// Called when a registry has been read, or given up.
  std::function<void(const AskedRegistry&)> on_registry;
};

/// In lower case; Invalid unless it is `[a-z0-9_-]{1,62}` then.
Outcome<std::string> search_term(std::string_view text);

std::string to_text(Role role);

}  // namespace steward::client
