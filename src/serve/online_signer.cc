#include "serve/online_signer.hh"

#include <algorithm>

#include "crypto/digest.hh"

namespace steward::serve {
namespace {

constexpr size_t set_count = 2048;  // a power of two
constexpr size_t set_size = 4;      // entries of some 200 octets, once used
constexpr Seconds reused_for = std::chrono::minutes(30);
constexpr Seconds lifetime = std::chrono::hours(1);
constexpr Seconds inception_offset = std::chrono::hours(1);  // for validators whose clock is late
constexpr uint64_t jitter = 600;                             // seconds

}  // namespace

OnlineSigner::OnlineSigner() { crypto::random_octets(secret_); }

bool OnlineSigner::use(const std::shared_ptr<const DiscoverZone>& zone) {
  if (zone_ == zone) return signer_.has_value();
  zone_ = zone;
  signer_.reset();
  entries_.clear();
  if (!zone->key) return false;
  auto signer = crypto::Signer::create(*zone->key);
  if (!signer) return false;
  signer_.emplace(std::move(*signer));
  entries_.resize(set_count * set_size);
  return true;
}

// Over all that the signature covers but its times. Nobody who does not know the secret can make two RRsets meet.
uint64_t OnlineSigner::hash_of(const sign::Rrset& rrset) {
  hashed_.clear();
  append(hashed_, rrset.owner.wire());
  append_u16(hashed_, value(rrset.type));
  append_u32(hashed_, rrset.ttl);
  for (const ByteView rdata : rrset.rdatas) {
    append_u16(hashed_, static_cast<uint16_t>(rdata.size()));
    append(hashed_, rdata);
  }
  return crypto::siphash24(secret_, hashed_);
}

std::span<OnlineSigner::Entry> OnlineSigner::set_of(uint64_t hash) {
  return std::span(entries_).subspan((hash & (set_count - 1)) * set_size, set_size);
}

ByteView OnlineSigner::find(const sign::Rrset& rrset, UnixTime now) {
  hash_ = hash_of(rrset);
  for (const Entry& entry : set_of(hash_))
    // A clock that was set back must not prolong anything.
    if (entry.hash == hash_ && now >= entry.made && now < entry.made + reused_for) return entry.rdata;
  return {};
}

ByteView OnlineSigner::make(const sign::Rrset& rrset, UnixTime now) {
  // Expirations that are a little apart, so that not all resolvers come back at once.
  const sign::Validity validity{now - inception_offset, now + lifetime + Seconds(hash_ >> 32 & 0xffffU) % jitter};
  made_.clear();
  if (!sign::sign_rrset(*signer_, zone_->tag, zone_->apex, rrset, validity, scratch_, made_)) return {};
  const std::span<Entry> set = set_of(hash_);
  // The one that it takes the place of, else the oldest: a flood of random terms leaves nothing longer than its turn.
  const auto same = std::find_if(set.begin(), set.end(), [&](const Entry& entry) { return entry.hash == hash_; });
  const auto older = [](const Entry& a, const Entry& b) { return a.made < b.made; };
  Entry& entry = same != set.end() ? *same : *std::min_element(set.begin(), set.end(), older);
  const ByteView rdata = made_[0];
  entry.hash = hash_;
  entry.made = now;
  entry.rdata.assign(rdata.begin(), rdata.end());
  return entry.rdata;
}

}  // namespace steward::serve
