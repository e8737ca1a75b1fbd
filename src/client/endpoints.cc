#include <algorithm>
#include <array>

#include "client/names.hh"
#include "client/read_agent.hh"
#include "dns/svc_params.hh"

namespace steward::client {
namespace {

using dns::NameView;
using dns::SvcKey;

// Private keys of DNS-AID, by number (steward-records(7)).
constexpr uint16_t key_protocol = 65402;
constexpr uint16_t key_well_known = 65409;

/// RFC 9460 §8: a row whose `mandatory` names a key that we do not act upon is not used.
bool is_understood(uint16_t key) {
  constexpr std::array<uint16_t, 7> known{0, 1, 2, 3, 4, 6, key_protocol};
  return std::find(known.begin(), known.end(), key) != known.end();
}

/// A name that can stand in SNI and in a certificate: letters, digits and hyphens.
bool is_host_name(NameView name) {
  if (name.is_root()) return false;
  for (NameView at = name; !at.is_root(); at = at.parent()) {
    const ByteView label = at.first_label();
    const bool sound =
        label.front() != '-' && label.back() != '-' && std::all_of(label.begin(), label.end(), [](uint8_t c) {
          const uint8_t low = dns::fold(c);
          return (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9') || low == '-';
        });
    if (!sound) return false;
  }
  return true;
}

std::vector<std::string> alpn_ids(ByteView value) {
  std::vector<std::string> ids;
  while (!value.empty() && value.size() > value[0]) {
    ids.emplace_back(as_text(value.subspan(1, value[0])));
    value = value.subspan(size_t{1} + value[0]);
  }
  return ids;
}

bool mandatory_is_understood(ByteView value) {
  for (; value.size() >= 2; value = value.subspan(2))
    if (!is_understood(load_u16(value.data()))) return false;
  return true;
}

/// Nothing for a row that leads nowhere.
std::optional<Endpoint> from_svcb(NameView agent, ByteView rdata) {
  ByteReader in(rdata);
  Endpoint endpoint;
  endpoint.priority = in.u16();
  const auto target = NameView::from_wire(in.rest());
  // RFC 9460 §2.4.2: priority 0 is an alias, or "not available".
  if (!in.ok() || !target || endpoint.priority == 0) return std::nullopt;
  // RFC 9460 §2.5.2: `.` stands for the owner.
  const NameView host = target->is_root() ? agent : *target;
  if (!is_host_name(host)) return std::nullopt;
  endpoint.host = plain_text(dns::Name(host).folded());
  ByteView params = in.rest().subspan(target->size());
  while (const auto param = dns::next_svc_param(params)) {
    if (param->key == static_cast<uint16_t>(SvcKey::Mandatory) && !mandatory_is_understood(param->value))
      return std::nullopt;
    if (param->key == static_cast<uint16_t>(SvcKey::Alpn)) endpoint.alpn = alpn_ids(param->value);
    if (param->key == static_cast<uint16_t>(SvcKey::Port) && param->value.size() == 2)
      endpoint.port = load_u16(param->value.data());
    if (param->key == key_protocol) endpoint.protocol = as_text(param->value);
    if (param->key == key_well_known) endpoint.well_known = as_text(param->value);
  }
  // The agent's protocol stands first in `alpn`, its transport after it.
  if (!endpoint.alpn.empty() &&
      (endpoint.protocol.empty() ? endpoint.alpn.size() > 1 : endpoint.alpn[0] == endpoint.protocol)) {
    endpoint.protocol = endpoint.alpn[0];
    endpoint.alpn.erase(endpoint.alpn.begin());
  }
  return endpoint;
}

struct SrvRow {
  Endpoint endpoint;
  uint16_t weight = 0;
};

std::optional<SrvRow> from_srv(ByteView rdata) {
  ByteReader in(rdata);
  SrvRow row;
  row.endpoint.priority = in.u16();
  row.weight = in.u16();
  row.endpoint.port = in.u16();
  const auto target = NameView::from_wire(in.rest());
  // RFC 2782: a target of `.` says that the service is not available.
  if (!in.ok() || !target || !is_host_name(*target)) return std::nullopt;
  row.endpoint.host = plain_text(dns::Name(*target).folded());
  return row;
}

}  // namespace

std::vector<Endpoint> read_endpoints(const AgentRecords& records) {
  std::vector<Endpoint> endpoints;
  for (const Bytes& rdata : records.svcb)
    if (auto endpoint = from_svcb(records.agent, rdata)) endpoints.push_back(std::move(*endpoint));
  std::stable_sort(endpoints.begin(), endpoints.end(),
                   [](const auto& a, const auto& b) { return a.priority < b.priority; });
  if (!records.svcb.empty()) return endpoints;
  std::vector<SrvRow> rows;
  for (const Bytes& rdata : records.srv)
    if (auto row = from_srv(rdata)) rows.push_back(std::move(*row));
  // The heavier first; whoever spreads load draws by weight.
  std::stable_sort(rows.begin(), rows.end(), [](const SrvRow& a, const SrvRow& b) {
    return a.endpoint.priority != b.endpoint.priority ? a.endpoint.priority < b.endpoint.priority : a.weight > b.weight;
  });
  for (SrvRow& row : rows) endpoints.push_back(std::move(row.endpoint));
  return endpoints;
}

}  // namespace steward::client
