#include "crypto/digest.hh"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <cstdio>
#include <cstdlib>

#include "crypto/openssl.hh"

namespace steward::crypto {

namespace {

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "steward: the cryptographic library offers no %s\n", what);
  std::abort();
}

const char* library_name(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::Sha1: return "SHA1";
    case DigestAlgorithm::Sha224: return "SHA2-224";
    case DigestAlgorithm::Sha256: return "SHA2-256";
    case DigestAlgorithm::Sha384: return "SHA2-384";
    case DigestAlgorithm::Sha512: return "SHA2-512";
  }
  return "";
}

MdCtxHandle make_context(DigestAlgorithm algorithm) {
  const MdHandle md(EVP_MD_fetch(nullptr, library_name(algorithm), nullptr));
  MdCtxHandle context(EVP_MD_CTX_new());
  if (!md || !context || EVP_DigestInit_ex2(context.get(), md.get(), nullptr) != 1) give_up(library_name(algorithm));
  return context;
}

/// The calling thread's context, which holds its own reference to the fetched digest.
EVP_MD_CTX* thread_context(DigestAlgorithm algorithm) {
  thread_local std::array<MdCtxHandle, 5> contexts;
  MdCtxHandle& context = contexts[static_cast<size_t>(algorithm)];
  if (!context) context = make_context(algorithm);
  return context.get();
}

}  // namespace

size_t digest(DigestAlgorithm algorithm, ByteView data, uint8_t* out) {
  EVP_MD_CTX* context = thread_context(algorithm);
  unsigned size = 0;
  if (EVP_DigestInit_ex2(context, nullptr, nullptr) != 1 || EVP_DigestUpdate(context, data.data(), data.size()) != 1 ||
      EVP_DigestFinal_ex(context, out, &size) != 1) {
    give_up(library_name(algorithm));
  }
  return size;
}

std::array<uint8_t, 32> sha256(ByteView data) {
  std::array<uint8_t, 32> out;
  digest(DigestAlgorithm::Sha256, data, out.data());
  return out;
}

struct Hasher::State {
  MdCtxHandle context;
};

Hasher::Hasher(DigestAlgorithm algorithm) : state_(std::make_unique<State>(State{make_context(algorithm)})) {}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(ByteView data) {
  if (EVP_DigestUpdate(state_->context.get(), data.data(), data.size()) != 1) give_up("digest");
}

size_t Hasher::finish(uint8_t* out) {
  unsigned size = 0;
  EVP_MD_CTX* context = state_->context.get();
  if (EVP_DigestFinal_ex(context, out, &size) != 1 || EVP_DigestInit_ex2(context, nullptr, nullptr) != 1) {
    give_up("digest");
  }
  return size;
}

struct Hmac::State {
  MacCtxHandle context;
};

namespace {

MacCtxHandle make_hmac_context(DigestAlgorithm algorithm) {
  const MacHandle mac(EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr));
  if (!mac) give_up("HMAC");
  MacCtxHandle context(EVP_MAC_CTX_new(mac.get()));
  std::string name = library_name(algorithm);
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
                               OSSL_PARAM_construct_end()};
  if (!context || EVP_MAC_CTX_set_params(context.get(), params) != 1) give_up("HMAC");
  return context;
}

/// The calling thread's context without a key, to be copied: looking for MAC and digest costs more than a short MAC.
const EVP_MAC_CTX* thread_hmac_context(DigestAlgorithm algorithm) {
  thread_local std::array<MacCtxHandle, 5> contexts;
  MacCtxHandle& context = contexts[static_cast<size_t>(algorithm)];
  if (!context) context = make_hmac_context(algorithm);
  return context.get();
}

}  // namespace

Hmac::Hmac(DigestAlgorithm algorithm, ByteView key) : state_(std::make_unique<State>()) {
  state_->context.reset(EVP_MAC_CTX_dup(thread_hmac_context(algorithm)));
  // A null key would mean "the key of last time", so an empty one still needs an address.
  const uint8_t none = 0;
  const uint8_t* octets = key.empty() ? &none : key.data();
  if (!state_->context || EVP_MAC_init(state_->context.get(), octets, key.size(), nullptr) != 1) give_up("HMAC");
}

Hmac::Hmac(Hmac&&) noexcept = default;
Hmac& Hmac::operator=(Hmac&&) noexcept = default;
Hmac::~Hmac() = default;

void Hmac::update(ByteView data) {
  if (EVP_MAC_update(state_->context.get(), data.data(), data.size()) != 1) give_up("HMAC");
}

size_t Hmac::finish(uint8_t* out) {
  size_t size = 0;
  EVP_MAC_CTX* context = state_->context.get();
  if (EVP_MAC_final(context, out, &size, max_digest_size) != 1 || EVP_MAC_init(context, nullptr, 0, nullptr) != 1) {
    give_up("HMAC");
  }
  return size;
}

bool equal_in_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

void random_octets(MutableByteView out) {
  if (!out.empty() && RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) give_up("random octets");
}

void wipe(MutableByteView secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

}  // namespace steward::crypto
