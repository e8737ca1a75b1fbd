#pragma once
// Keys on disk as BIND keeps them: `K<zone>+<algorithm>+<tag>.key` (the DNSKEY in text) and `.private` (format v1.3,
// mode 0600), with the timing metadata of dnssec-keygen and dnssec-settime. Keys of ldns-keygen (v1.2, without times)
// are read too. So are keys that sign requests (`dnssec-keygen -T KEY -n HOST`), which nsupdate takes: a KEY in text.
//
// These functions do I/O; the composition root and the operator's commands call them, the answer path never. Files are
// replaced as a whole (temporary file, fsync, rename, fsync of the directory): a reader or a crash sees the old or the
// new one.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hh"
#include "base/result.hh"
#include "crypto/key_pair.hh"
#include "dns/name.hh"

namespace steward::crypto {

/// BIND's timing metadata. What is absent has not happened and is not planned.
struct KeyTimes {
  std::optional<UnixTime> created;
  std::optional<UnixTime> publish;       ///< in the DNSKEY RRset from then on
  std::optional<UnixTime> activate;      ///< signs from then on
  std::optional<UnixTime> revoke;        ///< RFC 5011
  std::optional<UnixTime> inactive;      ///< signs no more
  std::optional<UnixTime> remove;        ///< "Delete": no longer in the DNSKEY RRset
  std::optional<UnixTime> ds_publish;    ///< the parent has been seen to serve its DS
  std::optional<UnixTime> sync_publish;  ///< CDS and CDNSKEY from then on
  std::optional<UnixTime> sync_delete;   ///< no longer
  friend bool operator==(const KeyTimes&, const KeyTimes&) = default;
};

/// One row a time: its name in the files. Shared by reading, writing and listing.
struct KeyTimeField {
  std::string_view name;
  std::optional<UnixTime> KeyTimes::*member;
};
std::span<const KeyTimeField> key_time_fields();

constexpr uint16_t zsk_flags = dnskey_flag_zone;
constexpr uint16_t ksk_flags = dnskey_flag_zone | dnskey_flag_sep;

/// Flags of a KEY record that signs requests (RFC 2535 §3.1.2): a user's or a host's, not a zone's.
constexpr uint16_t request_key_flags = 0x0200;

/// A key of a zone, with its times; or one that signs requests, whose name then stands in `zone`.
struct StoredKey {
  dns::Name zone;
  uint16_t flags = zsk_flags;
  std::shared_ptr<const KeyPair> key;
  KeyTimes times;

  [[nodiscard]] Bytes dnskey() const { return key->public_key().dnskey_rdata(flags); }
  [[nodiscard]] KeyTag tag() const { return key_tag(dnskey()); }
  [[nodiscard]] bool is_sep() const { return (flags & dnskey_flag_sep) != 0; }
  /// A DNSKEY; else a KEY. One of the two bits of KEY's name type is DNSKEY's zone flag (RFC 2535 §3.1.2, RFC 3755 §3).
  [[nodiscard]] bool is_zone_key() const { return (flags & dnskey_flag_zone) != 0; }
};

/// "Kexample.com.+013+12345". The zone's name in lower case; octets other than letters, digits, `-` and `_` as %XX, as
/// BIND has it.
std::string key_file_stem(dns::NameView zone, Algorithm algorithm, KeyTag tag);

/// Writes both files into `directory`. Refused where the key's files exist but hold another key; times may be rewritten
/// at will.
Result<void> write_key_files(const std::string& directory, const StoredKey& key);

/// Removes both files of a key; where they are gone already, all is well.
Result<void> remove_key_files(const std::string& directory, const StoredKey& key);

/// Reads the pair whose path without `.key` or `.private` is `stem`. Invalid names the file, the line and the rule;
/// also where the two files do not belong together, or the name of the file is not that of the key.
Result<StoredKey> read_key_files(const std::string& stem);

/// All keys of `zone` in `directory` for which a `.private` file exists, by tag. One that cannot be read is an error:
/// signing without it could break the chain of trust. So is one that is no zone key.
Result<std::vector<StoredKey>> read_zone_keys(const std::string& directory, dns::NameView zone);
/// The same of the keys that sign requests as `signer`.
Result<std::vector<StoredKey>> read_request_keys(const std::string& directory, dns::NameView signer);

/// A new key that no key in `others` shares a tag with (also not when either were revoked, RFC 5011 §2.1), not yet
/// written, with `created` set.
Result<StoredKey> generate_stored_key(dns::NameView zone, Algorithm algorithm, uint16_t flags, UnixTime now,
                                      std::span<const StoredKey> others, unsigned bits = 0);

}  // namespace steward::crypto
