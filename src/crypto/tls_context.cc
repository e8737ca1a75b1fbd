#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/address.hh"
#include "crypto/tls_state.hh"
#include "dns/encoding.hh"

namespace steward::crypto {
namespace {

// AES-128 first: it is the fastest with the processor's help, and RFC 8446 §9.1 has everybody know it. A client whose
// first choice is ChaCha20 has no such help and gets that.
constexpr const char* cipher_suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr int most_chain = 8;                           // certificates between a peer's and its authority
constexpr long most_chain_octets = 64 * 1024;           // what a peer may send as its chain
constexpr size_t client_read_buffer = 256 * 1024;       // a transfer comes with one recv(2) for many records
constexpr unsigned char session_context[] = "steward";  // tickets are taken only where they were given

using FileHandle = Handle<std::FILE, std::fclose>;

/// What a file was when it was read.
struct Stamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = -1;
  int64_t modified = 0;
  mode_t mode = 0;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

Stamp stamp_of(const std::string& path) {
  struct stat status {};
  if (path.empty() || ::stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, status.st_size,
          int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec, status.st_mode};
}

/// OpenSSL's own messages for a missing file name neither it nor the reason.
Result<void> check_readable(const std::string& path) {
  struct stat status {};
  const FileHandle file(std::fopen(path.c_str(), "re"));
  if (!file || ::fstat(fileno(file.get()), &status) != 0) {
    const int error = errno;
    return fail(error == ENOENT ? Errc::NotFound : Errc::Io, path + ": " + std::strerror(error));
  }
  if (!S_ISREG(status.st_mode)) return fail(Errc::Io, path + ": not a regular file");
  return {};
}

/// A key with a passphrase is refused: nobody is there to type it.
int no_passphrase(char*, int, int, void*) { return -1; }

Result<void> load_own(SSL_CTX* context, const std::string& certificate, const std::string& key) {
  if (auto readable = check_readable(certificate); !readable) return readable;
  if (auto readable = check_readable(key); !readable) return readable;
  ERR_clear_error();
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
    return fail(Errc::Invalid, certificate + ": no certificate chain in PEM: " + openssl_reason());
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const bool other = ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH;
    std::string reason = openssl_reason();
    if (other) return fail(Errc::Invalid, key + ": not the key of the certificate in " + certificate);
    return fail(Errc::Invalid, key + ": no private key in PEM without a passphrase: " + reason);
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return fail(Errc::Invalid, key + ": not the key of the certificate in " + certificate);
  }
  return {};
}

Result<void> load_authorities(SSL_CTX* context, const std::string& file) {
  ERR_clear_error();
  if (file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) == 1) return {};
    return fail(Errc::Io, "the system's certificate authorities: " + openssl_reason());
  }
  if (auto readable = check_readable(file); !readable) return readable;
  if (SSL_CTX_load_verify_file(context, file.c_str()) != 1)
    return fail(Errc::Invalid, file + ": no certificates in PEM: " + openssl_reason());
  return {};
}

SslCtxHandle new_context(const SSL_METHOD* method) {
  SslCtxHandle context(SSL_CTX_new(method));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(context.get(), cipher_suites) != 1)
    return nullptr;
  SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                         SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_verify_depth(context.get(), most_chain);
  SSL_CTX_set_max_cert_list(context.get(), most_chain_octets);
  SSL_CTX_set_max_early_data(context.get(), 0);
  SSL_CTX_set_recv_max_early_data(context.get(), 0);
  return context;
}

/// RFC 7301 §3.1: one name with its length before it.
std::string alpn_list(std::string_view protocol) { return static_cast<char>(protocol.size()) + std::string(protocol); }

UnixTime time_or_epoch(const ASN1_TIME* time) {
  struct tm parts {};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return unix_time(::timegm(&parts));
}

}  // namespace

struct TlsServerContext::Loaded {
  TlsServerOptions options;
  std::string alpn;  ///< as ALPN has it on the wire
  SslCtxHandle context;
  std::array<Stamp, 3> stamps;
  UnixTime not_before{};
  UnixTime not_after{};
  std::string pin;

  [[nodiscard]] std::array<Stamp, 3> stamps_now() const {
    return {stamp_of(options.certificate), stamp_of(options.key), stamp_of(options.client_ca)};
  }
  [[nodiscard]] bool keeps_shown() const {
    return !options.registries.empty() && !options.require_client_certificate;
  }
  static Result<std::shared_ptr<const Loaded>> load(TlsServerOptions options);
  Result<void> set_up();
};

namespace {

/// RFC 7301 §3.2: a client that offers protocols but none of ours is told so with a fatal alert.
int select_alpn(SSL*, const unsigned char** selected, unsigned char* length, const unsigned char* offered,
                unsigned offered_length, void* ours) {
  const auto& list = *static_cast<const std::string*>(ours);
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, length, reinterpret_cast<const unsigned char*>(list.data()),
                            static_cast<unsigned>(list.size()), offered, offered_length) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *selected = found;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<std::shared_ptr<const TlsServerContext::Loaded>> TlsServerContext::Loaded::load(TlsServerOptions options) {
  auto fresh = std::make_shared<Loaded>();
  fresh->options = std::move(options);
  fresh->alpn = alpn_list(fresh->options.alpn);
  // Before the files are read: one that changes meanwhile is seen to have changed.
  fresh->stamps = fresh->stamps_now();
  fresh->context = new_context(TLS_server_method());
  if (!fresh->context) return fail(Errc::Unsupported, "TLS 1.3: " + openssl_reason());
  if (auto done = fresh->set_up(); !done) return tl::unexpected(done.error());
  return std::shared_ptr<const Loaded>(std::move(fresh));
}

Result<void> TlsServerContext::Loaded::set_up() {
  SSL_CTX* ctx = context.get();
  if (auto loaded = load_own(ctx, options.certificate, options.key); !loaded) return loaded;
  const X509* own = SSL_CTX_get0_certificate(ctx);
  not_before = time_or_epoch(X509_get0_notBefore(own));
  not_after = time_or_epoch(X509_get0_notAfter(own));
  pin = spki_pin_of(own);
  SSL_CTX_set_alpn_select_cb(ctx, select_alpn, &alpn);
  // Tickets hold all of the session (RFC 8446 §4.6.1): nothing is kept here. Their key is drawn with each context, so
  // that a ticket given under other authorities of clients is worth nothing.
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(ctx, session_context, sizeof session_context);
  SSL_CTX_set_num_tickets(ctx, 1);
  if (keeps_shown()) SSL_CTX_set_cert_verify_callback(ctx, take_registries, &options);
  if (options.client_ca.empty()) {
    if (keeps_shown()) SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
    if (options.require_client_certificate)
      return fail(Errc::Invalid, "client certificates are required, but there is no file of their authorities");
    return {};
  }
  if (auto loaded = load_authorities(ctx, options.client_ca); !loaded) return loaded;
  SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(options.client_ca.c_str()));
  ERR_clear_error();
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | (options.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
  return {};
}

Result<std::shared_ptr<TlsServerContext>> TlsServerContext::open(TlsServerOptions options) {
  std::shared_ptr<TlsServerContext> context(new TlsServerContext);
  if (auto loaded = context->reload(std::move(options)); !loaded) return tl::unexpected(loaded.error());
  return context;
}

std::shared_ptr<TlsServerContext> TlsServerContext::open_later(TlsServerOptions options) {
  std::shared_ptr<TlsServerContext> context(new TlsServerContext);
  auto later = std::make_shared<Loaded>();
  later->options = std::move(options);
  context->loaded_ = std::move(later);
  return context;
}

TlsServerContext::~TlsServerContext() = default;

std::shared_ptr<const TlsServerContext::Loaded> TlsServerContext::loaded() const {
  const std::lock_guard lock(mutex_);
  return loaded_;
}

Result<void> TlsServerContext::reload() { return reload(options()); }

Result<void> TlsServerContext::reload(TlsServerOptions options) {
  auto fresh = Loaded::load(std::move(options));
  if (!fresh) return tl::unexpected(fresh.error());
  const std::lock_guard lock(mutex_);
  loaded_ = std::move(*fresh);
  return {};
}

bool TlsServerContext::files_changed() const {
  const auto now = loaded();
  return now->stamps_now() != now->stamps;
}

TlsServerOptions TlsServerContext::options() const { return loaded()->options; }
UnixTime TlsServerContext::not_after() const { return loaded()->not_after; }
std::string TlsServerContext::spki_pin() const { return loaded()->pin; }

std::vector<std::string> TlsServerContext::warnings(UnixTime now) const {
  const auto in_force = loaded();
  std::vector<std::string> all;
  if ((in_force->stamps[1].mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0)
    all.push_back(in_force->options.key + ": others may read or change the key; expected mode 0640 or less");
  if (now >= in_force->not_after) all.push_back(in_force->options.certificate + ": the certificate is out of date");
  if (now < in_force->not_before) all.push_back(in_force->options.certificate + ": the certificate is not valid yet");
  return all;
}

Result<TlsSession> TlsServerContext::accept(int fd) const {
  const auto in_force = loaded();
  if (!in_force->context) return fail(Errc::NotFound, in_force->options.certificate + ": is not there yet");
  SslHandle ssl(SSL_new(in_force->context.get()));
  if (!ssl) return fail(Errc::Full, "TLS session: " + openssl_reason());
  SSL_set_accept_state(ssl.get());
  auto state = TlsState::make(std::move(ssl), fd);
  if (!state) return fail(Errc::Full, "TLS session: " + openssl_reason());
  state->verifies = !in_force->options.client_ca.empty();
  state->keeps_shown = in_force->keeps_shown();
  state->owner = in_force;
  return TlsSession(std::move(state));
}

struct TlsClientContext::Loaded {
  SslCtxHandle context;
  std::string name;  ///< without a final dot
  bool name_is_address = false;
};

namespace {

Result<void> check_options(const TlsClientOptions& options) {
  if (options.verify == TlsClientOptions::Verify::Registry && (options.name.empty() || options.root.empty()))
    return fail(Errc::Invalid, "TLS to a registry needs its zone and the root's certificate");
  if (options.verify == TlsClientOptions::Verify::Authority && options.name.empty())
    return fail(Errc::Invalid, "TLS to a server by its certificate's authority needs the server's name");
  if (options.verify == TlsClientOptions::Verify::Pin && options.pins.empty())
    return fail(Errc::Invalid, "TLS by pin needs a pin");
  for (const std::string& pin : options.pins)
    if (const auto digest = dns::decode(dns::base64, pin); !digest || digest->size() != 32)
      return fail(Errc::Invalid, "pin '" + pin + "': expected 44 characters of base64, a SHA-256 digest");
  if (options.certificate.empty() != options.key.empty())
    return fail(Errc::Invalid, "a certificate and its key are given together or not at all");
  return {};
}

}  // namespace

TlsClientContext::~TlsClientContext() = default;

Result<std::shared_ptr<const TlsClientContext>> TlsClientContext::open(TlsClientOptions options) {
  if (auto checked = check_options(options); !checked) return tl::unexpected(checked.error());
  std::shared_ptr<TlsClientContext> client(new TlsClientContext);
  client->options_ = std::move(options);
  client->loaded_ = std::make_unique<Loaded>();
  Loaded& loaded = *client->loaded_;
  const TlsClientOptions& rules = client->options_;
  loaded.context = new_context(TLS_client_method());
  if (!loaded.context) return fail(Errc::Unsupported, "TLS 1.3: " + openssl_reason());
  SSL_CTX* ctx = loaded.context.get();
  SSL_CTX_set_default_read_buffer_len(ctx, client_read_buffer);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  const std::string alpn = alpn_list("dot");
  if (SSL_CTX_set_alpn_protos(ctx, reinterpret_cast<const unsigned char*>(alpn.data()),
                              static_cast<unsigned>(alpn.size())) != 0)
    return fail(Errc::Unsupported, "ALPN: " + openssl_reason());
  loaded.name = rules.name;
  if (loaded.name.ends_with('.')) loaded.name.pop_back();
  loaded.name_is_address =
      SocketAddress::from_text(loaded.name).has_value() && loaded.name.find('@') == std::string::npos;
  if (!rules.certificate.empty())
    if (auto own = load_own(ctx, rules.certificate, rules.key); !own) return tl::unexpected(own.error());
  switch (rules.verify) {
    case TlsClientOptions::Verify::Authority:
      if (auto read = load_authorities(ctx, rules.authorities); !read) return tl::unexpected(read.error());
      SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
      break;
    case TlsClientOptions::Verify::Pin:
      SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
      SSL_CTX_set_cert_verify_callback(ctx, verify_pin, &client->options_.pins);
      break;
    case TlsClientOptions::Verify::Registry:
      SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
      SSL_CTX_set_cert_verify_callback(ctx, verify_registry, &client->options_);
      break;
    case TlsClientOptions::Verify::Nobody: SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, nullptr); break;
  }
  return std::shared_ptr<const TlsClientContext>(std::move(client));
}

Result<TlsSession> TlsClientContext::connect(int fd) const {
  SslHandle ssl(SSL_new(loaded_->context.get()));
  if (!ssl) return fail(Errc::Full, "TLS session: " + openssl_reason());
  SSL_set_connect_state(ssl.get());
  const std::string& name = loaded_->name;
  // RFC 6066 §3: a literal address is no server name.
  if (!name.empty() && !loaded_->name_is_address && SSL_set_tlsext_host_name(ssl.get(), name.c_str()) != 1)
    return fail(Errc::Invalid, "server name " + name + ": " + openssl_reason());
  if (options_.verify == TlsClientOptions::Verify::Authority) {
    // RFC 8310 §8.1: only the subjectAltName counts, not the subject; a wildcard is a whole label.
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    X509_VERIFY_PARAM* rules = SSL_get0_param(ssl.get());
    const int set = loaded_->name_is_address ? X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str())
                                             : X509_VERIFY_PARAM_set1_host(rules, name.data(), name.size());
    if (set != 1) return fail(Errc::Invalid, "server name " + name + ": " + openssl_reason());
  }
  auto state = TlsState::make(std::move(ssl), fd);
  if (!state) return fail(Errc::Full, "TLS session: " + openssl_reason());
  state->verifies = options_.verify != TlsClientOptions::Verify::Nobody;
  state->require_alpn = options_.require_alpn;
  state->keeps_shown = options_.verify == TlsClientOptions::Verify::Registry;
  return TlsSession(std::move(state));
}

}  // namespace steward::crypto
