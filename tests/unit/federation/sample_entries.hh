#pragma once
// Writes of agents below com.steward-registry.org, signed with keys that everybody knows.

#include "../agent/sample_agents.hh"
#include "agent/endpoint_rows.hh"
#include "agent/rotation.hh"
#include "federation/merge.hh"

namespace steward::federation::test {

using agent::AgentStatus;
using agent::test::key_of_phrase;

constexpr std::string_view space_text = "vibe-agency.com.steward-registry.org.";
constexpr std::string_view feed_text = "eu-4f2a._feed.vibe-agency.com.steward-registry.org.";
constexpr int64_t noon = 1763726400;
constexpr Seconds most_ahead{300};

inline dns::Name name_of(std::string_view text) { return dns::Name::from_text(text).value(); }
inline dns::Name agent_name(std::string_view label = "orchestrator") {
  return name_of(std::string(label) + "." + std::string(space_text));
}
inline Bytes key_rdata(const crypto::KeyPair& key) { return key.public_key().dnskey_rdata(agent::publisher_key_flags); }
inline std::string print_of(const crypto::KeyPair& key) { return key.public_key().fingerprint().value(); }
inline const crypto::KeyPair& first_key() {
  static const crypto::KeyPair key = key_of_phrase("steward sample agents");
  return key;
}
inline const crypto::KeyPair& second_key() {
  static const crypto::KeyPair key = key_of_phrase("steward sample agents, second key");
  return key;
}
inline const crypto::KeyPair& third_key() {
  static const crypto::KeyPair key = key_of_phrase("steward sample agents, third key");
  return key;
}

inline Bytes srv_rdata(std::string_view target) {
  Bytes out{0, 0, 0, 0, 1, 187};
  append(out, name_of(target).view().wire());
  return out;
}

/// A publish, or the tombstone of one, that is no write yet.
inline FeedEntry publication(std::string_view version, int64_t modified = noon,
                             const crypto::KeyPair& key = first_key(), AgentStatus status = AgentStatus::Active,
                             const dns::Name& name = agent_name()) {
  FeedEntry entry;
  entry.agent = name;
  entry.registry = "com.vibe-agency";
  entry.status = status;
  entry.trust = 0.57;
  entry.keys = {key_rdata(key)};
  entry.srv = {srv_rdata("agents.vibe-agency.com.")};
  if (status == AgentStatus::Withdrawn || status == AgentStatus::Revoked) {
    entry.srv.clear();
    for (auto& row : agent::tombstone_rows())
      (row.type == dns::RrType::SRV ? entry.srv : entry.svcb).push_back(std::move(row.rdata));
  }
  std::vector<agent::TextField> fields{{"version", std::string(version)},
                                       {"status", std::string(agent::to_text(status))}};
  if (status == AgentStatus::Revoked) fields.push_back({"reason", "its host was broken into"});
  fields.push_back({"modified", agent::modified_to_text(unix_time(modified))});
  const auto rows = entry.endpoints();
  fields.push_back({"ep", agent::endpoint_digest(rows)});
  auto statement = agent::Statement::make(entry.agent, fields, key);
  REQUIRE_MESSAGE(statement, statement.error().what);
  entry.statement = *std::move(statement);
  return entry;
}

/// Written by a replica that holds `held`.
inline FeedEntry written(FeedEntry entry, const WriteSet& held, std::string_view replica, int64_t now) {
  const auto made = make_next(entry, held, replica, unix_time(now), most_ahead);
  REQUIRE_MESSAGE(made, made.error().what);
  return entry;
}

inline FeedEntry sample_write() { return written(publication("1.4.2"), {}, "eu-4f2a", noon); }

inline Bytes rotation_rdata(uint32_t number, const crypto::KeyPair& from, const crypto::KeyPair& to,
                            const dns::Name& name = agent_name()) {
  const auto rotation = agent::Rotation::make(name, number, from, to, unix_time(noon));
  REQUIRE(rotation);
  return Bytes(rotation->txt_rdata().begin(), rotation->txt_rdata().end());
}

/// A statement by the second key, to which a rotation leads.
inline FeedEntry rotated(std::string_view version = "1.5.0") {
  FeedEntry entry = publication(version, noon + 60, second_key());
  entry.keys.push_back(key_rdata(first_key()));
  entry.rotations = {rotation_rdata(1, first_key(), second_key())};
  return entry;
}

}  // namespace steward::federation::test
