#pragma once
// Imports: manifests that others wrote, taken into the registry's custody (steward-records(7), "Without a key of its
// own").
//
// take() is called on the main loop's thread. Batches are read, placed and signed on the desk's own thread with helpers
// on all cores, in the order in which they come; then they go to the writer in slices, each a transaction with whatever
// else waits, so that a publish never waits for more than one slice. What is told is told on the desk's thread: a
// client that reads slowly holds up no change.

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/clock.hh"
#include "daemon/import_batch.hh"
#include "daemon/registry_zone.hh"
#include "daemon/writer.hh"

namespace steward::daemon {

struct ImportBatch {
  std::vector<ImportText> texts;
  ImportTerms terms;
  std::shared_ptr<ImportRun> run;
};

class ImportDesk {
 public:
  /// Work for the writer with the registry's zone, and what to say where there is none.
  using PostRegistry = std::function<void(std::function<void(RegistryZone&, ZoneKeeper&)>,
                                          const std::function<void(const std::string&)>& refused)>;
  /// On the desk's thread: what became of each manifest.
  using Done = std::function<void(const std::vector<ImportRow>&)>;
  using Progress = std::function<void(size_t done, size_t total)>;

  ImportDesk(std::unique_ptr<store::Reader> reader, const Clock& clock, size_t threads, PostRegistry post_registry);

  void start() { queue_.start(); }
  /// Batches that wait are dropped; idempotent.
  void stop() { queue_.stop(); }
  /// `progress`: on the desk's thread too, after some of the batch, at most four times a second.
  void take(ImportBatch batch, Progress progress, Done done);

 private:
  struct Work;
  /// Some of what is left of a batch.
  struct Slice {
    std::shared_ptr<Work> work;
    size_t first = 0;
    size_t count = 0;
    bool is_last = true;  ///< of what was posted as one

    [[nodiscard]] std::span<ImportRow* const> rows() const;
  };
  void prepare(const std::shared_ptr<Work>& work);
  void post_slices(const std::shared_ptr<Work>& work);
  void post_next();
  void write(RegistryZone& registry, ZoneKeeper& keeper, const Slice& slice);
  void written(RegistryZone& registry, ZoneKeeper& keeper, const Slice& slice, const LoadOutcome& outcome);
  void end_slice(const Slice& slice);

  std::unique_ptr<store::Reader> reader_;
  const Clock& clock_;
  Parallel parallel_;
  PostRegistry post_registry_;
  std::mutex mutex_;
  std::deque<Slice> waiting_;  // for the writer, who has one at a time
  bool is_writing_ = false;
  Writer queue_{"imports"};
};

}  // namespace steward::daemon
