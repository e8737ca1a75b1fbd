// Signer and Verifier: the contexts of one key for one thread.

#include <openssl/rsa.h>

#include "crypto/ecdsa_batch.hh"
#include "crypto/key_state.hh"
#include "crypto/operation_counts.hh"

namespace steward::crypto {

namespace {

/// Cannot be larger than this: SEQUENCE of two INTEGERs of 48 octets and a sign octet each.
constexpr size_t max_ecdsa_der = 2 + 2 * (2 + 1 + 48);

/// One INTEGER of a DER signature, left-padded to `size` octets.
bool integer_from_der(ByteReader& in, uint8_t* out, size_t size) {
  if (in.u8() != 0x02) return false;
  ByteView number = in.bytes(in.u8());
  while (!number.empty() && number[0] == 0) number = number.subspan(1);
  if (!in.ok() || number.size() > size) return false;
  std::memset(out, 0, size - number.size());
  if (!number.empty()) std::memcpy(out + size - number.size(), number.data(), number.size());
  return true;
}

/// DER (RFC 3279 §2.2.3) to r‖s (RFC 6605 §4).
bool ecdsa_from_der(ByteView der, uint8_t* out, size_t size) {
  ByteReader in(der);
  if (in.u8() != 0x30 || in.u8() != in.left()) return false;
  return integer_from_der(in, out, size) && integer_from_der(in, out + size, size) && in.left() == 0;
}

void integer_to_der(ByteWriter& out, ByteView number) {
  while (number.size() > 1 && number[0] == 0) number = number.subspan(1);
  const bool sign = (number[0] & 0x80) != 0;
  out.u8(0x02);
  out.u8(static_cast<uint8_t>(number.size() + (sign ? 1 : 0)));
  if (sign) out.u8(0);
  out.bytes(number);
}

size_t ecdsa_to_der(ByteView signature, uint8_t* der) {
  ByteWriter out(MutableByteView(der, max_ecdsa_der), 2);
  integer_to_der(out, signature.first(signature.size() / 2));
  integer_to_der(out, signature.subspan(signature.size() / 2));
  der[0] = 0x30;
  der[1] = static_cast<uint8_t>(out.at() - 2);
  return out.at();
}

const EVP_MD* method_of(Algorithm algorithm) {
  switch (digest_of(algorithm)) {
    case DigestAlgorithm::Sha1: return EVP_sha1();
    case DigestAlgorithm::Sha224: return EVP_sha224();
    case DigestAlgorithm::Sha256: return EVP_sha256();
    case DigestAlgorithm::Sha384: return EVP_sha384();
    case DigestAlgorithm::Sha512: return EVP_sha512();
  }
  return nullptr;
}

bool set_padding(EVP_PKEY_CTX* context, Algorithm algorithm) {
  if (!is_rsa(algorithm)) return true;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context, method_of(algorithm)) == 1;
}

}  // namespace

struct Signer::State {
  Algorithm algorithm;
  size_t size;
  PkeyHandle pkey;
  PkeyCtxHandle context;     // RSA and ECDSA: over a digest
  MdCtxHandle message_sign;  // Ed25519: over the message
  std::unique_ptr<EcdsaBatch> batch;  // once it is asked for, where there can be one

  Result<void> sign_message(ByteView data, uint8_t* out);
  Result<void> sign_digest(ByteView hash, uint8_t* out);
};

Signer::Signer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;
Signer::~Signer() = default;

Result<Signer> Signer::create(const KeyPair& key) {
  if (!may_sign(key.algorithm())) {
    return fail(Errc::Unsupported,
                std::string(to_text(key.algorithm())) + " is not for new signatures (RFC 8624 §3.1)");
  }
  auto state = std::make_unique<State>();
  state->algorithm = key.algorithm();
  // A copy of the key for each thread: RSA's blinding and the reference counts would otherwise be shared and contended.
  state->pkey.reset(EVP_PKEY_dup(key.public_key().state().pkey.get()));
  if (!state->pkey) return openssl_failure(Errc::Invalid, "private key");
  if (is_ecdsa(state->algorithm)) {
    state->size = 2 * curve_size(state->algorithm);
  } else {
    state->size = static_cast<size_t>(EVP_PKEY_get_size(state->pkey.get()));
  }
  if (state->algorithm == Algorithm::ED25519) {
    state->message_sign.reset(EVP_MD_CTX_new());
    if (!state->message_sign || EVP_DigestSignInit_ex(state->message_sign.get(), nullptr, nullptr, nullptr, nullptr,
                                                      state->pkey.get(), nullptr) != 1) {
      return openssl_failure(Errc::Invalid, "private key");
    }
  } else {
    state->context.reset(EVP_PKEY_CTX_new_from_pkey(nullptr, state->pkey.get(), nullptr));
    if (!state->context || EVP_PKEY_sign_init(state->context.get()) != 1 ||
        !set_padding(state->context.get(), state->algorithm)) {
      return openssl_failure(Errc::Invalid, "private key");
    }
  }
  return Signer(std::move(state));
}

Algorithm Signer::algorithm() const { return state_->algorithm; }
size_t Signer::signature_size() const { return state_->size; }

Result<void> Signer::State::sign_message(ByteView data, uint8_t* out) {
  size_t written = size;
  if (EVP_DigestSign(message_sign.get(), out, &written, data.data(), data.size()) == 1 && written == size) return {};
  // Later versions of the library want the context begun anew for each message.
  ERR_clear_error();
  written = size;
  if (EVP_DigestSignInit_ex(message_sign.get(), nullptr, nullptr, nullptr, nullptr, pkey.get(), nullptr) != 1 ||
      EVP_DigestSign(message_sign.get(), out, &written, data.data(), data.size()) != 1 || written != size) {
    return openssl_failure(Errc::Invalid, "signature");
  }
  return {};
}

Result<void> Signer::sign(ByteView data, uint8_t* out) {
  State& state = *state_;
  count_made(state.algorithm);
  if (state.algorithm == Algorithm::ED25519) return state.sign_message(data, out);
  uint8_t hash[max_digest_size];
  const size_t hash_size = digest(digest_of(state.algorithm), data, hash);
  if (is_rsa(state.algorithm)) {
    size_t written = state.size;
    if (EVP_PKEY_sign(state.context.get(), out, &written, hash, hash_size) != 1 || written != state.size) {
      return openssl_failure(Errc::Invalid, "signature");
    }
    return {};
  }
  return state.sign_digest(ByteView(hash, hash_size), out);
}

// ECDSA.
Result<void> Signer::State::sign_digest(ByteView hash, uint8_t* out) {
  uint8_t der[max_ecdsa_der];
  size_t der_size = sizeof der;
  if (EVP_PKEY_sign(context.get(), der, &der_size, hash.data(), hash.size()) != 1 ||
      !ecdsa_from_der(ByteView(der, der_size), out, size / 2)) {
    return openssl_failure(Errc::Invalid, "signature");
  }
  return {};
}

bool Signer::signs_batches() const { return state_->algorithm == Algorithm::ECDSAP256SHA256; }

void Signer::prehash(ByteView data, Prehashed& into) const {
  digest(digest_of(state_->algorithm), data, into.digest.data());
}

Result<void> Signer::sign_all(std::span<const Prehashed> messages) {
  constexpr size_t few = 3;  // the inversions that a batch shares take as long as theirs together
  count_made(state_->algorithm, messages.size());
  if (messages.size() > few && !state_->batch) state_->batch = EcdsaBatch::create(state_->pkey.get());
  if (messages.size() > few && state_->batch) {
    if (!state_->batch->sign(messages)) return openssl_failure(Errc::Invalid, "signatures");
    return {};
  }
  for (const Prehashed& message : messages)
    if (auto made = state_->sign_digest(ByteView(message.digest).first(state_->size / 2), message.out); !made)
      return made;
  return {};
}

struct Verifier::State {
  PublicKey key;
  PkeyCtxHandle context;
};

Verifier::Verifier(const PublicKey& key) : state_(std::make_unique<State>(State{key, nullptr})) {
  if (key.algorithm() == Algorithm::ED25519) return;
  state_->context.reset(EVP_PKEY_CTX_new_from_pkey(nullptr, key.state().pkey.get(), nullptr));
  if (state_->context &&
      (EVP_PKEY_verify_init(state_->context.get()) != 1 || !set_padding(state_->context.get(), key.algorithm()))) {
    state_->context.reset();
  }
  ERR_clear_error();
}

Verifier::Verifier(Verifier&&) noexcept = default;
Verifier& Verifier::operator=(Verifier&&) noexcept = default;
Verifier::~Verifier() = default;

bool Verifier::verify(ByteView data, ByteView signature) {
  const Algorithm algorithm = state_->key.algorithm();
  count_checked(algorithm);
  EVP_PKEY* pkey = state_->key.state().pkey.get();
  int outcome = 0;
  if (algorithm == Algorithm::ED25519) {
    const MdCtxHandle context(EVP_MD_CTX_new());
    if (context && EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, pkey, nullptr) == 1) {
      outcome = EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size());
    }
    ERR_clear_error();
    return outcome == 1;
  }
  if (!state_->context) return false;
  uint8_t hash[max_digest_size];
  const size_t hash_size = digest(digest_of(algorithm), data, hash);
  if (is_rsa(algorithm)) {
    outcome = EVP_PKEY_verify(state_->context.get(), signature.data(), signature.size(), hash, hash_size);
  } else if (signature.size() == 2 * curve_size(algorithm)) {
    uint8_t der[max_ecdsa_der];
    const size_t der_size = ecdsa_to_der(signature, der);
    outcome = EVP_PKEY_verify(state_->context.get(), der, der_size, hash, hash_size);
  }
  ERR_clear_error();
  return outcome == 1;
}

}  // namespace steward::crypto
