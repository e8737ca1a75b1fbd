#include "change/bring_rows.hh"

#include <algorithm>

namespace steward::change {

void bring_to(ZoneEdit& edit, const dns::Name& owner, RrType type, std::vector<Bytes> wanted, uint32_t ttl) {
  std::erase_if(wanted, [](const Bytes& rdata) { return rdata.empty(); });
  const EditedRrset* rrset = edit.find(owner, type);
  const std::vector<Bytes> there = rrset == nullptr ? std::vector<Bytes>{} : rrset->rdatas;
  for (const Bytes& rdata : there)
    if (std::ranges::find(wanted, rdata) == wanted.end()) edit.remove(owner, type, rdata);
  for (const Bytes& rdata : wanted) edit.add(owner, type, ttl, rdata);
}

}  // namespace steward::change
