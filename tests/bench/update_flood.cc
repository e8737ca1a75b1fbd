// update-flood: UPDATEs (RFC 2136) as fast as a server answers them, one record a message, made beforehand and not
// signed (the server allows by address), so that the generator costs next to nothing.
//
// --clients sockets have one message under way each: the next goes when the answer is there. With --watch, one update
// at a time: from its NOERROR until another server answers the new record.
#include <poll.h>

#include <cstdio>
#include <cstring>
#include <fstream>

#include "loopback.hh"

namespace steward::bench {
namespace {

constexpr unsigned kUpdate = 0x2800, kTxt = 16, kSoa = 6;
constexpr auto kPatience = std::chrono::seconds(5);

struct Settings {
  uint64_t port = 53, count = 1000, seconds = 10, clients = 1, watch = 0, pause_ms = 20, run = 0;
  std::string zone, names;
};

/// Names to be added: one beside each agent that a list of queries names, scattered as that is.
class Names {
 public:
  Names(const Settings& set) {
    std::ifstream file(set.names);
    std::string name, type;
    while (names_.size() < set.count && file >> name >> type) {
      const size_t dot = std::min(name.find('.'), name.size());
      names_.push_back(wire_name(name.substr(0, dot) + "-u" + std::to_string(set.run) + "n" +
                                 std::to_string(names_.size()) + name.substr(dot)));
    }
    if (names_.size() < set.count) throw std::runtime_error(set.names + ": fewer names than updates");
  }
  [[nodiscard]] const std::string& at(size_t i) const { return names_[i]; }

 private:
  std::vector<std::string> names_;
};

std::string update_message(unsigned id, const std::string& zone, const std::string& name) {
  std::string message = question_message(id, kUpdate, zone, kSoa);
  message[9] = 1;  // UPCOUNT
  message += name;
  put_u16(message, kTxt);
  put_u16(message, 1);
  put_u16(message, 0);
  put_u16(message, 300);
  static constexpr std::string_view kText = "v=steward1; an agent that came by UPDATE";
  put_u16(message, static_cast<unsigned>(kText.size() + 1));
  message += static_cast<char>(kText.size());
  return message.append(kText);
}

struct Totals {
  uint64_t done = 0, refused = 0, lost = 0;
  double seconds = 0;
  std::vector<double> times;  ///< ms, of each that was answered
};

class Flood {
 public:
  explicit Flood(const Settings& set) : set_(set), names_(set), zone_(wire_name(set.zone)) {
    for (uint64_t i = 0; i < set.clients; ++i) {
      clients_.push_back({connect_loopback(SOCK_DGRAM | SOCK_NONBLOCK, set.port), {}, {}, false});
      polled_.push_back({clients_.back().socket.fd(), POLLIN, 0});
    }
  }

  Totals run() {
    const auto began = Clock::now();
    const auto until = began + std::chrono::seconds(set_.seconds);
    for (auto& client : clients_) send(client);
    while (waiting_ > 0) {
      ::poll(polled_.data(), polled_.size(), 100);
      const auto now = Clock::now();
      for (size_t i = 0; i < clients_.size(); ++i) {
        Client& client = clients_[i];
        if ((polled_[i].revents & POLLIN) != 0) receive(client, now);
        if (client.waits && now - client.sent > kPatience) {
          ++totals_.lost;
          client.waits = false;
          --waiting_;
        }
        if (!client.waits && now < until) send(client);
      }
    }
    totals_.seconds = seconds_since(began);
    return std::move(totals_);
  }

 private:
  struct Client {
    Socket socket;
    std::string message;
    Clock::time_point sent;
    bool waits;
  };

  void send(Client& client) {
    if (next_ == set_.count) return;
    client.message = update_message(static_cast<unsigned>(next_ & 0xffff), zone_, names_.at(next_));
    ++next_;
    client.sent = Clock::now();
    client.waits = true;
    ++waiting_;
    ::send(client.socket.fd(), client.message.data(), client.message.size(), 0);
  }
  void receive(Client& client, Clock::time_point now) {
    char room[4096];
    ssize_t got = 0;
    while ((got = ::recv(client.socket.fd(), room, sizeof room, 0)) >= 12) {
      const std::string_view answer(room, static_cast<size_t>(got));
      if (!client.waits || answer.substr(0, 2) != std::string_view(client.message).substr(0, 2)) continue;
      (get_u16(answer, 2) & 15U) == 0 ? ++totals_.done : ++totals_.refused;
      totals_.times.push_back(std::chrono::duration<double, std::milli>(now - client.sent).count());
      client.waits = false;
      --waiting_;
    }
  }

  const Settings& set_;
  Names names_;
  std::string zone_;
  std::vector<Client> clients_;
  std::vector<pollfd> polled_;
  size_t next_ = 0, waiting_ = 0;
  Totals totals_;
};

/// One message out, one answer back, or nothing in `patience`.
std::string exchange(const Socket& socket, const std::string& message, std::chrono::milliseconds patience) {
  ::send(socket.fd(), message.data(), message.size(), 0);
  const auto until = Clock::now() + patience;
  char room[4096];
  for (auto now = Clock::now(); now < until; now = Clock::now()) {
    pollfd waits{socket.fd(), POLLIN, 0};
    ::poll(&waits, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(until - now).count()));
    const ssize_t got = ::recv(socket.fd(), room, sizeof room, MSG_DONTWAIT);
    if (got >= 12 && std::memcmp(room, message.data(), 2) == 0) return {room, static_cast<size_t>(got)};
  }
  return {};
}

/// From NOERROR at one server until another one answers: asked four times a millisecond.
Totals watch(const Settings& set) {
  const Names names(set);
  const std::string zone = wire_name(set.zone);
  const Socket primary = connect_loopback(SOCK_DGRAM, set.port);
  const Socket secondary = connect_loopback(SOCK_DGRAM, set.watch);
  Totals totals;
  const auto began = Clock::now();
  for (size_t i = 0; i < set.count; ++i) {
    const auto answer = exchange(primary, update_message(static_cast<unsigned>(i), zone, names.at(i)), kPatience);
    const auto committed = Clock::now();
    if (answer.empty() || (get_u16(answer, 2) & 15U) != 0) {
      ++totals.refused;
      continue;
    }
    bool seen = false;
    for (unsigned id = 0; !seen && Clock::now() - committed < 4 * kPatience; ++id) {
      const auto told =
          exchange(secondary, question_message(id & 0xffffU, 0, names.at(i), kTxt), std::chrono::milliseconds(100));
      seen = !told.empty() && (get_u16(told, 2) & 15U) == 0 && get_u16(told, 6) > 0;
      if (!seen) ::usleep(250);
    }
    if (seen) totals.times.push_back(1000 * seconds_since(committed));
    seen ? ++totals.done : ++totals.lost;
    ::usleep(static_cast<useconds_t>(1000 * set.pause_ms));
  }
  totals.seconds = seconds_since(began);
  return totals;
}

constexpr const char* kUsage =
    "usage: update-flood --port PORT --zone NAME --names FILE [--count N] [--seconds N] [--clients N] [--run N]\n"
    "                    [--watch PORT [--pause-ms N]]\n"
    "Adds a TXT record beside each agent that FILE (of gen-zone) names, over UDP to 127.0.0.1. Loopback only.\n"
    "--run tells the names of one run from those of another. --watch: times until the server at PORT has each.\n";

}  // namespace
}  // namespace steward::bench

int main(int argc, char** argv) {
  using namespace steward::bench;
  Settings set;
  const Option options[] = {
      {.name = "--port", .number = &set.port},       {.name = "--count", .number = &set.count},
      {.name = "--seconds", .number = &set.seconds}, {.name = "--clients", .number = &set.clients},
      {.name = "--watch", .number = &set.watch},     {.name = "--pause-ms", .number = &set.pause_ms},
      {.name = "--run", .number = &set.run},         {.name = "--zone", .text = &set.zone},
      {.name = "--names", .text = &set.names}};
  if (!parse_options(argc, argv, options) || set.zone.empty() || set.names.empty() || set.clients == 0 ||
      set.clients > 512) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try {
    Totals totals = set.watch != 0 ? watch(set) : Flood(set).run();
    const double median = percentile(totals.times, 0.5);
    std::printf(
        "{\"done\": %llu, \"refused\": %llu, \"lost\": %llu, \"seconds\": %.4f, \"rate\": %.1f, \"median_ms\": %.3f, "
        "\"p99_ms\": %.3f, \"most_ms\": %.3f}\n",
        static_cast<unsigned long long>(totals.done), static_cast<unsigned long long>(totals.refused),
        static_cast<unsigned long long>(totals.lost), totals.seconds, static_cast<double>(totals.done) / totals.seconds,
        median, percentile(totals.times, 0.99), percentile(totals.times, 1));
    return totals.done > 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "update-flood: %s\n", error.what());
    return 1;
  }
}
