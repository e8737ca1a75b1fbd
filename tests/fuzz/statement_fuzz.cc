// Octets taken as TXT RDATA of a statement or a rotation: what is taken keeps its rules and says the same when it is
// written again, what is refused says why in one line, and no signature holds that nobody made.

#include <algorithm>
#include <array>
#include <string>

#include "agent/rotation.hh"
#include "agent/semver.hh"
#include "require.hh"

using namespace steward;
using namespace steward::agent;
using fuzz::is_plain;
using fuzz::require;

namespace {

const dns::Name& agent_name() {
  static const auto name = *dns::Name::from_text("planner.acme-corp.com.steward-registry.org.");
  return name;
}

const Bytes& key_rdata() {
  static const Bytes rdata = [] {
    const auto pair = crypto::KeyPair::generate(crypto::Algorithm::ED25519);
    require(pair.has_value(), "a key is made");
    Bytes out = pair->public_key().dnskey_rdata(publisher_key_flags);
    return out;
  }();
  return rdata;
}

void check_fields(std::span<const TextField> fields) {
  Bytes again;
  for (const TextField& field : fields) append_field(again, field.key, field.value);
  const auto read = fields_from_txt(again);
  require(read && std::equal(read->begin(), read->end(), fields.begin(), fields.end(),
                             [](const TextField& a, const TextField& b) { return a.key == b.key && a.value == b.value; }),
          "fields that are written again read the same");
}

void check_statement(const Statement& statement, ByteView octets) {
  require(std::ranges::equal(statement.txt_rdata(), octets), "the octets stay as they are");
  check_fields(statement.fields());
  require(SemanticVersion::from_text(statement.version()).has_value(), "a version is semantic");
  require(is_sha256_text(statement.fingerprint()) && is_sha256_text(statement.endpoints()), "digests are some");
  require(modified_to_text(statement.modified()) == *statement.find("modified"), "a time is written as it was read");
  const std::array keys{ByteView(key_rdata())};
  const auto verified = statement.verify(agent_name(), keys);
  require(!verified && is_plain(verified.error().what), "nobody's signature does not hold");
  const auto claimed = check_supersedes(statement, statement);
  require(!claimed.has_value(), "a statement does not supersede itself");
}

void check_rotation(const Rotation& rotation, ByteView octets) {
  require(rotation.is_claim() || std::ranges::equal(rotation.txt_rdata(), octets), "the octets stay as they are");
  require(rotation.number() >= 1, "rotations are counted from one");
  require(is_sha256_text(rotation.old_fingerprint()) && is_sha256_text(rotation.new_fingerprint()), "fingerprints are some");
  const std::array keys{ByteView(key_rdata())};
  require(!rotation.verify(agent_name(), keys) && !rotation.verify_new(agent_name(), keys), "nobody's signatures do not hold");
  const std::array chain{rotation};
  const bool leads = check_rotation_chain(chain, rotation.old_fingerprint(), rotation.new_fingerprint()).has_value();
  require(leads || rotation.old_fingerprint() == rotation.new_fingerprint(), "a rotation leads from its old key to its new one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView octets(data, std::min<size_t>(size, 65535));
  const auto statement = Statement::from_txt(octets);
  if (statement) {
    check_statement(*statement, octets);
  } else {
    require(is_plain(statement.error().what), "a refusal is one line");
  }
  const auto rotation = Rotation::from_txt(octets);
  const auto claim = Rotation::from_claim(octets);
  require(rotation || is_plain(rotation.error().what), "a refusal is one line");
  require(claim || is_plain(claim.error().what), "a refusal is one line");
  require(claim || !rotation, "what is whole is a claim too");
  if (rotation) require(!rotation->is_claim(), "what is whole has both signatures");
  if (claim) check_rotation(*claim, octets);
  require(!statement || !claim, "nothing is both");
  return 0;
}
