#include "federation/replays.hh"

#include <algorithm>

#include "base/time_octets.hh"
#include "crypto/digest.hh"

namespace steward::federation {

namespace {

// Three kinds of rows, told apart by the first octet of the key:
//   0                                              format, count of all (4), start of what is remembered (8)
//   1, signer (16)                                 count of the signer (4)
//   2, inception (8), signer (16), tag (2), nonce  expiration (8)
// The last sort by inception, so that what is stale stands first.
constexpr uint8_t totals_row = 0;
constexpr uint8_t signer_row = 1;
constexpr uint8_t request_row = 2;
constexpr uint8_t totals_format = 1;
constexpr size_t signer_size = 16;  // octets of the SHA-256 over the signer's name
constexpr size_t signer_at = 9;     // in the key of a request
constexpr size_t request_key_size = signer_at + signer_size + 2 + auth::nonce_size;
constexpr uint32_t forgotten_each_time = 16;

/// A time of SIG, which has 32 bits, nearest to `now` (RFC 4034 §3.1.5).
UnixTime near(uint32_t time, UnixTime now) {
  return now + Seconds{static_cast<int32_t>(time - static_cast<uint32_t>(seconds_of(now)))};
}

Bytes signer_key(dns::NameView signer) {
  uint8_t folded[dns::max_name_size];
  dns::fold_into(signer, folded);
  const auto digest = crypto::sha256({folded, signer.size()});
  Bytes key{signer_row};
  append(key, ByteView(digest).first(signer_size));
  return key;
}

Bytes request_key(const auth::RegistryRequest& request, ByteView signer, UnixTime inception) {
  Bytes key{request_row};
  append_time(key, inception);
  append(key, signer.subspan(1));
  append_u16(key, request.sig0.tag);
  append(key, request.nonce);
  return key;
}

}  // namespace

struct Replays::Totals {
  uint32_t count = 0;
  UnixTime remembered{};  ///< requests with an earlier inception may have been forgotten
};

std::string_view to_text(ReplayVerdict verdict) {
  switch (verdict) {
    case ReplayVerdict::Fresh: return "fresh";
    case ReplayVerdict::Repeated: return "the request has been here before";
    case ReplayVerdict::Stale: return "the request is from before what is remembered";
    case ReplayVerdict::Full: return "too many requests within 300 seconds";
  }
  return "";
}

dns::Rcode rcode_of(ReplayVerdict verdict) {
  switch (verdict) {
    case ReplayVerdict::Fresh: return dns::Rcode::NOERROR;
    case ReplayVerdict::Repeated:
    case ReplayVerdict::Stale: return dns::Rcode::NOTAUTH;
    case ReplayVerdict::Full: return dns::Rcode::REFUSED;
  }
  return dns::Rcode::SERVFAIL;
}

Result<ReplayVerdict> Replays::admit(const auth::RegistryRequest& request, UnixTime now) {
  if (const auto purged = purge(now, forgotten_each_time); !purged) return tl::unexpected(purged.error());
  auto held = totals();
  if (!held) return tl::unexpected(held.error());
  const UnixTime inception = near(request.sig0.inception, now);
  // A window that is too long would outlive its entry.
  const UnixTime expiration = near(request.sig0.expiration, now);
  if (inception < held->remembered || inception > now || expiration < now ||
      expiration - inception > auth::max_request_window)
    return ReplayVerdict::Stale;
  const Bytes signer = signer_key(request.sig0.signer);
  const Bytes key = request_key(request, signer, inception);
  if (!table_.find(key).empty()) return ReplayVerdict::Repeated;
  const auto count = count_of(signer);
  if (!count) return tl::unexpected(count.error());
  if (held->count >= limits_.of_all || *count >= limits_.of_signer) return ReplayVerdict::Full;
  Bytes octets;
  append_time(octets, expiration);
  ++held->count;
  auto done = table_.put(key, octets);
  if (done) done = put_count(signer, *count + 1);
  if (done) done = put_totals(*held);
  if (!done) return tl::unexpected(done.error());
  return ReplayVerdict::Fresh;
}

Result<uint32_t> Replays::purge(UnixTime now, uint32_t most) {
  auto held = totals();
  if (!held) return tl::unexpected(held.error());
  const UnixTime remembered = now - auth::max_request_window;
  uint32_t forgotten = 0;
  for (; forgotten < most; ++forgotten) {
    Bytes key{request_row};
    if (!table_.at_or_after(key) || key.size() != request_key_size) break;
    ByteReader in(key, 1);
    const UnixTime inception = read_time(in);
    if (inception >= remembered) break;
    // Before it goes: from here on nothing as old is taken.
    held->remembered = std::max(held->remembered, inception + Seconds{1});
    const auto gone = forget_oldest(*held);
    if (!gone) return tl::unexpected(gone.error());
    if (!*gone) break;
  }
  if (forgotten == 0) return forgotten;
  if (auto put = put_totals(*held); !put) return tl::unexpected(put.error());
  return forgotten;
}

Result<bool> Replays::forget_oldest(Totals& totals) {
  Bytes key{request_row};
  if (!table_.at_or_after(key)) return false;
  Bytes signer{signer_row};
  append(signer, ByteView(key).subspan(signer_at, signer_size));
  const auto count = count_of(signer);
  if (!count) return tl::unexpected(count.error());
  if (*count == 0 || totals.count == 0) return fail(Errc::Corrupt, "replays: fewer are counted than are there");
  auto done = table_.put(key, {});
  if (done) done = put_count(signer, *count - 1);
  if (!done) return tl::unexpected(done.error());
  --totals.count;
  return true;
}

Result<uint32_t> Replays::size() const {
  const auto held = totals();
  if (!held) return tl::unexpected(held.error());
  return held->count;
}

Result<Replays::Totals> Replays::totals() const {
  Totals held;
  const Bytes octets = table_.find(Bytes{totals_row});
  if (octets.empty()) return held;
  ByteReader in(octets);
  const uint8_t format = in.u8();
  held.count = in.u32();
  held.remembered = read_time(in);
  if (!in.ok() || in.left() != 0 || format != totals_format)
    return fail(Errc::Corrupt, "replays: an entry of no known format");
  return held;
}

Result<void> Replays::put_totals(const Totals& totals) {
  Bytes octets{totals_format};
  append_u32(octets, totals.count);
  append_time(octets, totals.remembered);
  return table_.put(Bytes{totals_row}, octets);
}

Result<uint32_t> Replays::count_of(ByteView signer_key) const {
  const Bytes octets = table_.find(signer_key);
  if (octets.empty()) return 0U;
  if (octets.size() != 4) return fail(Errc::Corrupt, "replays: an entry of no known format");
  return load_u32(octets.data());
}

Result<void> Replays::put_count(ByteView signer_key, uint32_t count) {
  Bytes octets;
  if (count > 0) append_u32(octets, count);
  return table_.put(signer_key, octets);
}

}  // namespace steward::federation
