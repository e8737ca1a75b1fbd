#include "change/listing_sets.hh"

#include <algorithm>
#include <cmath>

#include "change/listing.hh"

namespace steward::change {
namespace {

constexpr uint8_t made_of = 0xff;      // behind all places
constexpr uint32_t service_ttl = 300;  // of what does not depend on one agent
constexpr size_t max_txt_string = 255;

Bytes row(const Bytes& set, ByteView rest) {
  Bytes key;
  key.reserve(set.size() + rest.size());
  append(key, set);
  append(key, rest);
  return key;
}

bool is_row_of(const Bytes& key, const Bytes& set) {
  return key.size() > set.size() && std::equal(set.begin(), set.end(), key.begin());
}

// Calls `visit` with place and row of each member, best first, until it returns false.
template <class Visit>
void for_each_member(zone::OctetTable& ranks, const Bytes& set, Visit visit) {
  for (Bytes key = set; ranks.at_or_after(key) && is_row_of(key, set) && key[set.size()] <= lowest_place;
       key.push_back(0))
    if (!visit(ByteView(key).subspan(set.size()), ranks.find(key))) return;
}

bool is_after(ByteView place, ByteView other) {
  return std::lexicographical_compare(other.begin(), other.end(), place.begin(), place.end());
}

Bytes set_name(std::initializer_list<std::string_view> labels, NameView space) {
  Bytes wire;
  for (const std::string_view label : labels) {
    append_u8(wire, static_cast<uint8_t>(label.size()));
    append(wire, as_bytes(label));
  }
  append(wire, space.wire());
  return wire;
}

Bytes txt_of(std::string_view text) {
  Bytes rdata{static_cast<uint8_t>(text.size())};
  append(rdata, as_bytes(text));
  return rdata;
}

}  // namespace

Bytes list_place(double trust, ByteView label) {
  const double held = trust > 0 ? std::min(trust, 1.0) : 0.0;
  Bytes place{static_cast<uint8_t>(lowest_place - std::lround(held * lowest_place))};
  append(place, label);
  return place;
}

bool is_in_index(zone::OctetTable& ranks, NameView space, const Bytes& place) {
  return !ranks.find(row(set_name({"_index", "_agents"}, dns::Name(space).folded()), place)).empty();
}

std::optional<ListMember> member_at(zone::OctetTable& ranks, const Bytes& set, const Bytes& place) {
  const Bytes octets = ranks.find(row(set, place));
  if (octets.empty()) return std::nullopt;
  ByteReader in(octets);
  const uint32_t ttl = in.u32();
  return ListMember{place, ttl, std::string(as_text(in.rest()))};
}

void Lists::add(NameView owner, RrType type, uint32_t ttl, ByteView rdata) {
  if (edit_.find(owner, RrType::CNAME) == nullptr) edit_.add(owner, type, ttl, rdata);
}

// Which agents a browse RRset holds, as a row: TTL, count, the place of the last.
struct Lists::Browsed {
  uint32_t ttl = 0;
  uint8_t count = 0;
  Bytes last;

  static Browsed from_octets(ByteView octets) {
    ByteReader in(octets);
    Browsed browsed{in.u32(), in.u8(), {}};
    const ByteView last = in.rest();
    browsed.last.assign(last.begin(), last.end());
    return browsed;
  }
  [[nodiscard]] Bytes to_octets() const {
    Bytes out;
    if (count == 0) return out;
    append_u32(out, ttl);
    append_u8(out, count);
    append(out, last);
    return out;
  }
  [[nodiscard]] bool is_full() const { return count == max_browse_records; }
  /// Whether a member that stands in the ranks is in the RRset.
  [[nodiscard]] bool has(const ListMember* member) const {
    return member != nullptr && (!is_full() || !is_after(member->place, last));
  }
};

Lists::Browsed Lists::walk(const Bytes& set) {
  Browsed browsed;
  for_each_member(ranks_, set, [&](ByteView place, const Bytes& octets) {
    const uint32_t ttl = ByteReader(octets).u32();
    // RFC 2181 §5.2: one TTL for the RRset; the shortest, since leased agents must not be remembered for longer.
    browsed.ttl = browsed.count == 0 ? ttl : std::min(browsed.ttl, ttl);
    browsed.last.assign(place.begin(), place.end());
    return ++browsed.count < max_browse_records;
  });
  return browsed;
}

Result<void> Lists::move(const Bytes& set, const ListMember* before, const ListMember* after,
                         std::string_view protocol) {
  if (before != nullptr && (after == nullptr || after->place != before->place))
    if (auto done = ranks_.take(row(set, before->place), {}); !done) return done;
  if (after == nullptr) return {};
  Bytes octets;
  octets.reserve(sizeof after->ttl + protocol.size());
  append_u32(octets, after->ttl);
  append(octets, as_bytes(protocol));
  return ranks_.take(row(set, after->place), std::move(octets));
}

Result<void> Lists::browse(const Bytes& set, const dns::Name& service, const ListMember* before,
                           const ListMember* after) {
  if (before != nullptr && after != nullptr && before->place == after->place && before->ttl == after->ttl) return {};
  const Bytes state_key = row(set, {&made_of, 1});
  const Browsed was = Browsed::from_octets(ranks_.find(state_key));
  if (auto done = move(set, before, after, {}); !done) return done;
  if (!was.has(before) && was.is_full() && !was.has(after)) return {};
  const Browsed is = walk(set);
  const bool listed_before = was.has(before);
  const bool listed_after = is.has(after);

  const NameView owner(set.data(), set.size());
  const auto target = [&service = service](ByteView place) {
    const auto name = service.child(place.subspan(1));
    const ByteView wire = name ? name->view().wire() : ByteView{};
    return Bytes(wire.begin(), wire.end());
  };
  // One member moved and all others kept their order, so at most one of them comes in or drops out: the last.
  if (listed_before && !listed_after) {
    edit_.remove(owner, RrType::PTR, target(before->place));
    if (is.is_full()) add(owner, RrType::PTR, is.ttl, target(is.last));
  }
  if (!listed_before && listed_after) {
    if (was.is_full()) edit_.remove(owner, RrType::PTR, target(was.last));
    add(owner, RrType::PTR, is.ttl, target(after->place));
  }
  if (is.count > 0 && is.ttl != was.ttl) add(owner, RrType::PTR, is.ttl, target(is.last));
  if (const Bytes octets = is.to_octets(); octets != was.to_octets())
    if (auto done = ranks_.put(state_key, octets); !done) return done;
  const bool is_service = owner == service.view();
  return is_service && (was.count == 0) != (is.count == 0) ? announce(service, is.count > 0) : Result<void>{};
}

Result<void> Lists::announce(const dns::Name& service, bool is_there) {
  const Bytes set = set_name({"_services", "_dns-sd", "_udp"}, space_);
  const ByteView name = service.view().wire();
  const auto any = [&] {
    Bytes key = set;
    return ranks_.at_or_after(key) && is_row_of(key, set);
  };
  const bool was_any = any();
  if (auto done = ranks_.put(row(set, name), is_there ? name : ByteView{}); !done) return done;
  const auto change = [&](const Bytes& owner, ByteView target, bool add_it) {
    if (add_it)
      add({owner.data(), owner.size()}, RrType::PTR, service_ttl, target);
    else
      edit_.remove({owner.data(), owner.size()}, RrType::PTR, target);
  };
  change(set, name, is_there);  // RFC 6763 §9
  if (was_any == any()) return {};
  for (const std::string_view label : {"b", "lb"})  // RFC 6763 §11: browse here
    change(set_name({label, "_dns-sd", "_udp"}, space_), space_.view().wire(), is_there);
  return {};
}

// Which agents `_index._agents` names, as a row: TTL, the place of the last, the string.
struct Lists::Indexed {
  uint32_t ttl = 0;
  Bytes last;
  std::string text;

  static Indexed from_octets(ByteView octets) {
    Indexed indexed;
    if (octets.empty()) return indexed;
    ByteReader in(octets);
    indexed.ttl = in.u32();
    const ByteView last = in.bytes(in.u8());
    indexed.last.assign(last.begin(), last.end());
    indexed.text = as_text(in.rest());
    return indexed;
  }
  [[nodiscard]] Bytes to_octets() const {
    Bytes out;
    if (text.empty()) return out;
    append_u32(out, ttl);
    append_u8(out, static_cast<uint8_t>(last.size()));
    append(out, last);
    append(out, as_bytes(text));
    return out;
  }
  [[nodiscard]] std::string entry_of(ByteView place, std::string_view protocol) const {
    std::string entry = text.empty() ? "agents=" : ",";
    return entry.append(as_text(place.subspan(1))).append(":").append(protocol);
  }
  [[nodiscard]] bool has_room_for(std::string_view entry) const { return text.size() + entry.size() <= max_txt_string; }
};

Lists::Indexed Lists::walk_index(const Bytes& set) {
  Indexed indexed;
  for_each_member(ranks_, set, [&](ByteView place, const Bytes& octets) {
    ByteReader in(octets);
    const uint32_t ttl = in.u32();
    const std::string entry = indexed.entry_of(place, as_text(in.rest()));
    if (!indexed.has_room_for(entry)) return false;
    indexed.ttl = indexed.text.empty() ? ttl : std::min(indexed.ttl, ttl);
    indexed.last.assign(place.begin(), place.end());
    indexed.text += entry;
    return true;
  });
  return indexed;
}

Result<void> Lists::index(const ListMember* before, const ListMember* after) {
  const Bytes set = set_name({"_index", "_agents"}, space_);
  const bool moved = before == nullptr || after == nullptr || before->place != after->place ||
                     before->ttl != after->ttl || before->protocol != after->protocol;
  if (!moved) return {};
  if (auto done = move(set, before, after, after != nullptr ? std::string_view(after->protocol) : ""); !done)
    return done;
  const Bytes state_key = row(set, {&made_of, 1});
  const Bytes stored = ranks_.find(state_key);
  const Indexed was = Indexed::from_octets(stored);
  // A new agent behind the last one, for which there is no room: as most are among many.
  if (before == nullptr && after != nullptr && !was.text.empty() && is_after(after->place, was.last) &&
      !was.has_room_for(was.entry_of(after->place, after->protocol)))
    return {};
  const Indexed is = walk_index(set);
  const Bytes octets = is.to_octets();
  if (octets == stored) return {};
  const NameView owner(set.data(), set.size());
  if (!was.text.empty() && was.text != is.text) edit_.remove(owner, RrType::TXT, txt_of(was.text));
  if (!is.text.empty()) add(owner, RrType::TXT, is.ttl, txt_of(is.text));
  return ranks_.put(state_key, octets);
}

}  // namespace steward::change
