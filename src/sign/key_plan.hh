#pragma once
// KeyPlan: which keys a zone shows and signs with at a moment, and what is due. A pure function of the key files'
// times, the policy and the time; key_machine.hh has the picture.
//
// The caller, on the writer's thread:
//   1. plan(); while `generate` is not empty: crypto::generate_stored_key() for each role, write_key_files(), plan()
//   again;
//   2. commit a zone whose DNSKEY RRset is `publish`, signed by `key_signers`, its data by `zone_signers`, with CDS and
//   CDNSKEY for `cds`;
//   3. write `changes` to the key files, and call again at `next`.
// Times are written after the commit that makes them true. A crash in between repeats the step later, which only
// prolongs a rollover: no time in a key file ever says that something was public which was not.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hh"
#include "base/result.hh"
#include "crypto/key_file.hh"
#include "sign/key_machine.hh"
#include "sign/key_policy.hh"

namespace steward::sign {

using crypto::KeyTag;

/// A key as plan() sees it.
struct KeyInfo {
  KeyTag tag = 0;
  crypto::Algorithm algorithm{};
  bool sep = false;  ///< the SEP flag: a KSK or CSK
  KeyTimes times;
};
std::vector<KeyInfo> key_infos(std::span<const crypto::StoredKey> keys);

/// One step that is taken now, for the log and for timelines.
struct KeyAction {
  KeyState to{};
  KeyRole role{};
  KeyTag tag = 0;
  std::string why;  ///< one sentence with the rule
};

struct KeyTimesChange {
  KeyTag tag = 0;
  KeyTimes times;
};

struct KeyPlan {
  std::vector<KeyTag> publish;          ///< in the DNSKEY RRset
  std::vector<KeyTag> key_signers;      ///< sign DNSKEY, CDS, CDNSKEY
  std::vector<KeyTag> zone_signers;     ///< sign everything else
  std::vector<KeyTag> cds;              ///< CDS and CDNSKEY show these (RFC 7344 §4.1); none: no such RRsets
  std::vector<KeyRole> generate;        ///< keys that must be made first, then plan() is called again
  std::vector<KeyAction> actions;       ///< the steps that the sets above contain already
  std::vector<KeyTimesChange> changes;  ///< what the key files say after the commit, once a key
  std::vector<std::string> waiting;     ///< for what no clock helps: the parent's DS
  std::optional<UnixTime> next;         ///< when something is due next by the clock
};

/// `served`: the tags of the DNSKEY RRset of the zone's last commit, where there is one. A key that its file calls
/// published but that is not served (the server was down when BIND's tools had its time planned) counts as published
/// from now on. Errors: Unsupported where the policy's algorithm differs from that of the keys in use: an algorithm
/// rollover (RFC 6781 §4.1.4) is not done automatically; Invalid where the policy is.
Result<KeyPlan> plan(std::span<const KeyInfo> keys, const KeyPolicy& policy, UnixTime now,
                     std::optional<std::span<const KeyTag>> served = std::nullopt);

/// `zone keys rollover zsk|ksk`: which key must be generated for it; plan() then does the rest. Refused, with the
/// reason, while a rollover of that role is under way or where the parent's DS of the present KSK has not been
/// confirmed.
Result<KeyRole> request_rollover(std::span<const KeyInfo> keys, const KeyPolicy& policy, bool ksk, UnixTime now);

/// `zone keys ds-seen`, or a look at the parent that found this key's DS there (delegation.hh, ds_matches): the times
/// to write. Refused for a key that has not been submitted; unchanged times where it is known already.
Result<KeyTimesChange> ds_seen(std::span<const KeyInfo> keys, const KeyPolicy& policy, KeyTag tag, UnixTime now);

}  // namespace steward::sign
