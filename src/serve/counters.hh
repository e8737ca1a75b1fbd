#pragma once
// What a worker counts. Written by one thread, read by any: a plain add, no locked instruction.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/exchange.hh"
#include "dns/rr_type.hh"

namespace steward::serve {

class Counter {
 public:
  void add(uint64_t n = 1) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct alignas(64) Counters {
  static constexpr size_t transports = 4;
  static constexpr size_t known_types = 264;  ///< by their number; the rest in the last
  static constexpr size_t rcodes = 24;        ///< NOERROR to BADCOOKIE
  static constexpr size_t size_buckets = 33;  ///< of 64 octets; the last holds all from 2,048 on

  std::array<Counter, transports> queries;           ///< by Transport
  std::array<Counter, known_types + 1> query_types;  ///< of well-formed queries
  std::array<Counter, rcodes> responses;             ///< by rcode
  std::array<Counter, size_buckets> response_sizes;
  Counter dropped;      ///< no response: not a query
  Counter truncated;    ///< responses with TC
  Counter edns;         ///< well-formed queries with OPT
  Counter dnssec_ok;    ///< with DO
  Counter cookies_new;  ///< a client cookie alone, or with a server cookie that we do not accept
  Counter cookies_valid;
  Counter cookies_refused;  ///< BADCOOKIE sent
  Counter rate_limit_dropped;
  Counter rate_limit_slipped;  ///< sent as an empty response with TC
  Counter failures;            ///< SERVFAIL for a fault of ours
  Counter online_signed;       ///< signatures made for answers (serve/discover.hh)
  Counter online_reused;       ///< answers with one that was made shortly before
  Counter online_refused;      ///< over the budget: sent without, with TC or SERVFAIL

  Counter tsig_good;          ///< requests whose TSIG was verified
  Counter tsig_bad;           ///< BADKEY, BADSIG, BADTIME, BADTRUNC, or malformed
  Counter transfers_axfr;     ///< that ended well, also as the answer to IXFR
  Counter transfers_ixfr;     ///< likewise, also over UDP
  Counter transfers_current;  ///< IXFR answered with the SOA alone
  Counter transfers_refused;  ///< not permitted, or over the limits
  Counter transfers_broken;   ///< began and did not end well
  Counter transfer_messages;  ///< over streams
  Counter transfer_octets;    ///< of these messages
  Counter notifies;           ///< that were passed on
  Counter notifies_refused;   ///< from strangers, or not for a zone that we are a secondary of
  Counter updates;            ///< that were passed on
  Counter recursions;         ///< questions that were handed on to be resolved
  Counter updates_refused;    ///< not permitted, or not for a zone of ours

  void count_query(dns::RrType type) {
    const size_t number = value(type);
    query_types[number < known_types ? number : known_types].add();
  }
  void count_response(dns::Rcode rcode, size_t size) {
    const auto code = static_cast<size_t>(rcode);
    responses[code < rcodes ? code : static_cast<size_t>(dns::Rcode::SERVFAIL)].add();
    response_sizes[size / 64 < size_buckets ? size / 64 : size_buckets - 1].add();
  }
};

}  // namespace steward::serve
