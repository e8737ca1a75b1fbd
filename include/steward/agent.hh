#pragma once
// What a client learns about an agent: plain values, every one of them checked before it stands here.
//
// Texts come from the network: names and hosts are ASCII, descriptions and reasons may hold anything that a publisher
// signed. for_terminal() before they are shown.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace steward::client {

/// What DNSSEC validation from the client's own trust anchor comes to (RFC 4033 §5).
enum class Security : uint8_t { Secure, Insecure, Bogus };

enum class Status : uint8_t { Active, Deprecated, Withdrawn, Revoked };

/// One way to reach an agent: a row of SVCB, or of SRV where there is no SVCB, that the publisher signed.
struct Endpoint {
  std::string protocol;           ///< "a2a", "mcp"; empty: not stated
  std::vector<std::string> alpn;  ///< transport ids, "h2"; may be empty
  std::string host;               ///< the target: what is connected to, named in SNI and checked in the certificate
  uint16_t port = 443;
  uint16_t priority = 0;   ///< ascending; the lowest is tried first
  std::string well_known;  ///< path of the agent's card, may be empty
};

/// What only the registry may say.
struct RegistryStatement {
  std::string registry;         ///< its id, "com.vibe-agency"
  std::optional<double> trust;  ///< 0 to 1
  std::string status;           ///< "active", "suspended"
  std::string reason;           ///< of a suspension, may be empty
  std::string clock;            ///< "eu-4f2a:5,us-91c0:7"
};

/// One step from an old key to a new one, both signatures checked.
struct KeyRotation {
  uint32_t number = 0;
  std::string old_fingerprint;
  std::string new_fingerprint;
  int64_t modified = 0;  ///< seconds since 1970
};

struct Agent {
  std::string name;        ///< fully qualified, lower case, no final dot
  std::string label;       ///< the agent's own label
  std::string name_space;  ///< below the apex, "vibe-agency.com"
  Security security = Security::Insecure;
  std::string security_note;  ///< why it is not secure; empty where it is

  // The publisher's statement, its signature checked.
  std::string version;
  Status status = Status::Active;
  std::vector<std::string> capabilities;
  std::string description;
  std::string successor;        ///< of deprecated and revoked
  std::string reason;           ///< of revoked
  std::string custody;          ///< id of the registry whose key signed for a publisher without one
  std::string fingerprint;      ///< "sha256:…" of the publisher's key
  std::string key_algorithm;    ///< "ED25519"
  int64_t modified = 0;         ///< seconds since 1970
  std::string manifest;         ///< URL
  std::string manifest_digest;  ///< "sha256:…"

  std::optional<RegistryStatement> registry;
  std::vector<KeyRotation> rotations;  ///< in order of their numbers

  /// In the order in which they are to be tried; empty unless `usable`.
  std::vector<Endpoint> endpoints;
  /// Secure, active or deprecated, not suspended, rows as signed. An agent without network endpoints is usable too.
  bool usable = false;
  std::string unusable_because;  ///< one sentence; empty where it is usable
};

std::string to_text(Status status);
std::string to_text(Security security);

}  // namespace steward::client
