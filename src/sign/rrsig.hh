#pragma once
// RRSIG: its RDATA, how one is made and how one is checked (RFC 4034 §3 and §6, RFC 4035 §5.3, RFC 6840 §5).
//
// Nothing here reads a clock or does I/O. A SignScratch is used by one thread and reused, so that signing allocates
// nothing once its buffers have grown.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.hh"
#include "base/clock.hh"
#include "base/result.hh"
#include "crypto/key_pair.hh"
#include "dns/name.hh"
#include "dns/rr_type.hh"

namespace steward::sign {

using crypto::Algorithm;
using crypto::KeyTag;
using dns::NameView;
using dns::RrType;

/// One RRset as it is signed. RDATA: wire form, uncompressed, in the case of the zone file, in canonical order (RFC
/// 4034 §6.3).
struct Rrset {
  NameView owner;
  RrType type{};
  uint32_t ttl = 0;
  std::span<const ByteView> rdatas;
};

/// The fields of RRSIG RDATA (RFC 4034 §3.1), borrowed from it. Times are seconds modulo 2^32, compared as RFC 1982
/// says.
struct RrsigView {
  RrType type_covered{};
  uint8_t algorithm = 0;
  uint8_t labels = 0;
  uint32_t original_ttl = 0;
  uint32_t expiration = 0;
  uint32_t inception = 0;
  KeyTag key_tag = 0;
  NameView signer;
  ByteView signature;

  /// Invalid where the RDATA ends early.
  static Result<RrsigView> from_rdata(ByteView rdata);
};

constexpr size_t rrsig_fixed_size = 18;

/// Labels as RRSIG counts them: neither the root's nor a leading `*` (RFC 4034 §3.1.3).
uint8_t rrsig_labels(NameView owner);

struct Validity {
  UnixTime inception;
  UnixTime expiration;
};

/// Buffers for signing and checking, one a thread.
struct SignScratch {
  Bytes data;
  std::vector<std::span<uint8_t>> rdatas;
  Bytes rdata_octets;
};

/// RDATA of RRSIGs one after the other; keeps its memory when cleared.
class RrsigList {
 public:
  [[nodiscard]] size_t size() const { return ends_.size(); }
  [[nodiscard]] bool empty() const { return ends_.empty(); }
  /// Valid until the list changes.
  [[nodiscard]] ByteView operator[](size_t index) const {
    const size_t from = index == 0 ? 0 : ends_[index - 1];
    return ByteView(octets_).subspan(from, ends_[index] - from);
  }
  /// All of them, for RrsetInput::rrsigs: `views` is filled anew.
  void views(std::vector<ByteView>& into) const {
    into.clear();
    for (size_t i = 0; i < size(); ++i) into.push_back((*this)[i]);
  }
  void add(ByteView rdata) {
    append(octets_, rdata);
    ends_.push_back(octets_.size());
  }
  /// The last `size` octets of one, to be written. Valid until the list changes.
  [[nodiscard]] uint8_t* tail_of(size_t index, size_t size) { return &octets_[ends_[index] - size]; }
  void clear() {
    octets_.clear();
    ends_.clear();
  }

 private:
  Bytes octets_;
  std::vector<size_t> ends_;
};

/// Signs `rrset` for the zone `signer` and appends the RRSIG's RDATA to `out`. The TTL of the RRset becomes the
/// Original TTL; a leading `*` is not counted (RFC 4034 §3.1.3). Refused for an RRSIG RRset (RFC 4035 §2.2) and for an
/// owner outside the zone.
Result<void> sign_rrset(crypto::Signer& key, KeyTag tag, NameView signer, const Rrset& rrset, const Validity& validity,
                        SignScratch& scratch, RrsigList& out);

/// RRSIGs whose signatures one key makes together, where that takes less (crypto::Signer::signs_batches). One thread's.
class SignLater {
 public:
  /// As sign_rrset(), but for the signature, which settle() writes: `out` stays where it is, and only grows, until then.
  Result<void> add(crypto::Signer& key, KeyTag tag, NameView signer, const Rrset& rrset, const Validity& validity,
                   SignScratch& scratch, RrsigList& out);
  /// After an error no list that was handed in may be used.
  Result<void> settle(crypto::Signer& key);

 private:
  struct Waiting {
    RrsigList* list = nullptr;
    size_t index = 0;
  };
  std::vector<Waiting> waiting_;
  std::vector<crypto::Prehashed> messages_;
};

/// What checking an RRSIG comes to. Everything but Valid makes the RRSIG useless; the words of to_text() are for logs
/// and EDE.
enum class Verdict : uint8_t {
  Valid,
  Malformed,           ///< the RRSIG's RDATA ends early
  TypeMismatch,        ///< covers another type
  SignerMismatch,      ///< the signer's name is not the zone's (RFC 4035 §5.3.1)
  OutsideZone,         ///< the owner is not at or below the signer
  LabelsExceedOwner,   ///< more labels than the owner has (RFC 4035 §5.3.1)
  KeyMismatch,         ///< made by another key: tag or algorithm differ
  TtlExceedsOriginal,  ///< the RRset's TTL is greater than the Original TTL (RFC 4035 §5.3.3)
  NotYetValid,         ///< before its inception
  Expired,             ///< after its expiration
  BadSignature,        ///< the octets do not verify
};
std::string_view to_text(Verdict verdict);

/// A published DNSKEY, ready to check signatures. Used by one thread.
class ZoneKey {
 public:
  /// Invalid where the RDATA is none, Unsupported for an algorithm that we do not know. RFC 4034 §2.1.1 and §2.1.2:
  /// only a key with the Zone Key flag and protocol 3 verifies RRSIGs; RFC 5011 §2.1: a revoked one verifies no data.
  static Result<ZoneKey> from_dnskey(ByteView rdata);

  [[nodiscard]] KeyTag tag() const { return tag_; }
  [[nodiscard]] uint16_t flags() const { return flags_; }
  [[nodiscard]] Algorithm algorithm() const { return algorithm_; }
  [[nodiscard]] crypto::Verifier& verifier() { return verifier_; }

 private:
  ZoneKey(KeyTag tag, uint16_t flags, Algorithm algorithm, crypto::Verifier verifier)
      : tag_(tag), flags_(flags), algorithm_(algorithm), verifier_(std::move(verifier)) {}
  KeyTag tag_;
  uint16_t flags_;
  Algorithm algorithm_;
  crypto::Verifier verifier_;
};

/// How far to look: the fields cost nothing, a signature costs tens of microseconds.
enum class Depth : uint8_t { Fields, Signature };

/// RFC 4035 §5.3, of an RRSIG at the zone's own server: `rrset.owner` is the name as it stands in the zone, or one that
/// a wildcard was expanded to. The cheap checks come first.
Verdict verify_rrset(ZoneKey& key, NameView zone, const Rrset& rrset, ByteView rrsig_rdata, UnixTime now,
                     SignScratch& scratch, Depth depth = Depth::Signature);

}  // namespace steward::sign
