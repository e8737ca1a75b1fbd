#include "change/stray_listings.hh"

#include <fmt/format.h>

#include <algorithm>

#include "change/find_term.hh"
#include "change/listing_sets.hh"

namespace steward::change {
namespace {

constexpr std::string_view subtype_label = "_sub";

double trust_of_place(const Bytes& place) { return (lowest_place - std::min(place.front(), lowest_place)) / 100.0; }

Result<std::vector<ListingPlace>> places_of_page(const Bytes& key, const Bytes& octets, const dns::Name& zone) {
  std::vector<ListingPlace> places;
  const auto zero = std::ranges::find(key, uint8_t{0});
  // Counters: of all, and of a term.
  if (zero == key.begin() || zero == key.end() || zero + 1 == key.end()) return places;
  const std::string term(key.begin(), zero);
  const auto members = members_of_page(term, octets);
  if (!members) return tl::unexpected<Error>(members.error());
  for (const ByteView place : *members) {
    auto agent = place.empty() ? fail(Errc::Corrupt, "no place") : dns::Name::from_text(as_text(place.subspan(1)), zone);
    if (!agent) return fail(fmt::format("pages of {}", term), agent.error());
    places.push_back({agent->folded(), Bytes(place.begin(), place.end()), term, std::nullopt});
  }
  return places;
}

bool begins_with(NameView name, std::initializer_list<std::string_view> labels) {
  for (const std::string_view label : labels) {
    if (as_text(name.first_label()) != label) return false;
    name = name.parent();
  }
  return true;
}

// The service whose instances a browse set holds (RFC 6763 §7.1).
NameView service_of(NameView set) { return as_text(set.parent().first_label()) == subtype_label ? set.parent().parent() : set; }

bool is_index(NameView set) { return begins_with(set, {"_index", "_agents"}); }
NameView space_of(NameView set) { return (is_index(set) ? set : service_of(set)).parent().parent(); }

Result<std::vector<ListingPlace>> places_of_rank(const Bytes& key) {
  std::vector<ListingPlace> places;
  const auto set = NameView::from_wire(key);
  if (!set) return fail("ranks", set.error());
  const ByteView place = ByteView(key).subspan(set->size());
  // What an RRset was made of; the services of a namespace.
  if (place.empty() || place.front() > lowest_place || begins_with(*set, {"_services", "_dns-sd", "_udp"})) return places;
  auto agent = dns::Name(space_of(*set)).child(place.subspan(1));
  if (!agent) return fail("ranks of " + set->to_text(), agent.error());
  places.push_back({agent->folded(), Bytes(place.begin(), place.end()), {}, dns::Name(*set)});
  return places;
}

Result<void> strike_from_pages(ZoneEdit& edit, zone::OctetTable& pages, const dns::Name& zone, const ListingPlace& stray,
                               const std::optional<FoundAgent>& found) {
  const FoundAgent there{stray.agent, trust_of_place(stray.place), {stray.term}};
  if (auto done = update_found(edit, pages, zone, there, std::nullopt); !done) return done;
  // An agent that stood twice on one page has one PTR there, which went: it comes again.
  if (!found || std::ranges::find(found->terms, stray.term) == found->terms.end()) return {};
  const FoundAgent right{stray.agent, found->trust, {stray.term}};
  if (auto done = update_found(edit, pages, zone, right, std::nullopt); !done) return done;
  return update_found(edit, pages, zone, std::nullopt, right);
}

Result<void> strike_from_set(ZoneEdit& edit, zone::OctetTable& ranks, const ListingPlace& stray, const std::optional<FoundAgent>& found) {
  const NameView set = *stray.set;
  const ByteView wire = set.wire();
  const Bytes key(wire.begin(), wire.end());
  Lists lists(edit, ranks, space_of(set));
  const auto change = [&](const ListMember* before, const ListMember* after) {
    return is_index(set) ? lists.index(before, after) : lists.browse(key, dns::Name(service_of(set)), before, after);
  };
  const ListMember there{stray.place, 0, {}};
  if (auto done = change(&there, nullptr); !done) return done;
  const auto right = found ? member_at(ranks, key, list_place(found->trust, stray.agent.view().first_label())) : std::nullopt;
  if (right) {
    if (auto done = change(&*right, nullptr); !done) return done;
    return change(nullptr, &*right);
  }
  if (is_index(set) || service_of(set) != set) return {};
  if (const auto instance = stray.set->child(stray.agent.view().first_label()))
    for (const RrType type : {RrType::SRV, RrType::TXT}) edit.remove_rrset(*instance, type);
  return {};
}

}  // namespace

std::string ListingPlace::owner() const { return set ? set->to_text() : term + "._find._agents"; }

Result<std::optional<std::vector<ListingPlace>>> next_places(zone::OctetTable& pages, zone::OctetTable& ranks, const dns::Name& zone, ListingWalk& walk) {
  for (;;) {
    zone::OctetTable& table = walk.is_in_ranks ? ranks : pages;
    if (!table.at_or_after(walk.at)) {
      const bool is_end = walk.is_in_ranks;
      walk = {!is_end, {}};
      if (is_end) return std::nullopt;
      continue;
    }
    const Bytes key = walk.at;
    walk.at.push_back(0);
    auto places = walk.is_in_ranks ? places_of_rank(key) : places_of_page(key, table.find(key), zone);
    if (!places) return tl::unexpected<Error>(places.error());
    return *std::move(places);
  }
}

bool is_stray(const ListingPlace& listed, const std::optional<FoundAgent>& found, const dns::Name& zone) {
  if (!found) return true;
  if (listed.set) return listed.place != list_place(found->trust, listed.agent.view().first_label());
  const auto place = found_place(listed.agent, found->trust, zone);
  return !place || *place != listed.place || std::ranges::find(found->terms, listed.term) == found->terms.end();
}

Result<void> strike_stray(ZoneEdit& edit, zone::OctetTable& pages, zone::OctetTable& ranks, const dns::Name& zone, const ListingPlace& stray,
                          const std::optional<FoundAgent>& found) {
  if (stray.set) {
    const ByteView wire = stray.set->view().wire();
    const bool is_there = member_at(ranks, Bytes(wire.begin(), wire.end()), stray.place).has_value();
    return is_there ? strike_from_set(edit, ranks, stray, found) : Result<void>{};
  }
  const auto is_there = has_place(pages, stray.term, stray.place);
  if (!is_there) return tl::unexpected<Error>(is_there.error());
  return *is_there ? strike_from_pages(edit, pages, zone, stray, found) : Result<void>{};
}

}  // namespace steward::change
