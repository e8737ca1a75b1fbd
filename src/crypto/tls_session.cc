#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "crypto/tls_state.hh"

namespace steward::crypto {
namespace {

constexpr size_t record_size = SSL3_RT_MAX_PLAIN_LENGTH;  // 16 KiB, RFC 8446 §5.1
constexpr size_t most_a_write = 256 * 1024;
/// A peer has no reason for more key updates than these in so much content; each costs us key derivations and, if it
/// asks for ours, an answer. RFC 8446 §4.6.3 knows no limit.
constexpr unsigned most_key_updates = 32;
constexpr size_t content_for_key_updates = 64 * 1024;

/// Memory for ciphertext on its way, one a thread: sessions that wait hold none.
thread_local Bytes spare_output;

TlsState& state_of(BIO* bio) { return *static_cast<TlsState*>(BIO_get_data(bio)); }

int wire_write(BIO* bio, const char* data, int size) {
  TlsState& state = state_of(bio);
  append(state.out, as_bytes({data, static_cast<size_t>(size)}));
  return size;
}

int wire_read(BIO* bio, char* into, int size) {
  TlsState& state = state_of(bio);
  BIO_clear_retry_flags(bio);
  if (state.failed) return -1;
  const ssize_t got = recv(state.fd, into, static_cast<size_t>(size), MSG_DONTWAIT);
  if (got > 0) return static_cast<int>(got);
  if (got == 0) {
    state.socket_ended = true;
    return 0;
  }
  if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM)
    BIO_set_retry_read(bio);
  else
    state.fail_with(TlsOutcome::Error, std::strerror(errno));
  return -1;
}

long wire_control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return state_of(bio).socket_ended ? 1 : 0;
    default: return 0;
  }
}

BIO_METHOD* wire_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (fresh == nullptr) return fresh;
    BIO_meth_set_write(fresh, wire_write);
    BIO_meth_set_read(fresh, wire_read);
    BIO_meth_set_ctrl(fresh, wire_control);
    BIO_meth_set_create(fresh, [](BIO* bio) {
      BIO_set_init(bio, 1);
      return 1;
    });
    return fresh;
  }();
  return method;
}

/// Sees each message of the handshake protocol, also after the handshake.
void count_messages(int sent, int, int content_type, const void* data, size_t size, SSL*, void* argument) {
  if (sent != 0 || content_type != SSL3_RT_HANDSHAKE || size == 0) return;
  auto& state = *static_cast<TlsState*>(argument);
  if (*static_cast<const uint8_t*>(data) != SSL3_MT_KEY_UPDATE) return;
  if (++state.key_updates > most_key_updates) state.fail_with(TlsOutcome::Error, "too many key updates");
}

}  // namespace

std::unique_ptr<TlsState> TlsState::make(SslHandle ssl, int fd) {
  auto state = std::make_unique<TlsState>();
  BIO* bio = wire_method() != nullptr ? BIO_new(wire_method()) : nullptr;
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, state.get());
  SSL_set_bio(ssl.get(), bio, bio);
  SSL_set_msg_callback(ssl.get(), count_messages);
  SSL_set_msg_callback_arg(ssl.get(), state.get());
  state->ssl = std::move(ssl);
  state->fd = fd;
  return state;
}

TlsOutcome TlsState::fail_with(TlsOutcome outcome, std::string why) {
  if (!failed) {
    failed = outcome;
    error = std::move(why);
  }
  return *failed;
}

TlsOutcome TlsState::fail_or_wait(int result) {
  const int kind = SSL_get_error(ssl.get(), result);
  if (failed) {  // the socket's own reason says more than what SSL makes of it
    ERR_clear_error();
    return *failed;
  }
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return TlsOutcome::Wait;
  if (kind == SSL_ERROR_ZERO_RETURN) return fail_with(TlsOutcome::End, "closed by the peer");
  if (socket_ended) {
    ERR_clear_error();
    return established ? fail_with(TlsOutcome::Truncated, "the connection ended without close_notify")
                       : fail_with(TlsOutcome::Error, "the connection ended within the handshake");
  }
  const long verified = SSL_get_verify_result(ssl.get());
  const unsigned long first = ERR_peek_error();
  std::string why = openssl_reason();
  if (ERR_GET_REASON(first) == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK)
    why = std::string("the peer's certificate: ") + X509_verify_cert_error_string(verified);
  return fail_with(TlsOutcome::Error, std::move(why));
}

void TlsState::count_content(size_t octets) {
  content += octets;
  if (content < content_for_key_updates) return;
  content = 0;
  key_updates = 0;
}

bool TlsState::finish_handshake() {
  established = true;
  const unsigned char* selected = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(ssl.get(), &selected, &length);
  if (require_alpn && length == 0) {
    fail_with(TlsOutcome::Error, "the server did not select the protocol dot (ALPN)");
    return false;
  }
  if (keeps_shown)
    if (auto chain = shown_by(ssl.get()); !chain.empty())
      shown = std::make_shared<const CertificateChain>(std::move(chain));
  if (!verifies || SSL_get_verify_result(ssl.get()) != X509_V_OK) return true;
  if (X509* own = SSL_get0_peer_certificate(ssl.get()); own != nullptr) peer = identity_of(own);
  return true;
}

bool TlsState::encrypt(const uint8_t* octets, size_t size) {
  ERR_clear_error();
  size_t written = 0;
  const int result = SSL_write_ex(ssl.get(), octets, size, &written);
  if (result == 1 && written == size) return true;
  // Our own BIO takes everything, so that there is nothing to wait for.
  if (fail_or_wait(result) == TlsOutcome::Wait) fail_with(TlsOutcome::Error, "a record was not taken");
  return false;
}

TlsSession::TlsSession(std::unique_ptr<TlsState> state) : state_(std::move(state)) {}
TlsSession::TlsSession(TlsSession&&) noexcept = default;
TlsSession& TlsSession::operator=(TlsSession&&) noexcept = default;
TlsSession::~TlsSession() = default;

bool TlsSession::is_established() const { return state_->established; }
size_t TlsSession::unsent() const { return state_->out.size() - state_->out_at; }
bool TlsSession::has_input() const { return state_->maybe_more && !state_->failed; }
const PeerIdentity* TlsSession::peer() const { return state_->peer ? &*state_->peer : nullptr; }
std::shared_ptr<const CertificateChain> TlsSession::shown() const { return state_->shown; }
const std::string& TlsSession::error() const { return state_->error; }

TlsOutcome TlsSession::handshake() {
  if (state_->established) return TlsOutcome::Done;
  if (state_->failed) return *state_->failed;
  ERR_clear_error();
  const int result = SSL_do_handshake(state_->ssl.get());
  TlsOutcome outcome = TlsOutcome::Done;
  if (result == 1)
    outcome = state_->finish_handshake() ? TlsOutcome::Done : TlsOutcome::Error;
  else
    outcome = state_->fail_or_wait(result);
  // An alert that says why we gave up goes out too, if it can.
  const auto before = state_->failed;
  if (unsent() > 0 && flush() == TlsOutcome::Error && !before) return TlsOutcome::Error;
  return outcome;
}

TlsProgress TlsSession::read(MutableByteView into) {
  if (const TlsOutcome ready = handshake(); ready != TlsOutcome::Done) return {ready, 0};
  size_t octets = 0;
  TlsOutcome stopped = TlsOutcome::Done;
  while (octets < into.size()) {
    if (state_->failed) {
      stopped = *state_->failed;
      break;
    }
    ERR_clear_error();
    size_t got = 0;
    const int result = SSL_read_ex(state_->ssl.get(), &into[octets], into.size() - octets, &got);
    if (result != 1) {
      stopped = state_->fail_or_wait(result);
      break;
    }
    octets += got;
    state_->count_content(got);
  }
  state_->maybe_more = stopped == TlsOutcome::Done && SSL_has_pending(state_->ssl.get()) != 0;
  if (unsent() > 0) flush();  // an answer to a key update
  return octets > 0 ? TlsProgress{TlsOutcome::Done, octets} : TlsProgress{stopped, 0};
}

TlsProgress TlsSession::write(std::span<const iovec> pieces) {
  if (const TlsOutcome ready = handshake(); ready != TlsOutcome::Done) return {ready, 0};
  // The peer's close_notify ends its sending only: ours goes on (RFC 8446 §6.1).
  if (state_->failed && *state_->failed != TlsOutcome::End) return {TlsOutcome::Error, 0};
  if (state_->goodbye_said) return {TlsOutcome::Error, 0};
  if (unsent() > 0)
    if (const TlsOutcome flushed = flush(); flushed != TlsOutcome::Done) return {flushed, 0};
  if (state_->out.capacity() == 0) state_->out.swap(spare_output);

  // Small pieces are gathered to whole records; what is long enough is encrypted from where it is.
  thread_local std::array<uint8_t, record_size> gathered;
  size_t held = 0;
  size_t taken = 0;
  for (const iovec& piece : pieces) {
    ByteView rest(static_cast<const uint8_t*>(piece.iov_base), std::min(piece.iov_len, most_a_write - taken));
    taken += rest.size();
    while (!rest.empty()) {
      if (held == 0 && rest.size() >= record_size) {
        const size_t whole = rest.size() / record_size * record_size;
        if (!state_->encrypt(rest.data(), whole)) return {TlsOutcome::Error, 0};
        rest = rest.subspan(whole);
        continue;
      }
      const size_t part = std::min(rest.size(), record_size - held);
      std::memcpy(gathered.data() + held, rest.data(), part);
      held += part;
      rest = rest.subspan(part);
      if (held < record_size) continue;
      if (!state_->encrypt(gathered.data(), held)) return {TlsOutcome::Error, 0};
      held = 0;
    }
    if (taken == most_a_write) break;
  }
  if (held > 0 && !state_->encrypt(gathered.data(), held)) return {TlsOutcome::Error, 0};
  if (flush() == TlsOutcome::Error) return {TlsOutcome::Error, 0};
  return {TlsOutcome::Done, taken};
}

TlsOutcome TlsSession::flush() {
  while (unsent() > 0) {
    const ssize_t sent = send(state_->fd, &state_->out[state_->out_at], unsent(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      state_->out_at += static_cast<size_t>(sent);
      continue;
    }
    if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM || errno == ENOTCONN)
      return TlsOutcome::Wait;
    const int error = errno;
    Bytes().swap(state_->out);
    state_->out_at = 0;
    // What the peer sent before its reset may still say more: reading goes on until it fails by itself.
    if (state_->established && !state_->failed) state_->goodbye_said = true;
    if (state_->error.empty()) state_->error = std::strerror(error);
    return TlsOutcome::Error;
  }
  state_->out_at = 0;
  state_->out.clear();
  if (spare_output.capacity() == 0)
    spare_output.swap(state_->out);
  else
    Bytes().swap(state_->out);
  return TlsOutcome::Done;
}

void TlsSession::close_notify() {
  const bool writable = !state_->failed || *state_->failed == TlsOutcome::End;
  if (!state_->established || state_->goodbye_said || !writable) return;
  state_->goodbye_said = true;
  ERR_clear_error();
  SSL_shutdown(state_->ssl.get());
  ERR_clear_error();
  flush();
}

std::string TlsSession::alpn() const {
  const unsigned char* selected = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(state_->ssl.get(), &selected, &length);
  return std::string(as_text({selected, length}));
}

std::string TlsSession::description() const {
  SSL* ssl = state_->ssl.get();
  std::string text = std::string(SSL_get_version(ssl)) + " " + SSL_get_cipher_name(ssl);
  if (const std::string protocol = alpn(); !protocol.empty()) text += " " + protocol;
  if (SSL_session_reused(ssl) != 0) text += " resumed";
  return text;
}

}  // namespace steward::crypto
