#pragma once
// The child's side of a registration, and of its end: what the zone says of itself becomes a signed request, goes to the parent over TLS
// whose certificates lead to the root's, and what the parent has issued and published is taken over.
//
// Main loop's thread.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/dialogues.hh"
#include "daemon/own_identity.hh"
#include "daemon/registry_zone.hh"
#include "federation/registration.hh"

namespace steward::daemon {

/// By which a child knows its parent.
struct ParentProof {
  Bytes root;              ///< certificate of the root's authority, DER, to which the parent's have to lead
  bool is_anchored = false;  ///< and its key has to be one of these, of the KEYs that were validated by DNSSEC
  std::vector<Bytes> spkis;
};

class Registrar {
 public:
  struct Room {
    net::Loop& loop;
    const Clock& clock;
    Dialogues& dialogues;
    NameLookup& lookup;
    dns::Name apex;
    dns::Name parent;
    /// What the parent is known by.
    std::function<void(std::function<void(Result<ParentProof>)>)> find_proof;
    std::function<std::shared_ptr<const OwnIdentity>()> identity;
    std::string replica;                ///< whose feed the parent may follow
    std::vector<SocketAddress> listen;  ///< where others reach us by TLS; of a wildcard the port counts
    config::FeedPush push{};            ///< others do not: the feed is sent
    /// The parent has this DS RRset of ours, RDATA.
    std::function<void(std::vector<Bytes>)> delegated;
    std::function<bool(std::function<void(RegistryZone&, ZoneKeeper&)>, const std::function<void(const std::string&)>&)> post;
    /// What the parent has issued is nothing any more.
    std::function<void()> left;
    /// Certificates that are new, already on disk.
    std::function<void(std::shared_ptr<const OwnIdentity>)> issued;
  };

  enum class State : uint8_t {
    Pending,    ///< a proof or the parent's operator is waited for
    Reserved,   ///< the parent looks at our servers
    Delegated,  ///< done
    Hosted,     ///< done: the parent answers for the namespace
    Left,       ///< the parent has us no more
  };
  struct Outcome {
    State state = State::Pending;
    std::string reason;          ///< of Pending, the parent's
    std::string challenge_name;  ///< where a TXT record lets us in; empty: none does
    std::string challenge;
    UnixTime until{};            ///< when our certificates end; not of Pending
  };
  struct Order {
    std::optional<SocketAddress> at;  ///< the parent's endpoint for TLS; nothing: as its SRV record says
    std::string token;
    bool leaves = false;              ///< the parent is to have us no more
    bool asks = true;  ///< false: only if we say something else by now; what the parent has of us is taken over
  };
  using Step = std::function<void(const std::string&)>;
  using Done = std::function<void(const Result<Outcome>&)>;

  explicit Registrar(Room room) : room_(std::move(room)) {}

  /// `step` is told of each thing that is done; `done` once, last. Refused with the parent's reason.
  void go(Order order, Step step, Done done);

 private:
  struct Run;
  using RunPtr = std::shared_ptr<Run>;
  void find_parent(const RunPtr& run);
  void found_parent(const RunPtr& run, const SocketAddress& at);
  void gather(const RunPtr& run);
  void ask(const RunPtr& run);
  void answered(const RunPtr& run, const dns::Message& answer);
  void fetch(const RunPtr& run);
  void fetched(const RunPtr& run, const std::vector<dns::Message>& answers);
  Result<void> take_certificates(Run& run, const dns::Message& own, const dns::Message& parents);
  [[nodiscard]] Result<net::StreamCall::Options> options(const Run& run) const;

  const Room room_;
};

/// "pending", "reserved", "delegated", "hosted", "left".
[[nodiscard]] std::string_view to_text(Registrar::State state);

/// Where the parent was reached when it let us in; nothing: it has not yet.
[[nodiscard]] std::optional<SocketAddress> endpoint_of_parent(const OwnIdentity& own);

}  // namespace steward::daemon
