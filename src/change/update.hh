#pragma once
// DNS UPDATE applied to a zone (RFC 2136 §3): prerequisites, rights, prescan, and the changes themselves, all or
// nothing.
//
// The order is the RFC's: §3.2 prerequisites, §3.3 rights, §3.4.1 prescan, §3.4.2 changes; but who has no right in the
// zone at all is refused before the prerequisites, so that he learns nothing and costs nothing.
//
// A caller that gets more UPDATEs than the writer takes asks UpdatePolicy::admits() before it parses or queues one
// (CVE-2022-3094).
//
// Pure but for the edit. Writer thread. The caller has found the zone (§3.1.2 NOTAUTH), verified the signature and, at
// a secondary, forwarded (§6).

#include <optional>

#include "change/edit.hh"
#include "change/update_policy.hh"
#include "change/update_request.hh"

namespace steward::change {

using config::UpdateLimits;

/// Everything; a zone that comes signed is left as it is, with REFUSED. Sets the edit's savepoint, and has it roll back where the outcome is not NOERROR: several UPDATEs may
/// follow each other in one edit. The zone of the request is the edit's apex.
UpdateOutcome evaluate_update(const UpdateRequest& request, const UpdatePolicy& policy, const UpdateSender& sender,
                              const UpdateLimits& limits, ZoneEdit& edit);

// The steps, each nothing where it passes.

/// The RRset, null where it has no record: what is left of one that came signed may be its RRSIGs alone.
const EditedRrset* find_rrset(ZoneEdit& edit, NameView owner, RrType type);
/// RFC 2136 §2.4.4; a hashed name that has NSEC3 alone is none (RFC 5155 §3).
bool is_in_use(ZoneEdit& edit, NameView owner);

/// RFC 2136 §3.2: YXDOMAIN, YXRRSET, NXDOMAIN, NXRRSET; NOTZONE; FORMERR.
std::optional<UpdateOutcome> check_prerequisites(const UpdateRequest& request, ZoneEdit& edit);
/// RFC 2136 §3.4.1: NOTZONE, FORMERR. Looks at no content.
std::optional<UpdateOutcome> prescan(const UpdateRequest& request);
/// RFC 2136 §3.3: REFUSED where the sender may not make every one of the changes; where all RRsets of a name go, that
/// is every type which is there.
std::optional<UpdateOutcome> check_rights(const UpdateRequest& request, const UpdatePolicy& policy,
                                          const UpdateSender& sender, ZoneEdit& edit);
/// RFC 2136 §3.4.2. REFUSED where a limit is reached; what was changed until then is the caller's to take back.
UpdateOutcome apply_updates(const UpdateRequest& request, const UpdatePolicy& policy, const UpdateLimits& limits,
                            ZoneEdit& edit);

}  // namespace steward::change
