#include "daemon/import_run.hh"

#include <algorithm>
#include <cstring>

#include "crypto/digest.hh"

namespace steward::daemon {

size_t ImportRun::KeyHash::operator()(const Key& key) const {
  size_t hash = 0;
  std::memcpy(&hash, key.octets.data(), sizeof hash);
  return hash;
}

bool ImportRun::Entry::has_digest(ByteView sha256) const {
  return std::equal(digest.begin(), digest.end(), sha256.begin());
}

std::optional<ImportRun::Entry> ImportRun::first_of(dns::NameView agent, ByteView sha256, const ImportPlace& place) {
  const auto hash = crypto::sha256(dns::Name(agent).folded().view().wire());
  Key key{};
  std::copy_n(hash.begin(), key.octets.size(), key.octets.begin());
  Entry entry{place, {}};
  std::copy_n(sha256.begin(), entry.digest.size(), entry.digest.begin());
  const auto [at, is_new] = names_.try_emplace(key, entry);
  return is_new ? std::nullopt : std::optional(at->second);
}

}  // namespace steward::daemon
