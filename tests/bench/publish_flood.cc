// publish-flood: agents published as a publisher does it.
//
// latency  one Publisher of libsteward, one connection: from the manifest's file to NOERROR, one after the other.
// flood    UPDATEs made and signed beforehand, so that the generator costs next to nothing while the server is timed;
// --clients connections have
//          one message under way each.
// write    manifests as files, for an import.
#include <poll.h>

#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/clock.hh"
#include "client/publish_plan.hh"
#include "client/publisher_key.hh"
#include "loopback.hh"
#include "steward/publish.hh"

namespace steward::bench {
namespace {

constexpr auto patience = std::chrono::seconds(20);
constexpr uint64_t files_a_folder = 1000;

struct Settings {
  std::string mode, zone, name_space, keys, folder, word = "agent";
  uint64_t port = 53, count = 100, clients = 64;
};

/// A STEWARD manifest of the size that real ones have: some 800 octets.
std::string manifest_of(const std::string& name) {
  return R"({"steward_version":"1.0.0","agent":{"id":")" + name + R"(","name":")" + name +
         R"(","version":"1.0.0","class":"task_executor","specialization":"planner","status":"active"},)"
         R"("credentials":{"mandate":[{"capability":"plan","scope":"read"},{"capability":"report","scope":"write"}],"constraints":["no spending"],)"
         R"("prime_directive":"Plan what was asked for, say what is not known, and hand over what needs a person."},)"
         R"("capabilities":{"interfaces":[{"type":"api","protocol":"a2a","endpoint":"https://agents.example.com/)" +
         name +
         R"("}],"operations":[{"name":"make_plan","description":"Makes a plan."},{"name":"check_plan","description":"Checks a plan."},)"
         R"({"name":"report_state","description":"Reports where a plan stands."}]},"governance":{"principal":"bench","transparency":"public"}})"
         "\n";
}

std::string name_of(const Settings& set, uint64_t number) { return set.word + "-" + std::to_string(number); }

struct Totals {
  uint64_t done = 0, refused = 0, lost = 0;
  double seconds = 0;
  std::vector<double> times;  ///< ms
  std::string why;            ///< of the first that was refused
};

Totals write_files(const Settings& set) {
  Totals totals;
  const auto began = Clock::now();
  for (uint64_t i = 0; i < set.count; ++i) {
    const std::filesystem::path folder = std::filesystem::path(set.folder) / std::to_string(i / files_a_folder);
    if (i % files_a_folder == 0) std::filesystem::create_directories(folder);
    std::ofstream(folder / (name_of(set, i) + ".json")) << manifest_of(name_of(set, i));
    ++totals.done;
  }
  totals.seconds = seconds_since(began);
  return totals;
}

Totals one_by_one(const Settings& set) {
  client::Settings settings;
  settings.registry = "127.0.0.1@" + std::to_string(set.port);
  settings.name_space = set.name_space;
  client::PublisherOptions options;
  options.key_folder = set.keys;
  auto publisher = client::Publisher::open(settings, options);
  if (!publisher) throw std::runtime_error(publisher.failure().what);
  Totals totals;
  const auto start = Clock::now();
  for (uint64_t i = 0; i < set.count; ++i) {
    const std::filesystem::path path = std::filesystem::path(set.folder) / (name_of(set, i) + ".json");
    std::ofstream(path) << manifest_of(name_of(set, i));
    const auto began = Clock::now();
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    const auto done = publisher->publish(text.str());
    totals.times.push_back(1000 * seconds_since(began));
    done ? ++totals.done : ++totals.refused;
    if (!done && totals.why.empty()) totals.why = done.failure().what;
  }
  totals.seconds = seconds_since(start);
  return totals;
}

class Flood {
 public:
  explicit Flood(const Settings& set) : set_(set) { make_messages(); }

  Totals run() {
    for (uint64_t i = 0; i < set_.clients; ++i) {
      clients_.push_back({connect_loopback(SOCK_STREAM, set_.port), {}, {}, false});
      polled_.push_back({clients_.back().socket.fd(), POLLIN, 0});
    }
    const auto began = Clock::now();
    for (Client& client : clients_) send(client);
    while (waiting_ > 0) {
      ::poll(polled_.data(), polled_.size(), 100);
      const auto now = Clock::now();
      for (size_t i = 0; i < clients_.size(); ++i) {
        Client& client = clients_[i];
        if ((polled_[i].revents & (POLLIN | POLLHUP)) != 0) receive(client, now);
        if (client.waits && now - client.sent > patience) lose(client);
      }
    }
    totals_.seconds = seconds_since(began);
    return std::move(totals_);
  }

 private:
  struct Client {
    Socket socket;
    std::string answer;
    Clock::time_point sent;
    bool waits;
  };

  void make_messages() {
    const auto zone = dns::Name::from_text(set_.zone);
    const auto agent_of = [&](const std::string& label) { return zone->child(as_bytes(label)); };
    if (!zone) throw std::runtime_error("--zone " + set_.zone + ": " + zone.error().what);
    const auto keys = client::read_keys_for(set_.keys, *agent_of("a"));
    if (!keys || keys->empty()) throw std::runtime_error("--keys " + set_.keys + ": no keys");
    client::Standing nothing;
    nothing.zone = *zone;
    for (uint64_t i = 0; i < set_.count; ++i) {
      const std::string name = name_of(set_, i);
      const auto agent = agent_of(name);
      const auto manifest = agent::read_manifest(manifest_of(name));
      if (!agent || !manifest) throw std::runtime_error(name + ": no manifest");
      const client::PublishWish wish{*agent, SystemClock().now(), {}};
      const auto plan = client::plan_publish(*manifest, wish, nothing, *keys);
      if (!plan) throw std::runtime_error(plan.error().what);
      const auto message = client::build_signed_publish(static_cast<uint16_t>(i), plan->update,
                                                        {*agent, plan->signer.key, plan->signer.flags}, wish.now);
      if (!message) throw std::runtime_error(message.error().what);
      // RFC 1035 §4.2.2: two octets of length on a stream.
      std::string& framed = messages_.emplace_back();
      put_u16(framed, static_cast<unsigned>(message->size()));
      framed.append(as_text(*message));
    }
  }

  void send(Client& client) {
    if (messages_.empty()) return;
    const std::string message = std::move(messages_.front());
    messages_.pop_front();
    client.answer.clear();
    client.sent = Clock::now();
    client.waits = true;
    ++waiting_;
    for (size_t at = 0; at < message.size();) {
      const ssize_t sent = ::send(client.socket.fd(), message.data() + at, message.size() - at, MSG_NOSIGNAL);
      if (sent <= 0) return lose(client);
      at += static_cast<size_t>(sent);
    }
  }

  void lose(Client& client) {
    ++totals_.lost;
    client.waits = false;
    --waiting_;
  }

  void receive(Client& client, Clock::time_point now) {
    char room[65537];
    const ssize_t got = ::recv(client.socket.fd(), room, sizeof room, MSG_DONTWAIT);
    if (!client.waits || (got < 0 && errno == EAGAIN)) return;
    if (got <= 0) return lose(client);
    client.answer.append(room, static_cast<size_t>(got));
    if (client.answer.size() < 14 || client.answer.size() < 2 + get_u16(client.answer, 0)) return;
    const bool is_done = (get_u16(client.answer, 4) & 15U) == 0;
    is_done ? ++totals_.done : ++totals_.refused;
    if (!is_done && totals_.why.empty()) totals_.why = client.answer.substr(14);
    totals_.times.push_back(std::chrono::duration<double, std::milli>(now - client.sent).count());
    client.waits = false;
    --waiting_;
    send(client);
  }

  const Settings& set_;
  std::deque<std::string> messages_;
  std::vector<Client> clients_;
  std::vector<pollfd> polled_;
  size_t waiting_ = 0;
  Totals totals_;
};

int run(int argc, char** argv) {
  Settings set;
  const Option options[] = {
      {"--mode", nullptr, &set.mode}, {"--zone", nullptr, &set.zone},     {"--namespace", nullptr, &set.name_space},
      {"--keys", nullptr, &set.keys}, {"--folder", nullptr, &set.folder}, {"--word", nullptr, &set.word},
      {"--port", &set.port, nullptr}, {"--count", &set.count, nullptr},   {"--clients", &set.clients, nullptr}};
  if (!parse_options(argc, argv, options) || (set.mode != "latency" && set.mode != "flood" && set.mode != "write")) {
    std::fputs(
        "usage: publish-flood --mode latency|flood|write --count N [--port N --keys DIR] [--namespace NAME] [--zone "
        "NAME --clients N] "
        "[--folder DIR] [--word WORD]\n",
        stderr);
    return 2;
  }
  Totals totals = set.mode == "write" ? write_files(set) : set.mode == "latency" ? one_by_one(set) : Flood(set).run();
  const double median = percentile(totals.times, 0.5);
  const double p99 = percentile(totals.times, 0.99);
  const auto number = [](uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "{\"done\": %llu, \"refused\": %llu, \"lost\": %llu, \"seconds\": %.6f, \"rate\": %.1f, \"median_ms\": %.4f, "
      "\"p99_ms\": %.4f}\n",
      number(totals.done), number(totals.refused), number(totals.lost), totals.seconds,
      static_cast<double>(totals.done) / totals.seconds, median, p99);
  if (!totals.why.empty()) std::fprintf(stderr, "publish-flood: %s\n", totals.why.c_str());
  return totals.refused + totals.lost == 0 ? 0 : 1;
}

}  // namespace
}  // namespace steward::bench

int main(int argc, char** argv) {
  try {
    return steward::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "publish-flood: %s\n", error.what());
    return 2;
  }
}
