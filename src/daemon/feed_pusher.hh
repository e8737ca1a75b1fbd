#pragma once
// The side of the child that sends its feed to its parent, from behind NAT (federation/pushed_feed.hh): over TLS with both
// certificates, each message signed. When: daemon/push_turns.hh; what: daemon/push_reader.hh.
//
// Main loop's thread.

#include <functional>
#include <optional>
#include <string>

#include "crypto/tls.hh"
#include "daemon/dialogues.hh"
#include "daemon/push_reader.hh"
#include "daemon/push_turns.hh"

namespace steward::daemon {

class FeedPusher {
 public:
  struct Room {
    const Clock& clock;
    Dialogues& dialogues;
    store::Reader& reader;
    federation::FeedNames names;
    dns::Name parent;
    bool hosted = false;  ///< it answers for our namespace
    /// Its endpoint for TLS; nothing: it has not let us in.
    std::function<std::optional<SocketAddress>()> endpoint;
    std::function<Result<crypto::TlsClientOptions>()> tls;
    std::function<Result<Bytes>(dns::Message)> sign;
  };
  struct Figures {
    std::optional<uint32_t> reached;  ///< serial of our feed all of which the parent acknowledged last; nothing: not known
    bool is_current = false;
    uint64_t messages = 0;            ///< that it took
    std::string error;                ///< of the last attempt; empty: it went well
    std::optional<UnixTime> retry_at;
  };

  explicit FeedPusher(Room room) : room_(std::move(room)), messages_(room_.names, room_.hosted) {}

  /// The feed has changed.
  void changed();
  /// The parent or our identity is another.
  void turned();
  /// Every second.
  void tick() { step(); }
  [[nodiscard]] const dns::Name& feed() const { return room_.names.feed; }
  [[nodiscard]] Figures figures() const;

 private:
  void step();
  [[nodiscard]] std::optional<std::vector<dns::Message>> read();
  void send(std::vector<dns::Message> messages);
  void answered(const Result<std::vector<dns::Message>>& answers, size_t updates);
  void fail_with(const std::string& why);

  const Room room_;
  PushReader messages_;
  PushTurns turns_;
  Figures figures_;
};

}  // namespace steward::daemon
