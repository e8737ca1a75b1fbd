#pragma once
// The resolver: questions that workers hand on are resolved and validated from the root registry on, and answered. One thread of its own,
// which waits for libunbound's and for new questions.
//
// Bounded: in all, for each client address, and in time. What is over is SERVFAIL at once, with an extended error (RFC 8914).

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "base/clock.hh"
#include "client/resolver.hh"
#include "config/config.hh"
#include "serve/recursion.hh"

namespace steward::daemon {

class ResolverDesk final : public serve::Recursion {
 public:
  struct Figures {
    uint64_t under_way = 0;
    uint64_t secure = 0;
    uint64_t insecure = 0;
    uint64_t bogus = 0;
    uint64_t failed = 0;     ///< no server gave an answer
    uint64_t timed_out = 0;
    uint64_t overload = 0;   ///< refused since too many were under way
  };

  /// For config.resolver and config.registry, which are there. Reads the trust anchor. Sends nothing.
  static Result<std::unique_ptr<ResolverDesk>> open(const config::Config& config, const Clock& clock);
  ~ResolverDesk() override;
  ResolverDesk(const ResolverDesk&) = delete;
  ResolverDesk& operator=(const ResolverDesk&) = delete;

  void start();
  /// Idempotent. What is under way stays without an answer.
  void stop();
  /// Any worker.
  void resolve(serve::RecursiveResponse response) override;
  [[nodiscard]] Figures figures() const;

 private:
  struct Asked {
    serve::RecursiveResponse response;
    uint64_t until_ns = 0;
  };

  ResolverDesk(const config::Config& config, const Clock& clock, client::Resolver resolver);
  void run();
  void wait();
  void begin_waiting();
  void answer_arrivals();
  void give_up_late();
  void answer(serve::RecursiveResponse& response, const Result<client::Answer>& answer);
  void end(const serve::RecursiveResponse& response, uint64_t Figures::*count);
  void tell_bogus(const serve::RecursiveResponse& response, std::string_view why);

  const dns::Name apex_;
  const config::ResolverConfig limits_;
  const Clock& clock_;
  client::Resolver resolver_;           // the thread's, and so are
  std::map<uint64_t, Asked> asked_;     // by ticket: in the order of their times
  uint64_t told_bogus_ns_ = 0;
  int wake_ = -1;                       // an eventfd
  mutable std::mutex mutex_;
  std::deque<Asked> waiting_;
  std::map<Bytes, uint32_t> clients_;   // those with questions under way, by address
  Figures figures_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace steward::daemon
