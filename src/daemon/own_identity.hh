#pragma once
// The registry's own identity: its key, and the certificates that say so, in files beside each other:
//
//   registry_id_rsa      the private key (crypto/identity.hh)
//   registry_id_rsa.crt  what TLS shows: the end entity's certificate, then the authorities above it but the root's
//   registry_id_rsa.ca   the registry's own authority, with which it issues, then those above it; the root's is the root
//                        of all others' trust. Not there until a parent has issued it
//   registry_id_rsa.parent  the parent's endpoint for TLS, and a digest of what we have told it (daemon/registrar.hh)
//
// Immutable: what a parent issues makes another. Any thread.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hh"
#include "config/config.hh"
#include "crypto/certificate.hh"
#include "crypto/identity.hh"

namespace steward::daemon {

class OwnIdentity {
 public:
  /// Reads the files of `registry.identity`. The root registry's certificates are made where they are not there; another
  /// one's, until a parent issues it, signs itself. What ends within a third of its life is made anew, where it is ours
  /// to make. Invalid, Io or Refused name the file.
  static Result<std::shared_ptr<const OwnIdentity>> open(const config::RegistryConfig& registry, UnixTime now);

  /// With certificates that a parent has issued, written to the files; each the own one first, then those above.
  /// Invalid where they are of another key or zone, Io.
  [[nodiscard]] Result<std::shared_ptr<const OwnIdentity>> with(std::vector<Bytes> end_entity,
                                                                std::vector<Bytes> authorities) const;

  /// What a parent has issued is put away, so that open() makes a certificate that signs itself. Io.
  [[nodiscard]] Result<void> forget_parent() const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const dns::Name& zone() const { return zone_; }
  /// Where its KEY stands; the signer of its requests.
  [[nodiscard]] const dns::Name& name() const { return name_; }
  [[nodiscard]] bool is_root() const { return is_root_; }
  [[nodiscard]] const crypto::KeyPair& key() const { return identity_->key(); }
  [[nodiscard]] const std::string& fingerprint() const { return identity_->fingerprint(); }
  /// What TLS shows.
  [[nodiscard]] std::span<const Bytes> certificates() const { return certificates_; }
  /// Its own first; empty where no parent has issued one.
  [[nodiscard]] std::span<const Bytes> authorities() const { return authorities_; }
  /// When the first of its certificates ends.
  [[nodiscard]] UnixTime until() const { return until_; }

 private:
  OwnIdentity() = default;
  Result<void> read_authorities();
  Result<void> read_certificates(UnixTime now);
  Result<void> make_root_authority(UnixTime now);
  Result<void> make_certificate(UnixTime now);
  Result<void> check();
  [[nodiscard]] Result<void> check_own(const Bytes& certificate, bool authority, const std::string& file) const;
  [[nodiscard]] Result<void> save() const;

  std::string path_;
  dns::Name zone_;
  dns::Name name_;
  bool is_root_ = false;
  std::shared_ptr<const crypto::Identity> identity_;
  std::vector<Bytes> certificates_;
  std::vector<Bytes> authorities_;
  UnixTime until_{};
};

/// Whether less than a third of a certificate's life is left, from when on it is renewed.
[[nodiscard]] bool is_near_its_end(const crypto::CertificateFacts& certificate, UnixTime now);

}  // namespace steward::daemon
