#include "daemon/stored_statement.hh"

namespace steward::daemon {

std::optional<agent::Statement> statement_at(zone::NodeView node) {
  const auto txt = node && !node.is(zone::node_occluded) ? node.find(dns::RrType::TXT) : std::nullopt;
  if (!txt) return std::nullopt;
  for (zone::StoredRrReader reader(txt->rrs); !reader.done();) {
    auto statement = agent::Statement::from_txt(reader.next().rdata);
    if (statement) return std::move(*statement);
  }
  return std::nullopt;
}

}  // namespace steward::daemon
