#pragma once
// TSIG at a server (RFC 8945 §5.2, §5.3): who signed a request, and the signatures of the response or of the stream of
// messages that answers it.
//
// A TsigVerdict says how the request fared and signs whatever response it permits: octets and a time go in, no clock is
// read. Verdict and signer own all they need, so that neither request, key nor keyring must outlive them; one thread at
// a time.
//
// deviates: RFC 8945 §5.2.3 would have a server remember the latest Time Signed of every key and refuse earlier ones.
// Datagrams overtake each other, and several machines share a key, so that no server does.

#include <optional>

#include "auth/signature.hh"
#include "auth/tsig_key.hh"
#include "auth/tsig_record.hh"
#include "base/clock.hh"
#include "dns/rr_type.hh"

namespace steward::auth {

/// What signers of RFC 8945 §10 allow for, in seconds.
constexpr uint16_t default_fudge = 300;

struct TsigVerdict;

/// Signs messages that belong together: the response to a request, and those that follow it (RFC 8945 §5.3.1).
class TsigSigner {
 public:
  /// For the response to a request whose MAC is `request_mac`, as it came (also truncated).
  TsigSigner(const TsigKey& key, ByteView request_mac);

  /// In octets: what sign() adds to a message. Whoever fills a message leaves this much room.
  [[nodiscard]] size_t size() const {
    return tsig_record_size(key_name_, name_of(algorithm_), mac_size(algorithm_), 0);
  }

  /// Signs the whole message of `size` octets, without TSIG, that stands in `room`, and returns its new size. Full
  /// where the room (or the 65,535 octets of a message) does not suffice: then neither message nor signer has changed.
  Result<size_t> sign(MutableByteView room, size_t size, UnixTime now);
  /// The same for a message of its own.
  Result<void> sign(Bytes& message, UnixTime now);
  /// A message after the first that goes out without a signature: at most 99 in a row, never the last.
  void leave_unsigned(ByteView message) { chain_.add_unsigned(message); }

 private:
  friend struct TsigVerdict;
  friend TsigVerdict verify_request(ByteView message, const FoundSignature& found, const Keyring& keys, UnixTime now);
  /// With a chain of that key at its beginning, which saves the key's schedule.
  TsigSigner(const TsigKey& key, TsigChain chain, ByteView request_mac);
  Result<size_t> sign_as(MutableByteView room, size_t size, TsigRecord record);
  TsigChain chain_;
  dns::Name key_name_;
  TsigAlgorithm algorithm_;
  bool is_first_ = true;
};

/// In the order of the checks of RFC 8945 §5.2.
enum class TsigStatus : uint8_t {
  Absent,    ///< no TSIG: nobody's request, or one with SIG(0)
  FormErr,   ///< no message, a TSIG where none may be, or one that cannot be read: answered with plain FORMERR
  BadKey,    ///< unknown key, or another algorithm than the key's
  BadSig,    ///< the MAC is not the key's
  BadTime,   ///< authentic, but not of our time
  BadTrunc,  ///< authentic, but the MAC is shorter than the key's policy has it
  Good,
};

std::string_view to_text(TsigStatus status);

struct TsigVerdict {
  TsigStatus status = TsigStatus::Absent;
  /// Of the request without its TSIG; its additional count still includes the record where there is one.
  size_t message_size = 0;
  dns::Name key_name;        ///< that the request names, in lower case, whether we know it or not
  dns::Name algorithm_name;  ///< likewise
  uint64_t time_signed = 0;  ///< by the client's clock, in seconds since 1970
  uint16_t fudge = 0;
  /// Only where the MAC is the key's: Good, BadTime, BadTrunc. For streams; a single response has sign_response().
  std::optional<TsigSigner> signer;

  [[nodiscard]] bool is_good() const { return status == TsigStatus::Good; }
  /// Of the response to a request that is refused for its TSIG: FORMERR or NOTAUTH (RFC 8945 §5.2); NOERROR where it is
  /// not.
  [[nodiscard]] dns::Rcode rcode() const;
  /// What goes into the Error field, and the log.
  [[nodiscard]] TsigError error() const;
  /// In octets: what sign_response() adds.
  [[nodiscard]] size_t response_size() const;
  /// Ends a single response, whatever the status: nothing for Absent and FormErr; signed for Good, BadTime (with our
  /// time in Other Data, RFC 8945 §5.2.3) and BadTrunc; for BadKey and BadSig a TSIG with the error and no MAC
  /// (§5.3.2): an answer signed at the wish of someone who does not know the key would be an oracle. As
  /// TsigSigner::sign otherwise.
  Result<size_t> sign_response(MutableByteView room, size_t size, UnixTime now);
  Result<void> sign_response(Bytes& message, UnixTime now);
};

/// Checks the TSIG of a request. The overload is for those who have looked for the signature already.
TsigVerdict verify_request(ByteView message, const Keyring& keys, UnixTime now);
TsigVerdict verify_request(ByteView message, const FoundSignature& found, const Keyring& keys, UnixTime now);

}  // namespace steward::auth
