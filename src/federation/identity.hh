#pragma once
// The identity of a registry in its parent's zone: KEY and CERT records at `<child>._registries._agents.<parent>`
// (steward-records(7), "Records of a registry"). Removing KEY revokes it. Pure functions; any thread.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/publication.hh"
#include "crypto/certificate.hh"
#include "crypto/key_file.hh"

namespace steward::federation {

using agent::PublishedRecord;
using dns::NameView;

constexpr uint32_t identity_ttl = 300;           ///< seconds: how long a revoked identity may still be held for good
constexpr uint16_t identity_key_flags = crypto::request_key_flags;
/// Of one registry, for the time in which a new key takes the place of the old one.
constexpr size_t max_identity_keys = 2;
constexpr size_t max_identity_certificates = 8;

/// Where the identity of `zone` stands. Invalid where the zone is not one label below its parent or there is no room;
/// Refused for a label with a slash: such a namespace is hosted and has no identity.
Result<dns::Name> identity_name(NameView zone, NameView parent);
/// Where that of the root registry stands, which has no parent: `_registry._agents.<apex>`.
Result<dns::Name> root_identity_name(NameView apex);

/// CERT RDATA of an X.509 certificate (RFC 4398 §2, PKIX): Invalid where it is none.
Result<Bytes> cert_rdata(ByteView certificate);
/// The certificate in CERT RDATA; Unsupported for another kind than PKIX.
Result<Bytes> certificate_from_rdata(ByteView cert_rdata);

/// KEY and CERT records of an identity. Refused for a key that no registry may have; Invalid for a certificate of
/// another key.
Result<std::vector<PublishedRecord>> identity_records(const dns::Name& owner, const crypto::PublicKey& key,
                                                      std::span<const Bytes> certificates);

struct IdentityKey {
  Bytes rdata;              ///< of KEY
  Bytes spki;               ///< DER SubjectPublicKeyInfo
  std::string fingerprint;  ///< "sha256:…"
};

struct RegistryIdentity {
  std::vector<IdentityKey> keys;    ///< at least one
  std::vector<Bytes> authorities;   ///< DER, of these keys
  std::vector<Bytes> end_entities;  ///< likewise

  /// Null where the key is none of them: the identity is another, or revoked.
  [[nodiscard]] const IdentityKey* find(ByteView spki) const;
};

/// From the records at its name, other types are stepped over. NotFound without KEY, that is: revoked. KEYs that no
/// registry may have count for nothing, nor do CERTs of another kind or of another key. Full where there are too many.
Result<RegistryIdentity> read_identity(std::span<const PublishedRecord> records, NameView owner);

}  // namespace steward::federation
