#pragma once
// NOTIFY (RFC 1996): tells the servers of a zone's `notify` list that it has changed. Main loop's thread only.
//
// Each (zone, server) has at most one NOTIFY under way; a change meanwhile is told once that has ended, so that a burst of changes is few
// messages. A server that does not answer is asked again with growing intervals, then given up until the next change (RFC 1996 §3.6). A registry
// is told over TLS, likewise, for the most of an hour: it asks by itself when it starts, and else in hours.

#include <functional>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "daemon/peer_calls.hh"
#include "serve/transfer_records.hh"

namespace steward::daemon {

class Notifier {
 public:
  /// The SOA that is served; nothing where nothing is.
  using FindSoa = std::function<std::optional<serve::SoaRecord>(const dns::Name& zone)>;
  Notifier(PeerCalls& calls, FindSoa find_soa) : calls_(calls), find_soa_(std::move(find_soa)) {}

  /// Servers anew; what is under way goes on.
  void configure(const std::vector<config::ZoneConfig>& zones);
  void changed(const dns::Name& zone);
  /// Tells those who were told nothing since they were configured: a change that was committed right before a crash would wait for the
  /// refresh of the secondaries otherwise.
  void announce();

  struct Figures {
    uint64_t sent = 0;       ///< NOTIFYs, without repetitions
    uint64_t repeated = 0;   ///< to registries
    uint64_t answered = 0;
    uint64_t given_up = 0;
  };
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  struct Target {
    config::Peer peer;
    std::unique_ptr<net::DatagramCall> call;
    std::unique_ptr<net::StreamCall> stream;  // instead: to a registry, over TLS
    std::unique_ptr<net::Timer> wait;         // until a registry is told again
    unsigned failures = 0;                    // of one change, in a row
    bool announces = false;  // the call does
    std::unique_ptr<auth::TsigVerifier> verifier;
    bool again = false;
    bool wanted = true;  // still in the configuration
    bool told = false;
    [[nodiscard]] bool is_under_way() const { return call != nullptr || stream != nullptr; }
  };
  using Targets = std::map<std::string, Target>;  // by address and key
  void send(const std::string& zone, const std::string& name);
  void announce_some();
  void ended(const std::string& zone, const std::string& name, bool answered, const std::string& why);
  void failed_at_registry(const std::string& zone, const std::string& name, Target& target, const std::string& why);
  void send_to_registry(const std::string& zone, const std::string& name, Target& target, Bytes message);
  [[nodiscard]] Target* find(const std::string& zone, const std::string& name);
  void forget(Target& target);
  [[nodiscard]] Result<Bytes> message_for(const std::string& zone, Target& target);

  PeerCalls& calls_;
  FindSoa find_soa_;
  std::map<std::string, Targets> zones_;  // by the text of the apex
  std::deque<std::pair<std::string, std::string>> to_announce_;  // zone and target
  size_t announcing_ = 0;
  Figures figures_;
};

}  // namespace steward::daemon
