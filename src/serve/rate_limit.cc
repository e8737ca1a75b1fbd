#include "serve/rate_limit.hh"

#include <algorithm>
#include <bit>

namespace steward::serve {
namespace {

constexpr uint64_t thousandths = 1000;
constexpr unsigned token_bits = 28;
constexpr unsigned time_bits = 20;
constexpr uint64_t token_mask = (uint64_t{1} << token_bits) - 1;
constexpr uint64_t time_mask = (uint64_t{1} << time_bits) - 1;

constexpr uint64_t tokens_of(uint64_t bucket) { return bucket & token_mask; }
constexpr uint64_t time_of(uint64_t bucket) { return bucket >> token_bits & time_mask; }
constexpr uint64_t tag_of(uint64_t bucket) { return bucket >> (token_bits + time_bits); }
constexpr uint64_t make_bucket(uint64_t tag, uint64_t now_ms, uint64_t tokens) {
  return tag << (token_bits + time_bits) | (now_ms & time_mask) << token_bits | tokens;
}

// The high and low half of a product, folded: every bit of both factors reaches every bit of the result.
uint64_t mix(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// The network that a client is counted with: others in it could be the same.
struct Network {
  uint64_t high = 0;
  uint64_t low = 0;
};

constexpr uint64_t leading(uint64_t bits, unsigned count) {
  return count == 0 ? 0 : bits >> (64 - count) << (64 - count);
}

Network network_of(const SocketAddress& client, const RateLimitSettings& settings) {
  const ByteView octets = client.octets();
  // Ones behind an IPv4 address keep it apart from every IPv6 network of less than 128 bits.
  if (octets.size() == 4) return {leading(uint64_t{load_u32(octets.data())} << 32, settings.ipv4_prefix), UINT64_MAX};
  const uint64_t high = uint64_t{load_u32(octets.data())} << 32 | load_u32(octets.data() + 4);
  const uint64_t low = uint64_t{load_u32(octets.data() + 8)} << 32 | load_u32(octets.data() + 12);
  const unsigned prefix = settings.ipv6_prefix;
  return {leading(high, std::min(prefix, 64U)), leading(low, prefix > 64 ? prefix - 64 : 0)};
}

bool any_contains(const std::vector<AddressBlock>& blocks, const SocketAddress& client) {
  return std::any_of(blocks.begin(), blocks.end(), [&](const AddressBlock& block) { return block.contains(client); });
}

}  // namespace

RateLimiter::RateLimiter(RateLimitSettings settings, const std::array<uint64_t, 2>& secret)
    // Constants with bits all over, so that even a secret of zeros mixes.
    : settings_(std::move(settings)), secret_{secret[0] ^ 0xa0761d6478bd642fU, secret[1] ^ 0xe7037ed1a0b428dbU} {
  settings_.per_second = std::clamp<uint32_t>(settings_.per_second, 1, 200'000);
  settings_.ipv4_prefix = std::min<uint8_t>(settings_.ipv4_prefix, 32);
  settings_.ipv6_prefix = std::min<uint8_t>(settings_.ipv6_prefix, 128);
  const size_t lines = std::bit_ceil(std::max<size_t>(settings_.buckets, 8) / 8);
  line_mask_ = lines - 1;
  lines_ = std::make_unique<Line[]>(lines);
}

bool RateLimiter::applies_to(const SocketAddress& client) const {
  if (!client.is_loopback() && settings_.exempt.empty()) return true;
  return any_contains(settings_.listed, client) || !(client.is_loopback() || any_contains(settings_.exempt, client));
}

uint64_t RateLimiter::hash(const SocketAddress& client, ResponseClass kind, const void* source) const {
  const uint64_t what = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(source)) << 3 ^ static_cast<uint64_t>(kind);
  const Network network = network_of(client, settings_);
  return mix(mix(mix(network.high ^ secret_[0], network.low ^ secret_[1]) ^ secret_[0], what ^ secret_[1]) ^ secret_[0],
             secret_[1]);
}

// The tokens that a bucket holds now. After 17 minutes the time wraps and may seem short: the bucket is then less full
// than it should be, for a second.
uint64_t RateLimiter::refill(uint64_t bucket, uint64_t now_ms) const {
  const uint64_t elapsed = (now_ms - time_of(bucket)) & time_mask;
  // A worker whose clock was read a little earlier must not look 17 minutes late.
  const uint64_t passed = elapsed > time_mask - 1000 ? 0 : elapsed;
  return std::min(tokens_of(bucket) + passed * settings_.per_second, settings_.per_second * thousandths);
}

RateVerdict RateLimiter::take(const SocketAddress& client, ResponseClass kind, const void* source, uint64_t now_ms,
                              uint32_t& slips) {
  const uint64_t key = hash(client, kind, source);
  const uint64_t tag = key >> 48 | 1;  // never 0: a word of zeros is a bucket nobody has
  Line& line = lines_[key & line_mask_];

  std::atomic<uint64_t>* chosen = nullptr;
  uint64_t tokens = settings_.per_second * thousandths;
  uint64_t fullest = 0;
  for (std::atomic<uint64_t>& word : line.buckets) {
    const uint64_t bucket = word.load(std::memory_order_relaxed);
    if (tag_of(bucket) == tag) {
      chosen = &word;
      tokens = refill(bucket, now_ms);
      break;
    }
    const uint64_t fill = bucket == 0 ? UINT64_MAX : refill(bucket, now_ms) + 1;
    if (fill > fullest) {
      fullest = fill;
      chosen = &word;
    }
  }
  const bool enough = tokens >= thousandths;
  chosen->store(make_bucket(tag, now_ms, enough ? tokens - thousandths : tokens), std::memory_order_relaxed);
  if (enough) return RateVerdict::Send;
  return settings_.slip != 0 && ++slips % settings_.slip == 0 ? RateVerdict::Slip : RateVerdict::Drop;
}

}  // namespace steward::serve
