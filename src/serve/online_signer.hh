#pragma once
// Signatures that are made while answering, for a zone whose names exist only as they are asked for
// (serve/discover.hh).
//
// Each worker has one, with a Signer of its own. What was signed is remembered by a keyed hash of the very RRset, so
// that no change of the data can be overlooked, and for half an hour only, so that what is sent is never near its end.

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "crypto/key_pair.hh"
#include "crypto/siphash.hh"
#include "sign/rrsig.hh"

namespace steward::serve {

/// The zone `_discover._agents` of the registry here, as the composition root knows it. Immutable, shared by the
/// workers; another one comes with every change of the key.
struct DiscoverZone {
  dns::Name apex;                              ///< folded
  std::optional<dns::Name> parent;             ///< the parent registry's zone, an ancestor of ours; nothing at the root
  crypto::KeyTag tag = 0;                      ///< of `key`
  std::shared_ptr<const crypto::KeyPair> key;  ///< that signs the zone's data; null: none yet, or the zone is unsigned
};

class OnlineSigner {
 public:
  OnlineSigner();

  /// Signs with the key of `zone` from now on; nothing to do where it is the one from before. False where it has none
  /// that can sign.
  bool use(const std::shared_ptr<const DiscoverZone>& zone);

  /// RDATA of the RRSIG of `rrset`, whose owner is folded, where it was signed shortly before; empty where not. Valid
  /// until the next call.
  [[nodiscard]] ByteView find(const sign::Rrset& rrset, UnixTime now);
  /// Makes it for the RRset that find() was called with last; empty where the library failed.
  [[nodiscard]] ByteView make(const sign::Rrset& rrset, UnixTime now);

 private:
  struct Entry {
    uint64_t hash = 0;
    UnixTime made{};
    Bytes rdata;  // keeps its memory
  };
  [[nodiscard]] uint64_t hash_of(const sign::Rrset& rrset);
  [[nodiscard]] std::span<Entry> set_of(uint64_t hash);

  std::shared_ptr<const DiscoverZone> zone_;
  std::optional<crypto::Signer> signer_;
  crypto::SipHashKey secret_{};
  std::vector<Entry> entries_;  // sets of a few, by the hash's low bits
  uint64_t hash_ = 0;           // of the last find()
  Bytes hashed_;
  sign::SignScratch scratch_;
  sign::RrsigList made_;
};

}  // namespace steward::serve
