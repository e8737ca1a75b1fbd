#pragma once
// An exchange: one request and the room for its response. What the transports of `net` hand to the pipeline of `serve`.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/address.hh"
#include "base/bytes.hh"

namespace steward {

class ReplySource;

enum class Transport : uint8_t { Udp, Tcp, Tls, Https };

/// Who a TLS peer has proved to be, by a certificate that was verified.
struct PeerIdentity {
  std::vector<std::string> names;  ///< dNSName of its subjectAltName, in lower case, without a final dot; may be none
  std::string spki_sha256;         ///< SHA-256 of its SubjectPublicKeyInfo in base64 (RFC 7858 §4.2)
};

/// What a TLS peer showed of itself, in DER, its own certificate first. It has proved that it holds that one's key, and
/// nothing else: who vouches for it is for the reader to see.
using CertificateChain = std::vector<Bytes>;

struct Exchange {
  ByteView request;          ///< the message, without the length octets of a stream
  MutableByteView room;      ///< where the response goes: 65,535 octets on a stream
  size_t response_size = 0;  ///< set by the responder; 0: no response is sent
  Transport transport = Transport::Udp;
  const SocketAddress* client = nullptr;
  const SocketAddress* local = nullptr;  ///< the address that was asked
  const PeerIdentity* peer = nullptr;    ///< null unless the client showed a certificate that was verified
  const CertificateChain* shown = nullptr;  ///< what it showed, where that is kept (crypto::TlsSession::shown())
  ReplySource* source = nullptr;         ///< for an answer after answer() returned (base/reply.hh); null: not possible
};

/// Answers exchanges. Each worker thread has one of its own; answer() is called by that thread only, with 1 to 32
/// exchanges.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void answer(std::span<Exchange> batch) = 0;
};

}  // namespace steward
