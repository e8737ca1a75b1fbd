// How long a zone file takes to become an image that is ready to be walked, and how much memory at the peak.
//
//   zone_load_bench zone1m.db example.org.

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>

#include "zone/file_loader.hh"

using namespace steward;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// A line of /proc/self/status, such as VmHWM or RssAnon, in MB.
double status_mb(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key + ":")) return std::strtod(line.c_str() + key.size() + 1, nullptr) * 1024 / 1e6;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: {} <zone file> <apex>\n", argv[0]);
    return 2;
  }
  const auto apex = dns::Name::from_text(argv[2]);
  if (!apex) {
    fmt::print(stderr, "{}: {}\n", argv[2], apex.error().what);
    return 2;
  }
  const auto start = Clock::now();
  auto loaded = zone::load_zone_file(argv[1], *apex);
  const double load = seconds_since(start);
  for (const auto& error : loaded.errors) fmt::print(stderr, "{}\n", error.to_text());
  for (const auto& warning : loaded.warnings) fmt::print(stderr, "warning: {}\n", warning.to_text());
  if (loaded.more_errors + loaded.more_warnings > 0)
    fmt::print(stderr, "and {} more errors, {} more warnings\n", loaded.more_errors, loaded.more_warnings);
  if (loaded.image == nullptr) return 1;

  const auto walk_start = Clock::now();
  zone::ZoneImage::Node node;
  uint64_t digest = 0;
  while (loaded.image->next(node)) digest ^= node.digest;
  const double walk = seconds_since(walk_start);

  struct rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "nodes={} records={} load_s={:.2f} walk_s={:.2f} cpu_s={:.2f} peak_mb={:.0f} now_anon_mb={:.0f} digest={:016x}\n",
      loaded.image->node_count(), loaded.image->record_count(), load, walk,
      static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
          static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
      status_mb("VmHWM"), status_mb("RssAnon"), digest);
  loaded.image.reset();
  fmt::print("after the image is gone: anon_mb={:.0f}\n", status_mb("RssAnon"));
  return 0;
}
