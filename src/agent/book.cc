#include "agent/book.hh"

#include <fmt/format.h>

#include <algorithm>

#include "agent/text_fields.hh"
#include "base/time_octets.hh"

namespace steward::agent {

namespace {

constexpr size_t number_size = 4;
constexpr size_t fingerprint_size = 71;  // "sha256:" and 64 digits

constexpr uint8_t publisher_format = 1;

Result<Bytes> key_of(NameView name, NameView apex) {
  if (!name.is_at_or_below(apex)) {
    return fail(Errc::Invalid, fmt::format("book: {} is not below {}", name.to_text(), apex.to_text()));
  }
  Bytes key(dns::max_canonical_key_size);
  key.resize(dns::canonical_key(name, apex, key.data()));
  if (key.size() + std::max(number_size, fingerprint_size) > zone::max_table_key) {
    return fail(Errc::Invalid, fmt::format("book: {}: the name is too long", name.to_text()));
  }
  return key;
}

Result<Bytes> history_key(NameView agent, NameView apex, uint32_t number) {
  auto key = key_of(agent, apex);
  if (key) append_u32(*key, number);
  return key;
}

Result<Bytes> publisher_key(NameView space, NameView apex, std::string_view fingerprint) {
  if (!is_sha256_text(fingerprint)) {
    return fail(Errc::Invalid, fmt::format("book: fingerprint \"{}\": sha256: and 64 hex digits in lower case wanted",
                                           fingerprint.substr(0, fingerprint_size)));
  }
  auto key = key_of(space, apex);
  if (key) append(*key, as_bytes(fingerprint));
  return key;
}

Result<Publisher> publisher_from(ByteView key, ByteView octets, NameView apex) {
  if (key.size() < fingerprint_size) return fail(Errc::Corrupt, "publishers: a key ends early");
  Publisher publisher;
  publisher.fingerprint = as_text(key.last(fingerprint_size));
  if (!is_sha256_text(publisher.fingerprint)) return fail(Errc::Corrupt, "publishers: a key without fingerprint");
  auto space = dns::name_of_canonical_key(key.first(key.size() - fingerprint_size), apex);
  if (!space) return fail("publishers", space.error());
  publisher.space = *space;
  ByteReader in(octets);
  const uint8_t format = in.u8();
  publisher.since = read_time(in);
  if (!in.ok() || format != publisher_format) return fail(Errc::Corrupt, "publishers: an entry of no known format");
  publisher.note = as_text(in.rest());
  return publisher;
}

}  // namespace

Result<std::optional<AgentEntry>> Book::find(NameView agent) const {
  const auto key = key_of(agent, apex_);
  if (!key) return tl::unexpected(key.error());
  const Bytes octets = agents_.find(*key);
  if (octets.empty()) return std::optional<AgentEntry>();
  auto entry = AgentEntry::from_octets(octets);
  if (!entry) return fail(agent.to_text(), entry.error());
  return std::optional(*std::move(entry));
}

Result<void> Book::put(NameView agent, const AgentEntry& entry) {
  auto key = key_of(agent, apex_);
  if (!key) return tl::unexpected(key.error());
  return agents_.take(*std::move(key), entry.to_octets());
}

Result<void> Book::append_history(NameView agent, AgentEntry& entry, HistoryEntry what) {
  what.number = entry.history + 1;
  what.previous = entry.history_head;
  const auto key = history_key(agent, apex_, what.number);
  if (!key) return tl::unexpected(key.error());
  if (auto put = history_.put(*key, what.to_octets()); !put) return put;
  entry.history = what.number;
  entry.history_head = what.hash();
  return {};
}

Result<std::vector<HistoryEntry>> Book::history(NameView agent) const {
  std::vector<HistoryEntry> entries;
  const auto held = find(agent);
  if (!held) return tl::unexpected(held.error());
  if (!*held) return entries;
  for (uint32_t number = 1; number <= (*held)->history; ++number) {
    const auto key = history_key(agent, apex_, number);
    if (!key) return tl::unexpected(key.error());
    auto entry = HistoryEntry::from_octets(history_.find(*key));
    if (!entry) return fail(fmt::format("{}: history {}", agent.to_text(), number), entry.error());
    entries.push_back(*std::move(entry));
  }
  return entries;
}

Result<std::vector<std::pair<dns::Name, AgentEntry>>> Book::agents(std::optional<dns::Name> after, size_t most) const {
  std::vector<std::pair<dns::Name, AgentEntry>> found;
  Bytes key;
  if (after) {
    const auto last = key_of(*after, apex_);
    if (!last) return tl::unexpected(last.error());
    key = *last;
    key.push_back(0);  // below every name that stands under it
  }
  for (; found.size() < most && agents_.at_or_after(key); key.push_back(0)) {
    const auto name = dns::name_of_canonical_key(key, apex_);
    if (!name) return fail("agents", name.error());
    auto entry = AgentEntry::from_octets(agents_.find(key));
    if (!entry) return fail(name->to_text(), entry.error());
    found.emplace_back(*name, *std::move(entry));
  }
  return found;
}

bool Book::is_allowed(NameView space, std::string_view fingerprint) const {
  const auto key = publisher_key(space, apex_, fingerprint);
  return key && !publishers_.find(*key).empty();
}

std::vector<Publisher> Book::publishers() const {
  std::vector<Publisher> found;
  for (Bytes key; publishers_.at_or_after(key); key.push_back(0)) {
    if (auto publisher = publisher_from(key, publishers_.find(key), apex_)) found.push_back(*std::move(publisher));
  }
  return found;
}

Result<void> Book::allow(const Publisher& publisher) {
  const auto key = publisher_key(publisher.space, apex_, publisher.fingerprint);
  if (!key) return tl::unexpected(key.error());
  Bytes octets{publisher_format};
  append_time(octets, publisher.since);
  append(octets, as_bytes(publisher.note));
  return publishers_.put(*key, octets);
}

Result<bool> Book::disallow(NameView space, std::string_view fingerprint) {
  const auto key = publisher_key(space, apex_, fingerprint);
  if (!key) return tl::unexpected(key.error());
  if (publishers_.find(*key).empty()) return false;
  if (auto gone = publishers_.put(*key, {}); !gone) return tl::unexpected(gone.error());
  return true;
}

}  // namespace steward::agent
