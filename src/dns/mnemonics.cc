#include "dns/mnemonics.hh"

#include <algorithm>
#include <span>

#include "dns/characters.hh"

namespace steward::dns {
namespace {

struct Mnemonic {
  uint16_t number;
  std::string_view text;
};

// IANA "DNS Security Algorithm Numbers"; where a number has two words, the first is written.
constexpr auto algorithms = std::to_array<Mnemonic>({{1, "RSAMD5"},
                                                     {2, "DH"},
                                                     {3, "DSA"},
                                                     {5, "RSASHA1"},
                                                     {6, "NSEC3DSA"},
                                                     {6, "DSA-NSEC3-SHA1"},
                                                     {7, "NSEC3RSASHA1"},
                                                     {7, "RSASHA1-NSEC3-SHA1"},
                                                     {8, "RSASHA256"},
                                                     {10, "RSASHA512"},
                                                     {12, "ECCGOST"},
                                                     {12, "ECC-GOST"},
                                                     {13, "ECDSAP256SHA256"},
                                                     {14, "ECDSAP384SHA384"},
                                                     {15, "ED25519"},
                                                     {16, "ED448"},
                                                     {17, "SM2SM3"},
                                                     {23, "ECC-GOST12"},
                                                     {252, "INDIRECT"},
                                                     {253, "PRIVATEDNS"},
                                                     {254, "PRIVATEOID"}});
// IANA "Delegation Signer (DS) Resource Record (RR) Type Digest Algorithms"
constexpr auto digest_types = std::to_array<Mnemonic>(
    {{1, "SHA-1"}, {1, "SHA1"}, {2, "SHA-256"}, {2, "SHA256"}, {3, "GOST"}, {4, "SHA-384"}, {4, "SHA384"}});
// RFC 4398 §2.1
constexpr auto cert_types = std::to_array<Mnemonic>({{1, "PKIX"},
                                                     {2, "SPKI"},
                                                     {3, "PGP"},
                                                     {4, "IPKIX"},
                                                     {5, "ISPKI"},
                                                     {6, "IPGP"},
                                                     {7, "ACPKIX"},
                                                     {8, "IACPKIX"},
                                                     {253, "URI"},
                                                     {254, "OID"}});
// RFC 2535 §3.1.3, §7.1
constexpr auto protocols =
    std::to_array<Mnemonic>({{0, "NONE"}, {1, "TLS"}, {2, "EMAIL"}, {3, "DNSSEC"}, {4, "IPSEC"}, {255, "ALL"}});
// RFC 9859 §2
constexpr auto schemes = std::to_array<Mnemonic>({{1, "NOTIFY"}});

std::span<const Mnemonic> table_of(FieldKind kind) {
  switch (kind) {
    case FieldKind::Algorithm:
    case FieldKind::CertAlgorithm: return algorithms;
    case FieldKind::DigestType: return digest_types;
    case FieldKind::CertType: return cert_types;
    case FieldKind::Protocol: return protocols;
    case FieldKind::Scheme: return schemes;
    default: return {};
  }
}


}  // namespace

std::optional<uint16_t> number_of_mnemonic(FieldKind kind, std::string_view word) {
  for (const Mnemonic& known : table_of(kind))
    if (std::ranges::equal(word, known.text, {}, to_upper)) return known.number;
  return {};
}

std::string_view mnemonic_of(FieldKind kind, uint16_t number) {
  for (const Mnemonic& known : table_of(kind))
    if (known.number == number) return known.text;
  return {};
}

}  // namespace steward::dns
