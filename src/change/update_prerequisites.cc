#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "change/update.hh"
#include "dns/rdata.hh"

namespace steward::change {
namespace {

std::string prerequisite_place(const UpdateRecord& record, size_t index) {
  return fmt::format("prerequisite {}, {} {}", index + 1, record.owner.to_text(), dns::to_text(record.type));
}

UpdateOutcome unmet(Rcode rcode, const UpdateRecord& record, size_t index, std::string_view what) {
  return refused_update(rcode, UpdateEde::Other, fmt::format("{}: {}", prerequisite_place(record, index), what));
}

Bytes canonical_rdata(RrType type, ByteView rdata) {
  Bytes octets(rdata.begin(), rdata.end());
  dns::canonicalize_rdata(type, octets);
  return octets;
}

// RFC 2136 §1.1.1: equal without regard to order, TTL, or the case of names.
void sort_set(std::vector<Bytes>& rdatas) {
  std::ranges::sort(rdatas);
  rdatas.erase(std::unique(rdatas.begin(), rdatas.end()), rdatas.end());
}

/// A record that is to be there with this very value, with what orders it.
struct Expected {
  Bytes owner;  // folded
  size_t index = 0;
  const UpdateRecord* record = nullptr;
};

// RFC 2136 §3.2.3: the temporary RRset is the zone's.
bool is_rrset(ZoneEdit& edit, const UpdateRecord& first, std::vector<Bytes>& wanted) {
  const EditedRrset* rrset = find_rrset(edit, first.owner, first.type);
  sort_set(wanted);
  if (rrset == nullptr || rrset->rdatas.size() < wanted.size()) return false;
  std::vector<Bytes> there;
  there.reserve(rrset->rdatas.size());
  for (const Bytes& rdata : rrset->rdatas) there.push_back(canonical_rdata(first.type, rdata));
  sort_set(there);
  return there == wanted;
}

// Sorted into RRsets first, so that thousands of records cost a sort and not a comparison of each with each.
std::optional<UpdateOutcome> check_values(std::vector<Expected>& expected, ZoneEdit& edit) {
  std::ranges::sort(expected, [](const Expected& a, const Expected& b) {
    return std::tie(a.owner, a.record->type, a.index) < std::tie(b.owner, b.record->type, b.index);
  });
  for (size_t first = 0, end = 0; first < expected.size(); first = end) {
    std::vector<Bytes> wanted;
    const UpdateRecord& record = *expected[first].record;
    for (; end < expected.size() && expected[end].owner == expected[first].owner &&
           expected[end].record->type == record.type;
         ++end)
      wanted.push_back(canonical_rdata(record.type, expected[end].record->rdata));
    if (!is_rrset(edit, record, wanted))
      return unmet(Rcode::NXRRSET, record, expected[first].index, "RRset has not these records (RFC 2136 §3.2.3)");
  }
  return {};
}

// RFC 2136 §3.2.1: "is there", with any value.
std::optional<UpdateOutcome> check_there(const UpdateRecord& record, size_t index, ZoneEdit& edit) {
  if (record.type == RrType::ANY) {
    if (!is_in_use(edit, record.owner))
      return unmet(Rcode::NXDOMAIN, record, index, "name is not in use (RFC 2136 §3.2.1)");
  } else if (find_rrset(edit, record.owner, record.type) == nullptr) {
    return unmet(Rcode::NXRRSET, record, index, "RRset does not exist (RFC 2136 §3.2.1)");
  }
  return {};
}

// RFC 2136 §3.2.2: "is not there".
std::optional<UpdateOutcome> check_not_there(const UpdateRecord& record, size_t index, ZoneEdit& edit) {
  if (record.type == RrType::ANY) {
    if (is_in_use(edit, record.owner)) return unmet(Rcode::YXDOMAIN, record, index, "name is in use (RFC 2136 §3.2.2)");
  } else if (find_rrset(edit, record.owner, record.type) != nullptr) {
    return unmet(Rcode::YXRRSET, record, index, "RRset exists (RFC 2136 §3.2.2)");
  }
  return {};
}

}  // namespace

std::optional<UpdateOutcome> check_prerequisites(const UpdateRequest& request, ZoneEdit& edit) {
  std::vector<Expected> expected;
  for (size_t i = 0; i < request.prerequisites.size(); ++i) {
    const UpdateRecord& record = request.prerequisites[i];
    const auto malformed = [&](std::string_view what) { return unmet(Rcode::FORMERR, record, i, what); };
    if (record.ttl != 0) return malformed("TTL is not 0 (RFC 2136 §3.2)");
    if (!record.owner.is_at_or_below(request.zone))
      return unmet(Rcode::NOTZONE, record, i, "name is not in the zone (RFC 2136 §3.2)");
    if (record.klass == request.zone_class) {
      // A meta type has no records of its own that could be compared (CVE-2009-0696).
      if (dns::is_meta_type(record.type)) return malformed("type is none that a zone holds (RFC 2136 §2.4.2)");
      Expected& entry = expected.emplace_back(Expected{Bytes(record.owner.size()), i, &record});
      dns::fold_into(record.owner, entry.owner.data());
      continue;
    }
    if (record.klass != RrClass::ANY && record.klass != RrClass::NONE)
      return malformed("class is neither the zone's nor ANY nor NONE (RFC 2136 §3.2)");
    if (!record.rdata.empty()) return malformed("RDATA is not empty (RFC 2136 §3.2)");
    auto failed = record.klass == RrClass::ANY ? check_there(record, i, edit) : check_not_there(record, i, edit);
    if (failed) return failed;
  }
  return check_values(expected, edit);
}

}  // namespace steward::change
