#include "sign/zone_signer.hh"

#include <fmt/format.h>

#include <algorithm>

namespace steward::sign {

namespace {

KeyTag tag_of(const SigningKey& key) { return crypto::key_tag(key.key->public_key().dnskey_rdata(key.flags)); }

}  // namespace

Result<ZoneSigner> ZoneSigner::create(dns::Name apex, std::vector<SigningKey> keys, const ValidityPolicy& policy,
                                      UnixTime now) {
  const std::string zone = apex.to_text();
  if (keys.empty()) return fail(Errc::Invalid, zone + ": no active key to sign with");
  for (const SigningKey& key : keys) {
    const Algorithm algorithm = key.key->algorithm();
    bool zone_signed = false;
    bool keys_signed = false;
    for (const SigningKey& other : keys) {
      if (other.key->algorithm() != algorithm) continue;
      zone_signed |= other.signs_zone;
      keys_signed |= other.signs_keys;
      // RFC 4034 §5.3.1 allows it, but validators bound their tries (KeyTrap), and RRSIGs could not be told apart.
      if (&other != &key && tag_of(other) == tag_of(key)) {
        return fail(Errc::Invalid,
                    fmt::format("{}: two active {} keys with tag {}", zone, to_text(algorithm), tag_of(key)));
      }
    }
    if (!zone_signed || !keys_signed) {
      return fail(Errc::Invalid, fmt::format("{}: no active {} key signs the {} (RFC 4035 §2.2)", zone,
                                             to_text(algorithm), zone_signed ? "DNSKEY RRset" : "zone's data"));
    }
  }
  return ZoneSigner(apex.folded(), std::move(keys), policy, now);
}

Result<ZoneSigner::Worker> ZoneSigner::make_worker() const {
  {
    const std::lock_guard lock(idle_->mutex);
    if (!idle_->workers.empty()) {
      Worker worker = std::move(idle_->workers.back());
      idle_->workers.pop_back();
      return worker;
    }
  }
  Worker worker(*this);
  for (const SigningKey& key : keys_) {
    auto signer = crypto::Signer::create(*key.key);
    if (!signer) return fail(fmt::format("{}: key {}", apex_.to_text(), tag_of(key)), signer.error());
    worker.keys_.push_back({std::move(*signer), tag_of(key), &key, {}});
  }
  return worker;
}

void ZoneSigner::give_back(Worker&& worker) const {
  worker.made_ = 0;
  const std::lock_guard lock(idle_->mutex);
  idle_->workers.push_back(std::move(worker));
}

Result<void> ZoneSigner::Worker::sign_with(Key& key, const Rrset& rrset, RrsigList& out) {
  const Validity validity = validity_for(rrset.owner, rrset.type, key.tag, zone_->now_, zone_->policy_);
  ++made_;
  if (postpones_ && key.signer.signs_batches())
    return key.later.add(key.signer, key.tag, zone_->apex_, rrset, validity, scratch_, out);
  return sign_rrset(key.signer, key.tag, zone_->apex_, rrset, validity, scratch_, out);
}

Result<void> ZoneSigner::Worker::settle() {
  postpones_ = false;
  Result<void> outcome;
  for (Key& key : keys_)
    if (auto made = key.later.settle(key.signer); !made) outcome = made;
  return outcome;
}

Result<void> ZoneSigner::Worker::sign(const Rrset& rrset, RrsigList& out) {
  for (Key& key : keys_) {
    if (!is_for(*key.source, rrset.type)) continue;
    if (auto made = sign_with(key, rrset, out); !made) return made;
  }
  return {};
}

bool ZoneSigner::Worker::may_stay(const RrsigView& rrsig, const Rrset& rrset, const Key& key) const {
  return rrsig.type_covered == rrset.type && rrsig.key_tag == key.tag &&
         rrsig.algorithm == crypto::value(key.signer.algorithm()) && rrsig.original_ttl == rrset.ttl &&
         rrsig.labels == rrsig_labels(rrset.owner) && rrsig.signer == zone_->apex() &&
         rrsig.signature.size() == key.signer.signature_size() && !needs_resign(rrsig, zone_->now_, zone_->policy_);
}

const ByteView* ZoneSigner::Worker::find_fresh(const Rrset& rrset, std::span<const ByteView> existing,
                                               const Key& key) const {
  const auto found = std::find_if(existing.begin(), existing.end(), [&](ByteView rdata) {
    const auto rrsig = RrsigView::from_rdata(rdata);
    return rrsig && may_stay(*rrsig, rrset, key);
  });
  return found == existing.end() ? nullptr : &*found;
}

bool ZoneSigner::Worker::is_fresh(const Rrset& rrset, std::span<const ByteView> existing) const {
  size_t wanted = 0;
  for (const Key& key : keys_) {
    if (!is_for(*key.source, rrset.type)) continue;
    ++wanted;
    if (find_fresh(rrset, existing, key) == nullptr) return false;
  }
  return wanted == existing.size();
}

Result<bool> ZoneSigner::Worker::refresh(const Rrset& rrset, std::span<const ByteView> existing, RrsigList& out) {
  size_t kept = 0;
  bool changed = false;
  for (Key& key : keys_) {
    if (!is_for(*key.source, rrset.type)) continue;
    if (const ByteView* fresh = find_fresh(rrset, existing, key)) {
      out.add(*fresh);
      ++kept;
      continue;
    }
    changed = true;
    if (auto made = sign_with(key, rrset, out); !made) return tl::unexpected(made.error());
  }
  return changed || kept != existing.size();
}

}  // namespace steward::sign
