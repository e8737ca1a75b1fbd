// Certificates as octets, as PEM, and what they say.

#include "crypto/certificate.hh"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <ctime>

#include "crypto/certificate_state.hh"

namespace steward::crypto {

namespace {

using GeneralNamesHandle = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;
using ConstraintsHandle = Handle<NAME_CONSTRAINTS, NAME_CONSTRAINTS_free>;
using BasicHandle = Handle<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free>;

constexpr size_t max_pem_certificates = 16;

/// A dNSName in lower case, without a final dot; nothing for one with octets that no name of a registry has.
std::optional<std::string> dns_name_of(const GENERAL_NAME* name) {
  if (name->type != GEN_DNS) return std::nullopt;
  const auto* octets = ASN1_STRING_get0_data(name->d.dNSName);
  std::string out;
  for (int i = 0; i < ASN1_STRING_length(name->d.dNSName); ++i) {
    // A zero octet in the middle once made others read a shorter name than the authority had checked.
    if (octets[i] <= ' ' || octets[i] > '~') return std::nullopt;
    out += static_cast<char>(dns::fold(octets[i]));
  }
  if (out.ends_with('.')) out.pop_back();
  if (out.empty()) return std::nullopt;
  return out;
}

void read_names(X509* certificate, CertificateFacts& facts) {
  const GeneralNamesHandle names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    if (auto name = dns_name_of(sk_GENERAL_NAME_value(names.get(), i))) {
      facts.names.push_back(*std::move(name));
    } else {
      facts.other_names = true;
    }
  }
}

void read_constraints(X509* certificate, CertificateFacts& facts) {
  int critical = 0;
  const ConstraintsHandle constraints(
      static_cast<NAME_CONSTRAINTS*>(X509_get_ext_d2i(certificate, NID_name_constraints, &critical, nullptr)));
  if (!constraints || critical != 1) return;
  facts.permitted.emplace();
  facts.other_constraints = sk_GENERAL_SUBTREE_num(constraints->excludedSubtrees) > 0;
  for (int i = 0; i < sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees); ++i) {
    if (auto name = dns_name_of(sk_GENERAL_SUBTREE_value(constraints->permittedSubtrees, i)->base)) {
      facts.permitted->push_back(*std::move(name));
    } else {
      facts.other_constraints = true;
    }
  }
}

void read_basic(X509* certificate, CertificateFacts& facts) {
  const BasicHandle basic(
      static_cast<BASIC_CONSTRAINTS*>(X509_get_ext_d2i(certificate, NID_basic_constraints, nullptr, nullptr)));
  facts.authority = basic && basic->ca != 0;
  if (const long length = X509_get_pathlen(certificate); facts.authority && length >= 0)
    facts.path_length = static_cast<unsigned>(length);
  // Without the extension the library says that every usage is there.
  if ((X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE) == 0) return;
  constexpr uint32_t both = XKU_SSL_SERVER | XKU_SSL_CLIENT;
  facts.server_and_client = (X509_get_extended_key_usage(certificate) & both) == both;
}

Result<UnixTime> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return openssl_failure(Errc::Invalid, "certificate: time");
  return unix_time(timegm(&parts));
}

Result<Bytes> spki_of(const X509* certificate) {
  uint8_t* octets = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &octets);
  if (size <= 0) return openssl_failure(Errc::Invalid, "certificate: key");
  Bytes out(octets, octets + size);
  OPENSSL_free(octets);
  return out;
}

std::string serial_of(X509* certificate) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  return fmt::format("{:02x}", fmt::join(serial->data, serial->data + serial->length, ""));
}

}  // namespace

Result<CertificateHandle> certificate_from_der(ByteView der) {
  if (der.size() > max_certificate_size)
    return fail(Errc::Invalid, fmt::format("certificate: over {} octets", max_certificate_size));
  const uint8_t* at = der.data();
  CertificateHandle certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!certificate) return openssl_failure(Errc::Invalid, "certificate");
  if (at != der.data() + der.size()) return fail(Errc::Invalid, "certificate: octets are left over");
  return certificate;
}

Result<Bytes> certificate_to_der(X509* certificate) {
  uint8_t* octets = nullptr;
  const int size = i2d_X509(certificate, &octets);
  if (size <= 0) return openssl_failure(Errc::Invalid, "certificate");
  Bytes out(octets, octets + size);
  OPENSSL_free(octets);
  return out;
}

Result<CertificateFacts> facts_of(X509* certificate) {
  CertificateFacts facts;
  read_names(certificate, facts);
  read_constraints(certificate, facts);
  read_basic(certificate, facts);
  auto spki = spki_of(certificate);
  if (!spki) return tl::unexpected(spki.error());
  facts.spki = *std::move(spki);
  const auto from = time_of(X509_get0_notBefore(certificate));
  const auto until = time_of(X509_get0_notAfter(certificate));
  if (!from) return tl::unexpected(from.error());
  if (!until) return tl::unexpected(until.error());
  facts.from = *from;
  facts.until = *until;
  facts.serial = serial_of(certificate);
  ERR_clear_error();
  return facts;
}

Result<CertificateFacts> read_certificate(ByteView der) {
  const auto certificate = certificate_from_der(der);
  if (!certificate) return tl::unexpected(certificate.error());
  return facts_of(certificate->get());
}

Result<std::string> certificate_to_pem(ByteView der) {
  const auto certificate = certificate_from_der(der);
  if (!certificate) return tl::unexpected(certificate.error());
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate->get()) != 1)
    return openssl_failure(Errc::Invalid, "certificate: PEM");
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

Result<std::vector<Bytes>> certificates_from_pem(std::string_view pem) {
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return openssl_failure(Errc::Invalid, "certificate: PEM");
  std::vector<Bytes> out;
  while (const CertificateHandle certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    if (out.size() == max_pem_certificates)
      return fail(Errc::Full, fmt::format("certificate: over {} of them in one text", max_pem_certificates));
    auto der = certificate_to_der(certificate.get());
    if (!der) return tl::unexpected(der.error());
    out.push_back(*std::move(der));
  }
  // What ends a text is that no further one begins.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (out.empty() || !at_end) return openssl_failure(Errc::Invalid, "certificate: PEM");
  ERR_clear_error();
  return out;
}

}  // namespace steward::crypto
