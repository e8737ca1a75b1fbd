#include "auth/tsig_key.hh"

#include <algorithm>

#include "dns/encoding.hh"

namespace steward::auth {

namespace {

struct AlgorithmRow {
  TsigAlgorithm algorithm;
  crypto::DigestAlgorithm digest;
  std::string_view text;
  std::string_view wire;  // without the root's octet, which the literal's own zero is
};

// RFC 8945 §6, table 3.
constexpr AlgorithmRow rows[] = {
    {TsigAlgorithm::HmacSha1, crypto::DigestAlgorithm::Sha1, "hmac-sha1", "\x09hmac-sha1"},
    {TsigAlgorithm::HmacSha224, crypto::DigestAlgorithm::Sha224, "hmac-sha224", "\x0bhmac-sha224"},
    {TsigAlgorithm::HmacSha256, crypto::DigestAlgorithm::Sha256, "hmac-sha256", "\x0bhmac-sha256"},
    {TsigAlgorithm::HmacSha384, crypto::DigestAlgorithm::Sha384, "hmac-sha384", "\x0bhmac-sha384"},
    {TsigAlgorithm::HmacSha512, crypto::DigestAlgorithm::Sha512, "hmac-sha512", "\x0bhmac-sha512"},
};

const AlgorithmRow& row_of(TsigAlgorithm algorithm) { return rows[static_cast<size_t>(algorithm)]; }

/// Memory order of folded wire forms: any order does, as long as it is one.
bool less(ByteView a, ByteView b) { return std::ranges::lexicographical_compare(a, b); }

}  // namespace

std::string_view to_text(TsigAlgorithm algorithm) { return row_of(algorithm).text; }

dns::NameView name_of(TsigAlgorithm algorithm) {
  const std::string_view wire = row_of(algorithm).wire;
  return {as_bytes(wire).data(), wire.size() + 1};
}

std::optional<TsigAlgorithm> tsig_algorithm_from_text(std::string_view word) {
  if (word.ends_with('.')) word.remove_suffix(1);
  for (const AlgorithmRow& row : rows) {
    if (std::ranges::equal(as_bytes(word), as_bytes(row.text), {}, dns::fold)) return row.algorithm;
  }
  return std::nullopt;
}

std::optional<TsigAlgorithm> tsig_algorithm_from_name(dns::NameView name) {
  for (const AlgorithmRow& row : rows) {
    if (name == name_of(row.algorithm)) return row.algorithm;
  }
  return std::nullopt;
}

crypto::DigestAlgorithm digest_of(TsigAlgorithm algorithm) { return row_of(algorithm).digest; }

size_t mac_size(TsigAlgorithm algorithm) { return crypto::digest_size(digest_of(algorithm)); }

size_t least_mac_size(TsigAlgorithm algorithm) { return std::max<size_t>(10, mac_size(algorithm) / 2); }

Result<TsigKey> TsigKey::from_text(std::string_view name, std::string_view algorithm, std::string_view secret_base64) {
  auto parsed = dns::Name::from_text(name);
  if (!parsed) return fail("TSIG key name '" + std::string(name) + "'", parsed.error());
  const auto known = tsig_algorithm_from_text(algorithm);
  if (!known) {
    return fail(Errc::Unsupported, "TSIG algorithm '" + std::string(algorithm) +
                                       "': hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384 or hmac-sha512 wanted");
  }
  auto secret = dns::decode(dns::base64, secret_base64);
  if (!secret) return fail(Errc::Invalid, "secret of TSIG key '" + std::string(name) + "' is not base64 (RFC 4648 §4)");
  if (secret->empty()) return fail(Errc::Invalid, "secret of TSIG key '" + std::string(name) + "' is empty");
  return TsigKey{parsed->folded(), *known, std::move(*secret)};
}

Result<Keyring> Keyring::create(std::vector<TsigKey> keys) {
  for (TsigKey& key : keys) {
    key.name = key.name.folded();
    if (key.secret.view().empty()) {
      return fail(Errc::Invalid, "secret of TSIG key '" + key.name.to_text() + "' is empty");
    }
  }
  std::ranges::sort(
      keys, [](const TsigKey& a, const TsigKey& b) { return less(a.name.view().wire(), b.name.view().wire()); });
  const auto twin =
      std::ranges::adjacent_find(keys, [](const TsigKey& a, const TsigKey& b) { return a.name == b.name; });
  if (twin != keys.end()) return fail(Errc::Exists, "there are two TSIG keys '" + twin->name.to_text() + "'");
  Keyring ring;
  ring.keys_ = std::move(keys);
  return ring;
}

const TsigKey* Keyring::find(dns::NameView name) const {
  std::array<uint8_t, dns::max_name_size> folded;
  dns::fold_into(name, folded.data());
  const ByteView wanted(folded.data(), name.size());
  const auto at =
      std::ranges::lower_bound(keys_, wanted, less, [](const TsigKey& key) { return key.name.view().wire(); });
  return at != keys_.end() && std::ranges::equal(at->name.view().wire(), wanted) ? &*at : nullptr;
}

}  // namespace steward::auth
