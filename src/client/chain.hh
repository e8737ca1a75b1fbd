#pragma once
// A chain of trust over RRsets that are all at hand (RFC 4035 §5, RFC 9102 §2): from DS or DNSKEY trust anchors down to
// the keys of each zone, and then any RRset of those zones.
//
// Pure: the time comes in. One thread a Chain.

#include <string>
#include <vector>

#include "base/clock.hh"
#include "base/result.hh"
#include "client/signed_rrset.hh"
#include "sign/rrsig.hh"

namespace steward::client {

/// How many of an RRset's signatures must hold.
enum class Need : uint8_t {
  One,    ///< as a resolver does it (RFC 4035 §5.3.3)
  Every,  ///< as in a bundle of ours, where nothing may stand that was not checked
};

class Chain {
 public:
  /// Finds the zones among `rrsets` whose DNSKEY RRset is proved, from the anchors (DS, DNSKEY) on. Corrupt where none
  /// is, with what came nearest.
  static Result<Chain> build(std::span<const dns::Record> anchors, std::span<const SignedRrset> rrsets, UnixTime now,
                             Need need);

  /// The zones whose keys are proved.
  [[nodiscard]] std::vector<dns::Name> zones() const;
  /// Which zone's key proved this RRset. Corrupt with the reason where none does; also for an answer that a wildcard
  /// was expanded to, which alone proves nothing (RFC 4035 §5.3.4).
  Result<dns::Name> check(const SignedRrset& rrset);
  /// The RRSIG that proves this RRset: of a DNSKEY RRset the one by the key that DS or anchor names.
  Result<Bytes> proving_signature(const SignedRrset& rrset);

 private:
  struct Zone {
    dns::Name name;
    std::vector<sign::ZoneKey> keys;
    Bytes proof;  ///< RRSIG of its DNSKEY RRset
  };
  Chain(UnixTime now, Need need) : now_(now), need_(need) {}
  Result<bool> add_zone(std::span<const dns::Record> anchors, std::span<const SignedRrset> rrsets,
                        const SignedRrset& dnskeys);
  Result<Bytes> first_that_holds(const SignedRrset& rrset);
  Result<void> check_signature(const SignedRrset& rrset, ByteView rrsig);
  Zone* find_zone(dns::NameView name);

  UnixTime now_;
  Need need_;
  std::vector<Zone> zones_;
  sign::SignScratch scratch_;
};

}  // namespace steward::client
