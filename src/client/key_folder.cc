#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "client/failure.hh"
#include "client/publisher_key.hh"
#include "crypto/key_file.hh"
#include "dns/rdata.hh"
#include "steward/settings.hh"

namespace steward::client {

namespace {

namespace fs = std::filesystem;

/// Of keys that are no single agent's: agents have at least three labels.
constexpr std::string_view any_agent = "publisher.";
constexpr unsigned rsa_bits = 4096;

struct AlgorithmRow {
  KeyAlgorithm algorithm;
  std::string_view word;
  crypto::Algorithm number;
};
constexpr std::array<AlgorithmRow, 3> algorithms{{
    {KeyAlgorithm::Ed25519, "ed25519", crypto::Algorithm::ED25519},
    {KeyAlgorithm::Rsa4096, "rsa4096", crypto::Algorithm::RSASHA256},
    {KeyAlgorithm::EcdsaP256, "ecdsap256", crypto::Algorithm::ECDSAP256SHA256},
}};

Result<dns::Name> owner_of(std::string_view agent) {
  auto name = dns::Name::from_text(agent.empty() ? any_agent : agent);
  if (!name) return fail(agent, name.error());
  return name->folded();
}

/// Not an agent's, or any agent's.
std::string agent_of(const dns::Name& owner) {
  std::string text = owner.to_text();
  if (text == any_agent) return {};
  text.pop_back();
  return text;
}

Outcome<KeyFile> described(const crypto::StoredKey& key, const std::string& stem) {
  const auto fingerprint = key.key->public_key().fingerprint();
  if (!fingerprint) return failure_of(fingerprint.error());
  KeyFile file;
  file.agent = agent_of(key.zone);
  file.algorithm = crypto::to_text(key.key->algorithm());
  file.fingerprint = *fingerprint;
  file.record = fmt::format("{} IN KEY {}", key.zone.to_text(), dns::rdata_to_text(dns::RrType::KEY, key.dnskey()));
  file.private_file = stem + ".private";
  file.public_file = stem + ".key";
  file.created = seconds_of(key.times.created.value_or(UnixTime{}));
  return file;
}

std::string stem_in(const std::string& folder, const crypto::StoredKey& key) {
  return (fs::path(folder) / crypto::key_file_stem(key.zone, key.key->algorithm(), key.tag())).string();
}

/// Without the suffix of either file.
std::string stem_of(const std::string& path) {
  for (const std::string_view suffix : {".private", ".key"})
    if (path.ends_with(suffix)) return path.substr(0, path.size() - suffix.size());
  return path.ends_with('.') ? path.substr(0, path.size() - 1) : path;
}

}  // namespace

Outcome<KeyAlgorithm> key_algorithm_from_text(std::string_view word) {
  for (const AlgorithmRow& row : algorithms)
    if (row.word == word) return row.algorithm;
  return Failure{Fault::Invalid, fmt::format("{}: ed25519, rsa4096 or ecdsap256 wanted", word)};
}

std::string KeyFolder::default_path() {
  const std::string beside = Settings::default_file();
  return beside.empty() ? beside : (fs::path(beside).parent_path() / "keys").string();
}

Outcome<KeyFile> KeyFolder::generate(std::string_view agent, KeyAlgorithm algorithm, bool rotate) {
  const auto owner = owner_of(agent);
  if (!owner) return failure_of(owner.error());
  if (path_.empty()) return Failure{Fault::Invalid, "no folder for keys: HOME is not set"};
  std::error_code error;
  const bool made_now = fs::create_directories(path_, error);
  if (error) return Failure{Fault::Io, fmt::format("{}: {}", path_, error.message())};
  if (made_now) fs::permissions(path_, fs::perms::owner_all, error);
  const auto others = read_publisher_keys(path_, *owner);
  if (!others) return failure_of(others.error());
  const std::string whose = agent.empty() ? "for any agent" : fmt::format("for {}", agent);
  if (!others->empty() && !rotate) {
    return Failure{Fault::Refused, fmt::format("{}: there is a key {} already; --rotate makes the one that follows it",
                                               stem_in(path_, others->front()) + ".private", whose)};
  }
  if (others->empty() && rotate)
    return Failure{Fault::NotFound, fmt::format("{}: there is no key {} that a new one could follow", path_, whose)};
  UnixTime now = SystemClock().now();
  // Ages must differ: the newest is the one to publish with.
  for (const crypto::StoredKey& other : *others) now = std::max(now, other.times.created.value_or(now) + Seconds{1});
  const auto* row = std::find_if(algorithms.begin(), algorithms.end(),
                                 [&](const AlgorithmRow& known) { return known.algorithm == algorithm; });
  const auto key = crypto::generate_stored_key(*owner, row->number, crypto::request_key_flags, now, *others, rsa_bits);
  if (!key) return failure_of(key.error());
  if (const auto written = crypto::write_key_files(path_, *key); !written) return failure_of(written.error());
  return described(*key, stem_in(path_, *key));
}

Outcome<std::vector<KeyFile>> KeyFolder::list(std::string_view agent) const {
  const auto owner = owner_of(agent);
  if (!owner) return failure_of(owner.error());
  const auto keys = read_publisher_keys(path_, *owner);
  if (!keys) return failure_of(keys.error());
  std::vector<KeyFile> files;
  for (const crypto::StoredKey& key : *keys) {
    auto file = described(key, stem_in(path_, key));
    if (!file) return file.failure();
    files.push_back(std::move(*file));
  }
  return files;
}

Outcome<KeyFile> read_key(const std::string& path) {
  const auto key = read_publisher_key(path);
  if (!key) return failure_of(key.error());
  return described(*key, stem_of(path));
}

Result<crypto::StoredKey> read_publisher_key(const std::string& path) {
  auto key = crypto::read_key_files(stem_of(path));
  if (!key) return key;
  if (key->is_zone_key())
    return fail(Errc::Invalid, path + ": a zone's key, which signs no requests (RFC 2535 §3.1.2)");
  return key;
}

Result<std::vector<crypto::StoredKey>> read_publisher_keys(const std::string& folder, const dns::Name& owner) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return std::vector<crypto::StoredKey>{};
  auto keys = crypto::read_request_keys(folder, owner);
  if (!keys) return keys;
  std::stable_sort(keys->begin(), keys->end(), [](const crypto::StoredKey& a, const crypto::StoredKey& b) {
    return a.times.created.value_or(UnixTime{}) > b.times.created.value_or(UnixTime{});
  });
  return keys;
}

Result<std::vector<crypto::StoredKey>> read_keys_for(const std::string& folder, const dns::Name& agent) {
  auto keys = read_publisher_keys(folder, agent);
  if (!keys) return keys;
  auto any = read_publisher_keys(folder, *owner_of({}));
  if (!any) return any;
  std::move(any->begin(), any->end(), std::back_inserter(*keys));
  return keys;
}

}  // namespace steward::client
