// KeyPair: made new, from the fields of a key file, from PEM; and back.

#include "crypto/key_pair.hh"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>

#include "crypto/key_state.hh"

namespace steward::crypto {

namespace {

struct RsaField {
  const char* name;       // in BIND's key file
  const char* parameter;  // in the library
};
constexpr std::array<RsaField, 8> rsa_fields{{
    {"Modulus", OSSL_PKEY_PARAM_RSA_N},
    {"PublicExponent", OSSL_PKEY_PARAM_RSA_E},
    {"PrivateExponent", OSSL_PKEY_PARAM_RSA_D},
    {"Prime1", OSSL_PKEY_PARAM_RSA_FACTOR1},
    {"Prime2", OSSL_PKEY_PARAM_RSA_FACTOR2},
    {"Exponent1", OSSL_PKEY_PARAM_RSA_EXPONENT1},
    {"Exponent2", OSSL_PKEY_PARAM_RSA_EXPONENT2},
    {"Coefficient", OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
}};

Result<PkeyHandle> pair_from_params(const char* type, OSSL_PARAM_BLD* builder) {
  const ParamHandle params(OSSL_PARAM_BLD_to_param(builder));
  const PkeyCtxHandle context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* pkey = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &pkey, EVP_PKEY_KEYPAIR, params.get()) != 1) {
    return openssl_failure(Errc::Invalid, "private key");
  }
  PkeyHandle owned(pkey);
  const PkeyCtxHandle check(EVP_PKEY_CTX_new_from_pkey(nullptr, owned.get(), nullptr));
  if (!check || EVP_PKEY_pairwise_check(check.get()) != 1) {
    return openssl_failure(Errc::Invalid, "private key: its two halves do not fit");
  }
  return owned;
}

Result<PkeyHandle> rsa_from_fields(const PrivateFields& fields) {
  const ParamBldHandle builder(OSSL_PARAM_BLD_new());
  std::array<BignumHandle, rsa_fields.size()> numbers;  // must outlive the builder's use
  for (size_t i = 0; i < rsa_fields.size(); ++i) {
    const ByteView octets = fields.find(rsa_fields[i].name);
    if (octets.empty()) return fail(Errc::Invalid, fmt::format("private key: no field {}", rsa_fields[i].name));
    if (octets.size() > max_signature_size) {
      return fail(Errc::Invalid, fmt::format("private key: field {} is over 4096 bits", rsa_fields[i].name));
    }
    numbers[i].reset(BN_secure_new());
    if (!numbers[i] || BN_bin2bn(octets.data(), static_cast<int>(octets.size()), numbers[i].get()) == nullptr ||
        OSSL_PARAM_BLD_push_BN(builder.get(), rsa_fields[i].parameter, numbers[i].get()) != 1) {
      return openssl_failure(Errc::Invalid, rsa_fields[i].name);
    }
  }
  return pair_from_params("RSA", builder.get());
}

/// A key file of ECDSA has the private number only; the point is its multiple of the generator.
Result<PkeyHandle> ecdsa_from_secret(Algorithm algorithm, ByteView secret) {
  const bool p256 = algorithm == Algorithm::ECDSAP256SHA256;
  const GroupHandle group(EC_GROUP_new_by_curve_name(p256 ? NID_X9_62_prime256v1 : NID_secp384r1));
  const BnCtxHandle scratch(BN_CTX_secure_new());
  const BignumHandle number(BN_secure_new());
  if (!group || !scratch || !number || secret.size() != curve_size(algorithm)) {
    return fail(Errc::Invalid, fmt::format("private key: {} octets wanted for {}, not {} (RFC 6605 §6)",
                                           curve_size(algorithm), to_text(algorithm), secret.size()));
  }
  const PointHandle point(EC_POINT_new(group.get()));
  std::array<uint8_t, 1 + 2 * 48> octets;
  if (!point || BN_bin2bn(secret.data(), static_cast<int>(secret.size()), number.get()) == nullptr ||
      BN_is_zero(number.get()) || BN_cmp(number.get(), EC_GROUP_get0_order(group.get())) >= 0) {
    return fail(Errc::Invalid, "private key: not between 1 and the order of the curve");
  }
  if (EC_POINT_mul(group.get(), point.get(), number.get(), nullptr, nullptr, scratch.get()) != 1) {
    return openssl_failure(Errc::Invalid, "private key");
  }
  const size_t size = EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, octets.data(),
                                         octets.size(), scratch.get());
  const ParamBldHandle builder(OSSL_PARAM_BLD_new());
  if (size == 0 || !builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, p256 ? "P-256" : "P-384", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, octets.data(), size) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, number.get()) != 1) {
    return openssl_failure(Errc::Invalid, "private key");
  }
  return pair_from_params("EC", builder.get());
}

Result<PkeyHandle> ed25519_from_secret(ByteView secret) {
  PkeyHandle pkey(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, secret.data(), secret.size()));
  if (!pkey) return openssl_failure(Errc::Invalid, "private key: 32 octets wanted for ED25519 (RFC 8080)");
  return pkey;
}

Result<Bytes> number_field(EVP_PKEY* pkey, const char* parameter, size_t size) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(pkey, parameter, &number) != 1) return openssl_failure(Errc::Invalid, parameter);
  const BignumHandle owned(number);
  Bytes out(size != 0 ? size : static_cast<size_t>(BN_num_bytes(number)));
  if (BN_bn2binpad(number, out.data(), static_cast<int>(out.size())) < 0) {
    return openssl_failure(Errc::Invalid, parameter);
  }
  return out;
}

}  // namespace

PrivateFields::~PrivateFields() {
  for (auto& [name, octets] : fields_) wipe(octets);
}

ByteView PrivateFields::find(std::string_view name) const {
  for (const auto& [known, octets] : fields_) {
    if (known == name) return octets;
  }
  return {};
}

Result<KeyPair> KeyPair::generate(Algorithm algorithm, unsigned bits) {
  if (!may_sign(algorithm)) {
    return fail(Errc::Unsupported, fmt::format("{} is not for new keys (RFC 8624 §3.1)", to_text(algorithm)));
  }
  if (bits == 0) bits = 2048;
  if (is_rsa(algorithm) && (bits < 1024 || bits > 4096)) {
    return fail(Errc::Invalid, fmt::format("RSA key of {} bits: 1024 to 4096 wanted (RFC 5702 §2)", bits));
  }
  PkeyHandle pkey;
  if (is_rsa(algorithm)) {
    pkey.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<size_t>(bits)));
  } else if (is_ecdsa(algorithm)) {
    pkey.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", algorithm == Algorithm::ECDSAP256SHA256 ? "P-256" : "P-384"));
  } else {
    pkey.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  }
  if (!pkey) return openssl_failure(Errc::Invalid, "key generation");
  auto state = make_state(algorithm, std::move(pkey));
  if (!state) return tl::unexpected(state.error());
  return KeyPair(PublicKey(std::move(*state)));
}

Result<KeyPair> KeyPair::from_private_fields(Algorithm algorithm, const PrivateFields& fields) {
  if (!is_rsa(algorithm) && fields.find("PrivateKey").empty()) {
    return fail(Errc::Invalid, "private key: no field PrivateKey");
  }
  auto pkey = is_rsa(algorithm)     ? rsa_from_fields(fields)
              : is_ecdsa(algorithm) ? ecdsa_from_secret(algorithm, fields.find("PrivateKey"))
                                    : ed25519_from_secret(fields.find("PrivateKey"));
  if (!pkey) return tl::unexpected(pkey.error());
  auto state = make_state(algorithm, std::move(*pkey));
  if (!state) return tl::unexpected(state.error());
  return KeyPair(PublicKey(std::move(*state)));
}

Result<KeyPair> KeyPair::from_pem(std::string_view pem) {
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // Without a callback the library would ask the terminal for the pass phrase of an encrypted key.
  const auto no_pass_phrase = [](char*, int, int, void*) { return -1; };
  PkeyHandle pkey(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr) : nullptr);
  if (!pkey) return openssl_failure(Errc::Invalid, "PEM private key");
  const auto algorithm = algorithm_of(pkey.get());
  if (!algorithm) return tl::unexpected(algorithm.error());
  if (is_rsa(*algorithm) && EVP_PKEY_get_bits(pkey.get()) > 4096) {
    return fail(Errc::Unsupported, "PEM private key: RSA over 4096 bits");
  }
  auto state = make_state(*algorithm, std::move(pkey));
  if (!state) return tl::unexpected(state.error());
  return KeyPair(PublicKey(std::move(*state)));
}

Result<PrivateFields> KeyPair::private_fields() const {
  EVP_PKEY* pkey = public_.state().pkey.get();
  PrivateFields out;
  if (is_rsa(algorithm())) {
    for (const auto& field : rsa_fields) {
      auto octets = number_field(pkey, field.parameter, 0);
      if (!octets) return tl::unexpected(octets.error());
      out.add(field.name, std::move(*octets));
    }
    return out;
  }
  if (is_ecdsa(algorithm())) {
    auto octets = number_field(pkey, OSSL_PKEY_PARAM_PRIV_KEY, curve_size(algorithm()));
    if (!octets) return tl::unexpected(octets.error());
    out.add("PrivateKey", std::move(*octets));
    return out;
  }
  Bytes octets(32);
  size_t size = octets.size();
  if (EVP_PKEY_get_raw_private_key(pkey, octets.data(), &size) != 1)
    return openssl_failure(Errc::Invalid, "private key");
  out.add("PrivateKey", std::move(octets));
  return out;
}

Result<std::string> KeyPair::pem() const {
  const BioHandle bio(BIO_new(BIO_s_secmem()));
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), public_.state().pkey.get(), nullptr, nullptr, 0, nullptr,
                                            nullptr) != 1) {
    return openssl_failure(Errc::Invalid, "PEM");
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

}  // namespace steward::crypto
