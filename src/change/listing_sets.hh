#pragma once
// The sets of a namespace that agents are listed in, and the RRsets made of them. Inside of change/listing.cc.
//
// Ranks are rows of the table under the folded wire form of a set's name (which ends with a zero octet, so none is the
// start of another): the place of a member is its trust, inverted, in one octet, and its label, so the best of a set
// are one walk from its start. Behind them, under 0xff, stands what the RRset was made of, so that a change which does
// not reach the best costs one row. Writer thread.

#include <map>
#include <optional>
#include <string>

#include "change/edit.hh"

namespace steward::change {

/// Most subtypes that one agent is listed under.
constexpr size_t max_subtypes = 64;

struct ListMember {
  Bytes place;           ///< list_place()
  uint32_t ttl = 0;      ///< seconds
  std::string protocol;  ///< as the index names it
};

/// First octet of the last place there can be: no trust.
constexpr uint8_t lowest_place = 100;

/// Trust counts in hundredths; `label` in lower case.
Bytes list_place(double trust, ByteView label);

/// Whether a member with this place stands in the DNS-AID index's ranks of the namespace.
bool is_in_index(zone::OctetTable& ranks, NameView space, const Bytes& place);

/// The member of a set with this place.
std::optional<ListMember> member_at(zone::OctetTable& ranks, const Bytes& set, const Bytes& place);

class Lists {
 public:
  /// `space`: the namespace's name, folded.
  Lists(ZoneEdit& edit, zone::OctetTable& ranks, NameView space) : edit_(edit), ranks_(ranks), space_(space) {}

  /// Not where the operator has an alias, which can have nothing beside it (RFC 1034 §3.6.2).
  void add(NameView owner, RrType type, uint32_t ttl, ByteView rdata);
  void remove(NameView owner, RrType type, ByteView rdata) { edit_.remove(owner, type, rdata); }

  /// A member of the browse set (folded wire form of its name) comes, goes or moves; null: it is none.
  Result<void> browse(const Bytes& set, const dns::Name& service, const ListMember* before, const ListMember* after);
  /// The same for the DNS-AID index.
  Result<void> index(const ListMember* before, const ListMember* after);

 private:
  struct Browsed;
  struct Indexed;
  Result<void> move(const Bytes& set, const ListMember* before, const ListMember* after, std::string_view protocol);
  [[nodiscard]] Browsed walk(const Bytes& set);
  [[nodiscard]] Indexed walk_index(const Bytes& set);
  /// A service has its first instance, or lost its last (RFC 6763 §9, §11).
  Result<void> announce(const dns::Name& service, bool is_there);

  ZoneEdit& edit_;
  zone::OctetTable& ranks_;
  dns::Name space_;
};

}  // namespace steward::change
