// Fields that few types have, in wire form: LOC, WKS, NSAP, ATMA, A6, APL, HIP.
#include <algorithm>

#include "dns/rdata_fields.hh"

namespace steward::dns {
namespace {

// RFC 1876 §2: 16 octets in version 0; another version has a layout that we do not know.
Result<size_t> measure_loc(ByteView field) {
  if (field.empty()) return fail(Errc::Invalid, "is cut short");
  if (field[0] != 0) return field.size();
  if (field.size() < 16) return fail(Errc::Invalid, "is cut short");
  for (const uint8_t size : field.subspan(1, 3))
    if (size >> 4 > 9 || (size & 0x0f) > 9)
      return fail(Errc::Invalid, "sizes and precisions are a digit and a power of ten (RFC 1876 §2)");
  constexpr uint32_t equator = 0x80000000;
  const auto off = [](uint32_t angle) { return angle > equator ? angle - equator : equator - angle; };
  if (off(load_u32(&field[4])) > 90U * 3600000) return fail(Errc::Invalid, "latitude is beyond a pole (RFC 1876 §2)");
  if (off(load_u32(&field[8])) > 180U * 3600000)
    return fail(Errc::Invalid, "longitude is over 180 degrees (RFC 1876 §2)");
  return 16;
}

// RFC 3123 §4: family, prefix, N bit and length, octets without trailing zeros.
Result<size_t> measure_apl(ByteView field) {
  size_t at = 0;
  while (at < field.size()) {
    const ByteView item = field.subspan(at);
    if (item.size() < 4 || item.size() < size_t{4} + (item[3] & 0x7f))
      return fail(Errc::Invalid, "last item is cut short");
    const unsigned family = load_u16(item.data());
    const size_t size = item[3] & 0x7f;
    const size_t whole = family == 1 ? 4 : family == 2 ? 16 : 127;
    if (family <= 2 && family > 0 && item[2] > whole * 8)
      return fail(Errc::Invalid, "prefix is longer than the address (RFC 3123 §4)");
    if (size > whole) return fail(Errc::Invalid, "address is too long for its family (RFC 3123 §4)");
    if (size > 0 && item[3 + size] == 0) return fail(Errc::Invalid, "address ends in a zero octet (RFC 3123 §4)");
    at += 4 + size;
  }
  return at;
}

// RFC 2874 §3.1: prefix length, the address's remaining bits, and the prefix's name unless there is no prefix.
Result<size_t> measure_a6(ByteView field) {
  if (field.empty()) return fail(Errc::Invalid, "is cut short");
  if (field[0] > 128) return fail(Errc::Invalid, "prefix is over 128 bits (RFC 2874 §3.1.1)");
  const size_t suffix = (135U - field[0]) / 8;
  if (field.size() < 1 + suffix) return fail(Errc::Invalid, "address suffix is cut short");
  if (suffix > 0 && field[0] % 8 != 0 && field[1] >> (8 - field[0] % 8) != 0)
    return fail(Errc::Invalid, "padding before the address suffix is not zero (RFC 2874 §3.1.1)");
  if (field[0] == 0) return 1 + suffix;
  const auto name = NameView::from_wire(field.subspan(1 + suffix));
  if (!name) return tl::unexpected(name.error());
  return 1 + suffix + name->size();
}

// RFC 8005 §5: lengths of HIT and key, algorithm, HIT, key, rendezvous servers.
Result<size_t> measure_hip(ByteView field) {
  if (field.size() < 4) return fail(Errc::Invalid, "is cut short");
  const size_t hit = field[0];
  const size_t key = load_u16(&field[2]);
  if (hit == 0 || key == 0)
    return fail(Errc::Invalid, "host identity tag and public key must not be empty (RFC 8005 §5)");
  if (field.size() < 4 + hit + key) return fail(Errc::Invalid, "host identity tag or public key is cut short");
  size_t at = 4 + hit + key;
  while (at < field.size()) {
    const auto server = NameView::from_wire(field.subspan(at));
    if (!server) return fail("rendezvous server", server.error());
    at += server->size();
  }
  return at;
}

// ATM Forum AF-DANS-0152 §5.2: format octet 0 (AESA) or 1 (E.164 digits).
Result<size_t> measure_atma(ByteView field) {
  if (field.empty()) return fail(Errc::Invalid, "is cut short");
  if (field[0] == 1 &&
      (field.size() < 2 || !std::ranges::all_of(field.subspan(1), [](uint8_t c) { return c >= '0' && c <= '9'; })))
    return fail(Errc::Invalid, "E.164 address must be digits");
  return field.size();
}

// RFC 1035 §3.4.2: address, protocol, one bit a port.
Result<size_t> measure_wks(ByteView field) {
  if (field.size() < 5) return fail(Errc::Invalid, "is cut short");
  if (field.size() > 5 + 8192) return fail(Errc::Invalid, "bitmap goes beyond port 65535");
  return field.size();
}

bool apl_families_known(ByteView rdata) {
  for (size_t at = 0; at < rdata.size(); at += size_t{4} + (rdata[at + 3] & 0x7f))
    if (const unsigned family = load_u16(&rdata[at]); family != 1 && family != 2) return false;
  return true;
}

}  // namespace

Result<size_t> measure_rare_field(FieldKind kind, ByteView field) {
  switch (kind) {
    case FieldKind::Loc: return measure_loc(field);
    case FieldKind::Wks: return measure_wks(field);
    case FieldKind::Atma: return measure_atma(field);
    case FieldKind::A6: return measure_a6(field);
    case FieldKind::Apl: return measure_apl(field);
    case FieldKind::Hip: return measure_hip(field);
    default:  // Nsap: any octets, at least one (RFC 1706 §5)
      if (field.empty()) return fail(Errc::Invalid, "must not be empty");
      return field.size();
  }
}

bool has_text_form(RrType type, ByteView rdata) {
  switch (type) {
    case RrType::LOC: return rdata[0] == 0;
    case RrType::APL: return apl_families_known(rdata);
    case RrType::ATMA: return rdata[0] <= 1 && rdata.size() > 1;
    case RrType::AMTRELAY: return (rdata[1] & 0x7f) <= 3;
    default: return true;
  }
}

}  // namespace steward::dns
