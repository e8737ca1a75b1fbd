#pragma once
// The other way round than change/listing_check.hh: from what is listed to who it is. A place in the tables that listings are made from, whose agent is
// not there or is to be found elsewhere, is a stray: nothing that happens to agents would ever take it away.
//
// Reads row by row for who walks over all of it, with a place to go on from; the writer takes strays out.

#include <optional>
#include <string>
#include <vector>

#include "change/find_pages.hh"

namespace steward::change {

/// One place of one listing.
struct ListingPlace {
  dns::Name agent;
  Bytes place;       ///< trust and name, as the table has it
  std::string term;  ///< of the pages; empty: of a set
  std::optional<dns::Name> set;  ///< owner of a browse RRset or of a DNS-AID index

  /// Such as "plan._find._agents", "_index._agents.acme.example.".
  [[nodiscard]] std::string owner() const;
};

/// Where a walk is: the pages first, then the ranks.
struct ListingWalk {
  bool is_in_ranks = false;
  Bytes at;
};

/// The places of the next row; nothing behind the last, and the walk is at its beginning again. Corrupt from a row that is none of ours: the walk is
/// behind it. `zone`: the registry's.
Result<std::optional<std::vector<ListingPlace>>> next_places(zone::OctetTable& pages, zone::OctetTable& ranks, const dns::Name& zone, ListingWalk& walk);

/// `found` is how the agent is to be found, nothing where it is not.
[[nodiscard]] bool is_stray(const ListingPlace& listed, const std::optional<FoundAgent>& found, const dns::Name& zone);

/// Takes a stray out of its listing, with the records that follow from it. What it is not any more is left alone. Corrupt; errors of the tables.
Result<void> strike_stray(ZoneEdit& edit, zone::OctetTable& pages, zone::OctetTable& ranks, const dns::Name& zone, const ListingPlace& stray,
                          const std::optional<FoundAgent>& found);

}  // namespace steward::change
