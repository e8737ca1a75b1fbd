#pragma once
// The keys of one zone: its key files, what the plan makes of them, and the signer for a change. Writer thread only.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "change/rewrite.hh"
#include "config/config.hh"
#include "crypto/key_file.hh"
#include "sign/key_plan.hh"
#include "sign/zone_signer.hh"

namespace steward::daemon {

/// All that a commit needs to sign a zone as of one moment.
struct SigningSetup {
  std::unique_ptr<sign::ZoneSigner> signer;
  std::vector<change::ApexRecords> apex_records;  ///< DNSKEY, CDS, CDNSKEY, NSEC3PARAM
  std::string digest;                             ///< of keys and policy: another one means that every signature is looked at
  std::vector<sign::KeyAction> actions;           ///< steps that this commit takes, to be logged after it
  std::optional<UnixTime> next;                   ///< when the keys want attention again
};

class ZoneKeys {
 public:
  explicit ZoneKeys(const config::ZoneConfig& zone);

  /// Reads the key files, makes keys that are wanted, and plans. Io, Invalid, Unsupported with the file or the rule.
  /// `is_signed`: signatures of ours are served, so that there must be keys already.
  Result<SigningSetup> prepare(UnixTime now, uint32_t max_zone_ttl, bool is_signed);
  /// After the commit: writes down which steps have been taken, deletes the files of keys that are long gone, and keeps the signer for small changes.
  Result<void> confirm(SigningSetup setup = {});
  /// The signer of the last confirmed setup, as of `now`; null before the first. Small changes sign with it, without reading key files.
  [[nodiscard]] const sign::ZoneSigner* signer(UnixTime now);

  /// `zone keys`: as of the last prepare().
  [[nodiscard]] const std::vector<crypto::StoredKey>& keys() const { return keys_; }
  [[nodiscard]] const sign::KeyPlan& plan() const { return plan_; }
  [[nodiscard]] const sign::KeyPolicy& policy() const { return policy_; }
  [[nodiscard]] std::string directory() const { return zone_.dnssec.key_directory.string(); }

  /// Makes the successor of the present key of this kind; the next prepare() takes it up.
  Result<void> begin_rollover(bool ksk, UnixTime now);
  /// What ds_seen() would write, for keys as of the last prepare().
  [[nodiscard]] Result<sign::KeyTimesChange> ds_seen_change(crypto::KeyTag tag, UnixTime now) const;
  /// The parent serves the DS of this key; 0: of the one that waits for it.
  Result<crypto::KeyTag> ds_seen(crypto::KeyTag tag, UnixTime now);

 private:
  Result<void> make_directory() const;
  Result<void> read();
  Result<void> generate(sign::KeyRole role, UnixTime now);
  void note_purged(UnixTime now);
  [[nodiscard]] const crypto::StoredKey* find(crypto::KeyTag tag) const;
  Result<void> write_times(const sign::KeyTimesChange& change);

  config::ZoneConfig zone_;
  sign::KeyPolicy policy_;
  std::vector<crypto::StoredKey> keys_;
  sign::KeyPlan plan_;
  std::optional<std::vector<crypto::KeyTag>> served_;
  std::vector<crypto::StoredKey> purged_;  // whose files go with the next confirm()
  std::unique_ptr<sign::ZoneSigner> signer_;
};

}  // namespace steward::daemon
