#pragma once
// Imports: manifests that others wrote, taken into the registry's custody (steward-records(7), "Without a key of its
// own").
//
// take() is called on the main loop's thread. Batches are read, placed and signed on the desk's own thread with helpers
// on all cores, in the order in which they come; then they go to the writer in slices, each a transaction with whatever
// else waits, so that a publish never waits for more than one slice. What is told is told on the desk's thread: a
// client that reads slowly holds up no change.

#include <functional>
#include <memory>
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

  ImportDesk(std::unique_ptr<store::Reader> reader, const Clock& clock, size_t threads, PostRegistry post_registry);

  void start() { queue_.start(); }
  /// Batches that wait are dropped; idempotent.
  void stop() { queue_.stop(); }
  void take(ImportBatch batch, Done done);

 private:
  struct Work;
  struct Slice;
  void prepare(const std::shared_ptr<Work>& work);
  void post_slices(const std::shared_ptr<Work>& work);
  void write(RegistryZone& registry, ZoneKeeper& keeper, const Slice& slice);
  void written(RegistryZone& registry, ZoneKeeper& keeper, const Slice& slice, const LoadOutcome& outcome);
  void end_slice(const std::shared_ptr<Work>& work);

  std::unique_ptr<store::Reader> reader_;
  const Clock& clock_;
  Parallel parallel_;
  PostRegistry post_registry_;
  Writer queue_;
};

}  // namespace steward::daemon
