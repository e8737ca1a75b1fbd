// Instructions of the answer path alone: batches of 32 queries with DO against a signed zone of agents in memory, no
// socket, no store. To be run under `valgrind --tool=callgrind --toggle-collect='*Pipeline::answer*'`; prints the time
// too.
//
//   answer_bench [hit|nodata|nxdomain|referral|all] [batches]
//
// `answer_bench discover [batches]` takes answers that are signed as they are asked for (serve/discover.hh) instead:
// each for a term of its own, so that nothing was signed before, and then the same ones again and again.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "ask.hh"

using namespace steward;
using dns::RrType;

namespace {

constexpr size_t agent_count = 1000;
constexpr size_t batch_size = 32;

std::string agent(size_t i) { return fmt::format("agent-{:05}", i * 7919 % 100000); }

std::string zone_text() {
  std::string text =
      "$TTL 300\n@ SOA ns1 hostmaster 1 7200 3600 604800 60\n@ NS ns1\nns1 A 192.0.2.1\nns1 NSEC @ A RRSIG NSEC\n"
      "sub NS ns.sub\nns.sub A 192.0.2.2\n";
  std::vector<std::string> names;
  for (size_t i = 0; i < agent_count; ++i) names.push_back(agent(i));
  std::ranges::sort(names.begin(), names.end());
  text += fmt::format("@ NSEC {} NS SOA RRSIG NSEC\n", names.front());
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i];
    text += fmt::format(
        "{0} TXT \"v=steward1\" \"version=1.4.2\" \"capabilities=orchestrate,plan\" \"status=active\" "
        "\"fp=sha256:{1:064x}\" "
        "\"modified=2025-11-21T13:00:00Z\" \"desc=an agent that does things\"\n"
        "{0} SRV 0 0 443 agents.example.net.\n"
        "{0} SVCB 1 agents.example.net. alpn=a2a,h2 port=443\n"
        "{0} NSEC {2} TXT SRV RRSIG NSEC SVCB\n",
        name, i, i + 1 < names.size() ? names[i + 1] : "ns1");
  }
  return text;
}

// Of this process: other work on the machine does not count.
double cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

struct Load {
  const char* name;
  RrType type;
  std::string (*qname)(size_t);
};

const Load loads[] = {
    {"hit", RrType::TXT, [](size_t i) { return agent(i % agent_count) + ".bench.test."; }},
    {"nodata", RrType::AAAA, [](size_t i) { return agent(i % agent_count) + ".bench.test."; }},
    {"nxdomain", RrType::TXT, [](size_t i) { return agent(i % agent_count) + "x.bench.test."; }},
    {"referral", RrType::A, [](size_t i) { return fmt::format("h{}.sub.bench.test.", i); }},
};

void run(test::Server& server, const Load& load, size_t batches, const char* how = "",
         size_t distinct = 64 * batch_size) {
  std::vector<Bytes> queries;
  for (size_t i = 0; i < distinct; ++i)
    queries.push_back(test::make_query(load.qname(i * 37), load.type, test::QueryEdns{1232, true, 0, {}}));
  std::vector<Bytes> rooms(batch_size, Bytes(4096));
  std::array<Exchange, batch_size> batch;
  size_t octets = 0;
  const double start = cpu_ns();
  for (size_t b = 0; b < batches; ++b) {
    for (size_t i = 0; i < batch_size; ++i) {
      batch[i].request = queries[(b * batch_size + i) % queries.size()];
      batch[i].room = rooms[i];
      batch[i].client = &server.client;
      batch[i].local = &server.local;
    }
    server.pipeline.answer(batch, server.snapshot, server.context);
    for (const Exchange& exchange : batch) octets += exchange.response_size;
  }
  const double time = cpu_ns() - start;
  const auto answers = static_cast<double>(batches * batch_size);
  fmt::print("{:<9}{} {:7.1f} ns an answer, {:6.1f} octets, {} answers\n", load.name, how, time / answers,
             static_cast<double>(octets) / answers, batches * batch_size);
}

// At the root registry an unknown term, elsewhere an alias; and a known term, of whose two RRsets one is signed once.
void run_discover(size_t batches) {
  constexpr std::string_view zone = "_discover._agents.bench.test.";
  const Load fresh_loads[] = {
      {"NXNAME", RrType::PTR, [](size_t i) { return fmt::format("term-{}._discover._agents.bench.test.", i); }},
      {"alias", RrType::PTR, [](size_t i) { return fmt::format("term-{}._discover._agents.bench.test.", i); }},
      {"page", RrType::PTR, [](size_t i) { return fmt::format("known-{}._discover._agents.bench.test.", i / 37); }},
  };
  for (const Load& load : fresh_loads) {
    test::Server server;
    std::string text = "$TTL 60\n@ SOA ns1 hostmaster 1 7200 3600 604800 60\n@ NS ns1\n";
    for (size_t i = 0; i < batches * batch_size && load.name == std::string_view("page"); ++i)
      for (size_t agent = 0; agent < 8; ++agent)
        text += fmt::format("known-{}._find._agents PTR agent-{}\n", i, i * 8 + agent);
    server.snapshot.add_zone("bench.test.", text);
    server.snapshot.add_signed_zone(
        zone, "@ 60 SOA ns1.bench.test. h.bench.test. 1 7200 3600 604800 60\n@ 60 NS ns1.bench.test.");
    server.snapshot.info(zone).online = true;
    server.snapshot.info(zone).denial = zone::Denial::Nsec;
    server.context.unix_seconds = 1'800'000'000;
    auto key = crypto::KeyPair::generate(crypto::Algorithm::ECDSAP256SHA256);
    if (!key) throw std::runtime_error(key.error().what);
    auto discover = std::make_shared<serve::DiscoverZone>();
    discover->apex = *dns::Name::from_text(zone);
    if (load.name == std::string_view("alias")) discover->parent = *dns::Name::from_text("test.");
    discover->key = std::make_shared<const crypto::KeyPair>(std::move(*key));
    server.settings.discover = discover;
    run(server, load, batches, "fresh", batches * batch_size);
    const auto made = server.context.counters.online_signed.get();
    run(server, load, batches, "again");
    fmt::print("          {} signatures for the fresh ones, {} in all\n", made,
               server.context.counters.online_signed.get());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string wanted = argc > 1 ? argv[1] : "all";
  const size_t batches = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 20000;
  if (wanted == "discover") {
    run_discover(argc > 2 ? batches : 1000);
    return 0;
  }
  test::Server server;
  server.snapshot.add_signed_zone("bench.test.", zone_text());
  for (const Load& load : loads)
    if (wanted == "all" || wanted == load.name) run(server, load, batches);
  return 0;
}
