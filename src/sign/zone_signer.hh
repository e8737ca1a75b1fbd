#pragma once
// ZoneSigner: the active keys of a zone at one moment, and the rule which of them signs what.
//
// Made once per change set from a KeyPlan (key_plan.hh) and the key files; immutable afterwards. Every signing thread
// calls make_worker() and keeps its Worker for itself: workers share nothing but the const ZoneSigner, so two threads
// sign twice as fast as one.
//
//   auto signer = ZoneSigner::create(apex, keys, validity, now);
//   auto worker = signer->make_worker();                       // in each thread
//   rrsigs.clear();
//   worker->sign({owner, RrType::SVCB, ttl, rdatas}, rrsigs);  // appends one RRSIG RDATA per active key
//   rrsigs.views(views);  input.rrsigs = views;                // RrsetInput of zone/node.hh
//
// What is to be signed is the caller's to say (RFC 4035 §2.2): every RRset of an authoritative name, at a delegation
// only DS and NSEC, nothing below it; each NSEC and NSEC3, NSEC3PARAM; no RRSIG.

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/clock.hh"
#include "base/result.hh"
#include "crypto/key_pair.hh"
#include "dns/name.hh"
#include "sign/rrsig.hh"
#include "sign/validity.hh"

namespace steward::sign {

struct SigningKey {
  std::shared_ptr<const crypto::KeyPair> key;
  uint16_t flags = 256;     ///< as in its DNSKEY: they are part of the key tag
  bool signs_keys = false;  ///< DNSKEY, CDS and CDNSKEY RRsets: a KSK or CSK
  bool signs_zone = false;  ///< everything else: a ZSK or CSK
};

class ZoneSigner {
 public:
  /// Invalid where no key signs the zone's data or none its keys, for an algorithm (RFC 4035 §2.2: each algorithm in
  /// the DNSKEY RRset signs everything), or where two keys have the same tag and algorithm.
  static Result<ZoneSigner> create(dns::Name apex, std::vector<SigningKey> keys, const ValidityPolicy& policy,
                                   UnixTime now);

  [[nodiscard]] NameView apex() const { return apex_; }
  [[nodiscard]] UnixTime now() const { return now_; }
  /// Only while none of its workers is in use.
  void set_now(UnixTime now) { now_ = now; }
  [[nodiscard]] const ValidityPolicy& policy() const { return policy_; }

  /// Whether this key signs RRsets of this type: RFC 4035 §2.2 for DNSKEY, RFC 7344 §4.1 for CDS and CDNSKEY.
  [[nodiscard]] static bool is_for(const SigningKey& key, RrType type) {
    const bool of_keys = type == RrType::DNSKEY || type == RrType::CDS || type == RrType::CDNSKEY;
    return of_keys ? key.signs_keys : key.signs_zone;
  }

  /// One thread's contexts for all keys.
  class Worker {
   public:
    /// Appends one RRSIG for each key that signs this type.
    Result<void> sign(const Rrset& rrset, RrsigList& out);

    /// From here on sign() and refresh() may leave out the signatures that many at once make cheaper, until settle()
    /// writes them; the lists stay where they are until then, and only grow.
    void postpone() { postpones_ = true; }
    /// All that is owed. After an error none of the lists since postpone() may be used.
    Result<void> settle();

    /// For an RRset whose records have not changed: appends those of `existing` (RRSIG RDATA) that may stay, and makes
    /// the rest anew. So a signature by a key that retired goes, one by a new key comes, one near its end is replaced.
    /// True where anything changed.
    Result<bool> refresh(const Rrset& rrset, std::span<const ByteView> existing, RrsigList& out);

    /// The same question without signing: whether refresh() would change anything.
    [[nodiscard]] bool is_fresh(const Rrset& rrset, std::span<const ByteView> existing) const;

    /// False of one that was moved from.
    [[nodiscard]] bool is_whole() const { return !keys_.empty(); }
    /// RRSIGs made so far.
    [[nodiscard]] uint64_t made() const { return made_; }

   private:
    friend class ZoneSigner;
    struct Key {
      crypto::Signer signer;
      KeyTag tag;
      const SigningKey* source;
      SignLater later;
    };
    explicit Worker(const ZoneSigner& zone) : zone_(&zone) {}
    [[nodiscard]] bool may_stay(const RrsigView& rrsig, const Rrset& rrset, const Key& key) const;
    [[nodiscard]] const ByteView* find_fresh(const Rrset& rrset, std::span<const ByteView> existing,
                                             const Key& key) const;
    Result<void> sign_with(Key& key, const Rrset& rrset, RrsigList& out);

    const ZoneSigner* zone_;
    std::vector<Key> keys_;
    SignScratch scratch_;
    uint64_t made_ = 0;
    bool postpones_ = false;
  };

  /// The ZoneSigner must outlive its workers and stay where it is. One that was given back serves again: copying keys into contexts takes
  /// longer than a signature, and an UPDATE of one record needs a few of those.
  [[nodiscard]] Result<Worker> make_worker() const;
  /// Any thread, as make_worker().
  void give_back(Worker&& worker) const;

 private:
  ZoneSigner(dns::Name apex, std::vector<SigningKey> keys, const ValidityPolicy& policy, UnixTime now)
      : apex_(apex), keys_(std::move(keys)), policy_(policy), now_(now), idle_(std::make_unique<Idle>()) {}

  struct Idle {
    std::mutex mutex;
    std::vector<Worker> workers;
  };
  dns::Name apex_;
  std::vector<SigningKey> keys_;
  ValidityPolicy policy_;
  UnixTime now_;
  std::unique_ptr<Idle> idle_;
};

}  // namespace steward::sign
