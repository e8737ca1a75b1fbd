// xfr-sink: takes a zone by AXFR as fast as it comes and throws it away, over TCP or TLS 1.3.
//
// The end is known without parsing: the message that ends with the numbers of the first message's SOA (RFC 5936 §2.2).
// What is measured is then the server, not the client.
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstdio>
#include <cstring>
#include <memory>

#include "loopback.hh"

namespace steward::bench {
namespace {

constexpr size_t kRoom = size_t{1} << 20;
constexpr size_t kSoaNumbers = 20;  ///< octets of serial, refresh, retry, expire and minimum, which end an SOA

struct Settings {
  uint64_t port = 53;
  std::string zone;
  bool tls = false;
  uint64_t sleep_us = 0;  ///< after each read: a slow reader
};

struct Totals {
  uint64_t octets = 0, messages = 0, records = 0;
  double first = 0, seconds = 0;
};

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSession {
  void operator()(SSL* session) const { SSL_free(session); }
};

/// A connection, encrypted or not. Blocks.
class Stream {
 public:
  explicit Stream(const Settings& set) : socket_(connect_loopback(SOCK_STREAM, set.port)) {
    if (!set.tls) return;
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION);
    SSL_CTX_set_read_ahead(context_.get(), 1);
    SSL_CTX_set_default_read_buffer_len(context_.get(), size_t{1} << 18);
    static constexpr unsigned char kAlpn[] = {3, 'd', 'o', 't'};  // RFC 9103 §7.1
    SSL_CTX_set_alpn_protos(context_.get(), kAlpn, sizeof kAlpn);
    session_.reset(SSL_new(context_.get()));
    SSL_set_fd(session_.get(), socket_.fd());
    if (SSL_connect(session_.get()) != 1) throw std::runtime_error("no TLS 1.3 with the server");
  }
  void send(std::string_view octets) {
    const auto sent = session_ ? SSL_write(session_.get(), octets.data(), static_cast<int>(octets.size()))
                               : ::send(socket_.fd(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(octets.size())) throw std::runtime_error("cannot send");
  }
  /// Zero at the end.
  size_t receive(char* into, size_t room) {
    const auto got =
        session_ ? SSL_read(session_.get(), into, static_cast<int>(room)) : ::recv(socket_.fd(), into, room, 0);
    return got > 0 ? static_cast<size_t>(got) : 0;
  }

 private:
  Socket socket_;
  std::unique_ptr<SSL_CTX, FreeContext> context_;
  std::unique_ptr<SSL, FreeSession> session_;
};

/// Follows the messages of one transfer.
class Transfer {
 public:
  /// True at the last message.
  bool take(std::string_view message) {
    if (message.size() < 12 + kSoaNumbers) throw std::runtime_error("a message that is too short");
    if ((get_u16(message, 2) & 15U) != 0)
      throw std::runtime_error("RCODE " + std::to_string(get_u16(message, 2) & 15U) + " in message " +
                               std::to_string(totals.messages + 1));
    const unsigned records = get_u16(message, 6);
    totals.records += records;
    const bool is_first = totals.messages++ == 0;
    if (is_first) find_soa(message);
    const std::string_view end = message.substr(message.size() - kSoaNumbers);
    return end == soa_ && !(is_first && records == 1);
  }
  Totals totals;

 private:
  void find_soa(std::string_view message) {
    size_t at = skip_name(message, 12) + 4;
    at = skip_name(message, at);
    if (message.size() < at + 10 || get_u16(message, at) != 6) throw std::runtime_error("the first record is no SOA");
    const size_t end = at + 10 + get_u16(message, at + 8);
    if (message.size() < end || end < kSoaNumbers) throw std::runtime_error("an SOA that is cut short");
    soa_ = message.substr(end - kSoaNumbers, kSoaNumbers);
  }
  static size_t skip_name(std::string_view message, size_t at) {
    while (at < message.size() && message[at] != 0) {
      const auto size = static_cast<uint8_t>(message[at]);
      if (size >= 0xc0) return at + 2;
      at += size + size_t{1};
    }
    return at + 1;
  }
  std::string soa_;
};

Totals run(const Settings& set) {
  const auto began = Clock::now();
  Stream stream(set);
  const std::string query = question_message(0x4141, 0, wire_name(set.zone), 252);
  std::string framed;
  put_u16(framed, static_cast<unsigned>(query.size()));
  stream.send(framed + query);

  Transfer transfer;
  const std::unique_ptr<char[]> room(new char[kRoom]);
  size_t held = 0;
  for (bool done = false; !done;) {
    const size_t got = stream.receive(room.get() + held, kRoom - held);
    if (got == 0)
      throw std::runtime_error("the stream ended before the transfer, after " + std::to_string(transfer.totals.octets) +
                               " octets");
    if (transfer.totals.octets == 0) transfer.totals.first = seconds_since(began);
    transfer.totals.octets += got;
    held += got;
    std::string_view rest(room.get(), held);
    while (!done && rest.size() >= 2 && rest.size() - 2 >= get_u16(rest, 0)) {
      done = transfer.take(rest.substr(2, get_u16(rest, 0)));
      rest.remove_prefix(2 + get_u16(rest, 0));
    }
    held = rest.size();
    std::memmove(room.get(), rest.data(), held);
    if (set.sleep_us > 0) ::usleep(static_cast<useconds_t>(set.sleep_us));
  }
  transfer.totals.seconds = seconds_since(began);
  return transfer.totals;
}

constexpr const char* kUsage =
    "usage: xfr-sink --port PORT --zone NAME [--tls] [--sleep-us N]\n"
    "Takes the zone by AXFR from 127.0.0.1 and prints what came, as JSON. --tls encrypts and verifies nobody.\n";

}  // namespace
}  // namespace steward::bench

int main(int argc, char** argv) {
  using namespace steward::bench;
  Settings set;
  const Option options[] = {{.name = "--port", .number = &set.port},
                            {.name = "--zone", .text = &set.zone},
                            {.name = "--sleep-us", .number = &set.sleep_us},
                            {.name = "--tls", .flag = &set.tls}};
  if (!parse_options(argc, argv, options) || set.zone.empty()) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try {
    const Totals totals = run(set);
    std::printf("{\"octets\": %llu, \"messages\": %llu, \"records\": %llu, \"first\": %.6f, \"seconds\": %.6f}\n",
                static_cast<unsigned long long>(totals.octets), static_cast<unsigned long long>(totals.messages),
                static_cast<unsigned long long>(totals.records), totals.first, totals.seconds);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "xfr-sink: %s\n", error.what());
    return 1;
  }
}
