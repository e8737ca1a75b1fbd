#pragma once
// Shared keys of TSIG (RFC 8945 §6): what they are called, their algorithm and secret, and the ring of all that are
// configured.
//
// A Keyring is made once from the configuration and never changes: all threads share it by
// std::shared_ptr<const Keyring>, and a reload makes another. Secrets are wiped when their key goes.

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.hh"
#include "base/result.hh"
#include "crypto/digest.hh"
#include "dns/name.hh"

namespace steward::auth {

/// The algorithms of RFC 8945 §6 that we know; HMAC-MD5 is not wanted. HmacSha1 is for peers that know nothing better:
/// whether a key may have it is for whoever makes the key to say (RFC 8945 §6, table 3).
enum class TsigAlgorithm : uint8_t { HmacSha1, HmacSha224, HmacSha256, HmacSha384, HmacSha512 };

inline constexpr std::array tsig_algorithms = {TsigAlgorithm::HmacSha1, TsigAlgorithm::HmacSha224,
                                               TsigAlgorithm::HmacSha256, TsigAlgorithm::HmacSha384,
                                               TsigAlgorithm::HmacSha512};

/// "hmac-sha256", without the final dot.
std::string_view to_text(TsigAlgorithm algorithm);
/// As in TSIG records, in lower case; lives as long as the process.
dns::NameView name_of(TsigAlgorithm algorithm);
/// Any case, with or without the final dot. Nothing for one that we do not know.
std::optional<TsigAlgorithm> tsig_algorithm_from_text(std::string_view word);
/// Any case.
std::optional<TsigAlgorithm> tsig_algorithm_from_name(dns::NameView name);
crypto::DigestAlgorithm digest_of(TsigAlgorithm algorithm);
/// Of a MAC in full, in octets: 20 to 64.
size_t mac_size(TsigAlgorithm algorithm);
/// Of the shortest MAC that may be on the wire at all: half the digest, at least 10 octets (RFC 8945 §5.2.2.1).
size_t least_mac_size(TsigAlgorithm algorithm);

/// Octets that are wiped when they go.
class Secret {
 public:
  Secret() = default;
  Secret(Bytes octets) : octets_(std::move(octets)) {}  // NOLINT(google-explicit-constructor): takes the place of Bytes
  Secret(const Secret&) = default;
  Secret(Secret&&) noexcept = default;
  Secret& operator=(Secret other) noexcept {
    octets_.swap(other.octets_);
    return *this;
  }
  ~Secret() { crypto::wipe(octets_); }

  [[nodiscard]] ByteView view() const { return octets_; }

 private:
  Bytes octets_;
};

struct TsigKey {
  dns::Name name;  ///< in lower case
  TsigAlgorithm algorithm = TsigAlgorithm::HmacSha256;
  Secret secret;  ///< any size but 0
  /// Local policy for truncated MACs, in octets (RFC 8945 §5.2.4): shorter ones are BADTRUNC. 0 takes all that the
  /// standard permits; anything over the digest's size means the full MAC.
  uint8_t shortest_mac = 0xff;

  /// From the words of a configuration or key file: a name, an algorithm, the secret in base64. Invalid names the word
  /// and the rule, and never contains the secret.
  static Result<TsigKey> from_text(std::string_view name, std::string_view algorithm, std::string_view secret_base64);
};

class Keyring {
 public:
  Keyring() = default;
  /// Names are folded. Exists where two keys have one name, Invalid where a secret is empty.
  static Result<Keyring> create(std::vector<TsigKey> keys);

  /// The key of that name, whatever the case; null where there is none. It lives as long as the ring. No allocation.
  [[nodiscard]] const TsigKey* find(dns::NameView name) const;
  [[nodiscard]] size_t size() const { return keys_.size(); }
  [[nodiscard]] bool empty() const { return keys_.empty(); }
  [[nodiscard]] const std::vector<TsigKey>& all() const { return keys_; }

 private:
  std::vector<TsigKey> keys_;  // in the order of their names' octets
};

}  // namespace steward::auth
