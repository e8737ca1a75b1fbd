// What a registry issues. The subject is the zone in domain components (RFC 2247 §4), since a common name has room for
// 64 characters only; what follows keeps an authority and an end entity of one key apart, so that neither is taken for
// self-signed.

#include <fmt/format.h>

#include "crypto/certificate_state.hh"
#include "crypto/digest.hh"

namespace steward::crypto {

namespace {

using ExtensionHandle = Handle<X509_EXTENSION, X509_EXTENSION_free>;

constexpr unsigned least_rsa_bits = 2048;
constexpr size_t serial_size = 16;  // octets; RFC 5280 §4.1.2.2: at most 20
constexpr std::string_view authority_subject = "STEWARD registry authority";
constexpr std::string_view end_entity_subject = "STEWARD registry";

enum class Role : uint8_t { Authority, EndEntity };

/// A certificate that is being made.
struct Draft {
  CertificateHandle certificate;
  std::string zone;
  Role role{};
};

Result<void> add_name_entry(X509_NAME* name, const char* field, std::string_view value) {
  if (X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, reinterpret_cast<const uint8_t*>(value.data()),
                                 static_cast<int>(value.size()), -1, 0) != 1)
    return openssl_failure(Errc::Invalid, "certificate: subject");
  return {};
}

/// The root-most label first, as distinguished names have it.
Result<void> set_subject(Draft& draft) {
  X509_NAME* name = X509_get_subject_name(draft.certificate.get());
  for (std::string_view left = draft.zone; !left.empty();) {
    const size_t dot = left.rfind('.');
    const std::string_view label = dot == std::string_view::npos ? left : left.substr(dot + 1);
    if (auto done = add_name_entry(name, "DC", label); !done) return done;
    left = dot == std::string_view::npos ? std::string_view() : left.substr(0, dot);
  }
  return add_name_entry(name, "CN", draft.role == Role::Authority ? authority_subject : end_entity_subject);
}

Result<void> set_serial(X509* certificate) {
  uint8_t octets[serial_size];
  random_octets(octets);
  octets[0] = static_cast<uint8_t>((octets[0] & 0x7f) | 0x40);  // positive, and never shorter
  const BignumHandle number(BN_bin2bn(octets, sizeof octets, nullptr));
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr)
    return openssl_failure(Errc::Invalid, "certificate: serial number");
  return {};
}

Result<void> set_times(X509* certificate, const CertificateTerms& terms) {
  const auto from = seconds_of(terms.now - certificate_backdating);
  const auto until = seconds_of(terms.now + terms.lifetime);
  if (terms.lifetime <= Seconds{0} || ASN1_TIME_set(X509_getm_notBefore(certificate), from) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(certificate), until) == nullptr)
    return openssl_failure(Errc::Invalid, "certificate: times");
  return {};
}

Result<void> add_extension(X509* certificate, const X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, const_cast<X509*>(issuer), certificate, nullptr, nullptr, 0);
  const ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1)
    return openssl_failure(Errc::Invalid, fmt::format("certificate: extension {}", OBJ_nid2sn(kind)));
  return {};
}

/// `issuer` is the certificate itself where it is self-signed: the order matters, since the authority's key identifier
/// is read from it.
Result<void> add_extensions(Draft& draft, const X509* issuer, unsigned path_length) {
  struct Row {
    int kind;
    std::string value;
  };
  const bool authority = draft.role == Role::Authority;
  std::vector<Row> rows{{NID_basic_constraints,
                         authority ? fmt::format("critical,CA:TRUE,pathlen:{}", path_length) : "critical,CA:FALSE"},
                        {NID_key_usage, authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature"},
                        {NID_subject_key_identifier, "hash"},
                        {NID_authority_key_identifier, "keyid:always"}};
  if (authority) {
    rows.push_back({NID_name_constraints, "critical,permitted;DNS:" + draft.zone});
  } else {
    rows.push_back({NID_ext_key_usage, "serverAuth,clientAuth"});
    rows.push_back({NID_subject_alt_name, "DNS:" + draft.zone});
  }
  for (const Row& row : rows) {
    if (auto done = add_extension(draft.certificate.get(), issuer, row.kind, row.value); !done) return done;
  }
  return {};
}

Result<Draft> begin(const CertificateTerms& terms, const PublicKey& key, Role role) {
  auto zone = certificate_name(terms.zone);
  if (!zone) return tl::unexpected(zone.error());
  if (auto sound = check_identity_key(key); !sound) return tl::unexpected(sound.error());
  Draft draft{CertificateHandle(X509_new()), *std::move(zone), role};
  X509* certificate = draft.certificate.get();
  if (certificate == nullptr || X509_set_version(certificate, X509_VERSION_3) != 1 ||
      X509_set_pubkey(certificate, key.state().pkey.get()) != 1)
    return openssl_failure(Errc::Invalid, "certificate");
  auto done = set_serial(certificate);
  if (done) done = set_times(certificate, terms);
  if (done) done = set_subject(draft);
  if (!done) return tl::unexpected(done.error());
  return draft;
}

Result<Bytes> finish(Draft& draft, const X509* issuer, const KeyPair& key, unsigned path_length) {
  X509* certificate = draft.certificate.get();
  if (X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1)
    return openssl_failure(Errc::Invalid, "certificate: issuer");
  if (auto done = add_extensions(draft, issuer, path_length); !done) return tl::unexpected(done.error());
  const EVP_MD* digest = is_rsa(key.algorithm()) ? EVP_sha256() : nullptr;  // Ed25519 takes the message itself
  if (X509_sign(certificate, key.public_key().state().pkey.get(), digest) == 0)
    return openssl_failure(Errc::Invalid, "certificate: signature");
  return certificate_to_der(certificate);
}

Result<Bytes> self_signed(const CertificateTerms& terms, const KeyPair& key, Role role) {
  auto draft = begin(terms, key.public_key(), role);
  if (!draft) return tl::unexpected(draft.error());
  return finish(*draft, draft->certificate.get(), key, max_authorities_below_root);
}

bool lies_below(std::string_view name, std::string_view zone) {
  return name.size() > zone.size() && name.ends_with(zone) && name[name.size() - zone.size() - 1] == '.';
}

/// Whether the issuer may issue at all, and for this zone.
Result<void> check_issuer(const CertificateFacts& issuer, const Draft& draft, const KeyPair& key, UnixTime now) {
  if (!issuer.authority || !issuer.permitted || issuer.permitted->size() != 1)
    return fail(Errc::Refused, "certificate: the issuer's is no registry's authority");
  const std::string& zone = issuer.permitted->front();
  if (now < issuer.from || now > issuer.until)
    return fail(Errc::Refused, fmt::format("certificate: the authority of {} is not good at this time", zone));
  const auto spki = key.public_key().spki();
  if (!spki) return tl::unexpected(spki.error());
  if (*spki != issuer.spki)
    return fail(Errc::Refused, fmt::format("certificate: the authority of {} has another key", zone));
  const bool own_end_entity = draft.role == Role::EndEntity && draft.zone == zone;
  if (!own_end_entity && !lies_below(draft.zone, zone))
    return fail(Errc::Refused,
                fmt::format("certificate: {} is not below {}, which the authority is held to", draft.zone, zone));
  if (draft.role == Role::Authority && issuer.path_length == 0U)
    return fail(Errc::Refused,
                fmt::format("certificate: no further authority may stand below that of {} (RFC 5280 §4.2.1.9)", zone));
  return {};
}

Result<Bytes> issue(const CertificateTerms& terms, const PublicKey& child, const CertificateIssuer& issuer, Role role) {
  const auto certificate = certificate_from_der(issuer.certificate);
  if (!certificate) return fail("issuer", certificate.error());
  const auto facts = facts_of(certificate->get());
  if (!facts) return fail("issuer", facts.error());
  auto draft = begin(terms, child, role);
  if (!draft) return tl::unexpected(draft.error());
  if (auto allowed = check_issuer(*facts, *draft, issuer.key, terms.now); !allowed)
    return tl::unexpected(allowed.error());
  const unsigned above = facts->path_length.value_or(max_authorities_below_root);
  return finish(*draft, certificate->get(), issuer.key, above == 0 ? 0 : above - 1);
}

}  // namespace

Result<std::string> certificate_name(dns::NameView zone) {
  if (zone.is_root()) return fail(Errc::Invalid, "certificate: the root is no name that a certificate can hold");
  std::string out;
  for (dns::NameView at = zone; !at.is_root(); at = at.parent()) {
    const std::string_view label = as_text(at.first_label());
    if (label.find('/') != std::string_view::npos)
      return fail(
          Errc::Refused,
          fmt::format("certificate: {} has a slash: it is hosted by another registry and gets none", zone.to_text()));
    if (!out.empty()) out += '.';
    for (const char c : label) {
      const auto folded = static_cast<char>(dns::fold(static_cast<uint8_t>(c)));
      const bool sound = (folded >= 'a' && folded <= 'z') || (folded >= '0' && folded <= '9') || folded == '-';
      if (!sound)
        return fail(Errc::Invalid, fmt::format("certificate: {} holds something else than letters, digits and hyphens",
                                               zone.to_text()));
      out += folded;
    }
  }
  return out;
}

Result<void> check_identity_key(const PublicKey& key) {
  if (key.algorithm() == Algorithm::ED25519) return {};
  if (key.algorithm() == Algorithm::RSASHA256 && key.bits() >= least_rsa_bits) return {};
  return fail(Errc::Refused,
              fmt::format("identity key: RSA/SHA-256 of at least {} bits or Ed25519 wanted", least_rsa_bits));
}

Result<Bytes> make_root_certificate(const CertificateTerms& terms, const KeyPair& key) {
  return self_signed(terms, key, Role::Authority);
}

Result<Bytes> make_self_signed_certificate(const CertificateTerms& terms, const KeyPair& key) {
  return self_signed(terms, key, Role::EndEntity);
}

Result<Bytes> issue_authority_certificate(const CertificateTerms& terms, const PublicKey& child,
                                          const CertificateIssuer& issuer) {
  return issue(terms, child, issuer, Role::Authority);
}

Result<Bytes> issue_certificate(const CertificateTerms& terms, const PublicKey& child,
                                const CertificateIssuer& issuer) {
  return issue(terms, child, issuer, Role::EndEntity);
}

}  // namespace steward::crypto
