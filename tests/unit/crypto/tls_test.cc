#include <doctest/doctest.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "../../support/certificates.hh"
#include "crypto/certificate.hh"
#include "crypto/tls.hh"

using namespace steward;
using namespace steward::crypto;
using steward::testing::certificates;
using Verify = TlsClientOptions::Verify;

namespace {

struct SocketPair {
  SocketPair() { REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0); }
  ~SocketPair() {
    for (const int fd : fds)
      if (fd >= 0) close(fd);
  }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;
  void shut(int which) {
    close(fds[which]);
    fds[which] = -1;
  }
  int fds[2] = {-1, -1};
};

TlsServerOptions server_options() {
  return {.certificate = certificates().path("server.pem"), .key = certificates().path("server.key")};
}
TlsServerOptions mutual_options() {
  TlsServerOptions options = server_options();
  options.client_ca = certificates().path("ca.pem");
  return options;
}
TlsClientOptions client_options(std::string name = "ns1.example") {
  return {.name = std::move(name), .authorities = certificates().path("ca.pem")};
}

/// Both ends in one thread: what one sends the socket holds until the other reads it.
struct Link {
  Link(const TlsServerContext& server_context, const TlsClientContext& client_context)
      : server(*server_context.accept(pair.fds[0])), client(*client_context.connect(pair.fds[1])) {}

  void shake() {
    for (int i = 0; i < 10; ++i) {
      client_outcome = client.handshake();
      server_outcome = server.handshake();
      if (client_outcome != TlsOutcome::Wait && server_outcome != TlsOutcome::Wait) break;
    }
  }
  /// Also what comes behind the handshake: an alert about the client's certificate.
  TlsOutcome client_reads() {
    uint8_t octet[1];
    return client.read(octet).outcome;
  }
  SocketPair pair;
  TlsSession server;
  TlsSession client;
  TlsOutcome client_outcome = TlsOutcome::Wait;
  TlsOutcome server_outcome = TlsOutcome::Wait;
};

struct Shaken : Link {
  Shaken(const TlsServerOptions& s, const TlsClientOptions& c) : Link(**TlsServerContext::open(s), *keep(c)) {
    shake();
  }
  static const TlsClientContext* keep(const TlsClientOptions& options) {
    static std::vector<std::shared_ptr<const TlsClientContext>> all;
    auto context = TlsClientContext::open(options);
    REQUIRE_MESSAGE(context, context.error().what);
    return all.emplace_back(*context).get();
  }
};

iovec piece(const Bytes& octets) { return {const_cast<uint8_t*>(octets.data()), octets.size()}; }

Bytes numbered(size_t size) {
  Bytes out(size);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(i * 131 >> 3);
  return out;
}

}  // namespace

TEST_CASE("tls: 1.3 with the name verified and ALPN dot [RFC 9103 §7.1, RFC 8310 §8.1]") {
  Shaken link(server_options(), client_options());
  CHECK(link.client_outcome == TlsOutcome::Done);
  CHECK(link.server_outcome == TlsOutcome::Done);
  CHECK(link.client.description() == "TLSv1.3 TLS_AES_128_GCM_SHA256 dot");
  CHECK(link.server.alpn() == "dot");
  CHECK(link.server.peer() == nullptr);
  REQUIRE(link.client.peer() != nullptr);
  CHECK(link.client.peer()->names == std::vector<std::string>{"ns1.example"});
  CHECK(link.client.peer()->spki_sha256 == certificates().pin("server"));
}

TEST_CASE("tls: a server whose name, address or authority is another is refused [RFC 8310 §8.1]") {
  for (const char* good : {"ns1.example", "NS1.EXAMPLE.", "127.0.0.1"}) {
    Shaken link(server_options(), client_options(good));
    CHECK_MESSAGE(link.client_outcome == TlsOutcome::Done, good);
  }
  for (const char* bad : {"ns2.example", "example", "server", "127.0.0.2", "::1"}) {
    Shaken link(server_options(), client_options(bad));
    CHECK_MESSAGE(link.client_outcome == TlsOutcome::Error, bad);
    CHECK(link.client.error().find("mismatch") != std::string::npos);
    CHECK(link.server_outcome == TlsOutcome::Error);
  }
  TlsClientOptions other = client_options();
  other.authorities = certificates().path("rogue.pem");
  Shaken link(server_options(), other);
  CHECK(link.client_outcome == TlsOutcome::Error);
  CHECK(link.client.error().starts_with("the peer's certificate: "));
  CHECK(link.client.peer() == nullptr);
}

TEST_CASE("tls: a pin stands for the authority, and must match [RFC 7858 §4.2]") {
  const std::string pin = certificates().pin("server");
  Shaken good(server_options(), {.verify = Verify::Pin, .pins = {certificates().pin("client"), pin}});
  CHECK(good.client_outcome == TlsOutcome::Done);
  REQUIRE(good.client.peer() != nullptr);
  CHECK(good.client.peer()->spki_sha256 == pin);
  Shaken bad(server_options(), {.verify = Verify::Pin, .pins = {certificates().pin("client")}});
  CHECK(bad.client_outcome == TlsOutcome::Error);
}

TEST_CASE("tls: the opportunistic client verifies nobody and says so [RFC 8310 §5]") {
  Shaken link(server_options(), {.verify = Verify::Nobody});
  CHECK(link.client_outcome == TlsOutcome::Done);
  CHECK(link.client.peer() == nullptr);
}

TEST_CASE("tls: client options that do not fit together are refused") {
  CHECK_FALSE(TlsClientContext::open({}));
  CHECK_FALSE(TlsClientContext::open({.verify = Verify::Pin}));
  CHECK_FALSE(TlsClientContext::open({.verify = Verify::Pin, .pins = {"AAAA"}}));
  CHECK_FALSE(TlsClientContext::open({.name = "a", .certificate = "x"}));
  const auto missing = TlsClientContext::open({.name = "a", .authorities = "/nowhere/ca.pem"});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().what == "/nowhere/ca.pem: No such file or directory");
}

TEST_CASE("tls: a client certificate is verified, and its names are known [RFC 9103 §9.3.3]") {
  TlsClientOptions with = client_options();
  with.certificate = certificates().path("client.pem");
  with.key = certificates().path("client.key");
  Shaken shown(mutual_options(), with);
  CHECK(shown.server_outcome == TlsOutcome::Done);
  REQUIRE(shown.server.peer() != nullptr);
  CHECK(shown.server.peer()->names == std::vector<std::string>{"ns2.example", "other.example"});
  CHECK(shown.server.peer()->spki_sha256 == certificates().pin("client"));

  Shaken without(mutual_options(), client_options());
  CHECK(without.server_outcome == TlsOutcome::Done);
  CHECK(without.server.peer() == nullptr);

  with.certificate = certificates().path("stranger.pem");
  with.key = certificates().path("stranger.key");
  Shaken stranger(mutual_options(), with);
  CHECK(stranger.server_outcome == TlsOutcome::Error);
  CHECK(stranger.server.peer() == nullptr);
  CHECK(stranger.client_reads() == TlsOutcome::Error);

  TlsServerOptions required = mutual_options();
  required.require_client_certificate = true;
  Shaken refused(required, client_options());
  CHECK(refused.server_outcome == TlsOutcome::Error);
  CHECK(refused.client_reads() == TlsOutcome::Error);
  CHECK(refused.client.error().find("certificate required") != std::string::npos);
}

TEST_CASE("tls: octets pass whole in both directions, whatever the pieces") {
  Shaken link(server_options(), client_options());
  const Bytes all = numbered(1'000'000);
  size_t written = 0;
  Bytes got;
  Bytes room(65536);
  size_t step = 1;
  while (got.size() < all.size()) {
    // Pieces of 1, 2, … octets, several at once, and now and then a long one.
    std::array<iovec, 8> pieces{};
    size_t at = written;
    for (iovec& one : pieces) {
      const size_t size = std::min(all.size() - at, step % 11 == 0 ? 40'000 : step % 1500);
      one = {const_cast<uint8_t*>(all.data() + at), size};
      at += size;
      ++step;
    }
    const TlsProgress progress = at > written ? link.server.write(pieces) : TlsProgress{link.server.flush(), 0};
    REQUIRE(progress.outcome != TlsOutcome::Error);
    written += progress.octets;
    for (;;) {
      const TlsProgress read = link.client.read(room);
      if (read.outcome != TlsOutcome::Done) break;
      got.insert(got.end(), room.begin(), room.begin() + static_cast<long>(read.octets));
    }
  }
  CHECK(got == all);
}

TEST_CASE("tls: many small pieces fill few records [RFC 8446 §5.1]") {
  Shaken link(server_options(), client_options());
  link.client_reads();  // the ticket
  const Bytes small = numbered(160);
  std::vector<iovec> pieces(100, piece(small));
  CHECK(link.server.write(pieces).octets == 16'000);
  Bytes raw(65536);
  const ssize_t size = recv(link.pair.fds[1], raw.data(), raw.size(), 0);
  // One record: 5 octets of header, 1 of type, 16 of tag.
  CHECK(size == 16'000 + 22);
}

TEST_CASE("tls: a slow reader makes write() wait, and nothing is lost or doubled") {
  Shaken link(server_options(), client_options());
  const Bytes all = numbered(4'000'000);
  size_t written = 0;
  while (written < all.size()) {
    const iovec rest{const_cast<uint8_t*>(all.data() + written), all.size() - written};
    const TlsProgress progress = link.server.write({&rest, 1});
    if (progress.outcome == TlsOutcome::Wait) break;
    REQUIRE(progress.outcome == TlsOutcome::Done);
    CHECK(progress.octets <= 256 * 1024);
    written += progress.octets;
  }
  REQUIRE(written < all.size());
  CHECK(link.server.wants_write());
  Bytes got;
  Bytes room(10'000);
  while (got.size() < written) {
    const TlsProgress read = link.client.read(room);
    if (read.outcome == TlsOutcome::Done)
      got.insert(got.end(), room.begin(), room.begin() + static_cast<long>(read.octets));
    else
      link.server.flush();
  }
  CHECK(std::equal(got.begin(), got.end(), all.begin()));
  CHECK_FALSE(link.server.wants_write());
}

TEST_CASE("tls: an end with close_notify is told apart from a cut [RFC 8446 §6.1]") {
  Shaken ended(server_options(), client_options());
  ended.server.close_notify();
  ended.pair.shut(0);
  CHECK(ended.client_reads() == TlsOutcome::End);
  CHECK(ended.client_reads() == TlsOutcome::End);
  Shaken cut(server_options(), client_options());
  cut.pair.shut(0);
  CHECK(cut.client_reads() == TlsOutcome::Truncated);
}

TEST_CASE("tls: after the peer's close_notify our own answers still go out [RFC 8446 §6.1]") {
  Shaken link(server_options(), client_options());
  link.client.close_notify();
  uint8_t octet[1];
  CHECK(link.server.read(octet).outcome == TlsOutcome::End);
  const Bytes answer = numbered(100);
  const iovec one = piece(answer);
  CHECK(link.server.write({&one, 1}).octets == 100);
  link.server.close_notify();
  Bytes raw(1000);
  CHECK(recv(link.pair.fds[1], raw.data(), raw.size(), 0) > 100);
}

TEST_CASE("tls: what is no TLS fails the handshake, octet by octet too") {
  const auto context = TlsServerContext::open(server_options());
  REQUIRE(context);
  for (const std::string_view garbage :
       {std::string_view("GET / HTTP/1.1\r\n\r\n"),
        std::string_view("\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00", 12),
        std::string_view("\x16\x03\x01\xff\xff", 5), std::string_view("\x15\x03\x03\x00\x02\x02\x28", 7)}) {
    SocketPair pair;
    auto session = *(*context)->accept(pair.fds[0]);
    TlsOutcome outcome = TlsOutcome::Wait;
    for (const char& octet : garbage) {
      REQUIRE(send(pair.fds[1], &octet, 1, 0) == 1);
      outcome = session.handshake();
      if (outcome != TlsOutcome::Wait) break;
    }
    CHECK(outcome == TlsOutcome::Error);
    CHECK_FALSE(session.error().empty());
    uint8_t octet[1];
    CHECK(session.read(octet).outcome == TlsOutcome::Error);
  }
}

TEST_CASE("tls: other octets in the place of a record break the session") {
  Shaken link(server_options(), client_options());
  const Bytes forged = [] {
    Bytes all{0x17, 0x03, 0x03, 0x00, 0x40};
    all.resize(5 + 0x40, 0xAA);
    return all;
  }();
  REQUIRE(send(link.pair.fds[1], forged.data(), forged.size(), 0) > 0);
  uint8_t octet[1];
  CHECK(link.server.read(octet).outcome == TlsOutcome::Error);
}

TEST_CASE("tls: server files that do not fit are refused by name, and what was in force stays") {
  const auto& made = certificates();
  const auto refused = [&](const TlsServerOptions& options, std::string_view file, std::string_view why) {
    const auto context = TlsServerContext::open(options);
    REQUIRE_FALSE(context);
    CHECK_MESSAGE(context.error().what.starts_with(made.path(std::string(file)) + ": "), context.error().what);
    CHECK_MESSAGE(context.error().what.find(why) != std::string::npos, context.error().what);
  };
  refused({.certificate = made.path("none.pem"), .key = made.path("server.key")}, "none.pem", "No such file");
  refused({.certificate = made.path("server.pem"), .key = made.path("none.key")}, "none.key", "No such file");
  refused({.certificate = made.path("server.key"), .key = made.path("server.key")}, "server.key",
          "no certificate chain");
  refused({.certificate = made.path("server.pem"), .key = made.path("server.pem")}, "server.pem", "no private key");
  refused({.certificate = made.path("server.pem"), .key = made.path("client.key")}, "client.key",
          "not the key of the certificate");
  TlsServerOptions no_ca = server_options();
  no_ca.client_ca = made.path("server.key");
  refused(no_ca, "server.key", "no certificates");
  testing::output_of("openssl ec -aes128 -passout pass:x -in " + made.path("server.key") + " -out " +
                     made.path("locked.key"));
  refused({.certificate = made.path("server.pem"), .key = made.path("locked.key")}, "locked.key", "passphrase");
  TlsServerOptions required = server_options();
  required.require_client_certificate = true;
  CHECK_FALSE(TlsServerContext::open(required));

  const auto context = TlsServerContext::open(server_options());
  REQUIRE(context);
  const std::string pin = (*context)->spki_pin();
  CHECK_FALSE((*context)->reload({.certificate = made.path("none.pem"), .key = made.path("none.key")}));
  CHECK((*context)->spki_pin() == pin);
  CHECK((*context)->options().certificate == made.path("server.pem"));
}

TEST_CASE("tls: files that changed are noticed, and sessions of before go on") {
  namespace fs = std::filesystem;
  const auto& made = certificates();
  const TlsServerOptions files{.certificate = made.path("live.pem"), .key = made.path("live.key")};
  fs::copy_file(made.path("server.pem"), files.certificate);
  fs::copy_file(made.path("server.key"), files.key);
  const auto opened = TlsServerContext::open(files);
  REQUIRE(opened);
  TlsServerContext& context = **opened;
  CHECK_FALSE(context.files_changed());
  Link before(context, *Shaken::keep(client_options()));
  before.shake();
  REQUIRE(before.client_outcome == TlsOutcome::Done);

  fs::rename(made.path("server.pem"), made.path("server.old"));
  fs::copy_file(made.path("client.pem"), made.path("new.pem"));
  fs::rename(made.path("new.pem"), files.certificate);
  fs::rename(made.path("server.old"), made.path("server.pem"));
  CHECK(context.files_changed());
  CHECK_FALSE(context.reload());  // the key is still the other's
  CHECK(context.files_changed());
  fs::copy_file(made.path("client.key"), files.key, fs::copy_options::overwrite_existing);
  CHECK(context.reload());
  CHECK_FALSE(context.files_changed());
  CHECK(context.spki_pin() == made.pin("client"));

  Link after(context, *Shaken::keep(client_options("ns2.example")));
  after.shake();
  CHECK(after.client_outcome == TlsOutcome::Done);
  const Bytes text = numbered(10);
  const iovec one = piece(text);
  CHECK(before.server.write({&one, 1}).octets == 10);
  uint8_t room[20];
  CHECK(before.client.read(room).octets == 10);
}

TEST_CASE("tls: a key for all to read and a certificate out of date are worth a warning") {
  const auto& made = certificates();
  const auto context = TlsServerContext::open(server_options());
  REQUIRE(context);
  const UnixTime end = (*context)->not_after();
  CHECK((*context)->warnings(end - Seconds(1)).empty());
  REQUIRE((*context)->warnings(end).size() == 1);
  CHECK((*context)->warnings(end)[0] == made.path("server.pem") + ": the certificate is out of date");
  CHECK((*context)->warnings(end - Seconds(400LL * 86400)).size() == 1);
  REQUIRE(chmod(made.path("server.key").c_str(), 0644) == 0);
  CHECK((*context)->reload());
  CHECK((*context)->warnings(end - Seconds(1)).size() == 1);
  REQUIRE(chmod(made.path("server.key").c_str(), 0600) == 0);
}

TEST_CASE("tls: a flood of key updates is ended, a few are not [RFC 8446 §4.6.3]") {
  for (const int updates : {10, 40}) {
    const auto context = TlsServerContext::open(server_options());
    REQUIRE(context);
    SocketPair pair;
    auto server = *(*context)->accept(pair.fds[0]);
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> rules(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    const std::unique_ptr<SSL, decltype(&SSL_free)> client(SSL_new(rules.get()), SSL_free);
    SSL_set_fd(client.get(), pair.fds[1]);
    for (int i = 0; i < 10 && SSL_connect(client.get()) != 1; ++i) server.handshake();
    server.handshake();
    REQUIRE(server.is_established());
    for (int i = 0; i < updates; ++i) {
      REQUIRE(SSL_key_update(client.get(), SSL_KEY_UPDATE_REQUESTED) == 1);
      REQUIRE(SSL_do_handshake(client.get()) == 1);
    }
    uint8_t room[10];
    const TlsOutcome outcome = server.read(room).outcome;
    if (updates == 10) {
      CHECK(outcome == TlsOutcome::Wait);
      continue;
    }
    CHECK(outcome == TlsOutcome::Error);
    CHECK(server.error() == "too many key updates");
  }
}

TEST_CASE("tls: a server that registries may come to keeps what was shown, and vouches for none of it") {
  TlsServerOptions options = server_options();
  options.registries = "steward.example";
  TlsClientOptions client = client_options();
  client.certificate = certificates().path("client.pem");
  client.key = certificates().path("client.key");
  const Shaken shown(options, client);
  CHECK(shown.server_outcome == TlsOutcome::Done);
  CHECK(shown.server.peer() == nullptr);
  REQUIRE(shown.server.shown() != nullptr);
  // Its own first; the client's library may add what is above it.
  REQUIRE(!shown.server.shown()->empty());
  CHECK(shown.server.shown()->size() <= most_shown_certificates);

  const Shaken bare(options, client_options());
  CHECK(bare.server_outcome == TlsOutcome::Done);
  CHECK(bare.server.shown() == nullptr);

  // With authorities, who is verified is told apart from who is not.
  options.client_ca = certificates().path("ca.pem");
  const Shaken known(options, client);
  CHECK(known.server.peer() != nullptr);
  CHECK(known.server.shown() != nullptr);
  options.client_ca = certificates().path("rogue.pem");
  // A stranger's is refused,
  Shaken rogue(options, client);
  CHECK(rogue.server_outcome == TlsOutcome::Error);
  // unless a registry could show it: one name, at or below the apex.
  for (const auto& [name, names, taken] : {std::tuple("apex", "DNS:steward.example", true),
                                           {"below", "DNS:com.Steward.example", true},
                                           {"beside", "DNS:evilsteward.example", false},
                                           {"two", "DNS:com.steward.example,DNS:org.steward.example", false}}) {
    const std::string file = name;
    CAPTURE(file);
    certificates().make(file, names, "ca");
    client.certificate = certificates().path(file + ".pem");
    client.key = certificates().path(file + ".key");
    const Shaken shaken(options, client);
    CHECK((shaken.server_outcome == TlsOutcome::Done) == taken);
    CHECK(shaken.server.peer() == nullptr);
    if (taken) CHECK(shaken.server.shown() != nullptr);
  }

  // Where one is required, it is one of the authorities'.
  options.require_client_certificate = true;
  Shaken required(options, client);
  CHECK(required.server_outcome == TlsOutcome::Error);
}

TEST_CASE("tls: a registry is believed by the root's certificate, its zone and its key alone") {
  const auto folder = std::filesystem::path(certificates().path("registry"));
  std::filesystem::create_directories(folder);
  const UnixTime now = unix_time(std::time(nullptr));
  const auto name = [](std::string_view text) { return *dns::Name::from_text(text); };
  const auto make_key = [] { return std::move(*KeyPair::generate(Algorithm::ED25519)); };
  const KeyPair root_key = make_key();
  const KeyPair key = make_key();
  const Bytes root = *make_root_certificate({name("s.example."), now}, root_key);
  const Bytes other_root = *make_root_certificate({name("s.example."), now}, key);
  const Bytes end = *issue_certificate({name("com.s.example."), now}, key.public_key(), {root, root_key});
  std::ofstream(folder / "crt") << *certificate_to_pem(end);
  std::ofstream(folder / "key") << *key.pem();
  const TlsServerOptions server{.certificate = (folder / "crt").string(), .key = (folder / "key").string()};
  const auto client = [&](std::string zone, const Bytes& trusted, std::vector<std::string> pins = {}) {
    return TlsClientOptions{
        .verify = Verify::Registry, .name = std::move(zone), .pins = std::move(pins), .root = trusted, .now = now};
  };
  const Shaken good(server, client("com.s.example.", root));
  CHECK_MESSAGE(good.client_outcome == TlsOutcome::Done, good.client.error());
  REQUIRE(good.client.shown() != nullptr);
  CHECK(good.client.shown()->front() == end);
  CHECK(Shaken(server, client("org.s.example.", root)).client_outcome == TlsOutcome::Error);
  CHECK(Shaken(server, client("com.s.example.", other_root)).client_outcome == TlsOutcome::Error);
  CHECK(Shaken(server, client("com.s.example.", root, {certificates().pin("server")})).client_outcome ==
        TlsOutcome::Error);
  CHECK_FALSE(TlsClientContext::open(client("com.s.example.", {})));
}
