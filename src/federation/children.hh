#pragma once
// What a parent keeps of its children, of those that ask to be, and of invitations: a table of the registry's zone,
// written in the transactions that change the zone. Values, no clock; the writer's thread, or a reader's.
//
// Several keys may wait for one namespace, since asking costs nothing and must not keep the owner out; one registry has
// it.

#include <optional>
#include <string>
#include <vector>

#include "federation/registration_judge.hh"
#include "zone/octet_table.hh"

namespace steward::federation {

constexpr size_t max_pending = 1000;         ///< registrations that wait, of all namespaces
constexpr size_t max_pending_of_name = 8;    ///< of one
constexpr Seconds pending_lifetime{30 * 86400};  ///< since it was last asked for

enum class ChildState : uint8_t {
  Pending,    ///< a proof or an approval is waited for
  Reserved,   ///< it has the name and its certificates; its servers are being looked at
  Delegated,  ///< NS, DS and glue are in the zone
  Hosted,     ///< it has the name and its certificates, and no servers, or none yet that answer: its agents are answered from this zone
};
/// "pending", "reserved", "delegated", "hosted".
std::string_view to_text(ChildState state);
/// "invitation", "proof", "approval".
std::string_view to_text(RegistrationWay way);

struct Child {
  Registration registration;  ///< as last asked for, without the invitation
  std::string fingerprint;    ///< of its key
  ChildState state = ChildState::Pending;
  RegistrationWay way = RegistrationWay::None;  ///< how it came in
  UnixTime since{};            ///< first asked for; where it is in: let in
  UnixTime asked{};            ///< last asked for
  std::string nonce;           ///< of the challenge; where it is in: of the one that let it in, empty where none did
  UnixTime nonce_since{};
  bool approved = false;
  UnixTime certified_until{};  ///< when its certificates end
  UnixTime next_look{};        ///< when its servers are to be looked at
  uint32_t failures = 0;       ///< looks in a row that found something amiss
  std::string problem;         ///< what the last of them found
};

class Children {
 public:
  /// `table` is for nothing else.
  explicit Children(zone::OctetTable& table) : table_(table) {}

  /// The registry that has the zone's name. Corrupt.
  [[nodiscard]] Result<std::optional<Child>> find(NameView zone) const;
  /// One that waits for it.
  [[nodiscard]] Result<std::optional<Child>> find_pending(NameView zone, std::string_view fingerprint) const;
  /// In the order of their names' octets. Corrupt.
  [[nodiscard]] Result<std::vector<Child>> registered() const;
  [[nodiscard]] Result<std::vector<Child>> pending() const;
  /// A pending one beside others; another takes the place of whoever had the name. Invalid without a fingerprint.
  Result<void> put(const Child& child);
  Result<void> remove(const Child& child);

  [[nodiscard]] Result<std::vector<Invitation>> invitations() const;
  Result<void> put(const Invitation& invitation);
  Result<void> remove(const Invitation& invitation);

 private:
  [[nodiscard]] Result<std::vector<Child>> all_of(uint8_t kind) const;
  zone::OctetTable& table_;
};

}  // namespace steward::federation
