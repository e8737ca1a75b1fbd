// Resolves an agent with libsteward and prints where it is reached. Compile it against an installed libsteward:
//
//   c++ example_resolve.cc $(pkg-config --cflags --libs steward) -o example_resolve
//   ./example_resolve vibe-agency-orchestrator.vibe-agency.com 127.0.0.1@5300 vibe-agency.ds

#include <iostream>
#include <steward/client.hh>

int main(int argc, char** argv) {
  namespace sc = steward::client;
  if (argc < 2 || argc > 4) {
    std::cerr << "usage: example_resolve AGENT [REGISTRY [TRUST-ANCHOR]]\n";
    return 2;
  }
  sc::Settings settings;
  if (argc > 2) settings.registry = argv[2];
  if (argc > 3) settings.trust_anchor = argv[3];
  auto client = sc::Client::open(settings);
  if (!client) {
    std::cerr << sc::for_terminal(client.failure().what) << '\n';
    return 1;
  }
  const auto agent = client->resolve(argv[1]);
  if (!agent) {
    std::cerr << sc::for_terminal(agent.failure().what) << '\n';
    return 1;
  }
  if (!agent->usable) {
    std::cerr << sc::for_terminal(agent->name + ": " + agent->unusable_because) << '\n';
    return 1;
  }
  // Connect to `host`, send it in SNI, and check the certificate for it.
  for (const sc::Endpoint& endpoint : agent->endpoints)
    std::cout << sc::for_terminal(endpoint.protocol) << ' ' << endpoint.host << ' ' << endpoint.port << '\n';
  return 0;
}
