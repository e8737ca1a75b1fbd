#pragma once
// The resolver: questions out, validated answers in. The one place that knows libunbound, which resolves and validates
// inside of this process, from the trust anchors that it is given.
//
// A registry that resolves for its clients has one of open_below(): questions below the apex go to the root registries and to whom they refer.
//
// With Settings::registry every question goes to that one address and to whom it refers; with Settings::tls to that
// address alone, through a relay (tls_relay.hh). Without a registry the system's resolvers are asked. Used by one thread; ask() blocks.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.hh"
#include "base/result.hh"
#include "dns/message.hh"
#include "steward/agent.hh"
#include "steward/settings.hh"

namespace steward::client {

struct Question {
  dns::Name name;
  dns::RrType type{};
};

struct Answer {
  Question question;
  Security security = Security::Insecure;
  std::string note;  ///< why it is not secure
  dns::Rcode rcode = dns::Rcode::NOERROR;
  std::vector<Bytes> rdatas;  ///< of the question's name and type; none where there are none, or the answer is bogus
  dns::Message message;       ///< all of it, with its RRSIGs and proofs of denial
};

/// The answer to what start() began.
struct Arrival {
  uint64_t ticket = 0;
  Result<Answer> answer;
};

class Resolver {
 public:
  /// `anchors`: DS and DNSKEY records. Sends nothing.
  static Result<Resolver> open(const Settings& settings, std::span<const dns::Record> anchors);
  /// Names at and below `zone` are asked of this server first, whatever NS records say, and whom it refers to.
  struct Closest {
    dns::Name zone;
    std::string server;  ///< "192.0.2.1@53"
  };
  static Result<Resolver> open(const Settings& settings, std::span<const dns::Record> anchors,
                               const std::optional<Closest>& closest);
  /// Asks the root registries at `servers` alone, and from there whom they refer to below the apex. At least one.
  static Result<Resolver> open_below(const dns::Name& apex, std::span<const SocketAddress> servers, std::span<const dns::Record> anchors);
  Resolver(Resolver&&) noexcept;
  Resolver& operator=(Resolver&&) noexcept;
  ~Resolver();

  /// All questions at once, the answers in their order. Io where one stays without an answer within the time limit, or
  /// the servers fail.
  Result<std::vector<Answer>> ask(std::span<const Question> questions);

  /// Begins with one question and does not wait; the ticket comes back with the answer. Settings::timeout does not
  /// count here: who started gives up with forget().
  Result<uint64_t> start(const Question& question);
  /// Readable when an answer has come.
  [[nodiscard]] int fd() const;
  /// What has come since; does not wait.
  std::vector<Arrival> take_arrivals();
  void forget(uint64_t ticket);

 private:
  struct State;
  explicit Resolver(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace steward::client
