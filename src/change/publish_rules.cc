#include "change/publish_rules.hh"

#include <algorithm>
#include <charconv>

#include "agent/semver.hh"
#include "change/publish_names.hh"

namespace steward::change {
namespace {

using agent::AgentStatus;
using agent::Presence;
using agent::Rotation;
using agent::SemanticVersion;
using agent::Statement;

constexpr size_t svcb_target = 2;  // RFC 9460 §2.2: SvcPriority before it

tl::unexpected<Error> refused(std::string rule) { return fail(Errc::Refused, std::move(rule)); }

bool is_ending(AgentStatus status) { return status == AgentStatus::Withdrawn || status == AgentStatus::Revoked; }

/// What the book would say of an agent that came with the zone file.
agent::AgentEntry entry_of(const Statement& statement, const AgentRows& rows) {
  agent::AgentEntry entry;
  entry.version = statement.version();
  entry.modified = statement.modified();
  entry.fingerprint = statement.fingerprint();
  entry.first_published = statement.modified();
  entry.status = statement.status();
  entry.presence = is_ending(entry.status) ? Presence::Tombstone : Presence::Live;
  entry.custodial = statement.find("custody").has_value();
  if (entry.status == AgentStatus::Revoked) entry.revoked.push_back(entry.fingerprint);
  for (const Bytes& rdata : rows.rotations)
    if (const auto rotation = Rotation::from_txt(rdata))
      entry.rotations = std::max(entry.rotations, rotation->number());
  return entry;
}

Result<void> check_first(std::string_view print, NameView space, const PublishPolicy& policy, const agent::Book& book) {
  if (policy.open || is_listed(space, print, policy, book)) return {};
  return refused(fmt::format("key {} may not publish in {}: not on its allow-list", print, dns::Name(space).to_text()));
}

// The name that lost its key is its owner's only if the namespace says who that is: an open one does not.
Result<void> check_listed(std::string_view what, std::string_view print, NameView space, const PublishPolicy& policy,
                          const agent::Book& book) {
  if (is_listed(space, print, policy, book)) return {};
  return refused(
      fmt::format("{} takes a key on the allow-list of {}, {} is none", what, dns::Name(space).to_text(), print));
}

Result<void> check_rotation(const agent::AgentEntry& entry, const Statement& next,
                            const std::optional<Rotation>& rotation, const PublishPolicy& policy, UnixTime now) {
  if (!rotation)
    return refused(fmt::format("the name's key is {}, not {}: a rotation in _keys leads from one to the other",
                               entry.fingerprint, next.fingerprint()));
  if (rotation->old_fingerprint() != entry.fingerprint || rotation->new_fingerprint() != next.fingerprint())
    return refused(fmt::format("rotation: leads not from the name's key {} to the statement's {}", entry.fingerprint,
                               next.fingerprint()));
  if (rotation->number() != entry.rotations + 1)
    return refused(fmt::format("rotation: n is {}, not {}", rotation->number(), entry.rotations + 1));
  if (is_ending(next.status())) return refused("rotation: comes with a statement that is active or deprecated");
  return check_fresh(rotation->modified(), policy, now);
}

Result<void> check_above(std::string_view version, UnixTime modified, bool may_be_equal, const Statement& next) {
  if (next.modified() <= modified)
    return refused(fmt::format("statement: modified {} is not after {}", agent::modified_to_text(next.modified()),
                               agent::modified_to_text(modified)));
  const auto present = SemanticVersion::from_text(version);
  if (!present) return fail(Errc::Corrupt, "book: " + present.error().what);
  const auto order = *SemanticVersion::from_text(next.version()) <=> *present;
  if (order > 0 || (order == 0 && may_be_equal)) return {};
  return refused(
      fmt::format("statement: version {} is not above {}, nor equal with another status", next.version(), version));
}

// RFC 4501 §3: dns:[//authority/]name[?…], the name percent-encoded.
std::optional<dns::Name> name_of_dns_uri(std::string_view uri) {
  constexpr std::string_view scheme = "dns:";
  if (!uri.starts_with(scheme)) return std::nullopt;
  uri = uri.substr(scheme.size(), uri.find('?') - scheme.size());
  if (uri.starts_with("//")) uri = uri.substr(std::min(uri.find('/', 2), uri.size() - 1) + 1);
  std::string text;
  for (size_t i = 0; i < uri.size(); ++i) {
    unsigned octet = 0;
    const bool escaped = uri[i] == '%' && i + 2 < uri.size() &&
                         std::from_chars(&uri[i + 1], &uri[i + 1] + 2, octet, 16).ptr == &uri[i + 1] + 2;
    text += escaped ? static_cast<char>(octet) : uri[i];
    if (escaped) i += 2;
  }
  const auto name = dns::Name::from_text(text);
  return name ? std::optional(*name) : std::nullopt;
}

std::string digest_of_strings(ByteView txt_rdata) {
  Bytes octets;
  for (ByteReader in(txt_rdata); in.left() != 0;) append(octets, in.bytes(in.u8()));
  return agent::sha256_text(octets);
}

Result<void> check_manifest(const AgentNames& names, const AgentRows& rows, const Statement& statement) {
  if (rows.manifest.size() > 1) return refused("_manifest is one TXT record");
  const auto named = name_of_dns_uri(statement.find("manifest").value_or(""));
  if (rows.manifest.empty()) {
    if (named && *named == names.manifest) return refused("statement: manifest names _manifest, which is not there");
    return {};
  }
  if (statement.find("digest") != digest_of_strings(rows.manifest.front()))
    return refused("statement: digest is not that of _manifest");
  return {};
}

bool is_no_service(const Bytes& rdata, size_t target) {
  return rdata.size() == target + 1 && std::ranges::all_of(rdata, [](uint8_t octet) { return octet == 0; });
}

Result<void> check_tombstone(const AgentRows& rows, const Statement& statement) {
  const bool has_form = rows.svcb.size() == 1 && rows.srv.size() == 1 &&
                        is_no_service(rows.svcb.front(), svcb_target) && is_no_service(rows.srv.front(), srv_target);
  if (!has_form)
    return refused(
        fmt::format("status={} comes with SVCB 0 . and SRV 0 0 0 . alone", agent::to_text(statement.status())));
  if (!rows.manifest.empty())
    return refused(fmt::format("status={} comes without _manifest", agent::to_text(statement.status())));
  return {};
}

// RFC 2181 §11 lets a slash stand in a name; no host and no certificate has one.
Result<void> check_target(std::string_view type, ByteView rdata, size_t at) {
  const auto target = dns::NameView::from_wire(rdata.subspan(at));
  if (!target) return tl::unexpected(target.error());
  if (target->is_root()) return refused(fmt::format("{}: target . is no host that serves the agent", type));
  for (NameView name = *target; !name.is_root(); name = name.parent())
    if (as_text(name.first_label()).find('/') != std::string_view::npos)
      return refused(fmt::format("{}: a target host holds no slash", type));
  return {};
}

Result<void> check_endpoints(const AgentRows& rows) {
  for (const Bytes& srv : rows.srv)
    if (auto sound = check_target("SRV", srv, srv_target); !sound) return sound;
  // RFC 9460 §2.5.2: in ServiceMode `.` stands for the owner, which is no host.
  for (const Bytes& svcb : rows.svcb)
    if (auto sound = check_target("SVCB", svcb, svcb_target); !sound) return sound;
  return {};
}

}  // namespace

void remember_revocation(agent::AgentEntry& entry, const HeldAgent& held, const AgentRows& before) {
  if (!held.is_revoked() || !held.statement || held.statement->status() != AgentStatus::Revoked) return;
  const ByteView txt = held.statement->txt_rdata();
  entry.revocations.emplace_back(txt.begin(), txt.end());
  for (const Bytes& rdata : before.key)
    if (const auto key = agent::PublisherKey::from_rdata(rdata); key && key->fingerprint() == held.statement->fingerprint())
      entry.revoked_keys.push_back(rdata);
}

Result<HeldAgent> find_held(const AgentNames& names, const AgentRows& rows, const agent::Book& book) {
  HeldAgent held;
  auto entry = book.find(names.agent);
  if (!entry) return tl::unexpected(entry.error());
  held.entry = std::move(*entry);
  held.is_in_book = held.entry.has_value();
  for (const Bytes& rdata : rows.txt)
    if (auto statement = Statement::from_txt(rdata)) held.statement = std::move(*statement);
  if (!held.entry && held.statement) held.entry = entry_of(*held.statement, rows);
  return held;
}

bool is_listed(NameView space, std::string_view fingerprint, const PublishPolicy& policy, const agent::Book& book) {
  const bool configured = std::ranges::any_of(policy.publishers, [&](const agent::Publisher& publisher) {
    return publisher.fingerprint == fingerprint && publisher.space == space;
  });
  return configured || book.is_allowed(space, fingerprint);
}

Result<void> check_key(const HeldAgent& held, const CheckedPublish& checked, const std::optional<Rotation>& rotation,
                       NameView space, const PublishPolicy& policy, const agent::Book& book, UnixTime now) {
  const Statement& next = checked.statement;
  const std::string_view print = next.fingerprint();
  if (!held.entry) {
    if (rotation) return refused("rotation: a name that is new has no key before");
    if (is_ending(next.status()))
      return refused(fmt::format("status={}: the name is not published", agent::to_text(next.status())));
    return check_first(print, space, policy, book);
  }
  const agent::AgentEntry& entry = *held.entry;
  if (std::ranges::find(entry.revoked, print) != entry.revoked.end())
    return refused(fmt::format("key {} is revoked, and never signs for this name again", print));
  if (held.is_revoked()) {
    if (rotation) return refused("rotation: a revoked key leads to no other");
    if (is_ending(next.status())) return refused("the name is revoked already");
    return check_listed("a revoked name", print, space, policy, book);
  }
  if (print == entry.fingerprint) {
    if (entry.custodial)
      return refused("the agent is in the registry's custody: its owner claims it with a key of its own");
    if (rotation) return refused("rotation: the statement is signed with the same key as before");
    return {};
  }
  if (auto sound = check_rotation(entry, next, rotation, policy, now); !sound) return sound;
  if (entry.custodial) return check_listed("a claim", print, space, policy, book);
  if (rotation->is_claim()) return refused("rotation: sig-old is missing, and the agent is in nobody's custody");
  return {};
}

Result<void> check_floor(const HeldAgent& held, const Statement& next) {
  if (held.entry) {
    const agent::AgentEntry& entry = *held.entry;
    const bool may_be_equal =
        entry.presence == Presence::Gone || entry.status != next.status() || entry.fingerprint != next.fingerprint();
    if (auto above = check_above(entry.version, entry.modified, may_be_equal, next); !above) return above;
  }
  // A zone file that was loaded since may say more than the book.
  if (held.statement) {
    const bool may_be_equal =
        held.statement->status() != next.status() || held.statement->fingerprint() != next.fingerprint();
    return check_above(held.statement->version(), held.statement->modified(), may_be_equal, next);
  }
  return {};
}

Result<std::optional<Bytes>> added_rotation(const AgentRows& before, const AgentRows& after) {
  std::optional<Bytes> added;
  for (const Bytes& rdata : before.rotations)
    if (std::ranges::find(after.rotations, rdata) == after.rotations.end())
      return refused("_keys: its records stay for the life of the name");
  for (const Bytes& rdata : after.rotations) {
    if (std::ranges::find(before.rotations, rdata) != before.rotations.end()) continue;
    if (added) return refused("_keys: one record more with each rotation");
    added = rdata;
  }
  return added;
}

Result<void> check_rows(const AgentNames& names, const AgentRows& rows, const Statement& statement) {
  if (rows.txt.size() != 1 || !std::ranges::equal(rows.txt.front(), statement.txt_rdata()))
    return refused(
        "exactly one TXT record stands at an agent's name, the statement: delete the one before it in the same "
        "message");
  const auto endpoints = rows.endpoints();
  if (auto same = statement.verify_endpoints(endpoints); !same) return same;
  if (is_ending(statement.status())) return check_tombstone(rows, statement);
  if (auto sound = check_endpoints(rows); !sound) return sound;
  return check_manifest(names, rows, statement);
}

}  // namespace steward::change
