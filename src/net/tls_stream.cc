#include "net/tls_stream.hh"

#include <sys/socket.h>

namespace steward::net {
namespace {

StreamOutcome outcome_of(crypto::TlsOutcome outcome) {
  switch (outcome) {
    case crypto::TlsOutcome::Done: return StreamOutcome::Done;
    case crypto::TlsOutcome::Wait: return StreamOutcome::Wait;
    case crypto::TlsOutcome::End: return StreamOutcome::End;
    case crypto::TlsOutcome::Truncated: return StreamOutcome::Truncated;
    case crypto::TlsOutcome::Error: return StreamOutcome::Error;
  }
  return StreamOutcome::Error;
}

}  // namespace

StreamProgress TlsStream::read(MutableByteView into) {
  const crypto::TlsProgress progress = session_.read(into);
  return {outcome_of(progress.outcome), progress.octets};
}

StreamProgress TlsStream::write(std::span<const iovec> pieces) {
  const crypto::TlsProgress progress = session_.write(pieces);
  return {outcome_of(progress.outcome), progress.octets};
}

StreamOutcome TlsStream::flush() { return outcome_of(session_.flush()); }
StreamOutcome TlsStream::handshake() { return outcome_of(session_.handshake()); }

void TlsStream::reset() {
  const linger at_once{1, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd_.reset();
}

}  // namespace steward::net
