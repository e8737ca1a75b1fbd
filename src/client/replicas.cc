#include "client/replicas.hh"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "client/names.hh"
#include "dns/message.hh"
#include "dns/rdata.hh"
#include "net/file_descriptor.hh"
#include "net/message_call.hh"

namespace steward::client {
namespace {

using dns::RrType;
using Clock = std::chrono::steady_clock;

constexpr size_t replica_srv_port_at = 4;  // RFC 2782
constexpr size_t replica_srv_target_at = 6;

struct ServerHost {
  dns::Name name;
  uint16_t port = 53;
};

Result<std::vector<Answer>> ask_proved(Resolver& resolver, const std::vector<Question>& questions) {
  auto answers = resolver.ask(questions);
  if (!answers) return answers;
  for (const Answer& answer : *answers)
    if (answer.security == Security::Bogus) return fail(Errc::Refused, answer.note);
  return answers;
}

Result<std::vector<ServerHost>> find_hosts(Resolver& resolver, const dns::Name& zone) {
  const auto agents = below("_agents", zone);
  const auto replicas = agents ? below("_replicas", *agents) : agents;
  std::vector<Question> questions{{zone, RrType::NS}};
  if (replicas) questions.push_back({*replicas, RrType::SRV});
  const auto answers = ask_proved(resolver, questions);
  if (!answers) return tl::unexpected(answers.error());
  std::vector<ServerHost> hosts;
  for (const Answer& answer : *answers)
    for (const ByteView rdata : answer.rdatas) {
      const bool is_srv = answer.question.type == RrType::SRV;
      if (is_srv && rdata.size() <= replica_srv_target_at) continue;
      const auto name = dns::NameView::from_wire(is_srv ? rdata.subspan(replica_srv_target_at) : rdata);
      if (!name || name->is_root()) continue;
      const ServerHost host{dns::Name(*name).folded(), is_srv ? load_u16(&rdata[replica_srv_port_at]) : uint16_t{53}};
      const auto same = [&](const ServerHost& other) { return other.name == host.name && other.port == host.port; };
      if (std::ranges::none_of(hosts, same)) hosts.push_back(host);
    }
  hosts.resize(std::min(hosts.size(), max_measured));
  return hosts;
}

/// One question on its way, on a socket of its own: nobody else's datagram is taken for its answer.
struct Probe {
  MeasuredReplica* replica = nullptr;
  net::FileDescriptor socket;
  uint16_t id = 0;
  Clock::time_point sent;
};

Bytes soa_query(const dns::Name& zone, uint16_t id) {
  Bytes query;
  append_u16(query, id);
  append_u16(query, 0);
  append_u16(query, 1);
  append(query, Bytes(6));
  append(query, zone.view().wire());
  append_u16(query, static_cast<uint16_t>(RrType::SOA));
  append_u16(query, 1);  // IN
  return query;
}

Probe send_probe(MeasuredReplica& replica, const dns::Name& zone) {
  Probe probe{&replica, {}, net::random_message_id(), {}};
  const auto address = SocketAddress::from_text(replica.address);
  if (!address) return probe;
  net::FileDescriptor socket(::socket(address->family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::connect(socket.get(), address->data(), address->size()) != 0) return probe;
  const Bytes query = soa_query(zone, probe.id);
  probe.sent = Clock::now();
  if (::send(socket.get(), query.data(), query.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(query.size()))
    probe.socket = std::move(socket);
  return probe;
}

/// Whether what came ends the probe: the answer, or the news that nobody is there.
bool take_probe(const Probe& probe) {
  uint8_t octets[512];
  const ssize_t size = ::recv(probe.socket.get(), octets, sizeof octets, MSG_TRUNC);
  if (size < 0) return errno != EAGAIN && errno != EINTR;
  if (static_cast<size_t>(size) < dns::header_size || load_u16(octets) != probe.id) return false;
  // QR and AA, and NOERROR: a server of the zone, not one that refers to others.
  if ((octets[2] & 0x84) != 0x84 || (octets[3] & 0x0F) != 0) return true;
  const auto time = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - probe.sent);
  MeasuredReplica& replica = *probe.replica;
  replica.latency = replica.answered ? std::min(replica.latency, time) : time;
  replica.answered = true;
  return true;
}

void measure_once(std::vector<MeasuredReplica>& replicas, const dns::Name& zone) {
  std::vector<Probe> probes;
  for (MeasuredReplica& replica : replicas) probes.push_back(send_probe(replica, zone));
  const auto end = Clock::now() + measure_patience;
  while (true) {
    std::erase_if(probes, [](const Probe& probe) { return !probe.socket; });
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    if (probes.empty() || left.count() <= 0) return;
    std::vector<pollfd> readable;
    for (const Probe& probe : probes) readable.push_back({.fd = probe.socket.get(), .events = POLLIN, .revents = 0});
    if (::poll(readable.data(), readable.size(), static_cast<int>(left.count())) < 0 && errno != EINTR) return;
    for (size_t i = 0; i < probes.size(); ++i)
      if (readable[i].revents != 0 && take_probe(probes[i])) probes[i].socket.reset();
  }
}

}  // namespace

Result<std::vector<MeasuredReplica>> find_replicas(Resolver& resolver, const dns::Name& zone) {
  const auto hosts = find_hosts(resolver, zone);
  if (!hosts) return tl::unexpected(hosts.error());
  std::vector<Question> questions;
  for (const ServerHost& host : *hosts)
    for (const RrType type : {RrType::A, RrType::AAAA}) questions.push_back({host.name, type});
  const auto answers = ask_proved(resolver, questions);
  if (!answers) return tl::unexpected(answers.error());
  std::vector<MeasuredReplica> replicas;
  for (size_t i = 0; i < answers->size(); ++i)
    for (const ByteView rdata : (*answers)[i].rdatas) {
      const ServerHost& host = (*hosts)[i / 2];
      MeasuredReplica replica;
      replica.address = fmt::format("{}@{}", dns::rdata_to_text(questions[i].type, rdata), host.port);
      replica.host = plain_text(host.name);
      const auto same = [&](const MeasuredReplica& other) { return other.address == replica.address; };
      if (replicas.size() < max_measured && std::ranges::none_of(replicas, same)) replicas.push_back(std::move(replica));
    }
  if (replicas.empty()) return fail(Errc::NotFound, fmt::format("{}: no address of its servers", plain_text(zone)));
  return replicas;
}

void measure_replicas(std::vector<MeasuredReplica>& replicas, const dns::Name& zone) {
  measure_once(replicas, zone);
  // One that was silent is not waited for again.
  const auto silent = std::stable_partition(replicas.begin(), replicas.end(), [](const MeasuredReplica& replica) { return replica.answered; });
  const std::vector<MeasuredReplica> away(silent, replicas.end());
  replicas.erase(silent, replicas.end());
  for (unsigned round = 1; round < measure_rounds; ++round) measure_once(replicas, zone);
  std::ranges::stable_sort(replicas, {}, &MeasuredReplica::latency);
  replicas.insert(replicas.end(), away.begin(), away.end());
}

}  // namespace steward::client
