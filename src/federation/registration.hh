#pragma once
// A registry asks to become the child of another (steward-records(7), "Registration"): one UPDATE of the parent's zone,
// signed by the child's identity key, whose KEY it carries. It is never applied as an update: the parent judges it,
// reserves the namespace, and writes what follows from it itself.
//
// In the update section, all added, class IN:
//   <child>.<parent>                      NS, 1 to 13; DS, up to 8
//   names below it that an NS names       A, AAAA
//   <child>._registries._agents.<parent>  KEY; TXT "v=steward-register1" "namespace=…" ["invite=…"]
//                                        ["replica=…" ("feed=<address>@<port>,…" | "push=update")]
// With push=update the child sends its feed (federation/pushed_feed.hh), and need name no servers: then it has no DS and no
// addresses, and the parent hosts its namespace. A child that leaves has "leave=yes" in that TXT, and no NS, DS and addresses.
//
// Pure functions; any thread.

#include <optional>
#include <string>
#include <vector>

#include "base/address.hh"
#include "base/clock.hh"
#include "change/update_request.hh"
#include "dns/message.hh"

namespace steward::federation {

using dns::NameView;

constexpr uint32_t registration_ttl = 3600;  ///< seconds, of NS, DS and addresses
constexpr size_t max_registered_servers = 13;
constexpr size_t max_registered_ds = 8;
constexpr size_t max_registered_addresses = 32;
constexpr size_t max_invitation = 128;  ///< octets of a token, [!-~]
constexpr size_t max_challenge_nonce = 64;
constexpr size_t max_feed_endpoints = 4;

struct NameServerAddress {
  dns::Name server;
  Bytes octets;  ///< 4 or 16
};

/// What a child asks for.
struct Registration {
  dns::Name zone;                            ///< the child's, folded
  std::string space;                         ///< its namespace, "vibe-agency.com"
  std::vector<dns::Name> servers;            ///< as NS names them, folded
  std::vector<NameServerAddress> addresses;  ///< of those that lie in the child's zone
  std::vector<Bytes> ds;                     ///< RDATA
  Bytes key;                                 ///< RDATA of KEY
  std::string invitation;                    ///< token; empty: none
  std::string replica;               ///< whose feed the parent is to follow (federation::feed_name); empty: none
  std::vector<SocketAddress> feeds;  ///< where, by DNS over TLS; at least one where there is a replica, none where it is sent
  bool pushes = false;               ///< the feed is sent
  bool leaves = false;               ///< it is a child no more: then there are no servers, and nothing else

  /// The parent answers for its namespace.
  [[nodiscard]] bool is_hosted() const { return pushes && servers.empty(); }
};

/// The UPDATE, for auth::sign_registry_request. Invalid or Refused as read_registration says.
Result<dns::Message> registration_message(const Registration& registration, NameView parent, NameView apex,
                                          uint16_t id);

enum class RegistrationRule : uint8_t {
  None,
  Form,           ///< records that are no registration
  Foreign,        ///< not one label below the parent's zone, or a namespace that is not the zone's
  ReservedLabel,  ///< or one that is no label of a namespace
  Slash,          ///< such a namespace is hosted only
  Servers,        ///< NS without the address that its name needs, an address that nobody asked for
  Key,            ///< not one that a registry may have
  Signer,         ///< KEY is not what signed the request, or not the TLS certificate's key
  Taken,          ///< by another registry, or hosted
  Agent,          ///< an agent has the name
  LookAlike,      ///< of a registry under the same parent
  Quota,          ///< the parent takes no more children
  Invitation,     ///< unknown, over, or of another namespace
  Closed,         ///< by the parent's policy there is no way in without an invitation
};
std::string_view to_text(RegistrationRule rule);

struct RegistrationRefusal {
  RegistrationRule rule{};
  std::string reason;  ///< one sentence in ASCII
};

/// Takes the message apart. Form, Foreign, ReservedLabel, Slash, Servers or Key. `parent`: the zone that is asked.
tl::expected<Registration, RegistrationRefusal> read_registration(const change::UpdateRequest& request, NameView parent,
                                                                  NameView apex);

/// Whether an UPDATE is a registration: something is to be added at a name directly below
/// `_registries._agents.<parent>`.
bool is_registration(const change::UpdateRequest& request, NameView parent);

}  // namespace steward::federation
