// dns-flood: asks a DNS server on this machine as fast as it answers, and counts what comes back.
//
// Each socket keeps a bounded number of queries outstanding, sent and received in batches, so that the server never
// idles and its socket never overflows: what is measured then is the server's work, not its waking up. One thread. An
// answer counts only if its id is outstanding on that socket and its question is the one that was asked.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>

#include "flood_queries.hh"

namespace steward::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kBatch = 32;
constexpr size_t kAnswerRoom = 4096;
constexpr size_t kQueryRoom = 320;  ///< header, the longest name, question and OPT

struct Settings {
  std::string address = "127.0.0.1";
  uint64_t port = 53;
  std::string queries;
  uint64_t count = 0;  ///< 0: no limit
  uint64_t seconds = 10;
  uint64_t sockets = 4;
  uint64_t window = 48;       ///< outstanding queries of a socket
  uint64_t timeout_ms = 500;  ///< after which a query is lost
  uint64_t cpu = ~uint64_t{0};
  uint64_t seed = 1;
  bool json = false;
  QueryForm form;
};

struct Totals {
  uint64_t sent = 0, answered = 0, lost = 0, unmatched = 0, octets = 0, truncated = 0;
  std::array<uint64_t, 16> rcodes{};
  double seconds = 0;
};

/// One UDP socket and the queries that are outstanding on it.
class Lane {
 public:
  Lane(const Settings& set, const QueryList& list, Totals& totals, uint64_t seed)
      : list_(list),
        totals_(totals),
        random_(seed),
        window_(set.window),
        next_(seed * 7919 % list.size()),
        outstanding_(set.window),
        by_id_(65536, 0) {
    sockaddr_in server{};
    server.sin_family = AF_INET;
    server.sin_port = htons(static_cast<uint16_t>(set.port));
    // Loopback only: this tool must never be a load on a stranger's server.
    if (inet_pton(AF_INET, set.address.c_str(), &server.sin_addr) != 1 || ntohl(server.sin_addr.s_addr) >> 24 != 127) {
      throw std::runtime_error(set.address + " is not an IPv4 loopback address, and only those are flooded");
    }
    fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int room = 4 << 20;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (fd_ < 0 || ::connect(fd_, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) {
      throw std::runtime_error("cannot make a socket");
    }
    for (size_t i = 0; i < window_; ++i) free_.push_back(static_cast<uint16_t>(i));
    for (size_t i = 0; i < kBatch; ++i) {
      in_parts_[i] = {in_[i].data(), kAnswerRoom};
      in_headers_[i].msg_hdr = {.msg_iov = &in_parts_[i], .msg_iovlen = 1};
      out_headers_[i].msg_hdr = {.msg_iov = &out_parts_[i], .msg_iovlen = 1};
    }
  }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane() { ::close(fd_); }

  int fd() const { return fd_; }
  size_t outstanding() const { return window_ - free_.size(); }

  /// Sends at most `quota` queries, as many as the window has room for. Returns how many went out.
  size_t send(uint64_t quota, Clock::time_point now) {
    const size_t want = std::min({free_.size(), kBatch, static_cast<size_t>(quota)});
    for (size_t i = 0; i < want; ++i) stage(i, free_[free_.size() - 1 - i], now);
    const int sent = want == 0 ? 0 : ::sendmmsg(fd_, out_headers_.data(), static_cast<unsigned>(want), 0);
    const size_t went = sent < 0 ? 0 : static_cast<size_t>(sent);
    // What the kernel did not take was never asked.
    for (size_t i = went; i < want; ++i) forget(free_[free_.size() - 1 - i]);
    free_.resize(free_.size() - went);
    totals_.sent += went;
    return went;
  }

  /// Takes one batch of answers. Returns how many datagrams there were.
  size_t receive() {
    const int got = ::recvmmsg(fd_, in_headers_.data(), kBatch, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < got; ++i) {
      const auto at = static_cast<size_t>(i);
      take({in_[at].data(), in_headers_[at].msg_len});
    }
    return got < 0 ? 0 : static_cast<size_t>(got);
  }

  /// Gives up what was sent before `limit`.
  void expire(Clock::time_point limit) {
    for (size_t slot = 0; slot < window_; ++slot) {
      Outstanding& query = outstanding_[slot];
      if (!query.waiting || query.sent > limit) continue;
      release(static_cast<uint16_t>(slot));
      ++totals_.lost;
    }
  }

 private:
  struct Outstanding {
    bool waiting = false;
    uint16_t id = 0;
    size_t query = 0;
    Clock::time_point sent;
    std::array<char, kQueryRoom> octets;
  };

  void stage(size_t place, uint16_t slot, Clock::time_point now) {
    Outstanding& query = outstanding_[slot];
    do {
      query.id = static_cast<uint16_t>(random_());
    } while (by_id_[query.id] != 0);
    by_id_[query.id] = static_cast<uint16_t>(slot + 1);
    query.query = next_;
    query.sent = now;
    query.waiting = true;
    const std::string_view octets = list_.at(next_);
    next_ = next_ + 1 == list_.size() ? 0 : next_ + 1;
    std::memcpy(query.octets.data(), octets.data(), octets.size());
    std::memcpy(query.octets.data(), &query.id, sizeof query.id);
    out_parts_[place] = {query.octets.data(), octets.size()};
  }

  void take(std::string_view answer) {
    uint16_t id = 0;
    if (answer.size() >= 12) std::memcpy(&id, answer.data(), sizeof id);
    const uint16_t found = answer.size() >= 12 ? by_id_[id] : 0;
    if (found == 0 || !matches(answer, list_.at(outstanding_[found - 1U].query))) {
      ++totals_.unmatched;
      return;
    }
    release(static_cast<uint16_t>(found - 1));
    ++totals_.answered;
    ++totals_.rcodes[static_cast<uint8_t>(answer[3]) & 15];
    totals_.truncated += (answer[2] & 2) != 0 ? 1U : 0U;
    totals_.octets += answer.size();
  }
  /// QR is set and the question is ours, octet for octet.
  static bool matches(std::string_view answer, std::string_view query) {
    const size_t question = 12 + std::strlen(query.data() + 12) + 5;  // labels hold no zero octet here
    return answer.size() >= question && (static_cast<uint8_t>(answer[2]) & 0x80) != 0 &&
           answer.substr(12, question - 12) == query.substr(12, question - 12);
  }
  void release(uint16_t slot) {
    forget(slot);
    free_.push_back(slot);
  }
  void forget(uint16_t slot) {
    outstanding_[slot].waiting = false;
    by_id_[outstanding_[slot].id] = 0;
  }

  const QueryList& list_;
  Totals& totals_;
  std::minstd_rand random_;
  size_t window_;
  size_t next_;
  int fd_ = -1;
  std::vector<Outstanding> outstanding_;
  std::vector<uint16_t> by_id_;  ///< slot + 1 of the query with that id, 0 for none
  std::vector<uint16_t> free_;
  std::array<iovec, kBatch> in_parts_{}, out_parts_{};
  std::array<mmsghdr, kBatch> in_headers_{}, out_headers_{};
  std::array<std::array<char, kAnswerRoom>, kBatch> in_;
};

class Flood {
 public:
  Flood(const Settings& set, const QueryList& list) : set_(set) {
    for (uint64_t i = 0; i < set.sockets; ++i) {
      lanes_.push_back(std::make_unique<Lane>(set, list, totals_, set.seed * 64 + i + 1));
    }
  }

  Totals run() {
    const auto began = Clock::now();
    const auto until = began + std::chrono::seconds(set_.seconds);
    const auto patience = std::chrono::milliseconds(set_.timeout_ms);
    auto next_expiry = began + patience;
    auto last_answer = began;
    for (auto now = began;; now = Clock::now()) {
      const bool asking = now < until && (set_.count == 0 || totals_.sent < set_.count);
      const bool moved = pass(asking, now);
      if (moved) last_answer = now;
      if (!asking && outstanding() == 0) break;
      if (now >= next_expiry) {
        for (auto& lane : lanes_) lane->expire(now - patience);
        next_expiry = now + patience / 4;
      }
      if (now - last_answer > std::chrono::milliseconds(1)) wait();
    }
    totals_.seconds = std::chrono::duration<double>(Clock::now() - began).count();
    return totals_;
  }

 private:
  bool pass(bool asking, Clock::time_point now) {
    bool moved = false;
    for (auto& lane : lanes_) {
      while (lane->receive() == kBatch) moved = true;
      const uint64_t quota = set_.count == 0 ? kBatch : set_.count - std::min(totals_.sent, set_.count);
      if (asking && lane->send(quota, now) > 0) moved = true;
    }
    return moved;
  }
  size_t outstanding() const {
    size_t sum = 0;
    for (const auto& lane : lanes_) sum += lane->outstanding();
    return sum;
  }
  void wait() {
    std::vector<pollfd> fds;
    for (const auto& lane : lanes_) fds.push_back({lane->fd(), POLLIN, 0});
    ::poll(fds.data(), fds.size(), 1);
  }

  const Settings& set_;
  Totals totals_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

void print(const Totals& totals, bool json) {
  static constexpr const char* kRcodes[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
  std::string rcodes;
  for (size_t i = 0; i < totals.rcodes.size(); ++i) {
    if (totals.rcodes[i] == 0) continue;
    const std::string name = i < std::size(kRcodes) ? kRcodes[i] : "RCODE" + std::to_string(i);
    rcodes += json ? (rcodes.empty() ? "\"" : ", \"") + name + "\": " : (rcodes.empty() ? "" : " ") + name + "=";
    rcodes += std::to_string(totals.rcodes[i]);
  }
  const double rate = totals.seconds > 0 ? static_cast<double>(totals.answered) / totals.seconds : 0;
  const auto n = [](uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(json ? "{\"sent\": %llu, \"answered\": %llu, \"lost\": %llu, \"unmatched\": %llu, \"truncated\": %llu, "
                     "\"octets\": %llu, \"seconds\": %.4f, \"rate\": %.0f, \"rcodes\": {%s}}\n"
                   : "sent=%llu answered=%llu lost=%llu unmatched=%llu truncated=%llu octets=%llu seconds=%.4f "
                     "rate=%.0f %s\n",
              n(totals.sent), n(totals.answered), n(totals.lost), n(totals.unmatched), n(totals.truncated),
              n(totals.octets), totals.seconds, rate, rcodes.c_str());
}

constexpr const char* kUsage =
    "usage: dns-flood --queries FILE --port PORT [--address 127.x.y.z] [--count N] [--seconds N] [--sockets N]\n"
    "                 [--window N] [--timeout-ms N] [--cpu N] [--seed N] [--no-dnssec] [--no-edns] [--rd] [--json]\n"
    "FILE holds `NAME TYPE` lines. Stops after --count queries or --seconds (10), whichever is first.\n"
    "--window (48) is the number of outstanding queries of each of --sockets (4). Loopback only.\n"
    "Example: dns-flood --queries hit.txt --port 5300 --seconds 5 --cpu 0\n";

bool parse_number(std::string_view text, uint64_t& into) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), into);
  return code == std::errc() && end == text.data() + text.size();
}

bool parse(int argc, char** argv, Settings& set) {
  const std::pair<std::string_view, uint64_t*> numbers[] = {
      {"--port", &set.port},       {"--count", &set.count},   {"--seconds", &set.seconds},
      {"--sockets", &set.sockets}, {"--window", &set.window}, {"--timeout-ms", &set.timeout_ms},
      {"--cpu", &set.cpu},         {"--seed", &set.seed}};
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--json")
      set.json = true;
    else if (option == "--no-dnssec")
      set.form.dnssec_ok = false;
    else if (option == "--no-edns")
      set.form.edns = false;
    else if (option == "--rd")
      set.form.recursion = true;
    else if (i + 1 == argc)
      return false;
    else if (option == "--queries")
      set.queries = argv[++i];
    else if (option == "--address")
      set.address = argv[++i];
    else {
      const auto* found =
          std::find_if(std::begin(numbers), std::end(numbers), [&](auto& n) { return n.first == option; });
      if (found == std::end(numbers) || !parse_number(argv[++i], *found->second)) return false;
    }
  }
  return !set.queries.empty() && set.port > 0 && set.port < 65536 && set.sockets > 0 && set.sockets <= 64 &&
         set.window > 0 && set.window <= 1024 && set.seconds > 0 && set.seconds <= 3600 && set.timeout_ms >= 4 &&
         set.timeout_ms <= 60'000;
}

void pin(uint64_t cpu) {
  if (cpu >= CPU_SETSIZE) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0)
    throw std::runtime_error("cannot run on CPU " + std::to_string(cpu));
}

}  // namespace
}  // namespace steward::bench

int main(int argc, char** argv) {
  using namespace steward::bench;
  Settings set;
  if (!parse(argc, argv, set)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try {
    pin(set.cpu);
    const QueryList list(set.queries, set.form);
    const Totals totals = Flood(set, list).run();
    print(totals, set.json);
    return totals.answered > 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dns-flood: %s\n", error.what());
    return 1;
  }
}
