#pragma once
// The sample agents as tools/make_sample_zone.py wrote them: keys that everybody knows, and the records of an agent in
// a zone.

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/digest.hh"
#include "crypto/key_pair.hh"
#include "dns/name.hh"
#include "dns/rr_type.hh"
#include "zone/file_loader.hh"

namespace steward::agent::test {

constexpr std::string_view sample_space = "vibe-agency.com.steward-registry.org.";

/// Its private octets are the SHA-256 of the phrase.
inline crypto::KeyPair key_of_phrase(std::string_view phrase) {
  const auto seed = crypto::sha256(as_bytes(phrase));
  crypto::PrivateFields fields;
  fields.add("PrivateKey", Bytes(seed.begin(), seed.end()));
  auto key = crypto::KeyPair::from_private_fields(crypto::Algorithm::ED25519, fields);
  REQUIRE(key);
  return std::move(*key);
}

inline crypto::KeyPair sample_key() { return key_of_phrase("steward sample agents"); }

using Records = std::multimap<std::pair<std::string, dns::RrType>, Bytes>;  // owner and type to RDATA

/// Those at the agent's name and at the names directly below it.
inline Records records_of(const zone::LoadResult& loaded, const dns::Name& agent) {
  REQUIRE(loaded.image);
  Records records;
  for (zone::ZoneImage::Node node; loaded.image->next(node);) {
    if (node.owner != agent && node.owner.parent() != agent) continue;
    for (const zone::RrsetInput& rrset : node.rrsets) {
      for (const ByteView rdata : rrset.rdatas) {
        records.emplace(std::pair(node.owner.to_text(), rrset.type), Bytes(rdata.begin(), rdata.end()));
      }
    }
  }
  return records;
}

}  // namespace steward::agent::test
