#include "daemon/own_identity.hh"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "crypto/secret_file.hh"
#include "federation/identity.hh"

namespace steward::daemon {
namespace {

constexpr unsigned public_mode = 0644;

Result<std::vector<Bytes>> read_pem(const std::string& file) {
  const auto text = crypto::read_small_file(file);
  if (!text) return tl::unexpected(text.error());
  auto certificates = crypto::certificates_from_pem(*text);
  if (!certificates) return fail(file, certificates.error());
  return certificates;
}

Result<void> write_pem(const std::string& file, std::span<const Bytes> certificates) {
  std::string text;
  for (const Bytes& certificate : certificates) {
    const auto pem = crypto::certificate_to_pem(certificate);
    if (!pem) return fail(file, pem.error());
    text += *pem;
  }
  return crypto::write_file_atomically(file, text, public_mode);
}

}  // namespace

bool is_near_its_end(const crypto::CertificateFacts& certificate, UnixTime now) {
  return certificate.until - now < (certificate.until - certificate.from) / 3;
}

Result<std::shared_ptr<const OwnIdentity>> OwnIdentity::open(const config::RegistryConfig& registry, UnixTime now) {
  std::shared_ptr<OwnIdentity> own(new OwnIdentity);
  own->path_ = registry.identity.string();
  own->zone_ = registry.zone;
  own->is_root_ = !registry.parent;
  const auto name = own->is_root_ ? federation::root_identity_name(registry.apex)
                                  : federation::identity_name(registry.zone, *registry.parent);
  if (!name) return fail("registry.identity", name.error());
  own->name_ = *name;
  auto loaded = crypto::Identity::load(own->path_);
  if (!loaded) return fail("registry.identity (steward-registry keygen makes one)", loaded.error());
  own->identity_ = std::make_shared<const crypto::Identity>(std::move(*loaded));
  if (auto sound = crypto::check_identity_key(own->key().public_key()); !sound) return fail(own->path_, sound.error());
  auto done = own->read_authorities();
  if (done && own->is_root_ && own->authorities_.empty()) done = own->make_root_authority(now);
  if (done) done = own->read_certificates(now);
  if (done) done = own->check();
  if (!done) return tl::unexpected(done.error());
  return std::shared_ptr<const OwnIdentity>(std::move(own));
}

Result<void> OwnIdentity::read_authorities() {
  auto read = read_pem(path_ + ".ca");
  if (!read) return read.error().code == Errc::NotFound ? Result<void>{} : tl::unexpected(read.error());
  authorities_ = *std::move(read);
  return {};
}

Result<void> OwnIdentity::make_root_authority(UnixTime now) {
  auto made =
      crypto::make_root_certificate({.zone = zone_, .now = now, .lifetime = crypto::root_certificate_lifetime}, key());
  if (!made) return fail(path_ + ".ca", made.error());
  authorities_ = {*std::move(made)};
  return write_pem(path_ + ".ca", authorities_);
}

Result<void> OwnIdentity::read_certificates(UnixTime now) {
  auto read = read_pem(path_ + ".crt");
  if (!read && read.error().code != Errc::NotFound) return tl::unexpected(read.error());
  if (read) certificates_ = *std::move(read);
  // What a parent has issued is renewed by the parent.
  const bool is_ours = is_root_ || authorities_.empty();
  if (certificates_.empty()) return is_ours ? make_certificate(now) : fail(Errc::NotFound, path_ + ".crt: is missing");
  const auto facts = crypto::read_certificate(certificates_.front());
  if (!facts) return fail(path_ + ".crt", facts.error());
  return is_ours && is_near_its_end(*facts, now) ? make_certificate(now) : Result<void>{};
}

Result<void> OwnIdentity::make_certificate(UnixTime now) {
  const crypto::CertificateTerms terms{.zone = zone_, .now = now};
  auto made = is_root_ ? crypto::issue_certificate(terms, key().public_key(), {authorities_.front(), key()})
                       : crypto::make_self_signed_certificate(terms, key());
  if (!made) return fail(path_ + ".crt", made.error());
  certificates_ = {*std::move(made)};
  return write_pem(path_ + ".crt", certificates_);
}

Result<void> OwnIdentity::check_own(const Bytes& certificate, bool authority, const std::string& file) const {
  const auto facts = crypto::read_certificate(certificate);
  if (!facts) return fail(file, facts.error());
  const auto spki = key().public_key().spki();
  if (!spki) return tl::unexpected(spki.error());
  if (facts->spki != *spki) return fail(Errc::Invalid, fmt::format("{}: not of the key in {}", file, path_));
  const auto zone = crypto::certificate_name(zone_);
  if (!zone) return tl::unexpected(zone.error());
  const std::vector<std::string> names = authority ? facts->permitted.value_or(std::vector<std::string>{}) : facts->names;
  if (facts->authority != authority || names != std::vector<std::string>{*zone})
    return fail(Errc::Invalid, fmt::format("{}: the first certificate is not {} of {}", file,
                                           authority ? "the authority" : "the end entity's", zone_.to_text()));
  return {};
}

Result<void> OwnIdentity::check() {
  if (auto sound = check_own(certificates_.front(), false, path_ + ".crt"); !sound) return sound;
  until_ = crypto::read_certificate(certificates_.front())->until;
  if (authorities_.empty()) return {};
  if (auto sound = check_own(authorities_.front(), true, path_ + ".ca"); !sound) return sound;
  until_ = std::min(until_, crypto::read_certificate(authorities_.front())->until);
  return {};
}

Result<std::shared_ptr<const OwnIdentity>> OwnIdentity::with(std::vector<Bytes> end_entity,
                                                             std::vector<Bytes> authorities) const {
  if (end_entity.empty() || authorities.empty()) return fail(Errc::Invalid, zone_.to_text() + ": no certificates");
  std::shared_ptr<OwnIdentity> own(new OwnIdentity(*this));
  own->certificates_ = std::move(end_entity);
  own->authorities_ = std::move(authorities);
  auto done = own->check();
  if (done) done = own->save();
  if (!done) return tl::unexpected(done.error());
  return std::shared_ptr<const OwnIdentity>(std::move(own));
}

Result<void> OwnIdentity::forget_parent() const {
  for (const char* suffix : {".ca", ".crt", ".parent"}) {
    std::error_code error;
    std::filesystem::remove(path_ + suffix, error);
    if (error) return fail(Errc::Io, path_ + suffix + ": " + error.message());
  }
  return {};
}

// The authority comes last: where it is there, the other is.
Result<void> OwnIdentity::save() const {
  if (auto written = write_pem(path_ + ".crt", certificates_); !written) return written;
  return write_pem(path_ + ".ca", authorities_);
}

}  // namespace steward::daemon
