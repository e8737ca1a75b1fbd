#include "sign/denial.hh"

#include <algorithm>

#include "dns/encoding.hh"
#include "dns/type_bitmap.hh"

namespace steward::sign {

void append_type_bitmap(std::span<const RrType> types, Bytes& out) {
  dns::TypeBitmap bitmap;
  for (const RrType type : types) bitmap.add(type);
  bitmap.append_to(out);
}

void denial_types(DenialKind kind, std::span<const RrType> present, bool cut, std::vector<RrType>& out) {
  out.clear();
  for (const RrType type : present) {
    if (!cut || type == RrType::NS || type == RrType::DS) out.push_back(type);
  }
  const auto insert = [&out](RrType type) {
    const auto at = std::lower_bound(out.begin(), out.end(), type);
    if (at == out.end() || *at != type) out.insert(at, type);
  };
  if (kind == DenialKind::Nsec) {
    insert(RrType::RRSIG);
    insert(RrType::NSEC);
    return;
  }
  const bool has_ds = std::find(out.begin(), out.end(), RrType::DS) != out.end();
  if (cut ? has_ds : !out.empty()) insert(RrType::RRSIG);
}

void append_nsec_rdata(NameView next, std::span<const RrType> types, Bytes& out) {
  append(out, next.wire());
  append_type_bitmap(types, out);
}

namespace {

void append_params(const Nsec3Params& params, uint8_t flags, Bytes& out) {
  append_u8(out, nsec3_sha1);
  append_u8(out, flags);
  append_u16(out, params.iterations);
  append_u8(out, static_cast<uint8_t>(params.salt.size()));
  append(out, params.salt);
}

}  // namespace

void append_nsec3_rdata(const Nsec3Params& params, const Nsec3Hash& next, std::span<const RrType> types, Bytes& out) {
  append_params(params, params.opt_out ? nsec3_flag_opt_out : uint8_t{0}, out);
  append_u8(out, static_cast<uint8_t>(next.size()));
  append(out, next);
  append_type_bitmap(types, out);
}

void append_nsec3param_rdata(const Nsec3Params& params, Bytes& out) { append_params(params, 0, out); }

Result<Nsec3Params> nsec3param_from_rdata(ByteView rdata) {
  ByteReader in(rdata);
  const uint8_t algorithm = in.u8();
  const uint8_t flags = in.u8();
  Nsec3Params params;
  params.iterations = in.u16();
  const ByteView salt = in.bytes(in.u8());
  if (!in.ok() || in.left() != 0) return fail(Errc::Invalid, "NSEC3PARAM: malformed (RFC 5155 §4.2)");
  if (algorithm != nsec3_sha1) return fail(Errc::Unsupported, "NSEC3PARAM: unknown hash algorithm (RFC 5155 §8.1)");
  if (flags != 0) return fail(Errc::Unsupported, "NSEC3PARAM: flags are not zero (RFC 5155 §4.1.2)");
  params.salt.assign(salt.begin(), salt.end());
  return params;
}

Result<dns::Name> nsec3_owner(const Nsec3Hash& hash, NameView apex) {
  std::string label = dns::encode(dns::base32hex, hash);
  for (char& c : label) c = static_cast<char>(dns::fold(static_cast<uint8_t>(c)));
  return dns::Name(apex).child(as_bytes(label));
}

Result<Nsec3Hash> nsec3_hash_of_owner(NameView owner) {
  const auto octets = dns::decode(dns::base32hex, as_text(owner.first_label()));
  Nsec3Hash hash;
  if (!octets || octets->size() != hash.size()) {
    return fail(Errc::Invalid, owner.to_text() + ": first label is no SHA-1 hash in base32hex (RFC 5155 §3)");
  }
  std::copy(octets->begin(), octets->end(), hash.begin());
  return hash;
}

Result<Nsec3View> Nsec3View::from_rdata(ByteView rdata) {
  ByteReader in(rdata);
  Nsec3View view;
  view.algorithm = in.u8();
  view.flags = in.u8();
  view.iterations = in.u16();
  view.salt = in.bytes(in.u8());
  view.next = in.bytes(in.u8());
  if (!in.ok()) return fail(Errc::Invalid, "NSEC3: RDATA ends early (RFC 5155 §3.2)");
  view.bitmap = in.rest();
  return view;
}

}  // namespace steward::sign
