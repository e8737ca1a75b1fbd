#pragma once
// Publisher: agents into a registry and out of it, each with one DNS UPDATE that the publisher's key signs
// (steward-records(7), "A publish").
//
//   auto publisher = steward::client::Publisher::open(*settings, {});
//   auto done = publisher->publish(manifest_text);
//   if (done) std::cout << done->agent << ' ' << done->version << '\n';
//
// What stands at the registry is read first, from the registry itself over the connection that the UPDATE takes, so
// that no cache answers; the statement found must be signed by its key, and the UPDATE holds only while it stands there
// unchanged (RFC 2136 §2.4.2). A Publisher is used by one thread; it blocks, at most Settings::timeout a message.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "steward/agent.hh"
#include "steward/keys.hh"
#include "steward/outcome.hh"
#include "steward/settings.hh"

namespace steward::client {

struct PublisherOptions {
  std::string key_folder = KeyFolder::default_path();
  /// A key's file (read_key()). Empty: the newest key of the agent in the folder, else the newest for any agent.
  std::string key;
  /// Only what would be sent is made.
  bool dry_run = false;
  /// Told of each step, for who waits: "reading what stands at 127.0.0.1@5300". May be empty.
  std::function<void(const std::string& step)> on_step = {};
};

/// What a publish may say beside the manifest.
struct PublishRequest {
  /// The agent's name where it is not the manifest's: a label, or a full name.
  std::string agent;
  /// "acme-corp.com", in the place of Settings::name_space.
  std::string name_space;
  /// Seconds that the records shall stay without a renewal (RFC 9664); none: for good.
  std::optional<uint32_t> lease;
  /// Seconds that the name shall stay reserved; none: as long as `lease`. Needs `lease`.
  std::optional<uint32_t> key_lease;
};

/// One publish, done or (with dry_run) made.
struct Published {
  std::string agent;     ///< fully qualified, no final dot
  std::string zone;      ///< the registry's, no final dot
  std::string registry;  ///< who was asked: "127.0.0.1@5300", "127.0.0.1@8530 over TLS"
  std::string action;  ///< "publish", "update", "return", "rotate", "claim", "renew", "withdraw", "revoke", "deprecate"
  bool sent = false;   ///< false for a dry run
  std::string version;
  std::string previous_version;  ///< empty: nothing stood there
  Status status = Status::Active;
  std::string modified;              ///< "2026-01-31T12:00:00Z"
  std::string fingerprint;           ///< of the key that signs the statement
  std::string previous_fingerprint;  ///< of the key that was there, where it is another
  std::optional<uint32_t> lease;     ///< granted, seconds
  std::optional<uint32_t> key_lease;
  std::vector<std::string> notes;    ///< what was left out of the records, and why; may hold text of the manifest
  std::vector<std::string> records;  ///< in text, as they were sent
  std::vector<std::string> names;    ///< where they can be seen: "<name> TXT"
  std::string script;                ///< the same for nsupdate(1)
  std::string key_file;              ///< whose key signs the message
};

class Publisher {
 public:
  /// Invalid or Io where a setting is no good. Sends nothing.
  static Outcome<Publisher> open(Settings settings, PublisherOptions options);
  Publisher(Publisher&&) noexcept;
  Publisher& operator=(Publisher&&) noexcept;
  ~Publisher();

  /// A manifest: a first publish, a new version, the return of what was withdrawn; with a rotation where the newest key
  /// is not the one that stands there, and a claim where the registry held the agent in its custody. What stands there
  /// already is sent again where a lease is asked for, which renews it, and is refused otherwise, like all that does
  /// not supersede what stands there, before anything is sent.
  Outcome<Published> publish(std::string_view manifest, const PublishRequest& request = {});
  /// The agent's newest key in the place of the one that stands there, and nothing else.
  Outcome<Published> rotate(std::string_view agent);
  /// Out of service, until the owner publishes again.
  Outcome<Published> withdraw(std::string_view agent);
  /// Out of service for good. `successor`: an agent's name; may be empty.
  Outcome<Published> revoke(std::string_view agent, std::string_view reason, std::string_view successor = {});
  /// Still in service, with the agent that takes its place.
  Outcome<Published> deprecate(std::string_view agent, std::string_view successor);

 private:
  class State;
  explicit Publisher(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace steward::client
