#pragma once
// The records that finding reads: `_find` pages and `_ref` (steward-records(7), "FINDING"). Pure functions.

#include <span>
#include <string>

#include "base/result.hh"
#include "dns/name.hh"
#include "steward/agent.hh"

namespace steward::client {

/// What a page says of itself. `from` and `to` are compared and not taken apart; empty: the beginning, the end.
struct FindPage {
  uint64_t about = 0;  ///< agents of the term, nearly
  std::string from;
  std::string to;
  std::string next;  ///< id of the page behind it; empty: none
  std::string serial;

  /// Whether the other is the same state of the same page; `about` changes without the page.
  [[nodiscard]] bool is_same_as(const FindPage& other) const {
    return from == other.from && to == other.to && next == other.next && serial == other.serial;
  }
};

/// From the TXT RRset at a page. NotFound where there is none of ours, Corrupt with the rule.
Result<FindPage> read_find_page(std::span<const Bytes> txt_rdatas);

/// `<term>._find._agents.<zone>`, or with an id the page below it. Invalid over 255 octets.
Result<dns::Name> find_page_name(dns::NameView zone, std::string_view term, std::string_view id);

/// `<agent relative to the zone>._ref._agents.<zone>`; the agent is below the zone. Invalid over 255 octets.
Result<dns::Name> ref_name(dns::NameView zone, dns::NameView agent);

/// Whether a page of the term may list the agent: it is its label, a word of it, or a capability.
bool is_found_by(const Agent& agent, std::string_view term);

}  // namespace steward::client
