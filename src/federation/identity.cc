#include "federation/identity.hh"

#include <fmt/format.h>

#include <algorithm>

#include "auth/sig0.hh"

namespace steward::federation {

namespace {

using dns::RrType;

constexpr uint16_t cert_type_pkix = 1;  // RFC 4398 §2.1
constexpr size_t cert_fixed_size = 5;   // type, key tag, algorithm

Result<dns::Name> below(NameView zone, std::initializer_list<std::string_view> labels) {
  dns::Name name = zone;
  for (const std::string_view label : labels) {
    const auto next = name.child(as_bytes(label));
    if (!next) return fail(fmt::format("identity below {}", zone.to_text()), next.error());
    name = *next;
  }
  return name.folded();
}

std::optional<IdentityKey> key_from(ByteView rdata) {
  if (!auth::may_authenticate(rdata)) return std::nullopt;
  const auto algorithm = crypto::algorithm_from_number(rdata[3]);
  if (!algorithm) return std::nullopt;
  const auto key = crypto::PublicKey::from_octets(*algorithm, rdata.subspan(crypto::dnskey_fixed_size));
  if (!key || !crypto::check_identity_key(*key)) return std::nullopt;
  auto spki = key->spki();
  auto fingerprint = key->fingerprint();
  if (!spki || !fingerprint) return std::nullopt;
  return IdentityKey{Bytes(rdata.begin(), rdata.end()), *std::move(spki), *std::move(fingerprint)};
}

/// Those of the identity's keys; others are stepped over.
void take_certificate(ByteView rdata, RegistryIdentity& identity) {
  auto certificate = certificate_from_rdata(rdata);
  if (!certificate) return;
  const auto facts = crypto::read_certificate(*certificate);
  if (!facts || identity.find(facts->spki) == nullptr) return;
  (facts->authority ? identity.authorities : identity.end_entities).push_back(*std::move(certificate));
}

}  // namespace

Result<dns::Name> identity_name(NameView zone, NameView parent) {
  if (zone.is_root() || !(zone.parent() == parent))
    return fail(Errc::Invalid, fmt::format("identity: {} is not one label below {}", zone.to_text(), parent.to_text()));
  const std::string_view label = as_text(zone.first_label());
  if (label.find('/') != std::string_view::npos)
    return fail(Errc::Refused,
                fmt::format("identity: {} has a slash: it is hosted by its parent and has none", zone.to_text()));
  return below(parent, {"_agents", "_registries", label});
}

Result<dns::Name> root_identity_name(NameView apex) { return below(apex, {"_agents", "_registry"}); }

Result<Bytes> cert_rdata(ByteView certificate) {
  const auto facts = crypto::read_certificate(certificate);
  if (!facts) return tl::unexpected(facts.error());
  const auto key = crypto::PublicKey::from_spki(facts->spki);
  if (!key) return tl::unexpected(key.error());
  Bytes rdata;
  append_u16(rdata, cert_type_pkix);
  // RFC 4398 §2: as of a DNSKEY with that key.
  append_u16(rdata, crypto::key_tag(key->dnskey_rdata(identity_key_flags)));
  append_u8(rdata, crypto::value(key->algorithm()));
  append(rdata, certificate);
  return rdata;
}

Result<Bytes> certificate_from_rdata(ByteView cert_rdata) {
  if (cert_rdata.size() <= cert_fixed_size) return fail(Errc::Invalid, "CERT: no certificate (RFC 4398 §2)");
  if (load_u16(cert_rdata.data()) != cert_type_pkix)
    return fail(Errc::Unsupported, "CERT: not of type PKIX (RFC 4398 §2.1)");
  const ByteView der = cert_rdata.subspan(cert_fixed_size);
  return Bytes(der.begin(), der.end());
}

Result<std::vector<PublishedRecord>> identity_records(const dns::Name& owner, const crypto::PublicKey& key,
                                                      std::span<const Bytes> certificates) {
  if (auto sound = crypto::check_identity_key(key); !sound) return tl::unexpected(sound.error());
  const auto spki = key.spki();
  if (!spki) return tl::unexpected(spki.error());
  std::vector<PublishedRecord> records;
  records.push_back({owner, RrType::KEY, identity_ttl, key.dnskey_rdata(identity_key_flags)});
  for (const Bytes& certificate : certificates) {
    const auto facts = crypto::read_certificate(certificate);
    if (!facts) return tl::unexpected(facts.error());
    if (facts->spki != *spki)
      return fail(Errc::Invalid, fmt::format("identity: {}: a certificate has another key", owner.to_text()));
    auto rdata = cert_rdata(certificate);
    if (!rdata) return tl::unexpected(rdata.error());
    records.push_back({owner, RrType::CERT, identity_ttl, *std::move(rdata)});
  }
  return records;
}

const IdentityKey* RegistryIdentity::find(ByteView spki) const {
  const auto at = std::find_if(keys.begin(), keys.end(), [&](const IdentityKey& key) {
    return std::equal(spki.begin(), spki.end(), key.spki.begin(), key.spki.end());
  });
  return at == keys.end() ? nullptr : &*at;
}

Result<RegistryIdentity> read_identity(std::span<const PublishedRecord> records, NameView owner) {
  const auto count = [&](RrType type) {
    return static_cast<size_t>(std::count_if(records.begin(), records.end(), [&](const PublishedRecord& record) {
      return record.type == type && record.owner == owner;
    }));
  };
  if (count(RrType::KEY) > max_identity_keys || count(RrType::CERT) > max_identity_certificates)
    return fail(Errc::Full, fmt::format("identity: {}: over {} KEY or {} CERT records", owner.to_text(),
                                        max_identity_keys, max_identity_certificates));
  RegistryIdentity identity;
  for (const PublishedRecord& record : records) {
    if (record.type != RrType::KEY || !(record.owner == owner)) continue;
    if (auto key = key_from(record.rdata)) identity.keys.push_back(*std::move(key));
  }
  if (identity.keys.empty())
    return fail(Errc::NotFound, fmt::format("identity: {} has no KEY that a registry may have", owner.to_text()));
  for (const PublishedRecord& record : records) {
    if (record.type == RrType::CERT && record.owner == owner) take_certificate(record.rdata, identity);
  }
  return identity;
}

}  // namespace steward::federation
