#include "federation/conflict.hh"

#include <fmt/format.h>

#include <algorithm>

#include "agent/text_fields.hh"
#include "change/find_pages.hh"
#include "federation/clock.hh"
#include "federation/referral.hh"

namespace steward::federation {
namespace {

Bytes conflict_rdata(const FeedEntry& entry, std::string_view write) {
  Bytes txt;
  agent::append_field(txt, "v", "steward-conflict1");
  agent::append_field(txt, "write", write);
  agent::append_field(txt, "version", entry.version());
  agent::append_field(txt, "status", entry.suspended ? std::string_view("suspended") : agent::to_text(entry.status));
  agent::append_field(txt, "fp", entry.fingerprint());
  if (entry.statement) agent::append_field(txt, "statement", agent::sha256_text(entry.statement->txt_rdata()));
  agent::append_field(txt, "stamp", std::to_string(entry.write.stamp));
  agent::append_field(txt, "replica", entry.write.replica);
  agent::append_field(txt, "vc", clock_to_text(entry.write.clock));
  return txt;
}

}  // namespace

std::vector<Bytes> conflict_rdatas(const WriteSet& set) {
  std::vector<Bytes> rdatas;
  if (set.size() < 2) return rdatas;
  for (const FeedEntry& entry : std::span(set).first(std::min(set.size(), max_told_writes)))
    rdatas.push_back(conflict_rdata(entry, &entry == &set.front() ? std::string("winner") : write_label(entry)));
  return rdatas;
}

std::vector<std::string> loser_labels(const WriteSet& set) {
  std::vector<std::string> labels;
  for (size_t i = 1; i < set.size(); ++i) labels.push_back(write_label(set[i]));
  return labels;
}

Result<void> see_conflict(change::ZoneEdit& edit, zone::OctetTable& referrals, const dns::Name& zone,
                          const dns::Name& agent) {
  Referrals rows(zone, referrals);
  auto row = rows.find(agent);
  if (!row) return tl::unexpected(row.error());
  if (!*row || !(*row)->has_conflict()) return fail(Errc::NotFound, fmt::format("{}: there is no conflict of it", agent.to_text()));
  const auto before = *row;
  (*row)->is_conflict_seen = true;
  if (auto put = rows.put(agent, *row); !put) return put;
  const auto children = rows.children();
  if (!children) return tl::unexpected(children.error());
  for (const dns::Name& zone_of_child : *children) {
    if (!agent.view().is_below(zone_of_child)) continue;
    auto child = rows.child(zone_of_child);
    if (!child) return tl::unexpected(child.error());
    if (!*child) continue;
    (*child)->count(before, *row);
    if (auto put = rows.put_child(zone_of_child, *child); !put) return put;
  }
  return change::update_conflict(edit, zone, agent, {}, conflict_ttl);
}

}  // namespace steward::federation
