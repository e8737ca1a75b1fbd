// How long a zone takes from its file into a fresh store: reading the file, the pass that lays out the nodes, the
// commit.
//
//   rewrite_bench zone1m.db example.org. FOLDER [threads]
//
// FOLDER must not exist; it is removed at the end.

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "change/rewrite.hh"
#include "store/store.hh"
#include "zone/file_loader.hh"

using namespace steward;

namespace {

using Clock = std::chrono::steady_clock;

struct Phases {
  double parse = 0;
  double pass = 0;
  double commit = 0;
  uint64_t nodes = 0;
  uint64_t records = 0;
};

double lap(Clock::time_point& since) {
  const auto before = since;
  since = Clock::now();
  return std::chrono::duration<double>(since - before).count();
}

Result<Phases> load(const std::string& file, const dns::Name& apex, const std::string& folder, size_t threads) {
  Phases phases;
  auto store = store::Store::open({folder});
  if (!store) return tl::unexpected<Error>(store.error());
  Parallel parallel(threads);
  auto since = Clock::now();
  auto loaded = zone::load_zone_file(file, apex);
  if (!loaded.image) return fail(Errc::Invalid, loaded.errors.front().to_text());
  phases.parse = lap(since);

  auto write = (*store)->begin_write();
  if (!write) return tl::unexpected<Error>(write.error());
  change::RewriteRequest request;
  request.zone = (*write)->add_zone(apex).info.id;
  request.apex = apex;
  request.image = loaded.image.get();
  auto result = change::rewrite_zone(request, (*write)->nodes(request.zone), (*write)->nsec3(request.zone), parallel);
  if (!result) return tl::unexpected<Error>(result.error());
  phases.nodes = result->nodes;
  phases.records = result->records;
  phases.pass = lap(since);

  if (auto committed = (*write)->commit(); !committed) return tl::unexpected<Error>(committed.error());
  phases.commit = lap(since);
  return phases;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || argc > 5 || std::filesystem::exists(argv[3])) {
    fmt::print(stderr, "usage: {} <zone file> <apex> <folder that does not exist> [threads]\n", argv[0]);
    return 2;
  }
  const auto apex = dns::Name::from_text(argv[2]);
  if (!apex) {
    fmt::print(stderr, "{}: {}\n", argv[2], apex.error().what);
    return 2;
  }
  const auto phases = load(argv[1], *apex, argv[3],
                           argc == 5 ? std::strtoul(argv[4], nullptr, 10) : std::thread::hardware_concurrency());
  std::filesystem::remove_all(argv[3]);
  if (!phases) {
    fmt::print(stderr, "{}\n", phases.error().what);
    return 1;
  }
  struct rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  fmt::print(
      "nodes={} records={} parse_s={:.2f} pass_s={:.2f} commit_s={:.2f} total_s={:.2f} user_s={:.2f} system_s={:.2f} "
      "peak_mb={}\n",
      phases->nodes, phases->records, phases->parse, phases->pass, phases->commit,
      phases->parse + phases->pass + phases->commit, seconds(usage.ru_utime), seconds(usage.ru_stime),
      usage.ru_maxrss / 1024);
  return 0;
}
