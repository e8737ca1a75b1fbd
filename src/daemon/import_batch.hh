#pragma once
// A batch of an import on its way: the texts that the operator gives, the manifests in them, where each becomes an
// agent, what is to be done with it, and the records that the registry signs for it. Import thread, and its helpers.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/publication.hh"
#include "base/parallel.hh"
#include "change/publish.hh"
#include "daemon/import_run.hh"
#include "store/store.hh"

namespace steward::daemon {

/// One text: a file as it is, or one element of a list that is too long to come whole.
struct ImportText {
  uint32_t source = 0;
  std::string pointer;  ///< of the element; empty: the text is the file
  std::string text;
};

enum class ImportOutcome : uint8_t { Imported, Updated, Unchanged, Refused };
std::string_view to_text(ImportOutcome outcome);

/// One manifest, or what should have been one.
struct ImportRow {
  uint32_t source = 0;
  std::string pointer;  ///< in the file: RFC 6901
  agent::Manifest manifest;
  std::string name;  ///< as it was written, of one that could not be read
  std::optional<dns::Name> agent;
  std::optional<ImportOutcome> outcome;  ///< nothing yet
  std::string rule;                      ///< why it is refused
  std::optional<ImportPlace> first;      ///< of a name that came twice: where the first is
  UnixTime modified{};                   ///< for the statement
  std::vector<agent::PublishedRecord> records;

  void refuse(std::string why);
};

/// Who imports, and for whom.
struct ImportTerms {
  std::shared_ptr<const change::PublishPolicy> policy;
  std::shared_ptr<const crypto::KeyPair> custody;  ///< not null
  std::optional<dns::Name> space;                  ///< for all of them; nothing: as the manifests say
  bool dry_run = false;
};

/// The manifests of the texts, in their order, and what could not be read.
std::vector<ImportRow> read_import(const std::vector<ImportText>& texts, Parallel& parallel);

/// Where each is to stand, and what need not be done: names that came before in this import, manifests that are
/// published as they are, agents that are their publishers'. `reader` has a snapshot.
void place_import(std::vector<ImportRow>& rows, const ImportTerms& terms, ImportRun& run, const store::Reader& reader,
                  UnixTime now);

/// Signs what is left to do.
void sign_import(std::vector<ImportRow>& rows, const ImportTerms& terms, Parallel& parallel);

}  // namespace steward::daemon
