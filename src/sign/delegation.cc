#include "sign/delegation.hh"

#include <array>
#include <optional>

#include "crypto/algorithm.hh"
#include "crypto/digest.hh"

namespace steward::sign {

namespace {

constexpr size_t ds_fixed_size = 4;

std::optional<crypto::DigestAlgorithm> algorithm_of(uint8_t digest_type) {
  switch (static_cast<DsDigest>(digest_type)) {
    case DsDigest::SHA1: return crypto::DigestAlgorithm::Sha1;
    case DsDigest::SHA256: return crypto::DigestAlgorithm::Sha256;
    case DsDigest::SHA384: return crypto::DigestAlgorithm::Sha384;
  }
  return std::nullopt;
}

}  // namespace

void append_ds_rdata(NameView owner, ByteView dnskey_rdata, DsDigest digest, Bytes& out) {
  const auto digest_type = static_cast<uint8_t>(digest);
  append_u16(out, crypto::key_tag(dnskey_rdata));
  append_u8(out, dnskey_rdata.size() > 3 ? dnskey_rdata[3] : uint8_t{0});
  append_u8(out, digest_type);
  Bytes input(owner.size());
  dns::fold_into(owner, input.data());
  append(input, dnskey_rdata);
  std::array<uint8_t, crypto::max_digest_size> hash;
  const size_t size = crypto::digest(*algorithm_of(digest_type), input, hash.data());
  append(out, ByteView(hash.data(), size));
}

Result<bool> ds_matches(NameView owner, ByteView dnskey_rdata, ByteView ds_rdata) {
  if (ds_rdata.size() <= ds_fixed_size) return fail(Errc::Invalid, "DS: RDATA ends early (RFC 4034 §5.1)");
  if (!algorithm_of(ds_rdata[3])) {
    return fail(Errc::Unsupported, "DS: digest type " + std::to_string(ds_rdata[3]) + " is not known");
  }
  Bytes made;
  append_ds_rdata(owner, dnskey_rdata, static_cast<DsDigest>(ds_rdata[3]), made);
  return std::equal(made.begin(), made.end(), ds_rdata.begin(), ds_rdata.end());
}

Bytes cds_delete_rdata() { return {0, 0, 0, 0, 0}; }
Bytes cdnskey_delete_rdata() { return {0, 0, 3, 0, 0}; }

}  // namespace steward::sign
