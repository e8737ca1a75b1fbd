#pragma once
// EcdsaBatch: many P-256 signatures of one key at once, in half the time of as many by themselves. Inside of the room.
//
// Half of what a signature takes are two inversions: of the nonce modulo the group's order (FIPS 186-5 §6.4.1) and of a
// coordinate modulo the field's prime, to bring the nonce's point to affine form. Montgomery's trick makes of n
// inversions one, and three multiplications each (Montgomery 1987, "Speeding the Pollard and elliptic curve methods of
// factorization", §10.3.1). Everything that touches a secret is the library's: nonces are drawn from its generator and
// from key and message together (BN_generate_dsa_nonce), so that neither a bad generator nor a machine that is set back
// makes one twice; the multiplication of the base point, Montgomery products, powers and the last step
// (ECDSA_do_sign_ex) are its constant-time ones. No nonce outlives the call. Between steps a number whose top word is
// zero is shorter, as in CVE-2024-13176: of 256 bits one in 2^64 is.

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "crypto/key_pair.hh"
#include "crypto/openssl.hh"

namespace steward::crypto {

class EcdsaBatch {
 public:
  /// Null for any other key than one of P-256, and where the library does not give what it takes.
  static std::unique_ptr<EcdsaBatch> create(EVP_PKEY* key);

  /// False where the library fails; then no output may be used.
  bool sign(std::span<const Prehashed> messages);

  struct EcKeyDeleter {
    void operator()(EC_KEY* key) const;
  };

 private:
  static constexpr size_t most = 64;  // at once: by then a shared inversion costs next to nothing
  struct Modulus {
    BignumHandle value;
    BignumHandle exponent;  ///< of the inversion: the modulus, a prime, less two (Fermat)
    Handle<BN_MONT_CTX, BN_MONT_CTX_free> montgomery;

    bool set(const BIGNUM* prime, BN_CTX* context);
  };
  struct Slot {
    BignumHandle nonce, nonce_product, x, z, z_product;
  };

  EcdsaBatch() = default;
  bool begin(Slot& slot, EC_POINT* point, const Prehashed& message);
  /// Each of `member` becomes its inverse; `product` is scratch.
  bool invert(std::span<Slot> slots, BignumHandle Slot::*member, BignumHandle Slot::*product, const Modulus& modulus);
  bool end(Slot& slot, const Prehashed& message);
  bool sign_some(std::span<const Prehashed> messages);
  void wipe();

  std::unique_ptr<EC_KEY, EcKeyDeleter> key_;
  const EC_GROUP* group_ = nullptr;
  BnCtxHandle context_;
  Modulus order_;
  Modulus field_;
  BignumHandle y_, inverse_, r_;
  std::vector<Slot> slots_;
};

}  // namespace steward::crypto
