// Instructions of the answer path alone: batches of 32 queries with DO against a signed zone of agents in memory, no
// socket, no store. To be run under `valgrind --tool=callgrind --toggle-collect='*Pipeline::answer*'`; prints the time
// too.
//
//   answer_bench [hit|nodata|nxdomain|referral|all] [batches]

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>
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
  std::sort(names.begin(), names.end());
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

void run(test::Server& server, const Load& load, size_t batches) {
  std::vector<Bytes> queries;
  for (size_t i = 0; i < 64 * batch_size; ++i)
    queries.push_back(test::make_query(load.qname(i * 37), load.type, test::QueryEdns{1232, true, 0, {}}));
  std::vector<Bytes> rooms(batch_size, Bytes(4096));
  std::array<Exchange, batch_size> batch;
  size_t octets = 0;
  const auto start = std::chrono::steady_clock::now();
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
  const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
  const auto answers = static_cast<double>(batches * batch_size);
  fmt::print("{:<9} {:7.1f} ns an answer, {:6.1f} octets, {} answers\n", load.name, time.count() / answers,
             static_cast<double>(octets) / answers, batches * batch_size);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string wanted = argc > 1 ? argv[1] : "all";
  const size_t batches = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 20000;
  test::Server server;
  server.snapshot.add_signed_zone("bench.test.", zone_text());
  for (const Load& load : loads)
    if (wanted == "all" || wanted == load.name) run(server, load, batches);
  return 0;
}
