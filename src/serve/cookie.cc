#include "serve/cookie.hh"

#include "crypto/siphash.hh"

namespace steward::serve {
namespace {

constexpr uint8_t cookie_version = 1;
constexpr size_t hash_offset = 8;
// RFC 9018 §4.3: accepted from an hour back to five minutes ahead, renewed after half an hour.
constexpr int32_t max_age = 3600;
constexpr int32_t max_ahead = 300;
constexpr int32_t renew_age = 1800;

// RFC 9018 §4.4: Hash = SipHash-2-4(Client Cookie | Version | Reserved | Timestamp | Client-IP, Server Secret).
void write_hash(ByteView client_cookie, const uint8_t* head, const std::array<uint8_t, 16>& secret, ByteView address,
                uint8_t* out) {
  std::array<uint8_t, client_cookie_size + hash_offset + 16> input;  // NOLINT: filled below
  std::memcpy(input.data(), client_cookie.data(), client_cookie_size);
  std::memcpy(&input[client_cookie_size], head, hash_offset);
  std::memcpy(&input[client_cookie_size + hash_offset], address.data(), address.size());
  const ByteView hashed(input.data(), client_cookie_size + hash_offset + address.size());
  crypto::store_siphash(crypto::siphash24(secret, hashed), out);
}

// In a time that does not tell how much of the hash was right.
bool same_hash(const uint8_t* a, const uint8_t* b) {
  uint64_t x = 0;
  uint64_t y = 0;
  std::memcpy(&x, a, sizeof x);
  std::memcpy(&y, b, sizeof y);
  return x == y;
}

}  // namespace

ServerCookie make_server_cookie(ByteView client_cookie, const std::array<uint8_t, 16>& secret, ByteView address,
                                uint32_t now) {
  ServerCookie cookie{};
  cookie[0] = cookie_version;
  store_u32(&cookie[4], now);
  write_hash(client_cookie, cookie.data(), secret, address, &cookie[hash_offset]);
  return cookie;
}

CookieState check_cookie(ByteView cookie, const CookieSecrets& secrets, ByteView address, uint32_t now,
                         ServerCookie& reply) {
  if (cookie.empty()) return CookieState::Absent;
  const ByteView client = cookie.first(client_cookie_size);
  const ByteView server = cookie.subspan(client_cookie_size);
  CookieState state = server.empty() ? CookieState::New : CookieState::Rejected;
  if (server.size() == server_cookie_size && server[0] == cookie_version) {
    // RFC 9018 §4.3: serial number arithmetic (RFC 1982), for the clock wraps in 2106.
    const auto age = static_cast<int32_t>(now - load_u32(&server[4]));
    if (age <= max_age && age >= -max_ahead) {
      std::array<uint8_t, 8> hash;  // NOLINT: written by write_hash
      write_hash(client, server.data(), secrets.current, address, hash.data());
      bool fresh = age <= renew_age;
      bool valid = same_hash(hash.data(), &server[hash_offset]);
      if (!valid && secrets.has_previous) {
        // RFC 9018 §5: what the secret before made is still accepted, and replaced.
        write_hash(client, server.data(), secrets.previous, address, hash.data());
        valid = same_hash(hash.data(), &server[hash_offset]);
        fresh = false;
      }
      if (valid && fresh) {
        std::memcpy(reply.data(), server.data(), server_cookie_size);
        return CookieState::Valid;
      }
      if (valid) state = CookieState::Valid;
    }
  }
  reply = make_server_cookie(client, secrets.current, address, now);
  return state;
}

}  // namespace steward::serve
