#pragma once
// Settings: which registry a client asks, and what it trusts. Values; any thread.

#include <chrono>
#include <string>
#include <vector>

#include "steward/outcome.hh"

namespace steward::client {

struct Settings {
  /// "192.0.2.1@53", "::1@5300": the registry that is asked, and nobody else. Empty: the system's resolver.
  std::string registry;
  /// "vibe-agency.com": completes short names. May be empty: then names are given in full.
  std::string name_space;
  /// Everything that a registry holds lies below it.
  std::string apex = "steward-registry.org";
  /// File of DS or DNSKEY records in text form, of any zone. Empty: the system's root key.
  std::string trust_anchor;
  /// Where the fingerprints of agents are kept that were seen before. Empty: none are kept.
  std::string known_agents;
  /// DNS over TLS (RFC 7858) to `registry`, strict (RFC 8310 §5): without a connection that holds nothing is asked.
  bool tls = false;
  /// The name in the registry's certificate; needed with `tls`, unless there are `tls_pins`, to which it is only told.
  std::string tls_name;
  /// PEM file of the authorities that may have issued it. Empty: the system's.
  std::string tls_authorities;
  /// In place of authorities: SHA-256 of the SubjectPublicKeyInfo of the certificate that the registry may show, in base64,
  /// 44 characters each (RFC 7858 §4.2). Then neither who issued it nor its name and dates matter.
  std::vector<std::string> tls_pins;
  /// For each question, from 1 ms on.
  std::chrono::milliseconds timeout{10'000};

  /// From a configuration file (steward(1), "FILES"): every problem with line and column. A member that the file does
  /// not name keeps its default; relative paths count from the file.
  static Outcome<Settings> load(const std::string& file);
  /// $XDG_CONFIG_HOME/steward/config.yaml, else ~/.config/steward/config.yaml; empty where there is no home.
  static std::string default_file();
  /// The same folder's `known_agents`.
  static std::string default_known_agents();
};

}  // namespace steward::client
