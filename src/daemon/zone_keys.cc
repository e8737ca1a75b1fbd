#include "daemon/zone_keys.hh"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "crypto/digest.hh"
#include "sign/delegation.hh"
#include "sign/denial.hh"

namespace steward::daemon {
namespace {

sign::KeyPolicy key_policy_of(const config::DnssecPolicy& dnssec) {
  sign::KeyPolicy policy;
  policy.algorithm = static_cast<crypto::Algorithm>(dnssec.algorithm);
  policy.single = dnssec.csk;
  policy.bits = dnssec.ksk_size;
  policy.ksk_lifetime = dnssec.ksk_lifetime;
  policy.zsk_lifetime = dnssec.zsk_lifetime;
  policy.dnskey_ttl = dnssec.dnskey_ttl;
  policy.propagation_delay = dnssec.propagation_delay;
  policy.parent_ds_ttl = dnssec.ds_ttl;
  return policy;
}

sign::ValidityPolicy validity_of(const config::DnssecPolicy& dnssec) {
  sign::ValidityPolicy validity;
  validity.lifetime = dnssec.signature_lifetime;
  validity.refresh = dnssec.refresh;
  validity.jitter = dnssec.jitter;
  return validity;
}

void sort_canonical(std::vector<Bytes>& rdatas) {
  std::sort(rdatas.begin(), rdatas.end());
  rdatas.erase(std::unique(rdatas.begin(), rdatas.end()), rdatas.end());
}

bool contains(const std::vector<crypto::KeyTag>& tags, crypto::KeyTag tag) {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

}  // namespace

ZoneKeys::ZoneKeys(const config::ZoneConfig& zone) : zone_(zone), policy_(key_policy_of(zone.dnssec)) {}

Result<void> ZoneKeys::make_directory() const {
  std::error_code error;
  if (std::filesystem::create_directories(directory(), error) && !error)
    std::filesystem::permissions(directory(), std::filesystem::perms::owner_all, error);
  if (error) return fail(Errc::Io, directory() + ": " + error.message());
  return {};
}

Result<void> ZoneKeys::read() {
  auto keys = crypto::read_zone_keys(directory(), zone_.name);
  if (!keys) return tl::unexpected<Error>(keys.error());
  keys_ = std::move(*keys);
  return {};
}

const crypto::StoredKey* ZoneKeys::find(crypto::KeyTag tag) const {
  const auto at = std::find_if(keys_.begin(), keys_.end(), [&](const crypto::StoredKey& key) { return key.tag() == tag; });
  return at != keys_.end() ? &*at : nullptr;
}

Result<void> ZoneKeys::generate(sign::KeyRole role, UnixTime now) {
  const bool zsk = role == sign::KeyRole::Zsk;
  const unsigned bits = zsk ? zone_.dnssec.zsk_size : zone_.dnssec.ksk_size;
  auto key = crypto::generate_stored_key(zone_.name, policy_.algorithm, zsk ? crypto::zsk_flags : crypto::ksk_flags, now, keys_, bits);
  if (!key) return tl::unexpected<Error>(key.error());
  if (auto written = crypto::write_key_files(directory(), *key); !written) return written;
  keys_.push_back(std::move(*key));
  return {};
}

// Keys that have been out of the zone for so long that nobody will ask for them again.
void ZoneKeys::note_purged(UnixTime now) {
  purged_.clear();
  if (zone_.dnssec.purge_keys == Seconds(0)) return;
  for (const crypto::StoredKey& key : keys_)
    if (key.times.remove && *key.times.remove + zone_.dnssec.purge_keys <= now && !contains(plan_.publish, key.tag()))
      purged_.push_back(key);
}

Result<SigningSetup> ZoneKeys::prepare(UnixTime now, uint32_t max_zone_ttl, bool is_signed) {
  policy_.max_zone_ttl = std::max<Seconds>(Seconds(max_zone_ttl), policy_.dnskey_ttl);
  // Not where a signed zone's folder is missing: that may be a file system that is not mounted.
  if (!is_signed)
    if (auto made = make_directory(); !made) return tl::unexpected<Error>(made.error());
  if (auto read_keys = read(); !read_keys) return tl::unexpected<Error>(read_keys.error());
  // A folder that is not mounted, say: new keys would break the chain of trust from the parent's DS.
  if (keys_.empty() && is_signed)
    return fail(Errc::NotFound,
                fmt::format("{}: the keys of {}, which is signed, are gone; put them back, or reload once with 'dnssec: false' to begin anew",
                            directory(), zone_.name.to_text()));
  const auto plan_now = [&] {
    return sign::plan(sign::key_infos(keys_), policy_, now,
                      served_ ? std::optional<std::span<const crypto::KeyTag>>(*served_) : std::nullopt);
  };
  auto plan = plan_now();
  // Each round makes what is missing; two kinds of keys need two rounds at most.
  for (int round = 0; plan && !plan->generate.empty(); ++round) {
    if (round == 4) return fail(Errc::Invalid, "the key plan asks for ever more keys");
    for (const sign::KeyRole role : plan->generate)
      if (auto made = generate(role, now); !made) return tl::unexpected<Error>(made.error());
    plan = plan_now();
  }
  if (!plan) return tl::unexpected<Error>(plan.error());
  plan_ = std::move(*plan);
  note_purged(now);

  SigningSetup setup;
  std::vector<sign::SigningKey> signing;
  std::vector<Bytes> dnskeys;
  std::vector<Bytes> cds;
  std::vector<Bytes> cdnskeys;
  for (const crypto::KeyTag tag : plan_.publish) {
    const crypto::StoredKey* key = find(tag);
    dnskeys.push_back(key->dnskey());
    const bool signs_keys = contains(plan_.key_signers, tag);
    const bool signs_zone = contains(plan_.zone_signers, tag);
    if (signs_keys || signs_zone) signing.push_back({key->key, key->flags, signs_keys, signs_zone});
    setup.digest += fmt::format("{}:{}{}{} ", tag, static_cast<int>(policy_.algorithm), signs_keys ? "k" : "", signs_zone ? "z" : "");
  }
  if (zone_.dnssec.cds)
    for (const crypto::KeyTag tag : plan_.cds) {
      const Bytes dnskey = find(tag)->dnskey();
      sign::append_ds_rdata(zone_.name, dnskey, sign::DsDigest::SHA256, cds.emplace_back());
      cdnskeys.push_back(dnskey);
      setup.digest += fmt::format("cds:{} ", tag);
    }
  const auto ttl = static_cast<uint32_t>(policy_.dnskey_ttl.count());
  for (auto& [type, rdatas] : {std::pair{dns::RrType::DNSKEY, &dnskeys}, {dns::RrType::CDS, &cds}, {dns::RrType::CDNSKEY, &cdnskeys}}) {
    sort_canonical(*rdatas);
    if (!rdatas->empty()) setup.apex_records.push_back({type, ttl, *rdatas});
  }
  if (zone_.dnssec.nsec3.enabled) {
    Bytes params;
    sign::append_nsec3param_rdata({}, params);
    // RFC 5155 §4: for authoritative servers only, so that nobody needs to keep it.
    setup.apex_records.push_back({dns::RrType::NSEC3PARAM, 0, {params}});
    setup.digest += zone_.dnssec.nsec3.opt_out ? "nsec3-opt-out" : "nsec3";
  }
  const auto validity = validity_of(zone_.dnssec);
  if (auto checked = sign::check_validity_policy(validity, Seconds(0)); !checked) return tl::unexpected<Error>(checked.error());
  auto signer = sign::ZoneSigner::create(zone_.name, std::move(signing), validity, now);
  if (!signer) return tl::unexpected<Error>(signer.error());
  setup.signer = std::make_unique<sign::ZoneSigner>(std::move(*signer));
  setup.actions = plan_.actions;
  setup.next = plan_.next;
  return setup;
}

Result<void> ZoneKeys::write_times(const sign::KeyTimesChange& change) {
  for (crypto::StoredKey& key : keys_) {
    if (key.tag() != change.tag) continue;
    key.times = change.times;
    return crypto::write_key_files(directory(), key);
  }
  return fail(Errc::NotFound, fmt::format("no key {} of {}", change.tag, zone_.name.to_text()));
}

const sign::ZoneSigner* ZoneKeys::signer(UnixTime now) {
  if (signer_) signer_->set_now(now);
  return signer_.get();
}

Result<void> ZoneKeys::confirm(SigningSetup setup) {
  signer_ = std::move(setup.signer);
  served_ = plan_.publish;
  for (const sign::KeyTimesChange& change : plan_.changes)
    if (auto written = write_times(change); !written) return written;
  plan_.changes.clear();
  for (const crypto::StoredKey& gone : std::exchange(purged_, {})) {
    if (auto removed = crypto::remove_key_files(directory(), gone); !removed) return removed;
    std::erase_if(keys_, [&](const crypto::StoredKey& key) { return key.key == gone.key; });
  }
  return {};
}

Result<void> ZoneKeys::begin_rollover(bool ksk, UnixTime now) {
  if (auto read_keys = read(); !read_keys) return read_keys;
  const auto role = sign::request_rollover(sign::key_infos(keys_), policy_, ksk, now);
  if (!role) return tl::unexpected<Error>(role.error());
  return generate(*role, now);
}

Result<sign::KeyTimesChange> ZoneKeys::ds_seen_change(crypto::KeyTag tag, UnixTime now) const {
  if (tag == 0) {
    if (plan_.cds.empty()) return fail(Errc::Refused, zone_.name.to_text() + ": no key waits for its DS at the parent");
    tag = plan_.cds.back();
  }
  return sign::ds_seen(sign::key_infos(keys_), policy_, tag, now);
}

Result<crypto::KeyTag> ZoneKeys::ds_seen(crypto::KeyTag tag, UnixTime now) {
  if (auto read_keys = read(); !read_keys) return tl::unexpected<Error>(read_keys.error());
  const auto change = ds_seen_change(tag, now);
  if (!change) return tl::unexpected<Error>(change.error());
  if (auto written = write_times(*change); !written) return tl::unexpected<Error>(written.error());
  return change->tag;
}

}  // namespace steward::daemon
