#include "change/update.hh"

#include <fmt/format.h>

#include <algorithm>

namespace steward::change {
namespace {

std::string update_place(const UpdateRecord& record, size_t index) {
  return fmt::format("update {}, {} {}", index + 1, record.owner.to_text(), dns::to_text(record.type));
}

UpdateOutcome malformed(const UpdateRecord& record, size_t index, std::string_view what) {
  return refused_update(Rcode::FORMERR, UpdateEde::Other, fmt::format("{}: {}", update_place(record, index), what));
}

UpdateOutcome prohibited(const UpdateRecord& record, size_t index, std::string_view what) {
  return refused_update(Rcode::REFUSED, UpdateEde::Prohibited, fmt::format("{}: {}", update_place(record, index), what));
}

// Types 0 and 65535 are reserved, 128 to 255 and OPT stand in messages only (RFC 6895 §3.1).
bool is_never_stored(RrType type) {
  return dns::is_meta_type(type) || dns::value(type) == 0 || dns::value(type) == 65535;
}

// RFC 2136 §3.4.1.2, with the types that came after it.
std::optional<UpdateOutcome> check_form(const UpdateRequest& request, const UpdateRecord& record, size_t index) {
  if (record.klass == request.zone_class) {
    if (is_never_stored(record.type))
      return malformed(record, index, "type is none that a zone holds (RFC 2136 §3.4.1.2)");
    return {};
  }
  if (record.klass != RrClass::ANY && record.klass != RrClass::NONE)
    return malformed(record, index, "class is neither the zone's nor ANY nor NONE (RFC 2136 §3.4.1.2)");
  if (record.ttl != 0) return malformed(record, index, "TTL of a deletion is not 0 (RFC 2136 §3.4.1.2)");
  const bool whole_name = record.klass == RrClass::ANY && record.type == RrType::ANY;
  if (!whole_name && is_never_stored(record.type))
    return malformed(record, index, "type is none that a zone holds (RFC 2136 §3.4.1.2)");
  if (record.klass == RrClass::ANY && !record.rdata.empty())
    return malformed(record, index, "RDATA is not empty (RFC 2136 §3.4.1.2)");
  return {};
}

// RFC 2136 §3.4.2.3: the deletion of all RRsets leaves the zone its SOA and NS.
bool stays(const UpdateRequest& request, const UpdatePolicy& policy, NameView owner, RrType type) {
  return policy.is_signers(type) || ((type == RrType::SOA || type == RrType::NS) && owner == request.zone.view());
}

// Any change takes a serial more, which nobody here could sign.
bool is_signed_elsewhere(const UpdateRequest& request, const UpdatePolicy& policy, ZoneEdit& edit) {
  if (policy.is_signed_here()) return false;
  const EditedRrset* soa = edit.find(request.zone, RrType::SOA);
  return soa != nullptr && !soa->rrsigs.empty();
}

}  // namespace

const EditedRrset* find_rrset(ZoneEdit& edit, NameView owner, RrType type) {
  const EditedRrset* rrset = edit.find(owner, type);
  return rrset == nullptr || rrset->rdatas.empty() ? nullptr : rrset;
}

bool is_in_use(ZoneEdit& edit, NameView owner) {
  return std::ranges::any_of(edit.rrsets(owner), [](const EditedRrset& rrset) {
    return rrset.type != RrType::NSEC3 && !rrset.rdatas.empty();
  });
}

std::optional<UpdateOutcome> prescan(const UpdateRequest& request) {
  for (size_t i = 0; i < request.updates.size(); ++i) {
    const UpdateRecord& record = request.updates[i];
    // RFC 2136 §3.4.1.3: the name comes before the form.
    if (!record.owner.is_at_or_below(request.zone))
      return refused_update(Rcode::NOTZONE, UpdateEde::Other,
                            fmt::format("{}: name is not in the zone (RFC 2136 §3.4.1.3)", update_place(record, i)));
    if (auto failed = check_form(request, record, i)) return failed;
  }
  return {};
}

std::optional<UpdateOutcome> check_rights(const UpdateRequest& request, const UpdatePolicy& policy,
                                          const UpdateSender& sender, ZoneEdit& edit) {
  for (size_t i = 0; i < request.updates.size(); ++i) {
    const UpdateRecord& record = request.updates[i];
    if (record.type == RrType::ANY) {
      for (const EditedRrset& rrset : edit.rrsets(record.owner))
        if (!stays(request, policy, record.owner, rrset.type) && !policy.allows(sender, record.owner, rrset.type))
          return prohibited(record, i, "no right to delete the " + dns::to_text(rrset.type) + " records of this name");
      continue;
    }
    if (policy.is_signers(record.type))
      return prohibited(record, i,
                        policy.is_signed_here() ? "the zone is signed here, which makes these records"
                                                : "records of a signer are not changed by UPDATE");
    if (!policy.allows(sender, record.owner, record.type)) return prohibited(record, i, "no right to change it");
  }
  return {};
}

UpdateOutcome evaluate_update(const UpdateRequest& request, const UpdatePolicy& policy, const UpdateSender& sender,
                              const UpdateLimits& limits, ZoneEdit& edit) {
  if (request.zone_class != RrClass::IN)
    return refused_update(Rcode::NOTAUTH, UpdateEde::NotAuthoritative, "zone's class is not IN (RFC 2136 §3.1.2)");
  if (!policy.admits(sender))
    return refused_update(Rcode::REFUSED, UpdateEde::Prohibited, "no right to change this zone");
  if (is_signed_elsewhere(request, policy, edit))
    return refused_update(Rcode::REFUSED, UpdateEde::Prohibited,
                          "the zone comes signed, and its signatures would not be those of what an update makes of it");
  const size_t records = request.prerequisites.size() + request.updates.size();
  if (limits.message_records != 0 && records > limits.message_records)
    return refused_update(
        Rcode::REFUSED, UpdateEde::Prohibited,
        fmt::format("message-records: {} records in one message, over {}", records, limits.message_records));
  if (auto failed = check_prerequisites(request, edit)) return *std::move(failed);
  if (auto failed = prescan(request)) return *std::move(failed);
  if (auto failed = check_rights(request, policy, sender, edit)) return *std::move(failed);
  edit.set_savepoint();
  UpdateOutcome outcome = apply_updates(request, policy, limits, edit);
  if (!outcome.done()) edit.roll_back();
  return outcome;
}

}  // namespace steward::change
