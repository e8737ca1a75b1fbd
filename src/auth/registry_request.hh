#pragma once
// Requests from registry to registry: a SIG(0) by the sender's identity key, good for a short time, over a message that
// holds a nonce (steward-records(7), "Requests between registries"). They come over TLS besides, whose certificate says
// who the sender is: the SIG(0) has to be that one's.
//
// Whether a request has been seen before is not decided here: federation/replays.hh. Octets, a key and a time go in;
// any thread.

#include <array>
#include <string_view>

#include "auth/sig0.hh"
#include "dns/message.hh"

namespace steward::auth {

/// The EDNS option with the nonce, of those for local use (RFC 6891 §9).
constexpr uint16_t nonce_option = 65001;
constexpr size_t nonce_size = 16;  ///< octets
using Nonce = std::array<uint8_t, nonce_size>;

/// From inception to expiration at most.
constexpr Seconds max_request_window{300};

enum class RequestVerdict : uint8_t {
  Good,
  Malformed,    ///< no whole DNS message, or a SIG(0) that does not hold together
  Unsigned,     ///< no SIG(0); a TSIG is none
  NoNonce,      ///< no option 65001
  BadNonce,     ///< more than one, or not of 16 octets
  LongWindow,   ///< more than 300 s from inception to expiration, or less than none
  Stale,        ///< its window is over or has not begun
  WrongSigner,  ///< not the identity of the TLS certificate
  Weak,         ///< neither RSA/SHA-256 with at least 2,048 bits nor Ed25519
  BadKey,       ///< the identity's KEY has another tag or algorithm, or may not authenticate
  BadSig,       ///< the signature does not fit
  OverBudget,   ///< too many signatures to be checked
};

/// A sentence's part, in ASCII: the rule.
std::string_view to_text(RequestVerdict verdict);
/// FORMERR, NOTAUTH or REFUSED; NOERROR for Good.
dns::Rcode rcode_of(RequestVerdict verdict);

/// A request whose form is in order. Its views lead into the message.
struct RegistryRequest {
  Sig0 sig0;
  Nonce nonce{};
};

/// Malformed, Unsigned, NoNonce or BadNonce. No public-key operation.
tl::expected<RegistryRequest, RequestVerdict> read_registry_request(ByteView message);

/// Who is at the other end, as the TLS certificate says.
struct RegistryPeer {
  dns::NameView signer;  ///< where its KEY stands
  ByteView key;          ///< RDATA of that KEY, the certificate's own key
};

/// LongWindow and what follows, the cheap rules first, in this order but for OverBudget; Good.
RequestVerdict verify_registry_request(ByteView message, const RegistryRequest& request, const RegistryPeer& peer,
                                       UnixTime now, const VerifyAllowance& allowance);

/// Builds the message with the nonce in its OPT record, which is made where there is none, and signs it, good for
/// max_request_window with `now` in its middle. `nonce` is random and never used again. Refused for a key that no
/// registry may have; Exists where the message has such an option or signature already; Full as sign_with_sig0.
Result<Bytes> sign_registry_request(dns::Message message, const Sig0Key& key, UnixTime now, const Nonce& nonce);

}  // namespace steward::auth
