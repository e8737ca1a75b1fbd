#include "change/find_term.hh"

#include <fmt/format.h>

#include <algorithm>

#include "agent/text_fields.hh"
#include "change/find_pages.hh"
#include "change/listing_sets.hh"
#include "crypto/digest.hh"
#include "dns/encoding.hh"

namespace steward::change {
namespace {

constexpr size_t udp_answer = 1232;              // a UDP answer that no path fragments
constexpr size_t header_and_opt = 12 + 11 + 28;  // RFC 1035 §4.1.1, RFC 6891 §6.1.2, RFC 7873 §4
constexpr size_t question_tail = 4;
constexpr size_t rr_head = 12;  // owner as a pointer, TYPE, CLASS, TTL, RDLENGTH
constexpr size_t pointer_size = 2;
constexpr size_t rrsig_head = rr_head + 18;  // RFC 4034 §3.1, before the signer's name
constexpr size_t p256_size = 64;             // RFC 6605 §4; RFC 8080 §4 as well
constexpr size_t rsa2048_size = 256;

constexpr std::string_view find_label = "_find";
constexpr std::string_view agents_label = "_agents";
constexpr size_t id_size = 8;
constexpr size_t page_label_size = 2 + 2 * id_size;  // `_p` and hex

constexpr uint8_t end_of_all = 0xff;     // behind every place, which begins with 0 to 100
constexpr uint8_t counter_key = 0;       // no term begins so
constexpr uint32_t tolerated_share = 8;  // `n` may be off by an eighth
constexpr size_t max_place = 256;        // octets, about: an agent's name has 180

bool precedes(ByteView place, ByteView other) {
  return std::lexicographical_compare(place.begin(), place.end(), other.begin(), other.end());
}
bool is_within(ByteView place, ByteView from, ByteView end) { return !precedes(place, from) && precedes(place, end); }

// Where a place stands among the members, or would.
auto place_among(std::vector<ByteView>& members, ByteView place) {
  return std::lower_bound(members.begin(), members.end(), place, precedes);
}

// What its PTR takes where the target ends in a pointer to the zone's name in the question: the name's labels are its
// text without the escapes (RFC 1035 §5.1) and a length octet more than there are dots.
size_t size_of(ByteView place) {
  size_t size = 1;
  for (size_t at = 1; at < place.size(); ++at, ++size)
    if (place[at] == '\\') at += at + 1 < place.size() && place[at + 1] >= '0' && place[at + 1] <= '9' ? size_t{3} : size_t{1};
  return rr_head + pointer_size + size;
}

size_t size_of(const std::vector<ByteView>& members) {
  size_t sum = 0;
  for (const ByteView place : members) sum += size_of(place);
  return sum;
}

// Where a full page is parted: in the middle, or before the one that came last to its end, as many do that come in their
// order. Then the page stays full, and none of its records moves.
size_t middle_of(const std::vector<ByteView>& members, bool came_last) {
  if (came_last) return members.size() - 1;
  const size_t half = size_of(members) / 2;
  size_t at = 0;
  for (size_t sum = 0; at + 1 < members.size() && (at == 0 || sum < half); ++at) sum += size_of(members[at]);
  return at;
}

// RFC 1035 §5.1 text of a place, which a client compares and does not take apart.
std::string text_of(const Bytes& place) {
  if (place.empty() || place.front() > lowest_place) return {};
  const unsigned hundredths = lowest_place - place.front();
  return fmt::format("{}.{:02}:{}", hundredths / 100, hundredths % 100, as_text(ByteView(place).subspan(1)));
}

// The shortest place that divides the two.
Bytes between(ByteView low, ByteView high) {
  const auto differs = std::mismatch(low.begin(), low.end(), high.begin(), high.end()).second;
  return {high.begin(), differs + 1};
}

void append_u64(Bytes& to, uint64_t number) {
  append_u32(to, static_cast<uint32_t>(number >> 32));
  append_u32(to, static_cast<uint32_t>(number));
}

uint64_t read_u64(ByteReader& in) {
  const uint64_t high = in.u32();
  return high << 32 | in.u32();
}

void append_sized(Bytes& to, ByteView what) {
  append_u16(to, static_cast<uint16_t>(what.size()));
  append(to, what);
}

Bytes row_of(std::string_view term, ByteView rest) {
  Bytes key;
  key.reserve(term.size() + 2 + rest.size());  // an octet more, for who looks behind it
  append(key, as_bytes(term));
  append_u8(key, 0);
  append(key, rest);
  return key;
}

bool is_row_of(std::string_view term, const Bytes& key) {
  return key.size() > term.size() && key[term.size()] == 0 && as_text(ByteView(key).first(term.size())) == term;
}

ByteView read_sized(ByteReader& in) { return in.bytes(in.u16()); }
Bytes copy_of(ByteView octets) { return {octets.begin(), octets.end()}; }

}  // namespace

size_t page_room(NameView page, NameView zone) {
  const size_t signatures =
      std::max(2 * (rrsig_head + zone.size() + p256_size), rrsig_head + zone.size() + rsa2048_size);
  return udp_answer - header_and_opt - page.size() - question_tail - signatures;
}

bool has_room_for_term(std::string_view term, NameView zone) {
  constexpr size_t max_name = 255;
  return zone.size() + 1 + agents_label.size() + 1 + find_label.size() + 1 + term.size() + 1 + page_label_size <=
         max_name;
}

Result<std::vector<ByteView>> members_of_page(std::string_view term, ByteView octets) {
  ByteReader in(octets);
  read_sized(in);
  read_sized(in);
  read_u64(in);
  std::vector<ByteView> members;
  while (in.left() > 0) members.push_back(read_sized(in));
  if (!in.ok()) return fail(Errc::Corrupt, fmt::format("pages of {}: a row that breaks off", term));
  return members;
}

Result<bool> has_place(zone::OctetTable& pages, std::string_view term, const Bytes& place) {
  Bytes key = row_of(term, place);
  key.push_back(0);  // a range's end is not its own
  if (!pages.at_or_after(key) || !is_row_of(term, key)) return false;
  const Bytes octets = pages.find(key);
  const auto members = members_of_page(term, octets);
  if (!members) return tl::unexpected<Error>(members.error());
  return std::ranges::any_of(*members, [&](ByteView member) { return std::ranges::equal(member, place); });
}

FindTerm::FindTerm(ZoneEdit& edit, zone::OctetTable& pages, const dns::Name& zone, std::string_view term)
    : edit_(edit), pages_(pages), zone_(zone), term_(term), name_(zone) {
  for (const std::string_view label : {agents_label, find_label, term})
    if (name_) name_ = name_->child(as_bytes(label));
}

bool FindTerm::Page::is_last() const { return end == Bytes{end_of_all}; }

Bytes FindTerm::Page::to_octets() const {
  Bytes out;
  out.reserve(read.size() + max_place);
  append_sized(out, id);
  append_sized(out, from);
  append_u64(out, serial);
  for (const ByteView place : members) append_sized(out, place);
  return out;
}

Bytes FindTerm::row(ByteView rest) const { return row_of(term_, rest); }

Result<std::optional<FindTerm::Page>> FindTerm::page_at_or_after(Bytes key) {
  if (!pages_.at_or_after(key) || !is_row_of(term_, key)) return std::nullopt;
  Page page;
  page.read = pages_.find(key);
  ByteReader in(page.read);
  page.end.assign(key.begin() + static_cast<ptrdiff_t>(term_.size() + 1), key.end());
  page.id = copy_of(read_sized(in));
  page.from = copy_of(read_sized(in));
  page.serial = read_u64(in);
  while (in.left() > 0) page.members.push_back(read_sized(in));
  if (!in.ok()) return fail(Errc::Corrupt, fmt::format("pages of {}: a row that breaks off", term_));
  return page;
}

Result<std::optional<FindTerm::Page>> FindTerm::page_of(const Bytes& place) {
  Bytes key = row(place);
  key.push_back(0);  // behind it
  return page_at_or_after(std::move(key));
}

Result<std::optional<FindTerm::Page>> FindTerm::page_before(const Page& page) {
  if (page.is_first()) return std::nullopt;
  return page_at_or_after(row(page.from));
}

Result<std::optional<FindTerm::Page>> FindTerm::page_behind(const Page& page) {
  if (page.is_last()) return std::nullopt;
  return page_of(page.end);
}

Result<void> FindTerm::put(const Page& page) { return pages_.take(row(page.end), page.to_octets()); }
Result<void> FindTerm::drop(const Page& page) { return pages_.take(row(page.end), {}); }

Result<dns::Name> FindTerm::name_of(const Page& page) const {
  if (page.is_first() || !name_) return name_;
  return name_->child(as_bytes("_p" + dns::encode(dns::hex_lower, page.id)));
}

size_t FindTerm::room_of(const Page& page) const {
  const auto name = name_of(page);
  return name ? page_room(*name, zone_) : 0;
}

Result<uint64_t> FindTerm::next_number() {
  const Bytes octets = pages_.find({&counter_key, 1});
  ByteReader in(octets);
  const uint64_t number = read_u64(in) + 1;
  Bytes next;
  next.reserve(sizeof number);
  append_u64(next, number);
  if (auto done = pages_.take({counter_key}, std::move(next)); !done) return tl::unexpected(done.error());
  return number;
}

Result<void> FindTerm::list(const Page& page, ByteView place, bool is_there) {
  const auto name = name_of(page);
  if (!name) return tl::unexpected(name.error());
  const auto target = dns::Name::from_text(as_text(place.subspan(1)), zone_);
  if (!target) return fail(Errc::Corrupt, fmt::format("pages of {}: {}", term_, target.error().what));
  if (!is_there)
    edit_.remove(*name, RrType::PTR, target->view().wire());
  else if (edit_.find(*name, RrType::CNAME) == nullptr)  // RFC 1034 §3.6.2: an alias of the operator stands alone
    edit_.add(*name, RrType::PTR, find_ttl, target->view().wire());
  return {};
}

Result<void> FindTerm::describe(const Page& page) {
  const auto name = name_of(page);
  if (!name) return tl::unexpected(name.error());
  const auto next = page_behind(page);
  if (!next) return tl::unexpected(next.error());
  if (page.is_first()) said_ = agents_;
  Bytes txt;
  agent::append_field(txt, "v", "steward-find1");
  agent::append_field(txt, "n", std::to_string(agents_));
  agent::append_field(txt, "from", text_of(page.from));
  agent::append_field(txt, "to", text_of(page.end));
  agent::append_field(txt, "next", *next ? dns::encode(dns::hex_lower, (*next)->id) : std::string());
  agent::append_field(txt, "serial", std::to_string(page.serial));
  edit_.remove_rrset(*name, RrType::TXT);
  if (edit_.find(*name, RrType::CNAME) == nullptr) edit_.add(*name, RrType::TXT, find_ttl, txt);
  return {};
}

// The first page says how many there are: as it changes anyway, or where it would be off by too much.
Result<void> FindTerm::count(bool is_first) {
  const uint32_t off = std::max(agents_, said_) - std::min(agents_, said_);
  if (agents_ == 0 || off == 0) return {};
  if (!is_first && uint64_t{off} * tolerated_share <= agents_) return {};
  const auto first = page_of({});
  if (!first) return tl::unexpected(first.error());
  return *first ? describe(**first) : Result<void>{};
}

Result<void> FindTerm::split(Page page, bool came_last) {
  const auto number = next_number();
  if (!number) return tl::unexpected(number.error());
  Bytes named(as_bytes(term_).begin(), as_bytes(term_).end());
  append_u8(named, 0);
  append_u64(named, *number);
  const auto digest = crypto::sha256(named);

  const size_t at = middle_of(page.members, came_last);
  Page upper;
  upper.id.assign(digest.begin(), digest.begin() + id_size);
  upper.from = between(page.members[at - 1], page.members[at]);
  upper.end = page.end;
  upper.serial = page.serial = *number;
  const auto middle = page.members.begin() + static_cast<ptrdiff_t>(at);
  upper.members.assign(middle, page.members.end());
  page.members.erase(middle, page.members.end());
  page.end = upper.from;
  if (auto done = put(upper); !done) return done;
  if (auto done = put(page); !done) return done;
  for (const ByteView place : upper.members) {
    if (auto done = list(page, place, false); !done) return done;
    if (auto done = list(upper, place, true); !done) return done;
  }
  if (auto done = describe(page); !done) return done;
  return describe(upper);
}

Result<void> FindTerm::insert(const Bytes& place) {
  auto found = page_of(place);
  if (!found) return tl::unexpected(found.error());
  const bool is_new_term = !*found;
  Page page = *found ? std::move(**found) : Page{};
  if (is_new_term) page.end = {end_of_all};
  const auto at = place_among(page.members, place);
  if (at != page.members.end() && std::ranges::equal(*at, place)) return {};
  const bool comes_last = page.members.insert(at, place) + 1 == page.members.end();
  ++agents_;
  if (auto done = list(page, place, true); !done) return done;
  if (is_new_term) {
    const auto number = next_number();
    if (!number) return tl::unexpected(number.error());
    page.serial = *number;
  }
  const bool is_first = page.is_first();
  if (size_of(page.members) > room_of(page) && page.members.size() > 1) {
    if (auto done = split(std::move(page), comes_last); !done) return done;
  } else if (auto done = put(page); !done) {
    return done;
  }
  return count(is_first);
}

Result<void> FindTerm::join(const Page& page, const Page& next) {
  const auto number = next_number();
  if (!number) return tl::unexpected(number.error());
  if (auto done = drop(page); !done) return done;
  Page both;
  both.id = page.id;
  both.from = page.from;
  both.end = next.end;
  both.serial = *number;
  both.members = page.members;
  both.members.insert(both.members.end(), next.members.begin(), next.members.end());
  if (auto done = put(both); !done) return done;
  for (const ByteView place : next.members) {
    if (auto done = list(next, place, false); !done) return done;
    if (auto done = list(both, place, true); !done) return done;
  }
  const auto gone = name_of(next);
  if (!gone) return tl::unexpected(gone.error());
  edit_.remove_rrset(*gone, RrType::TXT);
  return describe(both);
}

// Two that are half a page together become one; so it takes half a page of others until that is split again.
Result<bool> FindTerm::join_if_small(const Page* page, const Page* next) {
  if (page == nullptr || next == nullptr) return false;
  const bool is_empty = page->members.empty() || next->members.empty();
  if (!is_empty && size_of(page->members) + size_of(next->members) > room_of(*next) / 2) return false;
  if (auto done = join(*page, *next); !done) return tl::unexpected(done.error());
  return true;
}

Result<void> FindTerm::shrink(const Page& page) {
  if (agents_ == 0) {
    if (name_) edit_.remove_rrset(*name_, RrType::TXT);
    return drop(page);
  }
  const auto before = page_before(page);
  if (!before) return tl::unexpected(before.error());
  auto joined = join_if_small(*before ? &**before : nullptr, &page);
  if (joined && !*joined) {
    const auto behind = page_behind(page);
    if (!behind) return tl::unexpected(behind.error());
    joined = join_if_small(&page, *behind ? &**behind : nullptr);
  }
  if (!joined) return tl::unexpected(joined.error());
  return *joined ? Result<void>{} : put(page);
}

Result<void> FindTerm::remove(const Bytes& place) {
  auto found = page_of(place);
  if (!found) return tl::unexpected(found.error());
  if (!*found) return {};
  Page page = std::move(**found);
  const auto at = place_among(page.members, place);
  if (at == page.members.end() || !std::ranges::equal(*at, place)) return {};
  page.members.erase(at);
  --agents_;
  if (auto done = list(page, place, false); !done) return done;
  if (auto done = shrink(page); !done) return done;
  return count(page.is_first());
}

Result<void> FindTerm::change(const Bytes& before, const Bytes& after) {
  if (before == after) return {};
  if (!name_) return tl::unexpected(name_.error());
  const Bytes octets = pages_.find(row({}));
  ByteReader in(octets);
  agents_ = in.u32();
  said_ = in.u32();
  if (!before.empty() && !after.empty()) {
    // From place to place within one page: no record changes.
    auto found = page_of(before);
    if (!found) return tl::unexpected(found.error());
    const auto is_before = [&](ByteView place) { return std::ranges::equal(place, before); };
    if (*found && is_within(after, (*found)->from, (*found)->end) && std::erase_if((*found)->members, is_before) > 0) {
      std::vector<ByteView>& members = (*found)->members;
      members.insert(place_among(members, after), after);
      return put(**found);
    }
  }
  if (!before.empty())
    if (auto done = remove(before); !done) return done;
  if (!after.empty())
    if (auto done = insert(after); !done) return done;
  Bytes counted;
  if (agents_ > 0) {
    counted.reserve(2 * sizeof agents_);
    append_u32(counted, agents_);
    append_u32(counted, said_);
  }
  return pages_.take(row({}), std::move(counted));
}

}  // namespace steward::change
