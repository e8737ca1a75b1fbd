#pragma once
// ByteStream: octets in order, over TCP or over TLS on TCP. What a Connection reads from and writes to.

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.hh"
#include "net/file_descriptor.hh"
#include "net/loop.hh"

namespace steward::net {

/// What became of a read or write that never waits.
enum class StreamOutcome : uint8_t {
  Done,   ///< some octets moved
  Wait,   ///< none can move now
  End,    ///< reading: the peer sends no more
  Error,  ///< reset, or broken for good
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
