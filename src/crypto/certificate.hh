#pragma once
// Certificates of registries (RFC 5280): what a registry issues to its children, and what it makes for itself.
//
// A registry is a zone with an identity key. Its parent issues two certificates for that key: an authority's, whose
// critical name constraints hold it to its own zone, and an end entity's, with that zone as the one dNSName. The root
// registry's authority is self-signed and is what everybody trusts. Certificates are DER octets; time comes in, serial
// numbers are random. Any thread.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hh"
#include "crypto/key_pair.hh"
#include "dns/name.hh"

namespace steward::crypto {

/// How long a parent's certificates are good; renewed in time.
constexpr Seconds certificate_lifetime{Seconds{86400} * 365};
/// Of the root's authority, which everybody has to be told of anew.
constexpr Seconds root_certificate_lifetime{Seconds{86400} * 365 * 20};
/// A certificate is good from this long before it is made: clocks differ.
constexpr Seconds certificate_backdating{3600};
/// Authorities below the root's, one below the other, at most. Those above the last may have as many more below them
/// as are left (RFC 5280 §4.2.1.9).
constexpr unsigned max_authorities_below_root = 8;
/// In DER, in octets: more is not looked at.
constexpr size_t max_certificate_size = 16384;

struct CertificateTerms {
  dns::Name zone;  ///< whose certificate it is
  UnixTime now{};
  Seconds lifetime = certificate_lifetime;  ///< counted from now
};

/// An authority of the issuer: its certificate in DER and its private key.
struct CertificateIssuer {
  ByteView certificate;
  const KeyPair& key;
};

/// The zone as a dNSName: lower case, no final dot. Refused for a name with a slash, whose namespace is hosted by
/// another registry and gets no certificate; Invalid for the root, for a label that is not `[a-z0-9-]`, and for a name
/// of over 253 characters.
Result<std::string> certificate_name(dns::NameView zone);

/// Whether the key is one that a registry may have: RSA from 2,048 bits on or Ed25519. Refused otherwise.
Result<void> check_identity_key(const PublicKey& key);

/// The root registry's authority, signed by itself.
Result<Bytes> make_root_certificate(const CertificateTerms& terms, const KeyPair& key);
/// An end entity's that nobody vouches for: what a registry shows while it registers.
Result<Bytes> make_self_signed_certificate(const CertificateTerms& terms, const KeyPair& key);
/// The authority of a child. Refused where its zone is not below the issuer's, the issuer is no authority, is not good
/// at this time, may have no further authority below it, or has another key.
Result<Bytes> issue_authority_certificate(const CertificateTerms& terms, const PublicKey& child,
                                          const CertificateIssuer& issuer);
/// The end entity's of a child, for servers and clients alike. Its zone may be the issuer's own: the root's.
Result<Bytes> issue_certificate(const CertificateTerms& terms, const PublicKey& child, const CertificateIssuer& issuer);

struct CertificateFacts {
  std::vector<std::string> names;  ///< dNSNames, in lower case and without a final dot
  bool other_names = false;        ///< subjectAltName holds something else besides
  /// The dNSNames that an authority is held to; nothing where there are no name constraints, or none that are critical.
  std::optional<std::vector<std::string>> permitted;
  bool other_constraints = false;  ///< name constraints hold something else than permitted dNSNames
  bool authority = false;
  std::optional<unsigned> path_length;
  bool server_and_client = false;  ///< both are among its extended key usages
  Bytes spki;                      ///< DER SubjectPublicKeyInfo
  UnixTime from{};
  UnixTime until{};    ///< that second included
  std::string serial;  ///< hex in lower case
};

/// Invalid where it is no certificate, is over max_certificate_size, or has octets behind it.
Result<CertificateFacts> read_certificate(ByteView der);

/// "BEGIN CERTIFICATE".
Result<std::string> certificate_to_pem(ByteView der);
/// Those in a PEM text, in its order, at most 16 of them; Invalid where there is none, or one that cannot be read.
Result<std::vector<Bytes>> certificates_from_pem(std::string_view pem);

struct ChainRules {
  ByteView root;       ///< DER of the root's authority
  dns::NameView zone;  ///< whose certificate it has to be
  ByteView spki;       ///< the key that it has to be for: that of KEY at `<child>._registries._agents.<parent>`
  UnixTime now{};
};

/// Checks a peer's certificates, the end entity's first and then authorities in any order, at most
/// max_authorities_below_root, against the root. Refused with the rule: signatures, times, lengths of paths, key
/// usages, the zone as the one name, every authority held by critical name constraints to one zone, which lies below
/// its issuer's and above the next, keys and digests as strong as those of registries, the key itself.
Result<void> verify_certificates(std::span<const Bytes> certificates, const ChainRules& rules);

}  // namespace steward::crypto
