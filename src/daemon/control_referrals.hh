#pragma once
// Lists of what a registry keeps of agents below it, as lines of a reply.

#include <functional>
#include <vector>

#include "daemon/control_reply.hh"
#include "federation/referral.hh"
#include "store/store.hh"

namespace steward::daemon {

/// What is told of a row; nothing: it is left out.
using PickRow = std::function<std::optional<Json>(const dns::Name& child, const federation::Referrals::Row&)>;

/// On the export thread: any number of lines {list: [what is picked]}, then the end. A snapshot for each line, so that a
/// slow reader holds none. `children`: whose agents.
void tell_referrals(store::Reader& reader, const Reply& reply, const dns::Name& zone,
                    const std::vector<dns::Name>& children, const char* list, const PickRow& pick);

}  // namespace steward::daemon
