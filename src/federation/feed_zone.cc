// Entries as records of a feed zone, and back.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "dns/encoding.hh"
#include "federation/entry.hh"
#include "federation/feed_words.hh"

namespace steward::federation {
namespace {

using dns::RrType;

constexpr std::string_view registry_label = "_registry";
constexpr std::string_view keys_label = "_keys";
constexpr std::string_view revoked_label = "_revoked";
constexpr std::string_view manifest_label = "_manifest";
constexpr std::string_view write_prefix = "_w";
constexpr size_t write_digits = 16;

bool is_write_label(std::string_view label) {
  return label.size() == write_prefix.size() + write_digits && label.starts_with(write_prefix) &&
         label.find_first_not_of("0123456789abcdef", write_prefix.size()) == std::string_view::npos;
}

/// The labels of `name` without those of its ancestor, as a name.
Result<dns::Name> moved(NameView name, NameView from, NameView to) {
  Bytes prefix(name.data(), name.data() + (name.size() - from.size()));
  prefix.push_back(0);
  return dns::concatenate(NameView(prefix.data(), prefix.size()), to);
}

Result<void> add_entry(const FeedEntry& entry, const dns::Name& owner, std::vector<PublishedRecord>& records) {
  const auto registry = owner.child(as_bytes(registry_label));
  const auto keys = owner.child(as_bytes(keys_label));
  const auto revoked = owner.child(as_bytes(revoked_label));
  for (const auto* name : {&registry, &keys, &revoked})
    if (!*name) return fail(owner.to_text(), name->error());
  const auto add = [&](const dns::Name& at, RrType type, const std::vector<Bytes>& rows) {
    for (const Bytes& rdata : rows) records.push_back({at, type, entry.ttl, rdata});
  };
  if (entry.statement) {
    const ByteView txt = entry.statement->txt_rdata();
    records.push_back({owner, RrType::TXT, entry.ttl, Bytes(txt.begin(), txt.end())});
  }
  add(owner, RrType::KEY, entry.keys);
  add(owner, RrType::SRV, entry.srv);
  add(owner, RrType::SVCB, entry.svcb);
  add(*keys, RrType::TXT, entry.rotations);
  records.push_back({*registry, RrType::TXT, entry.ttl, feed_statement(entry)});
  add(*revoked, RrType::TXT, entry.revocations);
  return {};
}

/// The records of one write as they come in.
struct Gathered {
  std::vector<ByteView> statements;
  std::vector<ByteView> words;
  FeedEntry entry;
  std::optional<Error> broken;
};

void take(const PublishedRecord& record, FeedPart part, Gathered& into) {
  into.entry.ttl = std::min(into.entry.ttl, record.ttl);
  if (part == FeedPart::Entry) {
    switch (record.type) {
      case RrType::TXT: into.statements.push_back(record.rdata); return;
      case RrType::KEY: into.entry.keys.push_back(record.rdata); return;
      case RrType::SRV: into.entry.srv.push_back(record.rdata); return;
      case RrType::SVCB: into.entry.svcb.push_back(record.rdata); return;
      default: break;
    }
  } else if (record.type == RrType::TXT) {
    if (part == FeedPart::Registry) into.words.push_back(record.rdata);
    if (part == FeedPart::Keys) into.entry.rotations.push_back(record.rdata);
    if (part == FeedPart::Revoked) into.entry.revocations.push_back(record.rdata);
    if (part == FeedPart::Manifest) into.entry.manifest = record.rdata;
    return;
  }
  into.broken = Error{Errc::Invalid, fmt::format("a {} record has no place there", dns::to_text(record.type))};
}

Result<FeedEntry> finish(Gathered&& gathered, const dns::Name& agent) {
  if (gathered.broken) return tl::unexpected(*gathered.broken);
  FeedEntry entry = std::move(gathered.entry);
  entry.agent = agent;
  if (gathered.words.size() != 1) return fail(Errc::Invalid, "exactly one TXT record wanted at _registry");
  if (gathered.statements.size() > 1) return fail(Errc::Invalid, "more than one TXT record at the agent's name");
  if (auto read = read_feed_statement(gathered.words.front(), entry); !read) return tl::unexpected(read.error());
  if (!gathered.statements.empty()) {
    if (gathered.statements.front().size() > max_statement)
      return fail(Errc::Full, fmt::format("statement: over {} octets", max_statement));
    auto statement = agent::Statement::from_txt(gathered.statements.front());
    if (!statement) return tl::unexpected(statement.error());
    entry.statement = *std::move(statement);
  }
  entry.normalize();
  if (auto sound = check_form(entry); !sound) return tl::unexpected(sound.error());
  return entry;
}

}  // namespace

// 64 bits of the write's digest, not the replica's id: `_registry._w<id>.<agent>.<replica>._feed.Z` has room then,
// whatever an agent's name of 180 octets and a replica's id of 32 leave.
std::string write_label(const FeedEntry& entry) {
  return std::string(write_prefix) + dns::encode(dns::hex_lower, ByteView(entry.digest()).first(write_digits / 2));
}

Result<dns::Name> feed_owner(NameView agent, NameView feed, NameView zone) {
  if (!agent.is_below(zone))
    return fail(Errc::Invalid, fmt::format("{}: does not lie below {}", agent.to_text(), zone.to_text()));
  auto owner = moved(agent, zone, feed);
  if (!owner) return fail(agent.to_text(), owner.error());
  return owner->folded();
}

Result<dns::Name> feed_manifest_owner(NameView agent, NameView feed, NameView zone) {
  auto owner = feed_owner(agent, feed, zone);
  return owner ? owner->child(as_bytes(manifest_label)) : owner;
}

Result<FeedPlace> feed_place(NameView owner, NameView feed, NameView zone) {
  if (!owner.is_below(feed))
    return fail(Errc::Invalid, fmt::format("{}: does not lie below {}", owner.to_text(), feed.to_text()));
  FeedPlace place;
  dns::Name at = dns::Name(owner).folded();
  const auto label = [&] { return as_text(at.view().first_label()); };
  for (const auto& [word, part] : {std::pair(registry_label, FeedPart::Registry),
                                   {keys_label, FeedPart::Keys},
                                   {revoked_label, FeedPart::Revoked},
                                   {manifest_label, FeedPart::Manifest}}) {
    if (label() != word) continue;
    place.part = part;
    at = dns::Name(at.view().parent());
    break;
  }
  if (at.view().is_below(feed) && is_write_label(label())) {
    place.write = label();
    at = dns::Name(at.view().parent());
  }
  if (!at.view().is_below(feed) || label().starts_with('_'))
    return fail(Errc::Invalid, fmt::format("{}: is no place of an agent in a feed", owner.to_text()));
  auto agent = moved(at, feed, zone);
  if (!agent) return fail(owner.to_text(), agent.error());
  place.agent = *agent;
  return place;
}

Result<std::vector<PublishedRecord>> feed_records(std::span<const FeedEntry> writes, NameView feed, NameView zone) {
  std::vector<PublishedRecord> records;
  if (writes.size() > max_writes)
    return fail(Errc::Full, fmt::format("{}: {} writes that none dominates, at most {}", writes.front().agent.to_text(),
                                        writes.size(), max_writes));
  for (const FeedEntry& entry : writes) {
    if (auto sound = check_form(entry); !sound) return fail(entry.agent.to_text(), sound.error());
    auto owner = feed_owner(entry.agent, feed, zone);
    if (!owner) return tl::unexpected(owner.error());
    if (&entry != &writes.front()) {
      owner = owner->child(as_bytes(write_label(entry)));
      if (!owner) return fail(entry.agent.to_text(), owner.error());
    }
    if (auto added = add_entry(entry, *owner, records); !added) return tl::unexpected(added.error());
  }
  return records;
}

Result<ReadWrites> read_feed(std::span<const PublishedRecord> records, NameView feed, NameView zone) {
  ReadWrites read;
  std::map<std::string, Gathered> writes;
  if (records.empty() || records.size() > max_feed_records)
    return fail(Errc::Full, fmt::format("feed: {} records of one agent, 1 to {} wanted", records.size(), max_feed_records));
  for (const PublishedRecord& record : records) {
    const auto place = feed_place(record.owner, feed, zone);
    if (!place) return tl::unexpected(place.error());
    if (&record == &records.front()) read.agent = place->agent;
    if (place->agent != read.agent)
      return fail(Errc::Invalid,
                  fmt::format("feed: records of {} among those of {}", place->agent.to_text(), read.agent.to_text()));
    const auto [found, is_new] = writes.try_emplace(place->write);
    if (is_new) found->second.entry.ttl = max_feed_ttl;
    if (writes.size() > max_writes)
      return fail(Errc::Full, fmt::format("{}: more than {} writes", read.agent.to_text(), max_writes));
    take(record, place->part, found->second);
  }
  for (auto& [label, gathered] : writes) {
    auto entry = finish(std::move(gathered), read.agent);
    if (entry) {
      read.writes.push_back(*std::move(entry));
    } else {
      const std::string where = read.agent.to_text() + (label.empty() ? "" : " " + label);
      read.refused.push_back(Error{entry.error().code, where + ": " + entry.error().what});
    }
  }
  return read;
}

}  // namespace steward::federation
