#include "net/byte_stream.hh"

#include <sys/socket.h>

#include <cerrno>

namespace steward::net {
namespace {

StreamProgress progress_of(ssize_t moved) {
  if (moved >= 0) return {StreamOutcome::Done, static_cast<size_t>(moved)};
  const bool wait = errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM;
  return {wait ? StreamOutcome::Wait : StreamOutcome::Error, 0};
}

}  // namespace

StreamProgress TcpStream::read(MutableByteView into) {
  const ssize_t moved = recv(fd_.get(), into.data(), into.size(), MSG_DONTWAIT);
  if (moved == 0) return {StreamOutcome::End, 0};
  return progress_of(moved);
}

StreamProgress TcpStream::write(std::span<const iovec> pieces) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  return progress_of(sendmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL));
}

void TcpStream::reset() {
  const linger at_once{1, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd_.reset();
}

}  // namespace steward::net
