#pragma once
// Which zones a server has because of its catalogs, and what an update of one of them changes (RFC 9432 §4.3.1, §5).
//
// The rule of ownership: a zone belongs to the catalog that brought it, until that one drops it or hands it over. No
// other catalog, and no mistake in one, changes or removes it; a zone of the server's own configuration belongs to
// none. Pure functions over values that the caller keeps and stores; one thread at a time.

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "catalog/catalog.hh"

namespace steward::catalog {

struct CanonicalLess {
  bool operator()(const dns::Name& a, const dns::Name& b) const { return dns::canonical_compare(a, b) < 0; }
};

/// Why a zone is here: what has to be stored with it.
struct Membership {
  dns::Name catalog;  ///< folded
  Bytes label;
  std::vector<std::string> groups;

  friend bool operator==(const Membership&, const Membership&) = default;
};
using Memberships = std::map<dns::Name, Membership, CanonicalLess>;

enum class Action : uint8_t {
  Add,          ///< a zone that was not here
  Remove,       ///< with everything that was kept for it: data, keys, timers (§5.3)
  Reset,        ///< the same, and then added anew (§5.4, §5.6), possibly for another catalog
  Move,         ///< for another catalog now, with what is kept for it (§4.3.1)
  Reconfigure,  ///< other groups; what is kept stays
  Release,      ///< now a zone of the server's own configuration: no catalog's any more, nothing else happens
};

struct Change {
  Action action{};
  dns::Name zone;
  Membership now;  ///< empty for Remove and Release
};

struct Plan {
  std::vector<Change> changes;        ///< removals first, each in canonical order
  std::vector<std::string> warnings;  ///< a sentence each: clashes of names (§5.2), a catalog that lost all its members
};

/// What is to be done after `updated` was read. `catalogs`: the last valid version of each, in the order of the
/// configuration, `updated` among them; not one that has expired (§5.1). `is_configured`: whether a zone stands in the
/// server's own configuration, the catalogs themselves included. Call it once for each catalog after a start as well:
/// what came while the server was down is found then.
Plan plan_update(const Catalog& updated, std::span<const Catalog* const> catalogs, const Memberships& memberships,
                 const std::function<bool(const dns::Name&)>& is_configured);

/// The memberships after the plan.
void apply_plan(const Plan& plan, Memberships& memberships);

}  // namespace steward::catalog
