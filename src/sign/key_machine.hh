#pragma once
// The life of a key, drawn above its types. The state is nothing but what the times in the key file say has happened,
// so that it outlives restarts, and BIND's tools show it (RFC 7583 §3.1, RFC 6781 §4.1; the file's names of the times
// in brackets).
//
//   ZSK, pre-publication (RFC 7583 §3.2.1)
//
//     Generated ──────► Published ──────────► Active ──────────► Retired ─────────► Removed
//     [Created]         [Publish]   Ipub      [Activate]         [Inactive]  Iret   [Delete]
//                       in DNSKEY   passed    signs the zone     when the           when no cache has
//                                                                successor is       an RRSIG of it
//                                                                activated
//
//   KSK and CSK, double-KSK (RFC 7583 §3.3.1): both keys sign the DNSKEY RRset, from Publish to Delete
//
//     Generated ──► Published ──────► Submitted ──────► Active ────────► Retired ──────────────► Removed
//     [Created]     [Publish]  Ipub   [SyncPublish]     [DSPublish]      [SyncDelete]            [Delete]
//                   signs      passed [Activate]        the operator     [Inactive]              when the successor's
//                   DS has been DNSKEY            CDS, CDNSKEY:     or a look at     when the successor      seen and
//                   the old DS is in no
//                                     the parent may    the parent       is submitted            cache, nor a signature
//                                     of it take the DS       says so
//
//   From Activate to Inactive it also signs the zone's data, wherever there is no active ZSK: that is what makes it a
//   CSK, and what lets a zone change between one key and two at any time.
//
// A step that is not in the picture does not compile: take_step<role, from, to>.

#include <string_view>

#include "base/clock.hh"
#include "crypto/key_file.hh"

namespace steward::sign {

using crypto::KeyTimes;

enum class KeyRole : uint8_t { Ksk, Zsk, Csk };
enum class KeyState : uint8_t { Generated, Published, Submitted, Active, Retired, Removed };

constexpr std::string_view to_text(KeyRole role) {
  switch (role) {
    case KeyRole::Ksk: return "KSK";
    case KeyRole::Zsk: return "ZSK";
    case KeyRole::Csk: return "CSK";
  }
  return "";
}

constexpr std::string_view to_text(KeyState state) {
  switch (state) {
    case KeyState::Generated: return "generated";
    case KeyState::Published: return "published";
    case KeyState::Submitted: return "submitted";
    case KeyState::Active: return "active";
    case KeyState::Retired: return "retired";
    case KeyState::Removed: return "removed";
  }
  return "";
}

constexpr uint16_t flags_of(KeyRole role) { return role == KeyRole::Zsk ? crypto::zsk_flags : crypto::ksk_flags; }

constexpr bool has_happened(const std::optional<UnixTime>& time, UnixTime now) { return time && *time <= now; }

/// What the times say. A time that lies ahead has not happened.
constexpr KeyState state_of(KeyRole role, const KeyTimes& times, UnixTime now) {
  if (has_happened(times.remove, now)) return KeyState::Removed;
  if (!has_happened(times.publish, now)) return KeyState::Generated;
  if (role == KeyRole::Zsk) {
    if (has_happened(times.inactive, now)) return KeyState::Retired;
    return has_happened(times.activate, now) ? KeyState::Active : KeyState::Published;
  }
  if (has_happened(times.sync_delete, now)) return KeyState::Retired;
  if (has_happened(times.ds_publish, now)) return KeyState::Active;
  return has_happened(times.sync_publish, now) ? KeyState::Submitted : KeyState::Published;
}

constexpr bool is_step(KeyRole role, KeyState from, KeyState to) {
  switch (to) {
    case KeyState::Generated: return false;
    case KeyState::Published: return from == KeyState::Generated;
    case KeyState::Submitted: return role != KeyRole::Zsk && from == KeyState::Published;
    case KeyState::Active: return from == (role == KeyRole::Zsk ? KeyState::Published : KeyState::Submitted);
    // A successor that is no longer wanted is withdrawn; and a predecessor whose DS nobody has confirmed is retired
    // too: what counts is that its successor's DS is seen before it goes.
    case KeyState::Retired:
      return from == KeyState::Active || from == (role == KeyRole::Zsk ? KeyState::Published : KeyState::Submitted);
    case KeyState::Removed: return from == KeyState::Retired;
  }
  return false;
}

/// The times after a step that is taken now.
template <KeyRole role, KeyState from, KeyState to>
requires(is_step(role, from, to)) constexpr KeyTimes take_step(KeyTimes times, UnixTime now) {
  if constexpr (to == KeyState::Published) {
    times.publish = now;
  } else if constexpr (to == KeyState::Submitted) {
    times.sync_publish = now;
    if (!has_happened(times.activate, now)) times.activate = now;
  } else if constexpr (to == KeyState::Active) {
    (role == KeyRole::Zsk ? times.activate : times.ds_publish) = now;
  } else if constexpr (to == KeyState::Retired) {
    if (role != KeyRole::Zsk) times.sync_delete = now;
    times.inactive = now;
  } else {
    times.remove = now;
  }
  return times;
}

}  // namespace steward::sign
