#pragma once
// TlsStream: a ByteStream over a crypto::TlsSession, of either side. The handshake runs in read() and write().

#include "crypto/tls.hh"
#include "net/byte_stream.hh"

namespace steward::net {

class TlsStream final : public ByteStream {
 public:
  /// `session` is one on `fd`.
  TlsStream(FileDescriptor fd, crypto::TlsSession session) : fd_(std::move(fd)), session_(std::move(session)) {}

  [[nodiscard]] int fd() const override { return fd_.get(); }
  StreamProgress read(MutableByteView into) override;
  StreamProgress write(std::span<const iovec> pieces) override;
  [[nodiscard]] Ready needs() const override { return session_.wants_write() ? Ready::Write : Ready::None; }
  [[nodiscard]] bool is_established() const override { return session_.is_established(); }
  [[nodiscard]] size_t unsent() const override { return session_.unsent(); }
  StreamOutcome flush() override;
  [[nodiscard]] bool has_input() const override { return session_.has_input(); }
  [[nodiscard]] const PeerIdentity* peer() const override { return session_.peer(); }
  [[nodiscard]] std::shared_ptr<const CertificateChain> shown() const override { return session_.shown(); }
  [[nodiscard]] std::string error() const override { return session_.error(); }
  void goodbye() override { session_.close_notify(); }
  void reset() override;

  StreamOutcome handshake();
  [[nodiscard]] const crypto::TlsSession& session() const { return session_; }

 private:
  FileDescriptor fd_;
  crypto::TlsSession session_;
};

}  // namespace steward::net
