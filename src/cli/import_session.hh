#pragma once
// An import from the client's end: files are read, put into requests of bounded size, several of which are under way at
// a time, and what became of each manifest is handed over in the order in which they were read.

#include <deque>
#include <functional>

#include "cli/control_client.hh"
#include "cli/import_sources.hh"

namespace steward::cli {

struct ImportTerms {
  std::string space;  ///< empty: as the manifests say
  bool dry_run = false;
};

class ImportSession {
 public:
  /// `row`: as the control protocol has it, of a manifest or of a file that could not be read; numbers of files in
  /// `source`.
  using OnRow = std::function<void(const Json& row)>;
  /// Octets of files that are done.
  using OnProgress = std::function<void(uint64_t octets)>;

  ImportSession(ControlConnection& connection, const ImportSources& sources, ImportTerms terms, OnRow on_row,
                OnProgress on_progress)
      : connection_(connection),
        sources_(sources),
        terms_(std::move(terms)),
        on_row_(std::move(on_row)),
        on_progress_(std::move(on_progress)) {}

  /// All files. Refused where the server takes no import; what was answered until then is done.
  Result<void> run();

 private:
  struct Batch {
    std::string items;  ///< of the request's list, as JSON
    size_t count = 0;
    uint64_t octets = 0;         ///< of files
    std::vector<Json> refusals;  ///< rows that the server need not see
  };

  Result<void> add_file(uint32_t source);
  Result<void> add_list(uint32_t source);
  Result<void> add(uint32_t source, const std::string& pointer, const std::string& text);
  Result<void> refuse(uint32_t source, const std::string& pointer, std::string_view rule);
  Result<void> send_if_full();
  Result<void> send_batch();
  Result<void> receive();

  ControlConnection& connection_;
  const ImportSources& sources_;
  ImportTerms terms_;
  OnRow on_row_;
  OnProgress on_progress_;
  Batch batch_;
  std::deque<Batch> sent_;
  uint64_t number_ = 0;
  uint64_t done_octets_ = 0;
};

}  // namespace steward::cli
