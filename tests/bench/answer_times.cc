// answer-times: asks a server over UDP at a fixed rate and tells how long its answers take.
//
// A question that is due goes out whether or not the ones before were answered, so that a server which pauses shows it
// in all of them.
#include <poll.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>

#include "flood_queries.hh"
#include "loopback.hh"

namespace steward::bench {
namespace {

struct Settings {
  uint64_t port = 53, rate = 2000, seconds = 2;
  std::string queries;
};

class Asker {
 public:
  explicit Asker(const Settings& set)
      : set_(set), list_(set.queries, {}), socket_(connect_loopback(SOCK_DGRAM | SOCK_NONBLOCK, set.port)) {}

  void run() {
    const auto began = Clock::now();
    const auto step = std::chrono::nanoseconds(1'000'000'000 / set_.rate);
    const uint64_t count = set_.rate * set_.seconds;
    times_.reserve(count);
    const auto patience = std::chrono::seconds(1);
    for (auto due = began; sent_ < count || (times_.size() < count && Clock::now() < due + patience);) {
      const auto now = Clock::now();
      if (sent_ < count && now >= due) {
        ask(due);
        due += step;
      } else {
        const auto left = sent_ < count ? due - now : std::chrono::nanoseconds(1'000'000);
        const timespec wait{0, std::max<long>(0, static_cast<long>(std::chrono::nanoseconds(left).count()))};
        pollfd waits{socket_.fd(), POLLIN, 0};
        ::ppoll(&waits, 1, &wait, nullptr);
      }
      receive();
    }
  }
  std::vector<double>& times() { return times_; }
  [[nodiscard]] uint64_t sent() const { return sent_; }

 private:
  // From when it was due, not from when this tool came to it.
  void ask(Clock::time_point due) {
    std::string query(list_.at(sent_ % list_.size()));
    query[0] = static_cast<char>(sent_ >> 8 & 255);
    query[1] = static_cast<char>(sent_ & 255);
    due_[sent_ & 0xffff] = due;
    waits_[sent_ & 0xffff] = true;
    ::send(socket_.fd(), query.data(), query.size(), 0);
    ++sent_;
  }
  void receive() {
    std::array<char, 4096> room;
    while (::recv(socket_.fd(), room.data(), room.size(), 0) >= 12) {
      const unsigned id = get_u16({room.data(), 2}, 0);
      if (!waits_[id]) continue;
      waits_[id] = false;
      times_.push_back(1e6 * seconds_since(due_[id]));
    }
  }

  const Settings& set_;
  QueryList list_;
  Socket socket_;
  std::array<Clock::time_point, 65536> due_{};
  std::array<bool, 65536> waits_{};
  uint64_t sent_ = 0;
  std::vector<double> times_;
};

constexpr const char* kUsage =
    "usage: answer-times --port PORT --queries FILE [--rate N] [--seconds N]\n"
    "Asks 127.0.0.1 over UDP, --rate (2000) times a second for --seconds (2), and prints the times in us, as JSON.\n";

}  // namespace
}  // namespace steward::bench

int main(int argc, char** argv) {
  using namespace steward::bench;
  Settings set;
  const Option options[] = {{.name = "--port", .number = &set.port},
                            {.name = "--rate", .number = &set.rate},
                            {.name = "--seconds", .number = &set.seconds},
                            {.name = "--queries", .text = &set.queries}};
  if (!parse_options(argc, argv, options) || set.queries.empty() || set.rate == 0 || set.rate > 30'000) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try {
    const auto asker = std::make_unique<Asker>(set);
    asker->run();
    auto& times = asker->times();
    const double median = percentile(times, 0.5);
    std::printf("{\"sent\": %llu, \"answered\": %zu, \"median_us\": %.1f, \"p99_us\": %.1f, \"most_us\": %.1f}\n",
                static_cast<unsigned long long>(asker->sent()), times.size(), median, percentile(times, 0.99),
                percentile(times, 1));
    return times.empty() ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "answer-times: %s\n", error.what());
    return 1;
  }
}
