#pragma once
// Short talks with other servers: a few questions over one stream, and all their answers, or why there are none.
//
// Main loop's thread only. What is under way ends without a word when this goes, which is before the loop.

#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "daemon/anchored_lookup.hh"
#include "daemon/peer_calls.hh"
#include "dns/message.hh"

namespace steward::daemon {

class Dialogues {
 public:
  /// In the order of the questions.
  using Done = std::function<void(Result<std::vector<dns::Message>>)>;

  explicit Dialogues(PeerCalls& calls) : calls_(calls) {}

  /// Whole messages with IDs that differ; from the address of our own that the configuration has for such a peer, where
  /// the options have none. Io names the peer and the reason; `done` comes from the loop, never from
  /// within.
  void start(net::StreamCall::Options options, std::vector<Bytes> questions, Done done);
  /// A question that a resolver may be asked as well: RD, DO, AD.
  [[nodiscard]] static Result<Bytes> question(const dns::Name& name, dns::RrType type, bool recursive);

 private:
  struct Talk;
  PeerCalls& calls_;
  std::list<std::shared_ptr<Talk>> talks_;
};

/// RDATA of a type in the answer section.
[[nodiscard]] std::vector<Bytes> rdatas_of(const dns::Message& message, dns::RrType type);

/// The resolvers of /etc/resolv.conf, port 53.
[[nodiscard]] std::vector<SocketAddress> system_resolvers();

/// Asks validating resolvers, one after the other until one says something: what does not validate they do not tell. What
/// is at or below the apex of a federation whose trust anchor we hold is validated here.
class NameLookup {
 public:
  using Done = std::function<void(Result<std::vector<Bytes>>)>;
  explicit NameLookup(Dialogues& dialogues) : dialogues_(dialogues) {}

  void configure(std::vector<SocketAddress> resolvers) { resolvers_ = std::move(resolvers); }
  /// `lookup` may be null: then the resolvers are asked for all.
  void anchor(const dns::Name& apex, std::unique_ptr<AnchoredLookup> lookup) {
    apex_ = apex;
    anchored_ = std::move(lookup);
  }
  [[nodiscard]] bool is_anchored() const { return anchored_ != nullptr; }
  /// RDATA of the type at the name, aliases followed; none where there is none. Io where no resolver says anything.
  void ask(const dns::Name& name, dns::RrType type, Done done);

 private:
  void ask_from(size_t resolver, dns::Name name, dns::RrType type, std::string why, Done done);
  Dialogues& dialogues_;
  std::vector<SocketAddress> resolvers_;
  dns::Name apex_;
  std::unique_ptr<AnchoredLookup> anchored_;
};

}  // namespace steward::daemon
