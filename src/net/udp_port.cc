#include "net/udp_port.hh"

#include <cerrno>
#include <cstring>

#include "net/proxy_protocol.hh"

namespace steward::net {
namespace {

// Batches answered in one turn of the loop while they come full: streams on the same loop wait no longer than that.
constexpr int most_batches = 16;

/// The address that was asked, from the control message of a wildcard socket. The message stays where it is and
/// goes out with the response, where it means the source address.
void read_local(msghdr& header, SocketAddress& local, uint16_t port) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      auto* info = reinterpret_cast<in_pktinfo*>(CMSG_DATA(c));
      sockaddr_in v4{};
      v4.sin_family = AF_INET;
      v4.sin_port = htons(port);
      v4.sin_addr = info->ipi_addr;
      local = SocketAddress(reinterpret_cast<sockaddr*>(&v4), sizeof v4);
      // The route back need not lead over the interface that the query came in by.
      info->ipi_spec_dst = info->ipi_addr;
      info->ipi_ifindex = 0;
      return;
    }
    if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      auto* info = reinterpret_cast<in6_pktinfo*>(CMSG_DATA(c));
      sockaddr_in6 v6{};
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(port);
      v6.sin6_addr = info->ipi6_addr;
      if (IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
        v6.sin6_scope_id = info->ipi6_ifindex;
      else
        info->ipi6_ifindex = 0;
      local = SocketAddress(reinterpret_cast<sockaddr*>(&v6), sizeof v6);
      return;
    }
  }
}

/// A response by datagram that comes after its batch.
class LateDatagram final : public Reply {
 public:
  LateDatagram(std::shared_ptr<Mailbox> mailbox, std::shared_ptr<FileDescriptor> fd, const SocketAddress& client,
               const SocketAddress& sender, const msghdr& header)
      : mailbox_(std::move(mailbox)), fd_(std::move(fd)), client_(client), sender_(sender) {
    if (header.msg_controllen > 0) {
      const auto* octets = static_cast<const uint8_t*>(header.msg_control);
      control_.assign(octets, octets + header.msg_controllen);
    }
  }

  // A datagram is sent with one system call on a socket that any thread may use, so no other thread is needed.
  Written write(ByteView message) override {
    iovec vector{const_cast<uint8_t*>(message.data()), message.size()};
    msghdr header{};
    header.msg_name = sender_.data();
    header.msg_namelen = sender_.size();
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control_.empty() ? nullptr : control_.data();
    header.msg_controllen = control_.size();
    const auto sent = sendmsg(fd_->get(), &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? Written::Closed : Written::Queued;
  }
  void when_writable(std::function<void()> resume) override { post(std::move(resume)); }
  void post(std::function<void()> task) override { mailbox_->post(std::move(task)); }
  [[nodiscard]] const SocketAddress& client() const override { return client_; }

 private:
  std::shared_ptr<Mailbox> mailbox_;
  std::shared_ptr<FileDescriptor> fd_;
  SocketAddress client_;
  SocketAddress sender_;  ///< the client, or its proxy
  Bytes control_;
};

}  // namespace

UdpBatch::UdpBatch()
    : requests_(std::make_unique<uint8_t[]>(batch_size * request_stride)),
      responses_(std::make_unique<uint8_t[]>(batch_size * response_stride)),
      in_vectors_{},
      out_vectors_{},
      in_{},
      out_{},
      slots_{} {
  for (size_t slot = 0; slot < batch_size; ++slot) {
    in_vectors_[slot] = {request(slot), udp_message_size};
    msghdr& header = in_[slot].msg_hdr;
    header.msg_name = clients_[slot].data();
    header.msg_namelen = SocketAddress::capacity();
    header.msg_iov = &in_vectors_[slot];
    header.msg_iovlen = 1;
    out_[slot].msg_hdr.msg_iov = &out_vectors_[slot];
    out_[slot].msg_hdr.msg_iovlen = 1;
  }
}

UdpPort::UdpPort(Loop& loop, Listener listener, UdpBatch& batch, Responder& responder, WorkerCounters& counters,
                 std::vector<AddressBlock> proxies)
    : batch_(batch),
      responder_(responder),
      counters_(counters),
      mailbox_(loop.mailbox()),
      address_(listener.address),
      wildcard_(listener.address.is_wildcard()),
      proxies_(std::move(proxies)),
      fd_(std::make_shared<FileDescriptor>(std::move(listener.fd))) {}

Result<std::unique_ptr<UdpPort>> UdpPort::open(Loop& loop, Listener listener, UdpBatch& batch, Responder& responder,
                                               WorkerCounters& counters, std::vector<AddressBlock> proxies) {
  std::unique_ptr<UdpPort> port(new UdpPort(loop, std::move(listener), batch, responder, counters, std::move(proxies)));
  auto watch = FdWatch::open(loop, port->fd_->get(), *port);
  if (!watch) return fail("listen " + port->address_.to_text(), watch.error());
  port->watch_ = std::move(*watch);
  port->watch_->want(Ready::Read);
  return port;
}

void UdpPort::on_ready(Ready) {
  for (int round = 0; round < most_batches; ++round) {
    const size_t received = receive();
    if (received == 0) return;
    if (const size_t exchanges = collect(received); exchanges > 0) {
      responder_.answer({batch_.exchanges_.data(), exchanges});
      send(exchanges);
    }
    rearm(received);
    // A batch that was not full emptied the socket: what comes meanwhile wakes us again.
    if (received < batch_size) return;
  }
}

size_t UdpPort::receive() {
  if (wildcard_)
    for (size_t slot = 0; slot < batch_size; ++slot) {
      batch_.in_[slot].msg_hdr.msg_control = batch_.controls_[slot].octets.data();
      batch_.in_[slot].msg_hdr.msg_controllen = UdpBatch::control_size;
    }
  const int received = recvmmsg(fd_->get(), batch_.in_.data(), batch_size, MSG_DONTWAIT, nullptr);
  if (received <= 0) return 0;  // EAGAIN, EINTR, or an ICMP error of somebody's: nothing that we could do about it
  counters_.udp_batches.add();
  return static_cast<size_t>(received);
}

size_t UdpPort::collect(size_t received) {
  size_t made = 0;
  uint64_t octets = 0;
  for (size_t slot = 0; slot < received; ++slot) {
    mmsghdr& message = batch_.in_[slot];
    if ((message.msg_hdr.msg_flags & MSG_TRUNC) != 0) {
      counters_.udp_truncated.add();
      continue;
    }
    // Nobody listens on port 0: such a query is forged, to make two servers talk or a firewall stumble.
    if (batch_.clients_[slot].port() == 0) {
      counters_.udp_bad_source.add();
      continue;
    }
    ByteView request{batch_.request(slot), message.msg_len};
    const SocketAddress* client = &batch_.clients_[slot];
    if (!proxies_.empty() && is_listed(proxies_, *client)) {
      if (!unwrap(slot, request)) {
        counters_.udp_bad_proxy.add();
        continue;
      }
      client = &batch_.proxied_[slot];
    }
    if (wildcard_) read_local(message.msg_hdr, batch_.locals_[slot], address_.port());
    octets += message.msg_len;
    batch_.slots_[made] = static_cast<uint8_t>(slot);
    batch_.exchanges_[made++] = {.request = request,
                                 .room = {batch_.response(slot), udp_message_size},
                                 .transport = Transport::Udp,
                                 .client = client,
                                 .local = wildcard_ ? &batch_.locals_[slot] : &address_,
                                 .source = this};
  }
  counters_.udp_queries.add(made);
  counters_.udp_query_bytes.add(octets);
  return made;
}

bool UdpPort::unwrap(size_t slot, ByteView& request) {
  const ProxyHeader header = parse_proxy_header(request);
  switch (header.outcome) {
    case ProxyHeader::Outcome::Proxied: batch_.proxied_[slot] = header.source; break;
    case ProxyHeader::Outcome::Local: batch_.proxied_[slot] = batch_.clients_[slot]; break;
    case ProxyHeader::Outcome::Incomplete:  // a datagram has no second part
    case ProxyHeader::Outcome::Broken: return false;
  }
  request = request.subspan(header.size);
  return true;
}

void UdpPort::send(size_t exchanges) {
  size_t messages = 0;
  for (size_t i = 0; i < exchanges; ++i) {
    const Exchange& exchange = batch_.exchanges_[i];
    if (exchange.response_size == 0 || exchange.room.empty()) continue;  // no response, or a deferred one
    const msghdr& asked = batch_.in_[batch_.slots_[i]].msg_hdr;
    batch_.out_vectors_[messages] = {exchange.room.data(), exchange.response_size};
    msghdr& header = batch_.out_[messages++].msg_hdr;
    header.msg_name = asked.msg_name;
    header.msg_namelen = asked.msg_namelen;
    header.msg_control = wildcard_ ? asked.msg_control : nullptr;
    header.msg_controllen = wildcard_ ? asked.msg_controllen : 0;
  }
  if (messages > 0) transmit(messages);
}

void UdpPort::rearm(size_t received) {
  for (size_t slot = 0; slot < received; ++slot) {
    msghdr& header = batch_.in_[slot].msg_hdr;
    header.msg_namelen = SocketAddress::capacity();
    header.msg_control = nullptr;
    header.msg_controllen = 0;
  }
}

void UdpPort::transmit(size_t messages) {
  size_t at = 0;
  uint64_t octets = 0;
  uint64_t dropped = 0;
  bool retried = false;
  while (at < messages) {
    const int sent =
        sendmmsg(fd_->get(), &batch_.out_[at], static_cast<unsigned>(messages - at), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      for (const size_t end = at + static_cast<size_t>(sent); at < end; ++at) octets += batch_.out_vectors_[at].iov_len;
      continue;
    }
    const bool no_room = errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM;
    // A full send buffer is tried once more; then the rest is dropped, as a network would: waiting helps nobody else.
    if ((no_room || errno == EINTR) && !retried) {
      retried = true;
      continue;
    }
    const size_t lost = no_room ? messages - at : 1;  // any other error is the first message's own: no route, no peer
    dropped += lost;
    at += lost;
  }
  counters_.udp_answers.add(messages - dropped);
  counters_.udp_answer_bytes.add(octets);
  if (dropped > 0) counters_.udp_send_dropped.add(dropped);
}

std::unique_ptr<Reply> UdpPort::defer(const Exchange& exchange) {
  const auto index = static_cast<size_t>(&exchange - batch_.exchanges_.data());
  batch_.exchanges_[index].room = {};  // marks it: see send()
  const size_t slot = batch_.slots_[index];
  return std::make_unique<LateDatagram>(mailbox_, fd_, *exchange.client, batch_.clients_[slot],
                                        batch_.in_[slot].msg_hdr);
}

}  // namespace steward::net
