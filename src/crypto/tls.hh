#pragma once
// TLS 1.3 for DNS (RFC 7858, RFC 8310, RFC 9103): contexts that hold certificates and rules, and sessions over a
// non-blocking socket.
//
//   auto server = TlsServerContext::open({.certificate = "cert.pem", .key = "key.pem"});     // shared by all threads
//   TlsSession session = (*server)->accept(fd);                                              // one thread at a time
//   auto client = TlsClientContext::open({.name = "ns1.example", .authorities = "ca.pem"});
//   TlsSession session = (*client)->connect(fd);
//
// Only TLS 1.3: no renegotiation, no compression, no 0-RTT (its data may be replayed, RFC 8446 §8). ALPN is "dot": a
// client that offers only other protocols is refused; one that offers none is served (RFC 7858 knows no ALPN), and
// TlsSession::alpn() tells, since a transfer needs it (RFC 9103 §7.1).

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hh"
#include "base/clock.hh"
#include "base/exchange.hh"
#include "base/result.hh"

namespace steward::crypto {

/// The RFC's digest of a certificate's SubjectPublicKeyInfo, in base64: 44 characters (RFC 7469 §2.4, RFC 7858 §4.2).
constexpr size_t spki_pin_length = 44;
/// Of a DER SubjectPublicKeyInfo: its SHA-256 in base64 (RFC 7858 §4.2).
[[nodiscard]] std::string spki_pin(ByteView spki);
/// Of a peer's certificates, as many as a registry may need (crypto/certificate.hh).
constexpr size_t most_shown_certificates = 10;

class TlsSession;
struct TlsState;  ///< of a session: crypto/tls_state.hh

struct TlsServerOptions {
  std::string certificate;  ///< file: the chain in PEM, the server's own first
  std::string key;          ///< file: its private key in PEM, without a passphrase
  std::string client_ca;    ///< file: authorities of client certificates in PEM; empty: clients are not asked for one
  bool require_client_certificate = false;  ///< else one may be shown, and is checked if it is
  /// A name in lower case, without a final dot; empty: none. Clients are asked for a certificate, and one that nobody
  /// vouches for is taken too: where there is no `client_ca` any, else only one that a registry below this name could
  /// show: an end entity's, for one dNSName at or below it. TlsSession::shown() has it, peer() only one that `client_ca`
  /// vouches for. Means nothing where a certificate is required.
  std::string registries;
  std::string alpn = "dot";
};

/// The server's side. Shared by all threads; sessions begun before a reload() go on with what they began with.
class TlsServerContext {
 public:
  /// Invalid or Io name the file and the reason: unreadable, no certificate, a key that does not belong to it.
  static Result<std::shared_ptr<TlsServerContext>> open(TlsServerOptions options);
  /// One whose certificate is yet to be made: it accepts nobody until files_changed() has said so and reload() has read them.
  static std::shared_ptr<TlsServerContext> open_later(TlsServerOptions options);
  ~TlsServerContext();

  /// Reads the files again. On an error what was in force stays. Any thread.
  Result<void> reload();
  /// The same with other files: they are taken over only if all is well.
  Result<void> reload(TlsServerOptions options);
  /// Whether a file is not what was read (size, times, inode), as of now. Cheap: a stat(2) each. Any thread.
  [[nodiscard]] bool files_changed() const;
  [[nodiscard]] TlsServerOptions options() const;
  /// What an operator should know of the files: a key that others may read, a certificate that is out of date.
  [[nodiscard]] std::vector<std::string> warnings(UnixTime now) const;
  /// When the certificate in force ends; its digest for the log.
  [[nodiscard]] UnixTime not_after() const;
  [[nodiscard]] std::string spki_pin() const;

  /// A session on an accepted socket, which it borrows: the descriptor outlives it. Any thread.
  [[nodiscard]] Result<TlsSession> accept(int fd) const;

 private:
  struct Loaded;
  TlsServerContext() = default;
  [[nodiscard]] std::shared_ptr<const Loaded> loaded() const;

  mutable std::mutex mutex_;
  std::shared_ptr<const Loaded> loaded_;
};

/// How a client makes sure whom it talks to (RFC 8310 §5).
struct TlsClientOptions {
  enum class Verify : uint8_t {
    Authority,  ///< strict: a chain to `authorities`, and the name
    Pin,        ///< strict: the key's digest is one of `pins`; chain, name and dates do not matter
    Registry,   ///< strict: a registry's certificates (crypto/certificate.hh) below `root`, for the zone `name`, and
                ///< where there are pins with such a key
    Nobody,     ///< opportunistic: encrypted, but to whom is not known. Never a default
  };
  Verify verify = Verify::Authority;
  std::string
      name;  ///< expected name, also sent as SNI; an IP address in text is looked for as one. Authority needs it
  std::string authorities;        ///< file of certificates in PEM; empty: the system's
  std::vector<std::string> pins;  ///< spki_pin_length characters each
  Bytes root;                     ///< of Registry: the root's authority in DER
  UnixTime now{};                 ///< of Registry: the time at which certificates have to be good
  std::string certificate;        ///< file: our own chain in PEM for mutual TLS; empty: none
  std::string key;
  bool require_alpn = true;  ///< the server has to select "dot" (RFC 9103 §7.1)
};

/// The client's side: for one peer, or several with the same rules. Read-only after open(); any thread.
class TlsClientContext {
 public:
  /// Invalid or Io name the file and the reason; Invalid too where `verify` lacks what it needs.
  static Result<std::shared_ptr<const TlsClientContext>> open(TlsClientOptions options);
  ~TlsClientContext();

  /// A session on a connected socket, which it borrows. The context outlives it.
  [[nodiscard]] Result<TlsSession> connect(int fd) const;
  [[nodiscard]] const TlsClientOptions& options() const { return options_; }

 private:
  TlsClientContext() = default;
  TlsClientOptions options_;
  struct Loaded;
  std::unique_ptr<Loaded> loaded_;
};

/// What became of a step that never waits.
enum class TlsOutcome : uint8_t {
  Done,
  Wait,       ///< for the socket: see TlsSession::wants_write()
  End,        ///< reading: the peer said that it sends no more (close_notify)
  Truncated,  ///< reading: the connection ended without close_notify. What came may not be all
  Error,      ///< broken for good: see TlsSession::error()
};

struct TlsProgress {
  TlsOutcome outcome = TlsOutcome::Wait;
  size_t octets = 0;
};

/// One connection. The handshake runs by itself in read(), write() and handshake(). Records are filled to 16 KiB, and
/// many go out with one system call: write() takes plain octets, encrypts them, and keeps what the kernel did not take.
class TlsSession {
 public:
  TlsSession(TlsSession&&) noexcept;
  TlsSession& operator=(TlsSession&&) noexcept;
  ~TlsSession();

  /// Done once it stands: from then on the peer's certificate is verified as the context asks.
  TlsOutcome handshake();
  [[nodiscard]] bool is_established() const;
  /// As much as there is and fits. A level-triggered watcher asks has_input() afterwards.
  TlsProgress read(MutableByteView into);
  /// Octets were received from the kernel and not yet read().
  [[nodiscard]] bool has_input() const;
  /// Takes up to 256 KiB of the pieces, in order. Wait with 0 octets while the kernel does not take the ones before.
  TlsProgress write(std::span<const iovec> pieces);
  /// Sends what write() kept: Done when nothing is left.
  TlsOutcome flush();
  /// Encrypted octets that the kernel did not take yet.
  [[nodiscard]] size_t unsent() const;
  /// Says that we send no more (close_notify); best effort, never waits. write() is over after it.
  void close_notify();
  /// Whether, beside reading, the socket's being writable is waited for.
  [[nodiscard]] bool wants_write() const { return unsent() > 0; }

  /// Of an established session: the peer's certificate, verified against an authority or a pin; null without one, and
  /// where nobody verified it. Lives as long as the session.
  [[nodiscard]] const PeerIdentity* peer() const;
  /// What the peer showed, with nobody vouching for it; null where it showed nothing, or where the context does not
  /// keep it: of clients, TlsServerOptions::registries; of servers, Verify::Registry.
  [[nodiscard]] std::shared_ptr<const CertificateChain> shown() const;
  [[nodiscard]] std::string alpn() const;
  /// "TLSv1.3 TLS_AES_128_GCM_SHA256 dot"; with "resumed" where it was.
  [[nodiscard]] std::string description() const;
  /// After Error or Truncated: why, in a few words.
  [[nodiscard]] const std::string& error() const;

 private:
  friend class TlsServerContext;
  friend class TlsClientContext;
  explicit TlsSession(std::unique_ptr<TlsState> state);
  std::unique_ptr<TlsState> state_;
};

}  // namespace steward::crypto
