#pragma once
// RRsets with their signatures, as a proof is made of them. Values.

#include <span>
#include <vector>

#include "base/result.hh"
#include "dns/message.hh"
#include "dns/name.hh"

namespace steward::client {

/// RDATA in canonical form and order (RFC 4034 §6.2, §6.3), the owner in lower case.
struct SignedRrset {
  dns::Name owner;
  dns::RrType type{};
  uint32_t ttl = 0;
  std::vector<Bytes> rdatas;
  std::vector<Bytes> rrsigs;  ///< RDATA
};

/// The RRsets among records in any order, RRSIGs with what they cover; OPT and other classes left out. RRSIGs without
/// an RRset are dropped.
std::vector<SignedRrset> collect_rrsets(std::span<const dns::Record> records);

/// Null where there is none.
const SignedRrset* find_rrset(std::span<const SignedRrset> rrsets, dns::NameView owner, dns::RrType type);

}  // namespace steward::client
