// Key files: names, writing, listing. Reading is in key_file_read.cc.

#include "crypto/key_file.hh"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "crypto/digest.hh"
#include "crypto/secret_file.hh"
#include "dns/encoding.hh"
#include "dns/time_text.hh"

namespace steward::crypto {

namespace {

namespace fs = std::filesystem;

constexpr std::array<KeyTimeField, 9> time_fields{{
    {"Created", &KeyTimes::created},
    {"Publish", &KeyTimes::publish},
    {"Activate", &KeyTimes::activate},
    {"Revoke", &KeyTimes::revoke},
    {"Inactive", &KeyTimes::inactive},
    {"Delete", &KeyTimes::remove},
    {"DSPublish", &KeyTimes::ds_publish},
    {"SyncPublish", &KeyTimes::sync_publish},
    {"SyncDelete", &KeyTimes::sync_delete},
}};

/// The zone's name as BIND spells it in the names of files: a name with a slash must not become a path.
std::string file_name_of(dns::NameView zone) {
  std::string out;
  for (dns::NameView name = zone; !name.is_root(); name = name.parent()) {
    for (const uint8_t octet : name.first_label()) {
      const auto c = static_cast<char>(dns::fold(octet));
      const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      if (plain) {
        out += c;
      } else {
        out += fmt::format("%{:02X}", octet);
      }
    }
    out += '.';
  }
  return out.empty() ? "." : out;
}

std::string public_text(const StoredKey& key) {
  const std::string_view role = !key.is_zone_key() ? "request" : key.is_sep() ? "key" : "zone";
  std::string out = fmt::format("; This is a {}-signing key, keyid {}, for {}\n", role, key.tag(), key.zone.to_text());
  for (const KeyTimeField& field : time_fields) {
    const auto& time = key.times.*field.member;
    if (!time) continue;
    out += fmt::format("; {}: {} ({:%a %b %e %H:%M:%S %Y})\n", field.name, dns::time_to_text(*time),
                       fmt::gmtime(static_cast<time_t>(seconds_of(*time))));
  }
  out += fmt::format("{} IN {} {} {} {} {}\n", key.zone.to_text(), key.is_zone_key() ? "DNSKEY" : "KEY", key.flags,
                     dnskey_protocol, value(key.key->algorithm()),
                     dns::encode(dns::base64, key.key->public_key().octets()));
  return out;
}

Result<std::string> private_text(const StoredKey& key) {
  const auto fields = key.key->private_fields();
  if (!fields) return tl::unexpected(fields.error());
  std::string out = fmt::format("Private-key-format: v1.3\nAlgorithm: {} ({})\n", value(key.key->algorithm()),
                                to_text(key.key->algorithm()));
  for (const auto& [name, octets] : fields->all()) {
    out += name;
    out += ": ";
    dns::append_encoded(out, dns::base64, octets);
    out += '\n';
  }
  for (const KeyTimeField& field : time_fields) {
    const auto& time = key.times.*field.member;
    if (time) out += fmt::format("{}: {}\n", field.name, dns::time_to_text(*time));
  }
  return out;
}

/// All of one name; each must be of the kind that is wanted.
Result<std::vector<StoredKey>> read_keys(const std::string& directory, dns::NameView zone, bool zone_keys) {
  const std::string prefix = "K" + file_name_of(zone) + "+";
  std::vector<StoredKey> keys;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(prefix) || at->path().extension() != ".private") continue;
    auto key = read_key_files((at->path().parent_path() / at->path().stem()).string());
    if (!key) return tl::unexpected(key.error());
    if (key->is_zone_key() != zone_keys) {
      return fail(Errc::Invalid, fmt::format("{}: {}", at->path().string(),
                                             zone_keys ? "DNSKEY: not a zone key with protocol 3 (RFC 4034 §2.1)"
                                                       : "a zone's key, which signs no requests (RFC 2535 §3.1.2)"));
    }
    keys.push_back(std::move(*key));
  }
  if (error) return fail(Errc::Io, directory + ": " + error.message());
  std::sort(keys.begin(), keys.end(), [](const StoredKey& a, const StoredKey& b) { return a.tag() < b.tag(); });
  return keys;
}

}  // namespace

std::span<const KeyTimeField> key_time_fields() { return time_fields; }

std::string key_file_stem(dns::NameView zone, Algorithm algorithm, KeyTag tag) {
  return fmt::format("K{}+{:03}+{:05}", file_name_of(zone), value(algorithm), tag);
}

Result<void> write_key_files(const std::string& directory, const StoredKey& key) {
  const std::string stem = (fs::path(directory) / key_file_stem(key.zone, key.key->algorithm(), key.tag())).string();
  std::error_code ignored;
  if (fs::exists(stem + ".private", ignored)) {
    const auto present = read_key_files(stem);
    if (!present) return tl::unexpected(present.error());
    if (present->dnskey() != key.dnskey()) {
      return fail(Errc::Refused, stem + ".private: holds another key with the same tag, which is not overwritten");
    }
  }
  auto secret = private_text(key);
  if (!secret) return tl::unexpected(secret.error());
  // The public half first: without its .private a key does not count, so a crash between the two leaves nothing half
  // made.
  auto written = write_file_atomically(stem + ".key", public_text(key), 0644);
  if (written) written = write_file_atomically(stem + ".private", *secret, 0600);
  wipe({reinterpret_cast<uint8_t*>(secret->data()), secret->size()});
  return written;
}

Result<void> remove_key_files(const std::string& directory, const StoredKey& key) {
  const std::string stem = (fs::path(directory) / key_file_stem(key.zone, key.key->algorithm(), key.tag())).string();
  // The private half first: without it a key does not count.
  for (const char* half : {".private", ".key"}) {
    std::error_code error;
    fs::remove(stem + half, error);
    if (error) return fail(Errc::Io, stem + half + ": " + error.message());
  }
  return {};
}

Result<std::vector<StoredKey>> read_zone_keys(const std::string& directory, dns::NameView zone) {
  return read_keys(directory, zone, true);
}

Result<std::vector<StoredKey>> read_request_keys(const std::string& directory, dns::NameView signer) {
  return read_keys(directory, signer, false);
}

Result<StoredKey> generate_stored_key(dns::NameView zone, Algorithm algorithm, uint16_t flags, UnixTime now,
                                      std::span<const StoredKey> others, unsigned bits) {
  constexpr int max_tries = 64;
  for (int i = 0; i < max_tries; ++i) {
    auto made = KeyPair::generate(algorithm, bits);
    if (!made) return tl::unexpected(made.error());
    StoredKey key{zone, flags, std::make_shared<const KeyPair>(std::move(*made)), {}};
    key.times.created = now;
    const auto tags = [](const StoredKey& k) {
      return std::array{k.tag(), key_tag(k.key->public_key().dnskey_rdata(k.flags | dnskey_flag_revoke))};
    };
    const auto mine = tags(key);
    const bool taken = std::any_of(others.begin(), others.end(), [&](const StoredKey& other) {
      const auto theirs = tags(other);
      return std::find_first_of(mine.begin(), mine.end(), theirs.begin(), theirs.end()) != mine.end();
    });
    if (!taken) return key;
  }
  return fail(Errc::Full, dns::NameView(zone).to_text() + ": no free key tag found; remove old key files");
}

}  // namespace steward::crypto
