#pragma once
// A catalog zone (RFC 9432) as a consumer reads it: which zones it lists, under which labels, with which properties.
//
// A catalog is believed whole or not at all: one that breaks a rule is broken, and then nothing of it is processed
// (§5.1), so that no mistake in it can take its members away. No I/O, no clock; any thread.

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hh"
#include "base/result.hh"
#include "dns/name.hh"
#include "zone/record_source.hh"

namespace steward::catalog {

/// RFC 9432 §4.2.1. Version 1 was that of a draft, found in BIND 9.11 to 9.17.
constexpr std::string_view schema_version = "2";

struct Member {
  dns::Name zone;                   ///< folded
  Bytes label;                      ///< `<unique-N>`, folded: tells whether the zone is still the same one (§5.4)
  std::vector<std::string> groups;  ///< octets of each value (§4.3.2), in canonical order
  std::optional<dns::Name> coo;     ///< folded: the catalog that may take the zone over (§4.3.1)
};

struct Catalog {
  dns::Name name;               ///< folded
  std::vector<Member> members;  ///< in canonical order of their zones, each once
  std::vector<std::string> warnings;

  [[nodiscard]] const Member* find(dns::NameView zone) const;
};

/// What the records of a catalog zone say. Unknown properties, custom ones (§4.4) and record types that a property does
/// not have are passed over (§4.2). Invalid where the catalog is broken, with the name and the rule: not exactly one
/// version, or another than "2" (§4.2.1); more than one PTR at a member node (§4.1) or at its coo property (§4.3.1);
/// one zone under two labels (§4.1).
Result<Catalog> read_catalog(zone::RecordSource& records);

/// A label as text for the log: printable, cut to what a line bears.
std::string label_text(ByteView label);

}  // namespace steward::catalog
