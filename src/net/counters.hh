#pragma once
// What a worker counts. Written by its own thread only, read by any: relaxed, so that counting costs an addition and
// a reader sees each figure whole, though not all of them at one instant.

#include <atomic>
#include <cstdint>

namespace steward::net {

class Counter {
 public:
  /// By the one writing thread: a load and a store, no locked instruction.
  void add(uint64_t n = 1) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct alignas(64) WorkerCounters {
  Counter udp_queries;  ///< datagrams handed to the responder
  Counter udp_query_bytes;
  Counter udp_answers;  ///< datagrams that the kernel took
  Counter udp_answer_bytes;
  Counter udp_truncated;     ///< dropped: longer than any datagram that we take
  Counter udp_bad_proxy;     ///< dropped: from a listed proxy, without a right header
  Counter udp_bad_source;    ///< dropped: source port 0, which cannot be answered
  Counter udp_send_dropped;  ///< answers that the kernel did not take
  Counter udp_batches;       ///< calls that brought at least one datagram
  Counter tcp_accepted;
  Counter tcp_refused_total;    ///< too many clients
  Counter tcp_refused_address;  ///< too many clients of one address
  Counter tcp_accept_failed;    ///< out of descriptors or memory
  Counter tcp_evicted;          ///< idle clients closed to make room
  Counter tcp_idle_closed;
  Counter tcp_slow_writers;  ///< reset: a message was not completed in time
  Counter tcp_slow_readers;  ///< reset: answers were not read in time
  Counter tcp_broken;        ///< closed by an error, a reset or a message of no octets
  Counter tcp_bad_proxy;     ///< reset: likewise
  Counter tls_handshakes;    ///< that were completed
  Counter tls_failed;        ///< handshakes that were not: refused, broken off, over their time
  Counter tcp_queries;
  Counter tcp_query_bytes;
  Counter tcp_answers;
  Counter tcp_answer_bytes;
};

}  // namespace steward::net
