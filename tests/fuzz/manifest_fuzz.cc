// Octets taken as a manifest or a list of them: what is taken keeps its rules and can be published, what is refused
// says why, and nothing that a person reads holds control characters.

#include <algorithm>
#include <string>

#include "agent/publication.hh"
#include "agent/semver.hh"
#include "require.hh"

using namespace steward;
using namespace steward::agent;
using fuzz::require;

namespace {

const crypto::KeyPair& key() {
  static const auto pair = crypto::KeyPair::generate(crypto::Algorithm::ED25519);
  require(pair.has_value(), "a key is made");
  return *pair;
}

bool is_plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_term(std::string_view text) {
  return !text.empty() && text.size() <= 62 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == text.npos;
}

void check_taken(const Manifest& manifest, std::string_view text) {
  const auto label = agent_label(manifest.name);
  require(label && *label == manifest.name, "a name is a folded label");
  require(SemanticVersion::from_text(manifest.version).has_value(), "a version is semantic");
  require(manifest.status == "active" || manifest.status == "deprecated", "a status is one of two");
  require(text.find(manifest.octets) != text.npos, "the octets are the text's own");
  require(is_plain(manifest.description) && manifest.description.size() <= 1000, "a description is one line");
  for (const auto& capability : manifest.capabilities) require(is_term(capability), "a capability is a term");
  for (const auto& note : manifest.notes) require(is_plain(note), "a note is one line");
  for (const auto& claim : manifest.claims) require(claim.second >= 0 && claim.second <= 1, "a claim is a share");
  for (const auto& endpoint : manifest.endpoints) {
    require(endpoint.port != 0 && !endpoint.host.empty() && endpoint.path.starts_with('/'), "an endpoint is whole");
  }
  PublishOptions options;
  options.agent = *dns::Name::from_text(manifest.name + ".example.");
  options.modified = unix_time(1'763'730'000);
  const auto records = make_publication(manifest, options, key());
  require(records || is_plain(records.error().what), "a refusal is one line");
  if (!records) return;
  const auto statement = Statement::from_txt(records->front().rdata);
  require(statement.has_value(), "a statement is sound");
  std::vector<Endpoint> rows;
  for (const auto& record : *records) rows.push_back({record.type, record.rdata});
  require(statement->verify_endpoints(rows).has_value(), "ep is that of the rows");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text(ByteView(data, size));
  const ManifestReading reading = read_manifests(text);
  for (const Manifest& manifest : reading.manifests) check_taken(manifest, text);
  for (const ManifestRefusal& refusal : reading.refusals) {
    require(!refusal.rule.empty(), "a refusal has a rule");
    require(is_plain(refusal.text()), "a refusal is one line");
  }
  const auto one = read_manifest(text, "named");
  require(one || is_plain(one.error().text()), "a refusal is one line");
  if (one)
    require(one->octets == text && one->name == "named",
            "one manifest is the whole text, under the name that was given");
  return 0;
}
