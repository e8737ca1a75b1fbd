#pragma once
// What the tests of publishing share: an agent, keys, records made by hand.

#include <doctest/doctest.h>

#include "agent/publication.hh"
#include "client/standing.hh"
#include "crypto/key_file.hh"

namespace steward::client::test {

/// Also before main(), where doctest asserts nothing yet.
inline dns::Name name(std::string_view text) { return dns::Name::from_text(text).value(); }

inline void has(const std::string& text, const std::string& part) {
  CAPTURE(text);
  CHECK(text.find(part) != std::string::npos);
}

constexpr UnixTime noon = UnixTime{Seconds{1'700'000'000}};
inline const dns::Name zone = name("acme.example.");
inline const dns::Name agent_name = name("helper.acme.example.");

inline crypto::StoredKey make_key(UnixTime created = noon, crypto::Algorithm algorithm = crypto::Algorithm::ED25519) {
  auto key = crypto::generate_stored_key(agent_name, algorithm, crypto::request_key_flags, created, {}, 2048);
  REQUIRE(key);
  return std::move(*key);
}
inline std::string fingerprint_of(const crypto::StoredKey& key) { return *key.key->public_key().fingerprint(); }

/// A statement by `key`; `more` stands behind version and status.
inline Bytes statement(const crypto::StoredKey& key, std::string_view version, UnixTime modified = noon,
                       std::string_view status = "active", std::vector<agent::TextField> more = {}) {
  std::vector<agent::TextField> fields{{"version", std::string(version)}, {"status", std::string(status)}};
  fields.push_back({"modified", agent::modified_to_text(modified)});
  fields.push_back({"ep", agent::endpoint_digest({})});
  fields.insert(fields.end(), more.begin(), more.end());
  auto made = agent::Statement::make(agent_name, fields, *key.key);
  REQUIRE(made);
  return {made->txt_rdata().begin(), made->txt_rdata().end()};
}

/// What stands after a publish with this statement.
inline Standing standing(const crypto::StoredKey& key, Bytes text) {
  Standing out;
  out.zone = zone;
  out.statement = agent::Statement::from_txt(text).value();
  out.texts = {std::move(text)};
  out.keys = {key.dnskey()};
  return out;
}

}  // namespace steward::client::test
