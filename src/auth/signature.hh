#pragma once
// Where the signature of a message stands: the TSIG (RFC 8945 §5.1) or SIG(0) (RFC 2931 §3) that closes its additional
// section. Pure functions over hostile octets; any thread; no allocation, nothing is copied but one name.

#include "base/bytes.hh"
#include "dns/name.hh"

namespace steward::auth {

enum class SignatureKind : uint8_t {
  None,       ///< a whole message without one
  Tsig,       ///< a TSIG record, whose RDATA has not been looked at
  Sig0,       ///< a SIG record that covers type 0
  Malformed,  ///< FORMERR: the sections do not hold together, or a signature stands where none may
};

struct FoundSignature {
  SignatureKind kind = SignatureKind::None;
  /// Of the message without its signature record: where that starts. The count in the header still includes it.
  size_t message_size = 0;
  size_t rdata_at = 0;
  uint16_t rdata_size = 0;
  dns::Name owner;  ///< of the signature record, in lower case
};

/// Walks all sections, skipping names without following them, in time linear to the message. Malformed where
/// - a section runs out, or octets are left over;
/// - a TSIG is not the last record of the additional section, or there are two, or its class is not ANY or its TTL not
/// 0
///   (RFC 8945 §4.2, §5.1);
/// - the same for the place of a SIG(0), whose owner, class and TTL mean nothing (RFC 2931 §3).
FoundSignature find_signature(ByteView message);

}  // namespace steward::auth
