#include "agent/endpoint_rows.hh"

#include <algorithm>

#include "agent/endpoint_url.hh"
#include "crypto/digest.hh"
#include "dns/encoding.hh"
#include "dns/name.hh"
#include "dns/svc_params.hh"

namespace steward::agent {

namespace {

template <class Key>
void append_param(Bytes& rdata, Key key, ByteView value) {
  append_u16(rdata, static_cast<uint16_t>(key));
  append_u16(rdata, static_cast<uint16_t>(value.size()));
  append(rdata, value);
}

void append_alpn(Bytes& value, std::string_view id) {
  if (id.empty()) return;
  append_u8(value, static_cast<uint8_t>(id.size()));
  append(value, as_bytes(id));
}

Bytes srv_rdata(uint16_t priority, uint16_t port, dns::NameView target) {
  Bytes rdata;
  append_u16(rdata, priority);
  append_u16(rdata, 0);
  append_u16(rdata, port);
  append(rdata, target.wire());
  return rdata;
}

/// What stands behind `/.well-known/` where the URL is at this endpoint's own host and port (RFC 8615); empty
/// otherwise.
std::string well_known_path(const NetworkEndpoint& endpoint, std::string_view manifest_url) {
  constexpr std::string_view folder = "/.well-known/";
  const auto url = endpoint_url(manifest_url);
  if (!url || url->unusable || url->host != endpoint.host || url->port != 443 || !url->path.starts_with(folder))
    return {};
  return url->path.substr(folder.size());
}

Bytes svcb_rdata(uint16_t priority, const NetworkEndpoint& endpoint, dns::NameView target, std::string_view digest,
                 std::string_view manifest_url) {
  Bytes rdata;
  append_u16(rdata, priority);
  append(rdata, target.wire());
  // RFC 9460 §2.2: keys ascend. None of ours is `mandatory`: a client that does not know them still connects.
  Bytes alpn;
  append_alpn(alpn, endpoint.protocol);
  append_alpn(alpn, endpoint.transport);
  append_param(rdata, dns::SvcKey::Alpn, alpn);
  Bytes port;
  append_u16(port, endpoint.port);
  append_param(rdata, dns::SvcKey::Port, port);
  if (!manifest_url.empty()) append_param(rdata, AidKey::Cap, as_bytes(manifest_url));
  append_param(rdata, AidKey::CapSha256, as_bytes(digest));
  if (!endpoint.protocol.empty()) append_param(rdata, AidKey::Bap, as_bytes(endpoint.protocol));
  if (const std::string path = well_known_path(endpoint, manifest_url); !path.empty()) {
    append_param(rdata, AidKey::WellKnown, as_bytes(path));
  }
  return rdata;
}

}  // namespace

Result<std::vector<EndpointRow>> endpoint_rows(const Manifest& manifest, std::string_view manifest_url) {
  std::vector<EndpointRow> rows;
  const std::string digest = dns::encode(dns::base64url, crypto::sha256(as_bytes(manifest.octets)));
  const auto& endpoints = manifest.endpoints;
  const auto first_with = [&](auto same) { return std::find_if(endpoints.begin(), endpoints.end(), same); };
  uint16_t srv_priority = 0;
  uint16_t svcb_priority = 1;  // 0 would be AliasMode
  for (auto endpoint = endpoints.begin(); endpoint != endpoints.end(); ++endpoint) {
    const auto target = dns::Name::from_text(endpoint->host + ".");
    if (!target) return fail("target " + endpoint->host, target.error());
    const bool new_protocol = first_with([&](const auto& e) { return e.protocol == endpoint->protocol; }) == endpoint;
    if (!new_protocol) continue;
    const auto same_place = [&](const auto& e) { return e.host == endpoint->host && e.port == endpoint->port; };
    if (std::none_of(endpoints.begin(), endpoint, same_place)) {
      rows.push_back({dns::RrType::SRV, srv_rdata(srv_priority++, endpoint->port, *target)});
    }
    rows.push_back({dns::RrType::SVCB, svcb_rdata(svcb_priority++, *endpoint, *target, digest, manifest_url)});
  }
  return rows;
}

std::vector<EndpointRow> tombstone_rows() {
  const dns::NameView root;
  Bytes svcb{0, 0};
  append(svcb, root.wire());
  return {{dns::RrType::SRV, srv_rdata(0, 0, root)}, {dns::RrType::SVCB, std::move(svcb)}};
}

}  // namespace steward::agent
