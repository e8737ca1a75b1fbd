// Servers of one registry on loopback: one that answers, one that does not have the zone, one that says nothing.

#include "client/replicas.hh"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <thread>

#include "net/file_descriptor.hh"

using namespace steward;
using namespace steward::client;

namespace {

/// Answers so many datagrams with their own octets and these flags.
class Echo {
 public:
  Echo(uint8_t flags, uint8_t rcode, unsigned times) : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    auto address = *SocketAddress::from_text("127.0.0.1@0");
    REQUIRE(::bind(socket_.get(), address.data(), address.size()) == 0);
    socklen_t size = SocketAddress::capacity();
    REQUIRE(::getsockname(socket_.get(), address.data(), &size) == 0);
    address_ = address.to_text();
    const timeval patience{.tv_sec = 3, .tv_usec = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    thread_ = std::thread([this, flags, rcode, times] {
      for (unsigned i = 0; i < times; ++i) respond(flags, rcode);
    });
  }
  ~Echo() { thread_.join(); }
  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;

  [[nodiscard]] MeasuredReplica replica() const {
    MeasuredReplica replica;
    replica.address = address_;
    return replica;
  }

 private:
  void respond(uint8_t flags, uint8_t rcode) const {
    uint8_t octets[512];
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const ssize_t got = ::recvfrom(socket_.get(), octets, sizeof octets, 0, reinterpret_cast<sockaddr*>(&peer), &size);
    if (got < 12) return;
    octets[2] = flags;
    octets[3] = rcode;
    ::sendto(socket_.get(), octets, static_cast<size_t>(got), 0, reinterpret_cast<const sockaddr*>(&peer), size);
  }

  net::FileDescriptor socket_;
  std::string address_;
  std::thread thread_;
};

constexpr uint8_t authoritative = 0x84;
constexpr uint8_t referral = 0x80;
constexpr uint8_t refused = 5;

}  // namespace

TEST_CASE("replicas: who answers with authority comes first, others are not asked again") {
  const Echo silent(0, 0, 0);
  const Echo refers(referral, 0, 1);
  const Echo refuses(authoritative, refused, 1);
  const Echo answers(authoritative, 0, measure_rounds);
  std::vector<MeasuredReplica> replicas{silent.replica(), refers.replica(), refuses.replica(), answers.replica()};
  const auto begin = std::chrono::steady_clock::now();
  measure_replicas(replicas, dns::Name::from_text("example.").value());
  const auto took = std::chrono::steady_clock::now() - begin;
  CHECK(took < 2 * measure_patience);
  REQUIRE(replicas.size() == 4);
  CHECK(replicas.front().address == answers.replica().address);
  CHECK(replicas.front().answered);
  CHECK(replicas.front().latency.count() > 0);
  for (size_t i = 1; i < replicas.size(); ++i) CHECK_FALSE(replicas[i].answered);
}

TEST_CASE("replicas: an address that is none, or where nobody is, is no answer") {
  MeasuredReplica broken;
  broken.address = "nowhere";
  MeasuredReplica closed;
  closed.address = "127.0.0.1@9";
  std::vector<MeasuredReplica> replicas{broken, closed};
  measure_replicas(replicas, dns::Name::from_text("example.").value());
  CHECK(replicas.size() == 2);
  for (const MeasuredReplica& replica : replicas) CHECK_FALSE(replica.answered);
}
