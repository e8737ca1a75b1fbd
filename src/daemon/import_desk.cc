#include "daemon/import_desk.hh"

#include <algorithm>
#include <atomic>

#include "base/log.hh"

namespace steward::daemon {
namespace {

constexpr size_t most_in_slice = 256;  // agents in one transaction: some 50 ms of the writer's time

agent::AgentEntry facts_of(const agent::Manifest& manifest, UnixTime now) {
  agent::AgentEntry facts;
  for (const auto& [name, value] : manifest.claims)
    facts.facts.insert_or_assign(name, agent::TrustFact{value, true, now});
  return facts;
}

// What a dry run's act fails with once it has seen that it could be done.
tl::unexpected<Error> taken_back() { return fail(Errc::Refused, "a dry run"); }

}  // namespace

struct ImportDesk::Work {
  ImportBatch batch;
  Done done;
  std::vector<ImportRow> rows;
  std::vector<ImportRow*> left;   // to be written
  std::atomic<size_t> slices{0};  // that are not
};

/// Some of what is left.
struct ImportDesk::Slice {
  std::shared_ptr<Work> work;
  size_t first = 0;
  size_t count = 0;

  [[nodiscard]] std::span<ImportRow* const> rows() const {
    return std::span<ImportRow* const>(work->left).subspan(first, count);
  }
};

ImportDesk::ImportDesk(std::unique_ptr<store::Reader> reader, const Clock& clock, size_t threads,
                       PostRegistry post_registry)
    : reader_(std::move(reader)), clock_(clock), parallel_(threads), post_registry_(std::move(post_registry)) {}

void ImportDesk::take(ImportBatch batch, Done done) {
  auto work = std::make_shared<Work>();
  work->batch = std::move(batch);
  work->done = std::move(done);
  queue_.post([this, work = std::move(work)] { prepare(work); });
}

void ImportDesk::prepare(const std::shared_ptr<Work>& work) {
  const ImportTerms& terms = work->batch.terms;
  work->rows = read_import(work->batch.texts, parallel_);
  work->batch.texts = {};
  if (const auto acquired = reader_->acquire()) {
    place_import(work->rows, terms, *work->batch.run, *reader_, clock_.now());
    reader_->release();
  } else {
    for (ImportRow& row : work->rows) row.refuse(acquired.error().what);
  }
  sign_import(work->rows, terms, parallel_);
  for (ImportRow& row : work->rows)
    if (!row.outcome) work->left.push_back(&row);
  if (work->left.empty()) return work->done(work->rows);
  post_slices(work);
}

void ImportDesk::post_slices(const std::shared_ptr<Work>& work) {
  const size_t total = work->left.size();
  work->slices = (total + most_in_slice - 1) / most_in_slice;
  for (size_t first = 0; first < total; first += most_in_slice) {
    const Slice slice{work, first, std::min(most_in_slice, total - first)};
    post_registry_([this, slice](RegistryZone& registry, ZoneKeeper& keeper) { write(registry, keeper, slice); },
                   [this, slice](const std::string& why) {
                     for (ImportRow* row : slice.rows()) row->refuse(why);
                     end_slice(slice.work);
                   });
  }
}

// Writer thread.
void ImportDesk::write(RegistryZone& registry, ZoneKeeper& keeper, const Slice& slice) {
  const auto enter = [this, &registry, slice](change::ZoneEdit& edit, ZoneTables& tables) -> Result<void> {
    const ImportTerms& terms = slice.work->batch.terms;
    registry.begin();
    RegistryZone::Changes changes(registry, edit, tables);
    for (ImportRow* row : slice.rows()) {
      bool could = false;
      const auto done = changes.act(
          [&](change::ZoneEdit& zone, change::RegistryState& state) -> Result<std::optional<change::PublishEffect>> {
            auto effect = change::import_agent(*row->agent, row->records, facts_of(row->manifest, clock_.now()),
                                               *terms.policy, zone, state, clock_.now());
            if (!effect) return tl::unexpected<Error>(effect.error());
            could = true;
            row->outcome = effect->key_before.empty() ? ImportOutcome::Imported : ImportOutcome::Updated;
            if (terms.dry_run) return taken_back();
            return std::optional(std::move(*effect));
          });
      if (done || (could && terms.dry_run)) continue;
      row->outcome = ImportOutcome::Refused;
      row->rule = done.error().what;
    }
    return {};
  };
  keeper.edit(enter, false, [this, &registry, &keeper, slice](const LoadOutcome& outcome) {
    written(registry, keeper, slice, outcome);
  });
}

// Writer thread, after the commit.
void ImportDesk::written(RegistryZone& registry, ZoneKeeper& keeper, const Slice& slice, const LoadOutcome& outcome) {
  registry.end(outcome.ok);
  if (!outcome.ok && slice.count > 1) {
    // One of them spoils it for all: each half by itself.
    const size_t half = slice.count / 2;
    ++slice.work->slices;
    write(registry, keeper, {slice.work, slice.first, half});
    return write(registry, keeper, {slice.work, slice.first + half, slice.count - half});
  }
  size_t refused = 0;
  for (ImportRow* row : slice.rows()) {
    if (!outcome.ok) row->refuse(outcome.error);
    row->records.clear();
    refused += row->outcome == ImportOutcome::Refused ? size_t{1} : size_t{0};
  }
  if (!slice.work->batch.terms.dry_run)
    log::info("agent.import", {{"agents", slice.count - refused}, {"refused", refused}, {"serial", outcome.serial}});
  end_slice(slice.work);
}

void ImportDesk::end_slice(const std::shared_ptr<Work>& work) {
  if (--work->slices > 0) return;
  queue_.post([work] { work->done(work->rows); });
}

}  // namespace steward::daemon
