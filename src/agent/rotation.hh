#pragma once
// A rotation (`v=steward-rotate1`, at `_keys.<agent>`): the old key's and the new key's word that one follows the
// other. A verifier that knows one fingerprint walks from it to the present one. No I/O, no clock.

#include <span>
#include <string>
#include <vector>

#include "agent/statement.hh"

namespace steward::agent {

constexpr std::string_view rotation_version = "steward-rotate1";
constexpr std::string_view rotation_label = "steward-rotate-v1";

class Rotation {
 public:
  /// TXT RDATA: `v=steward-rotate1` first; n (from 1), old, new, modified, sig-old, sig-new, the signatures last, in
  /// that order.
  static Result<Rotation> from_txt(ByteView txt_rdata);
  /// Made and signed with both keys.
  static Result<Rotation> make(NameView agent, uint32_t number, const crypto::KeyPair& old_key,
                               const crypto::KeyPair& new_key, UnixTime modified);

  // A claim of an agent that is in a registry's custody: the new key's word alone, until the registry adds sig-old with
  // its custodial key.
  /// As from_txt(), where sig-old may be missing: it is then there without a value.
  static Result<Rotation> from_claim(ByteView txt_rdata);
  /// Made and signed with the new key; `old_fingerprint` is the custodial key's, `fp` of the statement as it stands.
  static Result<Rotation> make_claim(NameView agent, uint32_t number, std::string_view old_fingerprint,
                                     const crypto::KeyPair& new_key, UnixTime modified);
  [[nodiscard]] bool is_claim() const { return find_field(fields_, "sig-old")->empty(); }
  /// sig-new alone.
  [[nodiscard]] Result<void> verify_new(NameView agent, std::span<const ByteView> keys) const;
  /// The claim with sig-old by the custodial key; Refused where `old` names another key.
  [[nodiscard]] Result<Rotation> countersigned(NameView agent, const crypto::KeyPair& old_key) const;

  [[nodiscard]] ByteView txt_rdata() const { return rdata_; }
  [[nodiscard]] uint32_t number() const { return number_; }
  [[nodiscard]] std::string_view old_fingerprint() const { return *find_field(fields_, "old"); }
  [[nodiscard]] std::string_view new_fingerprint() const { return *find_field(fields_, "new"); }
  [[nodiscard]] UnixTime modified() const { return modified_; }

  /// Checks both signatures for the agent's own name with the keys (KEY RDATA) of these fingerprints among `keys`.
  [[nodiscard]] Result<void> verify(NameView agent, std::span<const ByteView> keys) const;

 private:
  [[nodiscard]] Result<void> verify_one(NameView agent, std::string_view field, std::string_view fingerprint,
                                        std::span<const ByteView> keys) const;

  Bytes rdata_;
  std::vector<TextField> fields_;
  uint32_t number_ = 0;
  UnixTime modified_{};
};

/// Walks from `known` to `present` along verified rotations, each n above the one before. Refused where the chain does
/// not lead there.
Result<void> check_rotation_chain(std::span<const Rotation> rotations, std::string_view known,
                                  std::string_view present);

}  // namespace steward::agent
