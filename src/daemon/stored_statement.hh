#pragma once
// The publisher's statement at a stored node. On the thread of the reader that found the node, before release().

#include <optional>

#include "agent/statement.hh"
#include "zone/node.hh"

namespace steward::daemon {

/// Nothing where none stands there, or the node is hidden by a cut.
std::optional<agent::Statement> statement_at(zone::NodeView node);

}  // namespace steward::daemon
