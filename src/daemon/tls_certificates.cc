#include "daemon/tls_certificates.hh"

#include <filesystem>

#include "base/log.hh"

namespace steward::daemon {
namespace {

constexpr Seconds between_file_looks{3};

crypto::TlsServerOptions options_of(const config::TlsConfig& tls) {
  return {.certificate = tls.certificate.string(),
          .key = tls.key.string(),
          .client_ca = tls.client_ca.string(),
          .require_client_certificate = tls.require_client_certificate,
          .registries = tls.registries};
}

/// Of registry.identity, where keygen is yet to make it. A file that tls.certificate names has to be there.
bool is_yet_to_come(const config::TlsConfig& tls) {
  std::error_code ignored;
  return !tls.registries.empty() && tls.certificate.string() == tls.key.string() + ".crt" && !std::filesystem::exists(tls.certificate, ignored);
}

}  // namespace

Result<void> TlsCertificates::open(const config::TlsConfig& tls, UnixTime now) {
  if (tls.listen.empty()) return {};
  if (is_yet_to_come(tls)) {
    context_ = crypto::TlsServerContext::open_later(options_of(tls));
    looked_ = now;
    return {};
  }
  auto opened = crypto::TlsServerContext::open(options_of(tls));
  if (!opened) return fail("tls", opened.error());
  context_ = std::move(*opened);
  looked_ = now;
  report(now);
  return {};
}

void TlsCertificates::reload(const config::TlsConfig& tls, UnixTime now) {
  if (!context_ || tls.certificate.empty()) return;
  if (context_->not_after() == UnixTime{} && is_yet_to_come(tls)) return;
  last_error_.clear();  // who asked is told again
  take(context_->reload(options_of(tls)), now);
}

void TlsCertificates::look_now(UnixTime now) {
  looked_ = {};
  look(now);
}

void TlsCertificates::look(UnixTime now) {
  if (!context_ || (now >= looked_ && now < looked_ + between_file_looks)) return;
  looked_ = now;
  if (context_->files_changed()) take(context_->reload(), now);
}

void TlsCertificates::take(const Result<void>& reloaded, UnixTime now) {
  if (reloaded) {
    last_error_.clear();
    return report(now);
  }
  // A certificate is replaced before or after its key, so that one look may find them apart; and a mistake is told once.
  if (reloaded.error().what == last_error_) return;
  last_error_ = reloaded.error().what;
  log::warning("tls.certificate", {{"error", last_error_}, {"serving", "the certificate before"}});
}

void TlsCertificates::report(UnixTime now) const {
  const Seconds left = context_->not_after() - now;
  log::info("tls.certificate",
            {{"file", context_->options().certificate}, {"pin", context_->spki_pin()}, {"days-left", left.count() / 86400}});
  for (const std::string& warning : context_->warnings(now)) log::warning("tls.certificate", {{"warning", warning}});
}

}  // namespace steward::daemon
