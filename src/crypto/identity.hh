#pragma once
// The registry's identity key (`steward-registry keygen`): PKCS #8 PEM with mode 0600 and its public half beside it as
// `<path>.pub`.

#include <string>
#include <string_view>

#include "base/result.hh"
#include "crypto/key_pair.hh"

namespace steward::crypto {

enum class IdentityKind : uint8_t {
  Rsa4096,  ///< "rsa4096", the default
  Ed25519,  ///< "ed25519"
};

/// "rsa4096" or "ed25519"; Invalid names both.
Result<IdentityKind> identity_kind_from_text(std::string_view word);

class Identity {
 public:
  static Result<Identity> generate(IdentityKind kind);
  /// Reads the PEM private key at `path`; Refused where others than its owner may read it.
  static Result<Identity> load(const std::string& path);

  /// Writes `path` (0600) and `path`.pub (0644), each atomically. Exists where one of them is there already: an
  /// identity is never overwritten.
  [[nodiscard]] Result<void> save(const std::string& path) const;

  [[nodiscard]] const KeyPair& key() const { return key_; }
  /// "sha256:" and 64 hex digits: the SHA-256 of the DER SubjectPublicKeyInfo, records.md's `fp`.
  [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }
  /// "BEGIN PUBLIC KEY".
  [[nodiscard]] Result<std::string> public_pem() const { return key_.public_key().pem(); }
  /// RDATA in text of the KEY record that a parent publishes of it: "512 3 15 …", the key in base64.
  [[nodiscard]] std::string key_text() const;
  /// What `<path>.pub` holds: the PEM, and behind it in lines that its readers step over the fingerprint and the KEY.
  [[nodiscard]] Result<std::string> public_text() const;

 private:
  Identity(KeyPair key, std::string fingerprint) : key_(std::move(key)), fingerprint_(std::move(fingerprint)) {}
  static Result<Identity> from_key(KeyPair key);
  KeyPair key_;
  std::string fingerprint_;
};

}  // namespace steward::crypto
