#pragma once
// TSIG at a client (RFC 8945 §5.1, §5.4): signs a request, and checks the response or the stream of messages (§5.3.1)
// that answers it. Octets and a time go in; one thread a TsigVerifier.

#include "auth/tsig.hh"

namespace steward::auth {

enum class TsigReply : uint8_t {
  Good,       ///< signed, and with it all unsigned messages since the last signed one
  Unsigned,   ///< inside a stream: nothing may be made durable of it before a later message is Good
  Missing,    ///< the first message has no TSIG
  TooMany,    ///< the hundredth in a row without one (RFC 8945 §5.3.1)
  FormErr,    ///< no whole message, or a TSIG that cannot be read or stands where none may
  BadKey,     ///< another key or algorithm than the request's
  BadSig,     ///< not the MAC of this message in this place
  BadTime,    ///< authentic, but not of our time
  BadTrunc,   ///< authentic, but the MAC is shorter than the key's policy has it
  PeerError,  ///< the peer refused our request: TsigVerifier::peer_error()
};

std::string_view to_text(TsigReply reply);

/// "BADKEY"; the number where there is no mnemonic.
std::string peer_error_text(uint16_t error);

class TsigVerifier {
 public:
  /// For what answers a request whose MAC is `request_mac`. Owns all that it needs.
  TsigVerifier(const TsigKey& key, ByteView request_mac);

  /// Checks the next message as it came, whose id the caller compares. After anything but Good and Unsigned the stream
  /// is lost: every later call yields the same.
  TsigReply verify(ByteView message, UnixTime now);
  /// Forgets what came, for the next answer to the same request: on UDP a forged datagram must not keep the true one
  /// out (RFC 8945 §5.4).
  void restart();
  /// Whether the stream may end here: the last message was signed (RFC 8945 §5.3.1).
  [[nodiscard]] bool may_end() const { return has_begun_ && unsigned_ == 0 && state_ == TsigReply::Good; }

  /// Of the last message: without its TSIG, in octets; the header's additional count still includes it.
  [[nodiscard]] size_t message_size() const { return message_size_; }
  /// After PeerError: the Error field (a TsigError where the peer is sane).
  [[nodiscard]] uint16_t peer_error() const { return peer_error_; }
  /// After PeerError: false for errors without a MAC, as BADKEY and BADSIG must be (RFC 8945 §5.3.2): anybody may have
  /// sent them.
  [[nodiscard]] bool peer_error_is_authentic() const { return peer_error_is_authentic_; }
  /// After PeerError with BADTIME: what the server's clock says, 0 where it did not. As authentic as the error.
  [[nodiscard]] uint64_t peer_time() const { return peer_time_; }

 private:
  TsigReply step(ByteView message, UnixTime now);
  TsigReply pass_unsigned(ByteView message);
  TsigReply check(ByteView message, const TsigRecord& record, UnixTime now);
  void note_peer_error(const TsigRecord& record);

  TsigKey key_;
  TsigChain chain_;
  Bytes request_mac_;
  TsigReply state_ = TsigReply::Good;
  bool has_begun_ = false;
  bool peer_error_is_authentic_ = false;
  uint16_t peer_error_ = 0;
  uint32_t unsigned_ = 0;
  size_t message_size_ = 0;
  uint64_t peer_time_ = 0;
};

/// In octets: what sign_request() adds.
size_t request_signature_size(const TsigKey& key);

/// Signs a whole request without TSIG and returns what checks the responses. `fudge` in seconds. Full as with
/// TsigSigner.
Result<TsigVerifier> sign_request(Bytes& message, const TsigKey& key, UnixTime now, uint16_t fudge = default_fudge);

}  // namespace steward::auth
