#include "crypto/ecdsa_batch.hh"

#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>

#include <algorithm>

// The library marks what gives the steps of a signature as deprecated in favour of whole ones, and has no other way to
// share the work of many.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace steward::crypto {

namespace {

constexpr int p256_size = 32;
using EcdsaSigHandle = Handle<ECDSA_SIG, ECDSA_SIG_free>;

}  // namespace

void EcdsaBatch::EcKeyDeleter::operator()(EC_KEY* key) const { EC_KEY_free(key); }

bool EcdsaBatch::Modulus::set(const BIGNUM* prime, BN_CTX* context) {
  value.reset(BN_dup(prime));
  exponent.reset(BN_dup(prime));
  montgomery.reset(BN_MONT_CTX_new());
  return value && exponent && montgomery && BN_sub_word(exponent.get(), 2) == 1 &&
         BN_MONT_CTX_set(montgomery.get(), prime, context) == 1;
}

std::unique_ptr<EcdsaBatch> EcdsaBatch::create(EVP_PKEY* key) {
  std::unique_ptr<EcdsaBatch> batch(new EcdsaBatch);
  batch->key_.reset(EVP_PKEY_get1_EC_KEY(key));
  batch->group_ = batch->key_ ? EC_KEY_get0_group(batch->key_.get()) : nullptr;
  batch->context_.reset(BN_CTX_secure_new());
  BignumHandle prime(BN_new());
  const bool is_whole =
      batch->group_ != nullptr && EC_GROUP_get_curve_name(batch->group_) == NID_X9_62_prime256v1 &&
      EC_KEY_get0_private_key(batch->key_.get()) != nullptr && batch->context_ && prime &&
      EC_GROUP_get_curve(batch->group_, prime.get(), nullptr, nullptr, batch->context_.get()) == 1 &&
      batch->field_.set(prime.get(), batch->context_.get()) &&
      batch->order_.set(EC_GROUP_get0_order(batch->group_), batch->context_.get());
  ERR_clear_error();
  if (!is_whole) return nullptr;
  for (BignumHandle* number : {&batch->y_, &batch->inverse_, &batch->r_}) number->reset(BN_new());
  return batch->y_ && batch->inverse_ && batch->r_ ? std::move(batch) : nullptr;
}

bool EcdsaBatch::begin(Slot& slot, EC_POINT* point, const Prehashed& message) {
  BIGNUM* nonce = slot.nonce.get();
  do {
    if (BN_generate_dsa_nonce(nonce, order_.value.get(), EC_KEY_get0_private_key(key_.get()), message.digest.data(),
                              p256_size, context_.get()) != 1)
      return false;
  } while (BN_is_zero(nonce));
  return EC_POINT_mul(group_, point, nonce, nullptr, nullptr, context_.get()) == 1 &&
         EC_POINT_get_Jprojective_coordinates_GFp(group_, point, slot.x.get(), y_.get(), slot.z.get(),
                                                  context_.get()) == 1;
}

// A Montgomery product of a and b is ab/R. So product i is a(0)…a(i) with R^-i, its inverse has R^i, and what is left
// of it by the products on the way back has one R less each time: the inverses come out without any.
bool EcdsaBatch::invert(std::span<Slot> slots, BignumHandle Slot::*member, BignumHandle Slot::*product,
                        const Modulus& modulus) {
  const auto multiply = [&](BIGNUM* to, const BIGNUM* a, const BIGNUM* b) {
    return BN_mod_mul_montgomery(to, a, b, modulus.montgomery.get(), context_.get()) == 1;
  };
  if (BN_copy((slots[0].*product).get(), (slots[0].*member).get()) == nullptr) return false;
  for (size_t i = 1; i < slots.size(); ++i)
    if (!multiply((slots[i].*product).get(), (slots[i - 1].*product).get(), (slots[i].*member).get())) return false;
  if (BN_mod_exp_mont_consttime(inverse_.get(), (slots.back().*product).get(), modulus.exponent.get(),
                                modulus.value.get(), context_.get(), modulus.montgomery.get()) != 1)
    return false;
  for (size_t i = slots.size() - 1; i > 0; --i) {
    BIGNUM* mine = (slots[i].*product).get();
    if (!multiply(mine, inverse_.get(), (slots[i - 1].*product).get()) ||
        !multiply(inverse_.get(), inverse_.get(), (slots[i].*member).get()))
      return false;
    std::swap(slots[i].*member, slots[i].*product);
  }
  return BN_copy((slots[0].*member).get(), inverse_.get()) != nullptr;
}

bool EcdsaBatch::end(Slot& slot, const Prehashed& message) {
  // x of the point is X/Z².
  BIGNUM* x = slot.x.get();
  for (int times = 0; times < 2; ++times)
    if (BN_to_montgomery(x, x, field_.montgomery.get(), context_.get()) != 1 ||
        BN_mod_mul_montgomery(x, x, slot.z.get(), field_.montgomery.get(), context_.get()) != 1)
      return false;
  if (BN_nnmod(r_.get(), x, order_.value.get(), context_.get()) != 1 || BN_is_zero(r_.get())) return false;
  const EcdsaSigHandle signature(ECDSA_do_sign_ex(message.digest.data(), p256_size, slot.nonce.get(),
                                                  r_.get(), key_.get()));
  return signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), message.out, p256_size) == p256_size &&
         BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), message.out + p256_size, p256_size) == p256_size;
}

bool EcdsaBatch::sign_some(std::span<const Prehashed> messages) {
  while (slots_.size() < messages.size()) {
    Slot& slot = slots_.emplace_back();
    for (BignumHandle* number : {&slot.nonce, &slot.nonce_product, &slot.x, &slot.z, &slot.z_product}) {
      number->reset(BN_new());
      if (!*number) return false;
    }
  }
  const std::span<Slot> slots = std::span(slots_).first(messages.size());
  const PointHandle point(EC_POINT_new(group_));
  for (size_t i = 0; i < slots.size(); ++i)
    if (!point || !begin(slots[i], point.get(), messages[i])) return false;
  if (!invert(slots, &Slot::nonce, &Slot::nonce_product, order_) ||
      !invert(slots, &Slot::z, &Slot::z_product, field_))
    return false;
  for (size_t i = 0; i < slots.size(); ++i)
    if (!end(slots[i], messages[i])) return false;
  return true;
}

void EcdsaBatch::wipe() {
  for (Slot& slot : slots_)
    for (BignumHandle* number : {&slot.nonce, &slot.nonce_product, &slot.x, &slot.z, &slot.z_product})
      if (*number) BN_clear(number->get());
  BN_clear(inverse_.get());
  BN_clear(y_.get());
}

bool EcdsaBatch::sign(std::span<const Prehashed> messages) {
  bool done = true;
  for (; done && !messages.empty(); messages = messages.subspan(std::min(most, messages.size())))
    done = sign_some(messages.first(std::min(most, messages.size())));
  wipe();
  return done;
}

}  // namespace steward::crypto

#pragma GCC diagnostic pop
