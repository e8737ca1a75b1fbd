#pragma once
// A server with transfers, NOTIFY and UPDATE, and clients that read as fast as a test lets them. No sockets, no
// threads: the worker's loop is a queue that the test runs.

#include <deque>
#include <limits>
#include <string>

#include "ask.hh"
#include "auth/tsig_client.hh"
#include "base/reply.hh"
#include "dns/message.hh"
#include "serve/access.hh"
#include "serve/operations.hh"
#include "serve/transfer_out.hh"
#include "zone/difference.hh"

namespace steward::test {

/// What a client of a stream sees, and how it reads.
struct Stream {
  std::vector<Bytes> messages;
  size_t reads = std::numeric_limits<size_t>::max();  ///< messages that it takes before it is full
  bool closed = false;
  bool finished = false;  ///< the exchange
  std::deque<std::function<void()>> posted;
  std::vector<std::function<void()>> waiting;  ///< for room

  /// Runs what was posted until nothing is left.
  void run();
  /// Room for so many messages more; those that waited go on.
  void read(size_t more);
};

class FakeClock final : public Clock {
 public:
  [[nodiscard]] UnixTime now() const override { return unix_time(1'700'000'000); }
  [[nodiscard]] uint64_t monotonic_ns() const override { return ns += 1000; }
  mutable uint64_t ns = 0;
};

struct FakeTransferSource final : serve::TransferSource {
  explicit FakeTransferSource(MemorySnapshot& zones) : snapshot(zones) {}
  void copy_zone(const zone::ZoneInfo& zone, std::function<void(std::unique_ptr<serve::ZoneContents>)> take) override;
  std::optional<serve::JournalExtent> journal_extent(const zone::ZoneInfo& zone, uint32_t serial) override;
  std::optional<serve::JournalPart> read_journal(const zone::ZoneInfo& zone, serve::JournalPlace& place) override;
  uint64_t zone_octets(const zone::ZoneInfo& zone) override;

  MemorySnapshot& snapshot;
  std::vector<zone::Difference> journal;  ///< of the one zone that has any
  size_t part_records = 3;                ///< records of one part
  uint64_t octets = 0;
  bool full = false;  ///< no copies
  bool late = false;  ///< copies come when run_late() is called
  std::function<void()> held;
  size_t copies = 0;  ///< that live
};

struct FakeOperations final : serve::Operations {
  void notified(const serve::Notification& notification) override { notifications.push_back(notification); }
  void update(serve::UpdateRequest request) override { updates.push_back(std::move(request)); }
  void transfer_began(const serve::TransferReport& report) override { began.push_back(report); }
  void transfer_ended(const serve::TransferReport& report) override { ended.push_back(report); }
  std::vector<serve::Notification> notifications;
  std::vector<serve::UpdateRequest> updates;
  std::vector<serve::TransferReport> began;
  std::vector<serve::TransferReport> ended;
};

class TransferWorld : public Server {
 public:
  explicit TransferWorld(serve::TransferLimits limits = {64, 8});
  /// Ends what is under way, as a worker does that ends.
  ~TransferWorld();
  TransferWorld(const TransferWorld&) = delete;
  TransferWorld& operator=(const TransferWorld&) = delete;

  /// Hands the request to the pipeline. What is answered at once is the stream's only message.
  std::shared_ptr<Stream> send(ByteView request, Transport transport = Transport::Tcp, size_t reads = SIZE_MAX);
  /// The same, run to its end, every message parsed.
  std::vector<dns::Message> fetch(ByteView request, Transport transport = Transport::Tcp);

  FakeClock clock;
  FakeTransferSource source{snapshot};
  FakeOperations operations;
  std::shared_ptr<serve::TransferSlots> slots;
  serve::TransferDesk desk;
  auth::TsigKey key;
  PeerIdentity peer;  ///< shown over TLS where it has a pin

 private:
  std::vector<std::weak_ptr<Stream>> streams_;
};

/// One record as text, the case of names kept: what transfers are compared by.
std::string line_of(dns::NameView owner, dns::RrType type, uint32_t ttl, ByteView rdata);
/// The answer sections of all messages, in order.
std::vector<std::string> answer_of(const std::vector<dns::Message>& messages);
/// All records of the nodes, sorted.
std::vector<std::string> records_of(const std::vector<zone::NodeView>& nodes);

/// A request of that opcode with one question of class IN.
dns::Message make_request(std::string_view name, dns::RrType type, dns::Opcode opcode = dns::Opcode::QUERY);
/// An IXFR request from a client that has `serial`.
Bytes make_ixfr(std::string_view zone, uint32_t serial);

/// A difference from texts of records, SOA first in both.
zone::Difference make_difference(std::string_view removed, std::string_view added, std::string_view origin);

}  // namespace steward::test
