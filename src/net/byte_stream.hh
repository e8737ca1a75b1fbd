#pragma once
// ByteStream: octets in order, over TCP or over TLS on TCP. What a Connection reads from and writes to.

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.hh"
#include "base/exchange.hh"
#include "net/file_descriptor.hh"
#include "net/loop.hh"

namespace steward::net {

/// What became of a read or write that never waits.
enum class StreamOutcome : uint8_t {
  Done,       ///< some octets moved
  Wait,       ///< none can move now
  End,        ///< reading: the peer sends no more
  Truncated,  ///< reading: the same, but without the goodbye that the protocol asks for: TLS without close_notify
  Error,      ///< reset, or broken for good
};

struct StreamProgress {
  StreamOutcome outcome = StreamOutcome::Wait;
  size_t octets = 0;
};

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  [[nodiscard]] virtual int fd() const = 0;
  virtual StreamProgress read(MutableByteView into) = 0;
  virtual StreamProgress write(std::span<const iovec> pieces) = 0;
  /// What the descriptor must be ready for besides, for the stream's own sake: a handshake that has to write.
  [[nodiscard]] virtual Ready needs() const { return Ready::None; }
  /// Whether the peer has been spoken with: TLS has its handshake behind it.
  [[nodiscard]] virtual bool is_established() const { return true; }
  /// Octets that write() took and that the stream holds itself; flush() sends them.
  [[nodiscard]] virtual size_t unsent() const { return 0; }
  virtual StreamOutcome flush() { return StreamOutcome::Done; }
  /// read() has more although the descriptor may never be ready again.
  [[nodiscard]] virtual bool has_input() const { return false; }
  /// Who the peer has proved to be, as long as the stream lives; null: nobody.
  [[nodiscard]] virtual const PeerIdentity* peer() const { return nullptr; }
  /// What certificates the peer showed, whoever vouches for them; null: none.
  [[nodiscard]] virtual std::shared_ptr<const CertificateChain> shown() const { return nullptr; }
  /// After an Error or Truncated: why, if the stream knows more than the operating system.
  [[nodiscard]] virtual std::string error() const { return {}; }
  /// Tells the peer that no more comes; never waits.
  virtual void goodbye() {}
  /// Ends without a goodbye: the peer sees a reset, the kernel keeps nothing.
  virtual void reset() = 0;
};

class TcpStream final : public ByteStream {
 public:
  explicit TcpStream(FileDescriptor fd) : fd_(std::move(fd)) {}
  [[nodiscard]] int fd() const override { return fd_.get(); }
  StreamProgress read(MutableByteView into) override;
  StreamProgress write(std::span<const iovec> pieces) override;
  void reset() override;

 private:
  FileDescriptor fd_;
};

}  // namespace steward::net
