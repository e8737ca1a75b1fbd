#include "daemon/import_desk.hh"

#include <algorithm>
#include <atomic>
#include <utility>

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
  size_t written = 0;  // of them, and when that was told last: the desk's thread
  uint64_t told_ns = 0;
  ImportBatch batch;
  Progress progress;
  Done done;
  std::vector<ImportRow> rows;
  std::vector<ImportRow*> left;   // to be written
  std::atomic<size_t> slices{0};  // that are not
};

std::span<ImportRow* const> ImportDesk::Slice::rows() const {
  return std::span<ImportRow* const>(work->left).subspan(first, count);
}

ImportDesk::ImportDesk(std::unique_ptr<store::Reader> reader, const Clock& clock, size_t threads,
                       PostRegistry post_registry)
    : reader_(std::move(reader)), clock_(clock), parallel_(threads), post_registry_(std::move(post_registry)) {}

void ImportDesk::take(ImportBatch batch, Progress progress, Done done) {
  auto work = std::make_shared<Work>();
  work->batch = std::move(batch);
  work->progress = std::move(progress);
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
  work->told_ns = clock_.monotonic_ns();
  {
    const std::lock_guard lock(mutex_);
    for (size_t first = 0; first < total; first += most_in_slice)
      waiting_.push_back({work, first, std::min(most_in_slice, total - first), true});
    if (std::exchange(is_writing_, true)) return;
  }
  post_next();
}

// One at a time, behind all that waits for the writer by then.
void ImportDesk::post_next() {
  Slice slice;
  {
    const std::lock_guard lock(mutex_);
    is_writing_ = !waiting_.empty();
    if (!is_writing_) return;
    slice = std::move(waiting_.front());
    waiting_.pop_front();
  }
  post_registry_([this, slice](RegistryZone& registry, ZoneKeeper& keeper) { write(registry, keeper, slice); },
                 [this, slice](const std::string& why) {
                   for (ImportRow* row : slice.rows()) row->refuse(why);
                   end_slice(slice);
                 });
}

// Writer thread.
void ImportDesk::write(RegistryZone& registry, ZoneKeeper& keeper, const Slice& slice) {
  const auto enter = [this, slice](RegistryZone::Changes& changes) -> Result<void> {
    const ImportTerms& terms = slice.work->batch.terms;
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
  registry.change(keeper, enter, [this, &registry, &keeper, slice](const LoadOutcome& outcome) {
    written(registry, keeper, slice, outcome);
  });
}

// Writer thread, after the commit.
void ImportDesk::written(RegistryZone& registry, ZoneKeeper& keeper, const Slice& slice, const LoadOutcome& outcome) {
  if (!outcome.ok && slice.count > 1) {
    // One of them spoils it for all: each half by itself.
    const size_t half = slice.count / 2;
    ++slice.work->slices;
    write(registry, keeper, {slice.work, slice.first, half, false});
    return write(registry, keeper, {slice.work, slice.first + half, slice.count - half, slice.is_last});
  }
  size_t refused = 0;
  for (ImportRow* row : slice.rows()) {
    if (!outcome.ok) row->refuse(outcome.error);
    row->records.clear();
    refused += row->outcome == ImportOutcome::Refused ? size_t{1} : size_t{0};
  }
  if (!slice.work->batch.terms.dry_run)
    log::info("agent.import", {{"agents", slice.count - refused}, {"refused", refused}, {"serial", outcome.serial}});
  end_slice(slice);
}

void ImportDesk::end_slice(const Slice& slice) {
  queue_.post([this, work = slice.work, count = slice.count] {
    constexpr uint64_t often_ns = 250'000'000;
    work->written += count;
    if (--work->slices == 0) return work->done(work->rows);
    if (clock_.monotonic_ns() - work->told_ns < often_ns) return;
    work->told_ns = clock_.monotonic_ns();
    work->progress(work->written, work->left.size());
  });
  if (slice.is_last) post_next();
}

}  // namespace steward::daemon
