#include "client/signed_rrset.hh"

#include <algorithm>

#include "dns/rdata.hh"

namespace steward::client {
namespace {

using dns::Record;
using dns::RrType;

SignedRrset& rrset_at(std::vector<SignedRrset>& rrsets, const dns::Name& owner, RrType type) {
  const auto at = std::find_if(rrsets.begin(), rrsets.end(),
                               [&](const SignedRrset& r) { return r.type == type && r.owner == owner; });
  if (at != rrsets.end()) return *at;
  return rrsets.emplace_back(SignedRrset{.owner = owner.folded(), .type = type, .rdatas = {}, .rrsigs = {}});
}

}  // namespace

std::vector<SignedRrset> collect_rrsets(std::span<const Record> records) {
  std::vector<SignedRrset> rrsets;
  for (const Record& record : records) {
    if (record.klass != dns::RrClass::IN || dns::is_meta_type(record.type)) continue;
    const bool is_rrsig = record.type == RrType::RRSIG;
    if (is_rrsig && record.rdata.size() < 2) continue;
    const RrType type = is_rrsig ? static_cast<RrType>(load_u16(record.rdata.data())) : record.type;
    SignedRrset& rrset = rrset_at(rrsets, record.owner, type);
    std::vector<Bytes>& place = is_rrsig ? rrset.rrsigs : rrset.rdatas;
    Bytes rdata = record.rdata;
    dns::canonicalize_rdata(record.type, rdata);
    if (std::find(place.begin(), place.end(), rdata) == place.end()) place.push_back(std::move(rdata));
    if (!is_rrsig) rrset.ttl = record.ttl;
  }
  std::erase_if(rrsets, [](const SignedRrset& rrset) { return rrset.rdatas.empty(); });
  for (SignedRrset& rrset : rrsets)
    std::sort(rrset.rdatas.begin(), rrset.rdatas.end(),
              [](const Bytes& a, const Bytes& b) { return dns::compare_rdata(a, b) < 0; });
  return rrsets;
}

const SignedRrset* find_rrset(std::span<const SignedRrset> rrsets, dns::NameView owner, RrType type) {
  for (const SignedRrset& rrset : rrsets)
    if (rrset.type == type && rrset.owner == owner) return &rrset;
  return nullptr;
}

}  // namespace steward::client
