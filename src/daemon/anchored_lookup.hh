#pragma once
// Questions about the federation's own names, resolved from the root registry on and validated in this process from the
// federation's trust anchor: who a registry is, and where. Nothing that is not secure is an answer. What is there is held for
// its TTL; that something is not there is not held, since who asks is who waits for it.
//
// Main loop's thread only. What is under way ends without a word when this goes, which is before the loop.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "client/resolver.hh"
#include "config/config.hh"
#include "net/loop.hh"

namespace steward::daemon {

class AnchoredLookup final : net::FdHandler {
 public:
  /// RDATA of the type at the name, aliases followed.
  using Done = std::function<void(Result<std::vector<Bytes>>)>;

  /// For registry.root and registry.trust-anchor; null where one of them is not given. Sends nothing. Io, Invalid with
  /// the file.
  static Result<std::unique_ptr<AnchoredLookup>> open(net::Loop& loop, const config::RegistryConfig& registry);

  /// `done` comes from the loop, never from within: none where it is proved that there is none, Refused for what is not
  /// secure, Io where nobody answers within ten seconds.
  void ask(const dns::Name& name, dns::RrType type, Done done);

 private:
  struct Asked {
    dns::Name name;
    Done done;
    std::unique_ptr<net::Timer> late;
  };
  AnchoredLookup(net::Loop& loop, config::RegistryConfig registry, std::vector<dns::Record> anchors)
      : loop_(loop), registry_(std::move(registry)), anchors_(std::move(anchors)) {}
  Result<void> begin();
  void on_ready(net::Ready ready) override;
  void end(uint64_t ticket, Result<std::vector<Bytes>> found);

  net::Loop& loop_;
  const config::RegistryConfig registry_;
  const std::vector<dns::Record> anchors_;
  std::optional<client::Resolver> resolver_;
  std::map<uint64_t, Asked> asked_;
  bool forgets_ = false;  // before it asks again
  std::unique_ptr<net::FdWatch> watch_;  // goes before the resolver, whose descriptor it watches
};

}  // namespace steward::daemon
