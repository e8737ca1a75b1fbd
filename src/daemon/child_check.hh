#pragma once
// Whether the servers of a child may be delegated to: what each of their addresses answers, checked and compared.
// Pure; any thread.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hh"
#include "dns/message.hh"

namespace steward::daemon {

/// What every address is asked, in this order.
constexpr dns::RrType child_questions[] = {dns::RrType::SOA, dns::RrType::DNSKEY, dns::RrType::CDS};

struct ServerAnswers {
  std::string server;                 ///< "ns1.acme.example. 192.0.2.1@53", for people
  std::vector<dns::Message> answers;  ///< to child_questions
};

struct ChildFindings {
  std::vector<Bytes> dnskeys;  ///< RDATA, sorted
  std::vector<Bytes> cds;      ///< likewise; empty: it asks for nothing
};

/// Every server answers with authority and has a SOA, all have the same DNSKEY and CDS, and with `ds`, RDATA, DNSKEY and
/// SOA validate under it at each of them. Refused names the server and the rule.
Result<ChildFindings> check_servers(const dns::Name& zone, std::span<const Bytes> ds,
                                    std::span<const ServerAnswers> servers, UnixTime now);

/// The DS RRset that CDS asks for (RFC 7344 §4.1): nothing where it asks for what there is, or for nothing; an empty
/// one where it asks for the DS to go (RFC 8078 §4). Refused where it leaves the chain without a key that signs, or
/// digests are SHA-1. `findings` were checked with `ds`.
Result<std::optional<std::vector<Bytes>>> ds_wanted(const dns::Name& zone, std::span<const Bytes> ds,
                                                    const ChildFindings& findings,
                                                    std::span<const ServerAnswers> servers, UnixTime now);

}  // namespace steward::daemon
