#include "sign/validity.hh"

#include <array>

#include "crypto/siphash.hh"

namespace steward::sign {

namespace {

constexpr Seconds max_lifetime = std::chrono::days(3650);

/// A time of 32 bits as the moment nearest to `now` that it may stand for (RFC 4034 §3.1.5).
UnixTime unwrap(uint32_t time, UnixTime now) {
  const auto ahead = static_cast<int32_t>(time - static_cast<uint32_t>(seconds_of(now)));
  return now + Seconds(ahead);
}

}  // namespace

Result<void> check_validity_policy(const ValidityPolicy& policy, Seconds max_ttl) {
  if (policy.jitter < Seconds(0) || policy.inception_offset < Seconds(0) || policy.refresh < Seconds(0)) {
    return fail(Errc::Invalid, "signature policy: a period is negative");
  }
  if (policy.lifetime > max_lifetime || policy.inception_offset > max_lifetime) {
    return fail(Errc::Invalid, "signature policy: a lifetime over ten years (RFC 4034 §3.1.5)");
  }
  if (policy.refresh <= max_ttl) {
    return fail(Errc::Invalid, "signature policy: refresh must be longer than the longest TTL (RFC 6781 §4.4.2)");
  }
  if (policy.lifetime - policy.jitter <= policy.refresh) {
    return fail(Errc::Invalid, "signature policy: the lifetime less jitter must be longer than refresh");
  }
  return {};
}

Validity validity_for(NameView owner, RrType type, KeyTag tag, UnixTime now, const ValidityPolicy& policy) {
  std::array<uint8_t, dns::max_name_size + 4> input;
  dns::fold_into(owner, input.data());
  store_u16(&input[owner.size()], dns::value(type));
  store_u16(&input[owner.size() + 2], tag);
  // No secret: it only has to spread evenly.
  constexpr crypto::SipHashKey spread_key = {'s', 't', 'e', 'w', 'a', 'r', 'd', ' ', 'j', 'i', 't', 't', 'e', 'r'};
  const uint64_t hash = crypto::siphash24(spread_key, ByteView(input.data(), owner.size() + 4));
  const auto span = static_cast<uint64_t>(policy.jitter.count()) + 1;
  return {now - policy.inception_offset, now + policy.lifetime - Seconds(static_cast<int64_t>(hash % span))};
}

bool needs_resign(const RrsigView& rrsig, UnixTime now, const ValidityPolicy& policy) {
  return unwrap(rrsig.inception, now) > now || resign_time(rrsig, now, policy) <= now;
}

UnixTime resign_time(const RrsigView& rrsig, UnixTime now, const ValidityPolicy& policy) {
  return unwrap(rrsig.expiration, now) - policy.refresh;
}

}  // namespace steward::sign
