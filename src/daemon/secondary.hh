#pragma once
// Secondary: one zone that is transferred from its primaries, and kept as they have it: what transfer/refresh.hh orders is done here.
//
// Main loop's thread; the zone's keeper, on the writer's thread, commits what came, and only then the state machine is told that it did.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/peer_calls.hh"
#include "daemon/zone_keeper.hh"
#include "serve/transfer_records.hh"
#include "transfer/incoming.hh"
#include "transfer/received_zone.hh"
#include "transfer/refresh.hh"

namespace steward::daemon {

/// What a start finds in the store.
struct StoredSecondary {
  Bytes state;                                 ///< of Refresh::to_octets(); may be empty
  std::optional<serve::SoaRecord> soa;         ///< of the version that is stored
  UnixTime written_at{};
};

class Secondary {
 public:
  struct Room {
    PeerCalls& calls;
    /// Runs work with the zone's keeper on the writer's thread; false where that ends.
    std::function<bool(const std::string& zone, std::function<void(ZoneKeeper*)>)> with_keeper;
    /// Runs a task on the main loop.
    std::function<void(std::function<void()>)> on_main;
    /// The SOA that is served.
    std::function<StoredSecondary(const dns::Name& zone)> stored;
    std::string spool;  ///< folder for what is being received
  };

  Secondary(Room& room, config::ZoneConfig zone);

  void start();
  void tick();
  void notified(const SocketAddress& from, std::optional<uint32_t> serial);
  /// `zone retransfer`, `zone refresh`.
  void refresh_now(bool whole);
  [[nodiscard]] const config::ZoneConfig& config() const { return zone_; }
  [[nodiscard]] const transfer::Refresh& state() const { return refresh_; }
  [[nodiscard]] const config::Peer& primary() const { return zone_.primaries[refresh_.primary()]; }
  /// All, beginning with the one that helped last.
  [[nodiscard]] std::vector<config::Peer> primaries_in_turn() const;

 private:
  struct Transfer;
  [[nodiscard]] transfer::Moment moment() const;
  void follow(const transfer::RefreshStep& step);
  void tell(const transfer::RefreshStep& step);
  void ask_soa(size_t primary);
  void ask_soa_by_stream(size_t primary);
  bool take_soa(ByteView message, uint16_t id, bool datagram);
  void soa_failed(const std::string& why);
  void begin_transfer(size_t primary, std::optional<uint32_t> from);
  bool take_message(ByteView message);
  void transfer_ended(net::CallEnd end, const std::string& why);
  void conclude(transfer::IncomingTransfer::Step step, const std::string& why);
  void commit();
  void committed(const LoadOutcome& outcome, const transfer::SoaFields& soa, bool was_incremental);
  void log_transfer(std::string_view outcome, const std::string& why) const;
  void save(zone::Availability availability);

  Room& room_;
  config::ZoneConfig zone_;
  std::string name_;
  transfer::Refresh refresh_;
  std::unique_ptr<net::DatagramCall> datagram_;
  std::unique_ptr<net::StreamCall> stream_;
  std::unique_ptr<auth::TsigVerifier> verifier_;
  bool soa_answered_ = false;
  std::string soa_error_;
  std::shared_ptr<Transfer> transfer_;
  CallTurns::Turn turn_;  // while a transfer is under way
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // what comes back from the writer may find us gone
};

}  // namespace steward::daemon
