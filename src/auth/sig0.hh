#pragma once
// SIG(0): requests signed with a private key whose public part is a KEY record (RFC 2931, RFC 3007 §3).
//
// Reading and checking are apart, so that the server can look for the signer's KEY records in between. All that is
// cheap is checked before the first public-key operation, and each of those is taken from a budget. Octets, keys and a
// time go in; any thread.

#include <memory>
#include <optional>
#include <span>

#include "auth/signature.hh"
#include "auth/verify_budget.hh"
#include "base/clock.hh"
#include "crypto/key_pair.hh"
#include "dns/rr_type.hh"

namespace steward::auth {

/// A SIG(0) as it came. The views lead into the message.
struct Sig0 {
  dns::Name signer;  ///< in lower case: where the KEY records stand
  uint8_t algorithm = 0;
  crypto::KeyTag tag = 0;
  uint32_t inception = 0;   ///< seconds since 1970 modulo 2^32 (RFC 4034 §3.1.5)
  uint32_t expiration = 0;  ///< likewise
  ByteView signature;
  Bytes head;               ///< the RDATA before the signature, with the signer's name uncompressed as it was written
  size_t message_size = 0;  ///< of the message without the record
};

/// Nothing where the RDATA of the found SIG(0) does not hold together: FORMERR. Labels and original TTL mean nothing
/// here.
std::optional<Sig0> read_sig0(ByteView message, const FoundSignature& found);

enum class Sig0Status : uint8_t {
  Good,
  BadKey,      ///< no usable KEY of that tag and algorithm, or an algorithm that we do not verify
  BadTime,     ///< not inside the signature's window
  BadSig,      ///< no candidate made this signature
  OverBudget,  ///< not tried, or not to the end
};

std::string_view to_text(Sig0Status status);
/// Of the response to a request that is refused for its SIG(0): NOTAUTH, REFUSED over budget; NOERROR for Good.
dns::Rcode rcode_of(Sig0Status status);

/// KEY records that share a tag and are tried at most: more would be someone's labour (CVE-2023-50387).
constexpr size_t max_sig0_candidates = 2;

/// Whether RDATA of a KEY may authenticate requests: protocol DNSSEC or any (RFC 2535 §3.1.3), authentication not
/// prohibited (§3.1.2) and no extended flags.
bool may_authenticate(ByteView key_rdata);

/// Checks `sig0` of `message` with `keys`, RDATA of KEY records that stand at its signer: window, tag, algorithm, flags
/// and protocol first, then the signature with each key that is left.
Sig0Status verify_sig0(ByteView message, const Sig0& sig0, std::span<const ByteView> keys, UnixTime now,
                       const VerifyAllowance& allowance);

/// A key that signs requests.
struct Sig0Key {
  dns::Name signer;  ///< owner of its KEY record
  std::shared_ptr<const crypto::KeyPair> key;
  uint16_t flags =
      0x0200;  ///< of the KEY record, which its tag depends on; the default is what dnssec-keygen gives hosts

  /// RDATA of its KEY record.
  [[nodiscard]] Bytes key_rdata() const { return key->public_key().dnskey_rdata(flags); }
};

/// Appends a SIG(0) to a whole request without one, good from `window` before `now` until `window` after it. Full where
/// it would be over 65,535 octets or records, Invalid where the key cannot sign; then the message is as before.
Result<void> sign_with_sig0(Bytes& message, const Sig0Key& key, UnixTime now, Seconds window = Seconds{300});

}  // namespace steward::auth
