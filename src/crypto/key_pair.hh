#pragma once
// Keys of DNSSEC, SIG(0) and statements: KeyPair signs, PublicKey checks.
//
// Both own their key and are immutable: any number of threads may use one at once, each through a Signer or Verifier of
// its own, which keeps the contexts that would otherwise be made for every signature. Public keys and signatures have
// the forms of DNSKEY and RRSIG: RSA as in RFC 3110 §2 and RFC 5702, ECDSA as x‖y and r‖s (RFC 6605 §4), Ed25519 as in
// RFC 8080.

#include <array>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hh"
#include "base/result.hh"
#include "crypto/algorithm.hh"

namespace steward::crypto {

class PublicKey {
 public:
  /// `octets`: the Public Key field of a DNSKEY or KEY. Invalid where it is no key of that algorithm; RSA from 512 to
  /// 4096 bits, RSASHA512 from 1024 (RFC 5702 §2.2).
  static Result<PublicKey> from_octets(Algorithm algorithm, ByteView octets);
  /// DER SubjectPublicKeyInfo with an RSA (taken as RSASHA256), P-256, P-384 or Ed25519 key.
  static Result<PublicKey> from_spki(ByteView der);
  /// PEM, "BEGIN PUBLIC KEY", the same.
  static Result<PublicKey> from_pem(std::string_view pem);

  [[nodiscard]] Algorithm algorithm() const;
  [[nodiscard]] unsigned bits() const;
  /// As in a DNSKEY.
  [[nodiscard]] ByteView octets() const;
  [[nodiscard]] Bytes dnskey_rdata(uint16_t flags) const;
  /// DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7): what `fp=` and TLSA selector 1 hash.
  [[nodiscard]] Result<Bytes> spki() const;
  [[nodiscard]] Result<std::string> pem() const;
  /// "sha256:" and the lower-case hex of the SHA-256 over spki().
  [[nodiscard]] Result<std::string> fingerprint() const;

  /// Checks one signature. For many with the same key use a Verifier.
  [[nodiscard]] bool verify(ByteView data, ByteView signature) const;

  struct State;  // only the .cc files of this room know it
  explicit PublicKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  [[nodiscard]] const State& state() const { return *state_; }

 private:
  std::shared_ptr<const State> state_;
};

/// The private fields of BIND's key file, under its names: Modulus, PublicExponent, PrivateExponent, Prime1, Prime2,
/// Exponent1, Exponent2, Coefficient for RSA; PrivateKey for the others. Wiped when it goes.
class PrivateFields {
 public:
  PrivateFields() = default;
  PrivateFields(PrivateFields&&) noexcept = default;
  PrivateFields& operator=(PrivateFields&&) noexcept = default;
  PrivateFields(const PrivateFields&) = delete;
  PrivateFields& operator=(const PrivateFields&) = delete;
  ~PrivateFields();

  void add(std::string_view name, Bytes value) { fields_.emplace_back(name, std::move(value)); }
  /// Empty where there is none.
  [[nodiscard]] ByteView find(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, Bytes>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, Bytes>> fields_;
};

/// Move-only.
class KeyPair {
 public:
  /// `bits` counts for RSA only: 1024 to 4096, 0 means 2048. Unsupported for the algorithms that only verify.
  static Result<KeyPair> generate(Algorithm algorithm, unsigned bits = 0);
  /// The public part is derived and must fit: Invalid names the field that is missing or wrong.
  static Result<KeyPair> from_private_fields(Algorithm algorithm, const PrivateFields& fields);
  /// PEM, "BEGIN PRIVATE KEY" (PKCS #8); RSA is taken as RSASHA256.
  static Result<KeyPair> from_pem(std::string_view pem);

  KeyPair(KeyPair&&) noexcept = default;
  KeyPair& operator=(KeyPair&&) noexcept = default;
  KeyPair(const KeyPair&) = delete;
  KeyPair& operator=(const KeyPair&) = delete;
  ~KeyPair() = default;

  [[nodiscard]] Algorithm algorithm() const { return public_.algorithm(); }
  [[nodiscard]] const PublicKey& public_key() const { return public_; }
  [[nodiscard]] Result<PrivateFields> private_fields() const;
  /// PKCS #8 PEM, not encrypted: a secret.
  [[nodiscard]] Result<std::string> pem() const;

 private:
  explicit KeyPair(PublicKey key) : public_(std::move(key)) {}
  PublicKey public_;  // its state holds the private part too, which no member of PublicKey gives away
};

/// A message that waits for its signature, as the digest that is signed, and where the signature goes.
struct Prehashed {
  std::array<uint8_t, max_digest_size> digest{};
  uint8_t* out = nullptr;
};

/// Makes signatures with one key for one thread. Moved, not copied; the KeyPair may go before it.
class Signer {
 public:
  /// Unsupported for the algorithms that only verify.
  static Result<Signer> create(const KeyPair& key);
  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;
  ~Signer();

  [[nodiscard]] Algorithm algorithm() const;
  /// Every signature of this key has this size in octets, at most max_signature_size.
  [[nodiscard]] size_t signature_size() const;
  /// Writes signature_size() octets to `out`. Invalid only where the library fails: then nothing may be published.
  Result<void> sign(ByteView data, uint8_t* out);

  /// Whether many at once take less than as many calls of sign(): P-256.
  [[nodiscard]] bool signs_batches() const;
  /// Where signs_batches(): the digest of `data`, for sign_all().
  void prehash(ByteView data, Prehashed& into) const;
  /// Where signs_batches(): all of them, in any number. Invalid as sign().
  Result<void> sign_all(std::span<const Prehashed> messages);

 private:
  struct State;
  explicit Signer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Checks signatures of one key for one thread.
class Verifier {
 public:
  explicit Verifier(const PublicKey& key);
  Verifier(Verifier&&) noexcept;
  Verifier& operator=(Verifier&&) noexcept;
  ~Verifier();

  /// False for a signature of any wrong size or form.
  [[nodiscard]] bool verify(ByteView data, ByteView signature);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace steward::crypto
