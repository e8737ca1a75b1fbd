// PublicKey: from and to DNSKEY's form, DER and PEM.

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "crypto/key_state.hh"

namespace steward::crypto {

namespace {

constexpr size_t max_rsa_bits = 4096;
constexpr size_t ed25519_size = 32;

Result<PkeyHandle> from_params(const char* type, OSSL_PARAM_BLD* builder) {
  const ParamHandle params(OSSL_PARAM_BLD_to_param(builder));
  const PkeyCtxHandle context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* pkey = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &pkey, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return openssl_failure(Errc::Invalid, "public key");
  }
  return PkeyHandle(pkey);
}

/// RFC 3110 §2: one octet of exponent size, or 0 and two octets; the exponent; the modulus.
Result<PkeyHandle> rsa_from_octets(Algorithm algorithm, ByteView octets) {
  ByteReader in(octets);
  size_t exponent_size = in.u8();
  if (exponent_size == 0) exponent_size = in.u16();
  const ByteView exponent = in.bytes(exponent_size);
  const ByteView modulus = in.rest();
  if (!in.ok() || exponent.empty() || exponent[0] == 0 || modulus.empty() || modulus[0] == 0) {
    return fail(Errc::Invalid, "RSA public key: exponent and modulus without leading zero octets wanted (RFC 3110 §2)");
  }
  const BignumHandle e(BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr));
  const BignumHandle n(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
  const int least = algorithm == Algorithm::RSASHA512 ? 1024 : 512;
  if (!e || !n || BN_num_bits(n.get()) < least || BN_num_bits(n.get()) > static_cast<int>(max_rsa_bits)) {
    return fail(Errc::Invalid, fmt::format("RSA public key: {} to {} bits wanted (RFC 5702 §2)", least, max_rsa_bits));
  }
  // A long exponent costs the verifier as much as a private operation: nobody uses one but to hurt.
  if (BN_num_bits(e.get()) > 64) return fail(Errc::Unsupported, "RSA public key: exponent over 64 bits");
  const ParamBldHandle builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return openssl_failure(Errc::Invalid, "RSA public key");
  }
  return from_params("RSA", builder.get());
}

/// RFC 6605 §4: x‖y; the library wants the octet 4 before it, and checks that the point lies on the curve.
Result<PkeyHandle> ecdsa_from_octets(Algorithm algorithm, ByteView octets) {
  const size_t size = curve_size(algorithm);
  if (octets.size() != 2 * size) {
    return fail(Errc::Invalid, fmt::format("{} public key: {} octets wanted, not {} (RFC 6605 §4)", to_text(algorithm),
                                           2 * size, octets.size()));
  }
  Bytes point{4};
  append(point, octets);
  const char* group = algorithm == Algorithm::ECDSAP256SHA256 ? "P-256" : "P-384";
  const ParamBldHandle builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
    return openssl_failure(Errc::Invalid, "ECDSA public key");
  }
  return from_params("EC", builder.get());
}

Result<PkeyHandle> ed25519_from_octets(ByteView octets) {
  if (octets.size() != ed25519_size) {
    return fail(Errc::Invalid,
                fmt::format("ED25519 public key: 32 octets wanted, not {} (RFC 8080 §3)", octets.size()));
  }
  PkeyHandle pkey(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, octets.data(), octets.size()));
  if (!pkey) return openssl_failure(Errc::Invalid, "ED25519 public key");
  return pkey;
}

Result<BignumHandle> bignum_of(EVP_PKEY* pkey, const char* parameter) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(pkey, parameter, &number) != 1) return openssl_failure(Errc::Invalid, parameter);
  return BignumHandle(number);
}

Result<Bytes> rsa_octets(EVP_PKEY* pkey) {
  const auto e = bignum_of(pkey, OSSL_PKEY_PARAM_RSA_E);
  const auto n = bignum_of(pkey, OSSL_PKEY_PARAM_RSA_N);
  if (!e) return tl::unexpected(e.error());
  if (!n) return tl::unexpected(n.error());
  const auto exponent_size = static_cast<size_t>(BN_num_bytes(e->get()));
  const auto modulus_size = static_cast<size_t>(BN_num_bytes(n->get()));
  Bytes out;
  if (exponent_size < 256) {
    append_u8(out, static_cast<uint8_t>(exponent_size));
  } else {
    append_u8(out, 0);
    append_u16(out, static_cast<uint16_t>(exponent_size));
  }
  const size_t at = out.size();
  out.resize(at + exponent_size + modulus_size);
  BN_bn2bin(e->get(), &out[at]);
  BN_bn2bin(n->get(), &out[at + exponent_size]);
  return out;
}

Result<Bytes> ecdsa_octets(Algorithm algorithm, EVP_PKEY* pkey) {
  const auto size = static_cast<int>(curve_size(algorithm));
  const auto x = bignum_of(pkey, OSSL_PKEY_PARAM_EC_PUB_X);
  const auto y = bignum_of(pkey, OSSL_PKEY_PARAM_EC_PUB_Y);
  if (!x) return tl::unexpected(x.error());
  if (!y) return tl::unexpected(y.error());
  Bytes out(static_cast<size_t>(2 * size));
  if (BN_bn2binpad(x->get(), out.data(), size) != size ||
      BN_bn2binpad(y->get(), &out[curve_size(algorithm)], size) != size) {
    return fail(Errc::Invalid, "ECDSA public key: not on this algorithm's curve");
  }
  return out;
}

// RFC 8410 §4, RFC 5480 §2.1 with the curve's OID, RFC 3279 §2.3.1: what stands before the key itself.
constexpr std::string_view ed25519_spki("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);
constexpr std::string_view p256_spki(
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04", 27);
constexpr std::string_view p384_spki(
    "\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00\x04", 24);
constexpr std::string_view rsa_algorithm("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", 15);

constexpr uint8_t der_integer = 0x02;
constexpr uint8_t der_bit_string = 0x03;
constexpr uint8_t der_sequence = 0x30;

/// Tag, length (X.690 §8.1.3), and up to two parts as contents.
Bytes der(uint8_t tag, ByteView first, ByteView second = {}) {
  const size_t size = first.size() + second.size();
  Bytes out{tag};
  if (size < 0x80) {
    append_u8(out, static_cast<uint8_t>(size));
  } else if (size < 0x100) {
    append_u8(out, 0x81);
    append_u8(out, static_cast<uint8_t>(size));
  } else {
    append_u8(out, 0x82);
    append_u16(out, static_cast<uint16_t>(size));
  }
  append(out, first);
  append(out, second);
  return out;
}

/// A positive number: one zero octet in front where the highest bit is set.
Bytes der_number(ByteView magnitude) {
  constexpr uint8_t zero = 0;
  return der(der_integer, ByteView(&zero, magnitude[0] & 0x80 ? 1 : 0), magnitude);
}

/// Of RFC 3110's form, which has been checked.
Bytes rsa_spki(ByteView octets) {
  ByteReader in(octets);
  size_t exponent_size = in.u8();
  if (exponent_size == 0) exponent_size = in.u16();
  const Bytes exponent = der_number(in.bytes(exponent_size));
  const Bytes key = der(der_sequence, der_number(in.rest()), exponent);
  constexpr uint8_t no_unused_bits = 0;
  return der(der_sequence, as_bytes(rsa_algorithm), der(der_bit_string, ByteView(&no_unused_bits, 1), key));
}

}  // namespace

Result<Bytes> octets_of(Algorithm algorithm, EVP_PKEY* pkey) {
  if (is_rsa(algorithm)) return rsa_octets(pkey);
  if (is_ecdsa(algorithm)) return ecdsa_octets(algorithm, pkey);
  Bytes out(ed25519_size);
  size_t size = out.size();
  if (EVP_PKEY_get_raw_public_key(pkey, out.data(), &size) != 1 || size != ed25519_size) {
    return openssl_failure(Errc::Invalid, "ED25519 public key");
  }
  return out;
}

Result<Algorithm> algorithm_of(EVP_PKEY* pkey) {
  if (EVP_PKEY_is_a(pkey, "RSA") == 1) return Algorithm::RSASHA256;
  if (EVP_PKEY_is_a(pkey, "ED25519") == 1) return Algorithm::ED25519;
  if (EVP_PKEY_is_a(pkey, "EC") == 1) {
    char group[64] = {};
    size_t size = 0;
    if (EVP_PKEY_get_group_name(pkey, group, sizeof group, &size) == 1) {
      const std::string_view name(group, size);
      if (name == "prime256v1" || name == "P-256") return Algorithm::ECDSAP256SHA256;
      if (name == "secp384r1" || name == "P-384") return Algorithm::ECDSAP384SHA384;
    }
  }
  return fail(Errc::Unsupported, "key: RSA, P-256, P-384 or Ed25519 wanted");
}

Result<std::shared_ptr<const PublicKey::State>> make_state(Algorithm algorithm, PkeyHandle pkey) {
  auto octets = octets_of(algorithm, pkey.get());
  if (!octets) return tl::unexpected(octets.error());
  return std::make_shared<const PublicKey::State>(PublicKey::State{algorithm, std::move(*octets), std::move(pkey)});
}

Result<PublicKey> PublicKey::from_octets(Algorithm algorithm, ByteView octets) {
  auto pkey = is_rsa(algorithm)     ? rsa_from_octets(algorithm, octets)
              : is_ecdsa(algorithm) ? ecdsa_from_octets(algorithm, octets)
                                    : ed25519_from_octets(octets);
  if (!pkey) return tl::unexpected(pkey.error());
  return PublicKey(
      std::make_shared<const State>(State{algorithm, Bytes(octets.begin(), octets.end()), std::move(*pkey)}));
}

Result<PublicKey> PublicKey::from_spki(ByteView der) {
  const uint8_t* at = der.data();
  PkeyHandle pkey(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!pkey || at != der.data() + der.size()) return openssl_failure(Errc::Invalid, "SubjectPublicKeyInfo");
  const auto algorithm = algorithm_of(pkey.get());
  if (!algorithm) return tl::unexpected(algorithm.error());
  // By way of the octets, so that a key from here obeys the same limits.
  const auto octets = octets_of(*algorithm, pkey.get());
  if (!octets) return tl::unexpected(octets.error());
  return from_octets(*algorithm, *octets);
}

Result<PublicKey> PublicKey::from_pem(std::string_view pem) {
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const PkeyHandle pkey(bio ? PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!pkey) return openssl_failure(Errc::Invalid, "PEM public key");
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(pkey.get(), &der);
  if (size <= 0) return openssl_failure(Errc::Invalid, "PEM public key");
  auto key = from_spki(ByteView(der, static_cast<size_t>(size)));
  OPENSSL_free(der);
  return key;
}

Algorithm PublicKey::algorithm() const { return state_->algorithm; }
unsigned PublicKey::bits() const { return static_cast<unsigned>(EVP_PKEY_get_bits(state_->pkey.get())); }
ByteView PublicKey::octets() const { return state_->octets; }

Bytes PublicKey::dnskey_rdata(uint16_t flags) const {
  Bytes out;
  out.reserve(dnskey_fixed_size + state_->octets.size());
  append_u16(out, flags);
  append_u8(out, dnskey_protocol);
  append_u8(out, value(state_->algorithm));
  append(out, state_->octets);
  return out;
}

// Put together here: the library takes as long for it as for a signature, and every fingerprint needs it.
Result<Bytes> PublicKey::spki() const {
  if (is_rsa(state_->algorithm)) return rsa_spki(state_->octets);
  const std::string_view prefix = state_->algorithm == Algorithm::ED25519           ? ed25519_spki
                                  : state_->algorithm == Algorithm::ECDSAP256SHA256 ? p256_spki
                                                                                    : p384_spki;
  Bytes out;
  out.reserve(prefix.size() + state_->octets.size());
  append(out, as_bytes(prefix));
  append(out, state_->octets);
  return out;
}

Result<std::string> PublicKey::pem() const {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PUBKEY(bio.get(), state_->pkey.get()) != 1) return openssl_failure(Errc::Invalid, "PEM");
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

Result<std::string> PublicKey::fingerprint() const {
  const auto der = spki();
  if (!der) return tl::unexpected(der.error());
  return fmt::format("sha256:{:02x}", fmt::join(sha256(*der), ""));
}

bool PublicKey::verify(ByteView data, ByteView signature) const { return Verifier(*this).verify(data, signature); }

}  // namespace steward::crypto
