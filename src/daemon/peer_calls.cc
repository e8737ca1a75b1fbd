#include "daemon/peer_calls.hh"

namespace steward::daemon {

void PeerCalls::configure(std::shared_ptr<const auth::Keyring> keys, std::vector<SocketAddress> outgoing) {
  keys_ = std::move(keys);
  outgoing_ = std::move(outgoing);
  contexts_.clear();
}

std::optional<SocketAddress> PeerCalls::source_for(const SocketAddress& peer) const {
  for (const SocketAddress& own : outgoing_)
    // From loopback only this machine is reached.
    if (own.family() == peer.family() && (!own.is_loopback() || peer.is_loopback())) return own;
  return std::nullopt;
}

Result<std::unique_ptr<auth::TsigVerifier>> PeerCalls::sign(Bytes& message, const config::Peer& peer) const {
  if (peer.tls && peer.tls->registry) {
    auto parsed = dns::Message::parse(message);
    if (!parsed) return tl::unexpected<Error>(parsed.error());
    auto octets = registries_.sign ? registries_.sign(*std::move(parsed)) : Result<Bytes>(fail(Errc::NotFound, "there is no registry here"));
    if (!octets) return tl::unexpected<Error>(octets.error());
    message = *std::move(octets);
    return std::unique_ptr<auth::TsigVerifier>{};
  }
  if (!peer.key) return std::unique_ptr<auth::TsigVerifier>{};
  const auth::TsigKey* key = keys_ ? keys_->find(*peer.key) : nullptr;
  if (key == nullptr) return fail(Errc::NotFound, "no TSIG key " + peer.key->to_text());
  auto verifier = auth::sign_request(message, *key, clock_.now());
  if (!verifier) return tl::unexpected<Error>(verifier.error());
  return std::make_unique<auth::TsigVerifier>(std::move(*verifier));
}

Result<std::shared_ptr<const crypto::TlsClientContext>> PeerCalls::tls_of(const config::PeerTls& tls) {
  if (tls.registry) {
    // Each time anew: certificates and keys change, and with time what is good.
    auto options = registries_.tls ? registries_.tls(*tls.registry) : Result<crypto::TlsClientOptions>(fail(Errc::NotFound, "there is no registry here"));
    if (!options) return tl::unexpected<Error>(options.error());
    return crypto::TlsClientContext::open(*std::move(options));
  }
  crypto::TlsClientOptions options;
  using Verify = crypto::TlsClientOptions::Verify;
  options.verify = tls.opportunistic ? Verify::Nobody : !tls.pins.empty() ? Verify::Pin : Verify::Authority;
  options.name = tls.name;
  options.authorities = tls.ca.string();
  options.pins = tls.pins;
  options.certificate = tls.certificate.string();
  options.key = tls.key.string();
  std::string id = options.name + '\n' + options.authorities + '\n' + options.certificate + '\n' + options.key;
  for (const std::string& pin : options.pins) id += '\n' + pin;
  id += tls.opportunistic ? '1' : '0';
  auto& context = contexts_[id];
  if (!context) {
    auto opened = crypto::TlsClientContext::open(options);
    if (!opened) return tl::unexpected<Error>(opened.error());
    context = std::move(*opened);
  }
  return context;
}

Result<std::unique_ptr<net::StreamCall>> PeerCalls::stream(const config::Peer& peer, net::StreamCall::Callbacks callbacks,
                                                           std::chrono::milliseconds idle) {
  net::StreamCall::Options options;
  options.peer = peer.address;
  options.source = source_for(peer.address);
  options.idle = idle;
  if (peer.tls) {
    auto context = tls_of(*peer.tls);
    if (!context) return tl::unexpected<Error>(context.error());
    options.tls = std::move(*context);
  }
  return net::StreamCall::start(loop_, std::move(options), std::move(callbacks));
}

}  // namespace steward::daemon
