// What the message of a publish says by itself. Cheap rules come first: a signature is checked only of what could be
// admitted.

#include <fmt/format.h>

#include <algorithm>

#include "agent/manifest.hh"
#include "base/utf8.hh"
#include "change/publish_names.hh"
#include "change/publish_rows.hh"

namespace steward::change {
namespace {

constexpr size_t max_statement = 8192;  // octets of RDATA: it stands in listings of parents and in feeds too
constexpr size_t max_capabilities = 64;
constexpr size_t max_capability = 62;  // `_<capability>` is a label
constexpr size_t max_keys = 8;         // in one message

/// What the message adds, by kind.
struct Additions {
  std::vector<ByteView> statements;
  std::vector<ByteView> keys;
  std::vector<ByteView> manifests;
  std::vector<ByteView> rotations;
};

std::string published_place(const UpdateRecord& record, size_t index) {
  return fmt::format("update {}, {} {}", index + 1, record.owner.to_text(), dns::to_text(record.type));
}

Result<void> check_record(const UpdateRecord& record, size_t index, const AgentNames& names) {
  const bool at_agent = record.owner == NameView(names.agent);
  const bool below = record.owner == NameView(names.manifest) || record.owner == NameView(names.keys);
  const bool whole_name = record.type == RrType::ANY;
  if ((at_agent && (whole_name || is_publishers_type(record.type))) ||
      (below && (whole_name || record.type == RrType::TXT)))
    return {};
  return fail(
      Errc::Refused,
      published_place(record, index) +
          ": a publish has TXT, KEY, SRV and SVCB of the agent, TXT of its _manifest and _keys; all else is derived");
}

// RFC 1035 §3.3.14: the strings, joined octet for octet.
std::string joined_strings(ByteView txt_rdata) {
  std::string text;
  for (ByteReader in(txt_rdata); in.left() != 0;) text += as_text(in.bytes(in.u8()));
  return text;
}

Result<Additions> take_additions(const UpdateRequest& request, const AgentNames& names) {
  Additions added;
  for (size_t i = 0; i < request.updates.size(); ++i) {
    const UpdateRecord& record = request.updates[i];
    if (auto may = check_record(record, i, names); !may) return tl::unexpected(may.error());
    if (record.klass != request.zone_class) continue;
    if (record.ttl > max_agent_ttl)
      return fail(Errc::Refused, fmt::format("{}: TTL {} is over {}", published_place(record, i), record.ttl, max_agent_ttl));
    if (record.type == RrType::KEY) added.keys.push_back(record.rdata);
    if (record.type != RrType::TXT) continue;
    if (record.owner == NameView(names.agent)) added.statements.push_back(record.rdata);
    if (record.owner == NameView(names.manifest)) added.manifests.push_back(record.rdata);
    if (record.owner == NameView(names.keys)) added.rotations.push_back(record.rdata);
  }
  if (added.statements.size() != 1)
    return fail(Errc::Refused,
                fmt::format("a publish adds exactly one statement (TXT of the agent's name), this one {}",
                            added.statements.size()));
  if (added.statements.front().size() > max_statement)
    return fail(Errc::Refused,
                fmt::format("statement: {} octets, at most {}", added.statements.front().size(), max_statement));
  if (added.keys.size() > max_keys)
    return fail(Errc::Refused, fmt::format("{} KEY records in one publish, at most {}", added.keys.size(), max_keys));
  if (added.manifests.size() > 1) return fail(Errc::Refused, "_manifest is one TXT record");
  return added;
}

// Bidirectional embeddings, overrides and isolates: what is shown would not be what was signed (Unicode TR36 §3.3.1).
bool is_bidi_control(std::string_view character) {
  const auto last = static_cast<unsigned char>(character.back());
  return (character.starts_with("\xe2\x80") && last >= 0xaa && last <= 0xae) ||
         (character.starts_with("\xe2\x81") && last >= 0xa6 && last <= 0xa9);
}

Result<void> check_value(const agent::TextField& field) {
  for (size_t i = 0; i < field.value.size();) {
    const auto octet = static_cast<unsigned char>(field.value[i]);
    const size_t size = octet >= 0x20 && octet < 0x7f ? 1 : shown_utf8(field.value, i);
    if (size == 0 || is_bidi_control(std::string_view(field.value).substr(i, size)))
      return fail(Errc::Refused, fmt::format("statement: {}: UTF-8 without control characters wanted", field.key));
    i += size;
  }
  return {};
}

Result<void> check_capabilities(const agent::Statement& statement) {
  const auto capabilities = statement.capabilities();
  if (capabilities.size() > max_capabilities)
    return fail(Errc::Refused,
                fmt::format("statement: {} capabilities, at most {}", capabilities.size(), max_capabilities));
  for (auto capability = capabilities.begin(); capability != capabilities.end(); ++capability) {
    const bool is_term = !capability->empty() && capability->size() <= max_capability &&
                         capability->find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
    if (!is_term) return fail(Errc::Refused, "statement: capabilities: each 1 to 62 of a-z, 0-9, _ and -");
    if (std::find(capabilities.begin(), capability, *capability) != capability)
      return fail(Errc::Refused, fmt::format("statement: capability {} stands there twice", *capability));
  }
  return statement.find("capabilities")->ends_with(',')
             ? fail(Errc::Refused, "statement: capabilities: ends with a comma")
             : Result<void>{};
}

Result<void> check_said(const agent::Statement& statement) {
  for (const agent::TextField& field : statement.fields())
    if (auto sound = check_value(field); !sound) return sound;
  if (statement.find("custody"))
    return fail(Errc::Refused, "statement: custody is the registry's to say, not a publisher's");
  return statement.find("capabilities") ? check_capabilities(statement) : Result<void>{};
}

Result<void> check_manifest(const agent::Statement& statement, const Additions& added, CheckedPublish& checked) {
  if (added.manifests.empty()) return {};
  const std::string octets = joined_strings(added.manifests.front());
  if (octets.size() > agent::max_stored_manifest)
    return fail(Errc::Refused,
                fmt::format("_manifest: {} octets, at most {}", octets.size(), agent::max_stored_manifest));
  if (statement.find("digest") != agent::sha256_text(as_bytes(octets)))
    return fail(Errc::Refused, "statement: digest is not that of _manifest");
  if (const auto manifest = agent::read_manifest(octets)) checked.claims = manifest->claims;
  return {};
}

/// The rotation with the highest number: earlier ones may be sent again, and change nothing.
Result<std::optional<agent::Rotation>> last_rotation(const Additions& added) {
  std::optional<agent::Rotation> last;
  for (const ByteView rdata : added.rotations) {
    auto rotation = agent::Rotation::from_claim(rdata);
    if (!rotation) return tl::unexpected(rotation.error());
    if (!last || rotation->number() > last->number()) last = std::move(*rotation);
  }
  return last;
}

Result<void> check_signatures(const CheckedPublish& checked, std::span<const ByteView> keys) {
  if (auto good = checked.statement.verify(checked.agent, keys); !good) return good;
  if (!checked.rotation) return {};
  return checked.rotation->is_claim() ? checked.rotation->verify_new(checked.agent, keys)
                                      : checked.rotation->verify(checked.agent, keys);
}

Result<CheckedPublish> check(const UpdateRequest& request, const AgentNames& names, ByteView message_key,
                             const std::vector<Bytes>& stored_keys, std::optional<UpdateLease> lease,
                             const PublishPolicy& policy, UnixTime now) {
  if (auto sound = check_agent_name(names.agent, policy); !sound) return tl::unexpected(sound.error());
  const auto added = take_additions(request, names);
  if (!added) return tl::unexpected(added.error());
  auto statement = agent::Statement::from_txt(added->statements.front());
  if (!statement) return tl::unexpected(statement.error());
  if (auto sound = check_said(*statement); !sound) return tl::unexpected(sound.error());
  // A refresh of a lease repeats an old statement: admission tells it from a new one.
  if (!lease)
    if (auto fresh = check_fresh(statement->modified(), policy, now); !fresh) return tl::unexpected(fresh.error());
  CheckedPublish checked;
  checked.agent = names.agent;
  checked.lease = lease;
  if (auto same = check_manifest(*statement, *added, checked); !same) return tl::unexpected(same.error());
  auto rotation = last_rotation(*added);
  if (!rotation) return tl::unexpected(rotation.error());
  if (*rotation && (*rotation)->new_fingerprint() == statement->fingerprint()) checked.rotation = std::move(*rotation);
  const auto signer = agent::PublisherKey::from_rdata(message_key);
  if (!signer) return tl::unexpected(signer.error());
  checked.signer = signer->fingerprint();
  if (checked.signer != statement->fingerprint() &&
      (!checked.rotation || checked.signer != checked.rotation->old_fingerprint()))
    return fail(Errc::Refused, fmt::format("the message is signed with {}, not with the statement's key {}",
                                           checked.signer, statement->fingerprint()));
  checked.statement = std::move(*statement);
  std::vector<ByteView> keys(added->keys.begin(), added->keys.end());
  keys.insert(keys.end(), stored_keys.begin(), stored_keys.end());
  keys.push_back(message_key);
  if (auto good = check_signatures(checked, keys); !good) return tl::unexpected(good.error());
  return checked;
}

}  // namespace

Result<void> check_fresh(UnixTime modified, const PublishPolicy& policy, UnixTime now) {
  const Seconds apart = modified > now ? modified - now : now - modified;
  if (apart <= policy.clock_skew) return {};
  return fail(Errc::Refused,
              fmt::format("statement: modified {} is not within {} s of the registry's clock, {}",
                          agent::modified_to_text(modified), policy.clock_skew.count(), agent::modified_to_text(now)));
}

tl::expected<CheckedPublish, UpdateOutcome> check_publish(const UpdateRequest& request, const dns::Name& agent,
                                                          ByteView message_key, const std::vector<Bytes>& stored_keys,
                                                          std::optional<UpdateLease> lease, const PublishPolicy& policy,
                                                          UnixTime now) {
  if (request.zone_class != RrClass::IN)
    return tl::unexpected(
        refused_update(Rcode::NOTAUTH, UpdateEde::NotAuthoritative, "zone's class is not IN (RFC 2136 section 3.1.2)"));
  if (auto failed = prescan(request)) return tl::unexpected(in_one_line(*std::move(failed)));
  auto checked = check(request, AgentNames(agent), message_key, stored_keys, lease, policy, now);
  if (!checked) return tl::unexpected(refuse(checked.error()));
  return *std::move(checked);
}

}  // namespace steward::change
