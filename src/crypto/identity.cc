#include "crypto/identity.hh"

#include <fmt/format.h>
#include <sys/stat.h>

#include "crypto/digest.hh"
#include "crypto/key_file.hh"
#include "crypto/secret_file.hh"
#include "dns/encoding.hh"

namespace steward::crypto {

namespace {

constexpr unsigned identity_bits = 4096;

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

void wipe_text(std::string& text) { wipe({reinterpret_cast<uint8_t*>(text.data()), text.size()}); }

}  // namespace

Result<IdentityKind> identity_kind_from_text(std::string_view word) {
  if (word == "rsa4096") return IdentityKind::Rsa4096;
  if (word == "ed25519") return IdentityKind::Ed25519;
  return fail(Errc::Invalid, "key algorithm \"" + std::string(word) + "\": rsa4096 or ed25519 wanted");
}

Result<Identity> Identity::from_key(KeyPair key) {
  auto fingerprint = key.public_key().fingerprint();
  if (!fingerprint) return tl::unexpected(fingerprint.error());
  return Identity(std::move(key), std::move(*fingerprint));
}

Result<Identity> Identity::generate(IdentityKind kind) {
  auto key = kind == IdentityKind::Rsa4096 ? KeyPair::generate(Algorithm::RSASHA256, identity_bits)
                                           : KeyPair::generate(Algorithm::ED25519);
  if (!key) return tl::unexpected(key.error());
  return from_key(std::move(*key));
}

Result<Identity> Identity::load(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Errc::Refused, path + ": others may use this private key; chmod 600 it");
  }
  auto text = read_small_file(path);
  if (!text) return tl::unexpected(text.error());
  auto key = KeyPair::from_pem(*text);
  wipe_text(*text);
  if (!key) return fail(path, key.error());
  return from_key(std::move(*key));
}

Result<void> Identity::save(const std::string& path) const {
  const std::string public_path = path + ".pub";
  for (const auto& taken : {path, public_path}) {
    if (exists(taken)) return fail(Errc::Exists, taken + ": exists, and an identity key is never overwritten");
  }
  auto secret = key_.pem();
  const auto open = public_text();
  if (!secret) return tl::unexpected(secret.error());
  if (!open) return tl::unexpected(open.error());
  auto written = write_file_atomically(path, *secret, 0600);
  wipe_text(*secret);
  if (!written) return written;
  return write_file_atomically(public_path, *open, 0644);
}

std::string Identity::key_text() const {
  const PublicKey& key = key_.public_key();
  return fmt::format("{} {} {} {}", request_key_flags, dnskey_protocol, value(key.algorithm()),
                     dns::encode(dns::base64, key.octets()));
}

Result<std::string> Identity::public_text() const {
  auto text = public_pem();
  if (!text) return text;
  *text += fmt::format("# fingerprint {}\n# KEY {}\n", fingerprint_, key_text());
  return text;
}

}  // namespace steward::crypto
