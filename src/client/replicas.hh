#pragma once
// The servers of one registry, and how far each of them is: for who wants the closest (DiscoverOptions::geo_aware).
// Blocking, one thread.

#include <span>
#include <vector>

#include "base/address.hh"
#include "client/resolver.hh"
#include "steward/discover.hh"

namespace steward::client {

/// Most addresses of one registry that are measured.
constexpr size_t max_measured = 32;
/// How often each is asked; the quickest answer counts.
constexpr unsigned measure_rounds = 3;
/// How long an answer may take.
constexpr std::chrono::milliseconds measure_patience{1000};

/// The addresses of the zone's name servers and of the replicas at `_replicas._agents`, each once, at the port that was
/// said. NotFound where there is none, Refused where an answer is bogus.
Result<std::vector<MeasuredReplica>> find_replicas(Resolver& resolver, const dns::Name& zone);

/// Asks all at once for the zone's SOA, over UDP, and sorts them: the closest first, then those that gave no
/// authoritative answer.
void measure_replicas(std::vector<MeasuredReplica>& replicas, const dns::Name& zone);

}  // namespace steward::client
