#include "daemon/import_batch.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "agent/text_fields.hh"
#include "config/namespace.hh"
#include "crypto/digest.hh"
#include "daemon/stored_book.hh"
#include "daemon/stored_statement.hh"

namespace steward::daemon {
namespace {

using agent::Presence;

constexpr size_t few = 4;  // manifests that a thread takes at once: each is a signature's worth of work

/// The pointer of an element, or below one, within the file whose element `at` came by itself as a list of one.
std::string pointer_in_file(const std::string& at, std::string_view pointer) {
  constexpr std::string_view only_element = "/0";
  return at.empty() ? std::string(pointer)
                    : at + std::string(pointer.substr(std::min(pointer.size(), only_element.size())));
}

std::optional<uint32_t> element_of(std::string_view pointer) {
  const size_t slash = pointer.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  uint32_t element = 0;
  const auto [end, error] = std::from_chars(pointer.data() + slash + 1, pointer.data() + pointer.size(), element);
  return error == std::errc{} && end == pointer.data() + pointer.size() ? std::optional(element) : std::nullopt;
}

/// Where in its list a row stands, also one whose pointer goes on below the element.
uint32_t place_in_list(std::string_view pointer) {
  constexpr std::string_view servers = "/servers";
  if (pointer.starts_with(servers)) pointer.remove_prefix(servers.size());
  return element_of(pointer.substr(0, pointer.find('/', 1))).value_or(0);
}

std::vector<ImportRow> rows_of(const ImportText& text) {
  // An element is read as it would be in its list.
  auto reading = text.pointer.empty() ? agent::read_manifests(text.text) : agent::read_manifests("[" + text.text + "]");
  std::vector<ImportRow> rows;
  for (agent::Manifest& manifest : reading.manifests) {
    ImportRow& row = rows.emplace_back();
    row.source = text.source;
    row.pointer = pointer_in_file(text.pointer, manifest.pointer);
    row.manifest = std::move(manifest);
  }
  for (agent::ManifestRefusal& refusal : reading.refusals) {
    ImportRow& row = rows.emplace_back();
    row.source = text.source;
    row.pointer = pointer_in_file(text.pointer, refusal.pointer);
    row.name = std::move(refusal.name);
    row.refuse(std::move(refusal.rule));
  }
  std::stable_sort(rows.begin(), rows.end(), [](const ImportRow& a, const ImportRow& b) {
    return place_in_list(a.pointer) < place_in_list(b.pointer);
  });
  return rows;
}

/// Decides about the rows of a batch, one after the other.
class Placing {
 public:
  Placing(const ImportTerms& terms, ImportRun& run, const store::Reader& reader, const store::ZoneRecord& zone,
          UnixTime now)
      : terms_(terms),
        policy_(*terms.policy),
        run_(run),
        reader_(reader),
        zone_(zone),
        book_(reader, zone.info),
        now_(now) {
    if (auto print = terms.custody->public_key().fingerprint()) custody_ = std::move(*print);
  }

  void place(ImportRow& row) {
    const auto space = space_of(row.manifest);
    if (!space) return row.refuse(space.error().what);
    const auto agent = space->child(as_bytes(row.manifest.name));
    if (!agent) return row.refuse(agent.error().what);
    if (!policy_.namespace_of(*agent)) return row.refuse(not_hosted(row.manifest, *space));
    row.agent = agent->folded();
    const auto digest = crypto::sha256(as_bytes(row.manifest.octets));
    if (const auto first = run_.first_of(*row.agent, digest, {row.source, element_of(row.pointer)}))
      return repeat(row, *first, digest);
    compare(row);
  }

 private:
  Result<dns::Name> space_of(const agent::Manifest& manifest) {
    if (terms_.space) return *terms_.space;
    if (!manifest.owner) return policy_.zone;
    const auto user = github_space("user/", *manifest.owner);
    if (!user || exists(*user)) return user;
    auto organisation = github_space("org/", *manifest.owner);
    return organisation && exists(*organisation) ? organisation : user;
  }

  Result<dns::Name> github_space(std::string_view kind, std::string_view owner) const {
    const auto space = config::parse_hosted_namespace(fmt::format("{}{}.github", kind, owner), false);
    return space ? config::zone_of_namespace(*space, policy_.apex) : space;
  }

  /// Named by the configuration, or there are names below it.
  bool exists(const dns::Name& space) const {
    return std::find(policy_.namespaces.begin(), policy_.namespaces.end(), space) != policy_.namespaces.end() ||
           reader_.find(zone_.info, space);
  }

  std::string not_hosted(const agent::Manifest& manifest, const dns::Name& space) const {
    std::string rule = fmt::format("{} is no namespace that {} hosts", space.to_text(), policy_.zone.to_text());
    if (manifest.owner && !terms_.space)
      rule += ": those of GitHub's users and organisations are the github registry's; --namespace puts it elsewhere";
    return rule;
  }

  static void repeat(ImportRow& row, const ImportRun::Entry& first, ByteView digest) {
    row.first = first.place;
    if (first.has_digest(digest))
      row.outcome = ImportOutcome::Unchanged;
    else
      row.refuse("another manifest of this name came first");
  }

  void compare(ImportRow& row) {
    row.modified = now_;
    const auto entry = book_->find(*row.agent);
    if (!entry) return row.refuse(entry.error().what);
    if (!*entry) return;
    if (!(*entry)->custodial) return row.refuse("claimed: it is its publisher's, not in the registry's custody");
    // RFC 3339 with whole seconds: two imports of one second still follow on each other.
    row.modified = std::max(now_, (*entry)->modified + Seconds(1));
    if ((*entry)->presence == Presence::Live && is_published(row, **entry)) row.outcome = ImportOutcome::Unchanged;
  }

  bool is_published(const ImportRow& row, const agent::AgentEntry& entry) const {
    const auto statement = statement_at(reader_.find(zone_.info, *row.agent));
    const auto status =
        row.manifest.status == "deprecated" ? agent::AgentStatus::Deprecated : agent::AgentStatus::Active;
    return statement && entry.fingerprint == custody_ && statement->fingerprint() == custody_ &&
           statement->status() == status &&
           statement->find("digest") == agent::sha256_text(as_bytes(row.manifest.octets));
  }

  const ImportTerms& terms_;
  const change::PublishPolicy& policy_;
  ImportRun& run_;
  const store::Reader& reader_;
  const store::ZoneRecord& zone_;
  StoredBook book_;
  UnixTime now_;
  std::string custody_;
};

void sign(ImportRow& row, const ImportTerms& terms) {
  agent::PublishOptions options;
  options.agent = *row.agent;
  options.modified = row.modified;
  options.custody = terms.policy->registry_id;
  auto records = agent::make_publication(row.manifest, options, *terms.custody);
  if (!records) return row.refuse(records.error().what);
  row.records = std::move(*records);
  row.manifest.octets = {};  // they are among the records now
}

}  // namespace

std::string_view to_text(ImportOutcome outcome) {
  switch (outcome) {
    case ImportOutcome::Imported: return "imported";
    case ImportOutcome::Updated: return "updated";
    case ImportOutcome::Unchanged: return "unchanged";
    case ImportOutcome::Refused: return "refused";
  }
  return "refused";
}

void ImportRow::refuse(std::string why) {
  outcome = ImportOutcome::Refused;
  rule = std::move(why);
  records.clear();
}

std::vector<ImportRow> read_import(const std::vector<ImportText>& texts, Parallel& parallel) {
  std::vector<std::vector<ImportRow>> read(texts.size());
  parallel.run(texts.size(), few, [&](size_t, size_t item) { read[item] = rows_of(texts[item]); });
  std::vector<ImportRow> rows;
  for (std::vector<ImportRow>& some : read) std::move(some.begin(), some.end(), std::back_inserter(rows));
  return rows;
}

void place_import(std::vector<ImportRow>& rows, const ImportTerms& terms, ImportRun& run, const store::Reader& reader,
                  UnixTime now) {
  const store::ZoneRecord* zone = reader.zone_record(terms.policy->zone);
  if (zone == nullptr) {
    for (ImportRow& row : rows) row.refuse(terms.policy->zone.to_text() + ": nothing is loaded");
    return;
  }
  Placing placing(terms, run, reader, *zone, now);
  for (ImportRow& row : rows)
    if (!row.outcome) placing.place(row);
}

void sign_import(std::vector<ImportRow>& rows, const ImportTerms& terms, Parallel& parallel) {
  std::vector<ImportRow*> left;
  for (ImportRow& row : rows)
    if (!row.outcome) left.push_back(&row);
  parallel.run(left.size(), few, [&](size_t, size_t item) { sign(*left[item], terms); });
}

}  // namespace steward::daemon
