#pragma once
// Manifests: what others write about an agent. Four shapes are taken, recognised by their members: STEWARD v1.0.0
// (`agent`, `credentials`, `capabilities`, `governance`), the later STEWARD shape (`identity`, `specs`), A2A agent
// cards (`url`, or 1.0's `supportedInterfaces`), MCP `server.json`, and lists of the last.
//
// A name is never changed silently: what cannot be an agent's label is refused with the reason. Octets in, values out:
// no I/O, no clock.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hh"
#include "base/result.hh"

namespace steward::agent {

enum class ManifestShape : uint8_t { StewardV1, Steward, A2aCard, McpServer };
std::string_view to_text(ManifestShape shape);

/// Where an agent is reached over the network.
struct NetworkEndpoint {
  std::string protocol;   ///< of agents: "a2a", "mcp"; else "" (then `_agent._tcp`)
  std::string transport;  ///< ALPN id: "h2", "http/1.1"
  std::string host;       ///< A-labels, lower case, no final dot
  uint16_t port = 443;
  std::string path;  ///< as in the URL; "/" where it has none
  std::string url;   ///< as it was written
};

struct Manifest {
  ManifestShape shape{};
  std::string name;  ///< the agent's label, lower case
  std::optional<std::string>
      owner;  ///< MCP `io.github.OWNER/NAME`: OWNER, lower case; the namespace is user/OWNER or org/OWNER below github
  std::string version;  ///< SemVer
  std::string status;   ///< active or deprecated
  std::string successor;
  std::vector<std::string> capabilities;   ///< [a-z0-9_-]{1,62}, in the manifest's order, each once
  std::vector<std::string> protocols;      ///< of its endpoints, each once
  std::vector<NetworkEndpoint> endpoints;  ///< in order of preference; empty: no network endpoint serves it
  std::string description;                 ///< one line of UTF-8, at most 1,000 octets; may be empty
  std::vector<std::pair<std::string, double>>
      claims;  ///< facts about quality that the manifest claims of itself: "tests", "success", "uptime"
  std::vector<std::string> notes;  ///< what was left out of the records, and why
  std::string pointer;             ///< where it stands in a list: "/servers/3"; empty: it is the whole text
  std::string octets;              ///< exactly as read: what `digest` is of
};

/// One manifest that was refused: the JSON pointer of the offending member (RFC 6901), and the rule.
struct ManifestRefusal {
  std::string name;     ///< as it was written, may be empty
  std::string pointer;  ///< "/agent/id"
  std::string rule;
  [[nodiscard]] std::string text() const { return (pointer.empty() ? "" : pointer + ": ") + rule; }
};

struct ManifestReading {
  std::vector<Manifest> manifests;
  std::vector<ManifestRefusal> refusals;
};

/// Everything in one file: a list gives many (each element's octets are its own text). A file that is not JSON, repeats
/// a member, or is of no known shape is one refusal.
ManifestReading read_manifests(std::string_view text);
/// Exactly one manifest. `as`: the label that the caller gives the agent instead of the manifest's name, which many A2A
/// cards write for people
/// ("Research Assistant Agent"); empty: none.
tl::expected<Manifest, ManifestRefusal> read_manifest(std::string_view text, std::string_view as = {});

/// Whether this can be an agent's label: `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?` after folding upper case, not reserved;
/// an A-label must be a sound one. The folded label, or Invalid with the rule.
Result<std::string> agent_label(std::string_view text);

}  // namespace steward::agent
