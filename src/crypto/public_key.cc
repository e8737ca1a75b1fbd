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

Result<Bytes> PublicKey::spki() const { return spki_of(state_->algorithm, state_->octets); }

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
