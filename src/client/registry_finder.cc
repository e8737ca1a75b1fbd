#include "client/registry_finder.hh"

#include <fmt/format.h>

#include <array>

#include "client/names.hh"
#include "client/trust_anchor.hh"
#include "dns/rdata.hh"

namespace steward::client {

namespace {

using dns::RrType;

constexpr uint16_t dns_port = 53;
constexpr size_t srv_port_at = 4;  // RFC 2782
constexpr size_t srv_target_at = 6;

struct Place {
  dns::Name host;
  uint16_t port = dns_port;
};

Result<Answer> ask(Resolver& resolver, const dns::Name& name, RrType type) {
  const Question question{name, type};
  auto answers = resolver.ask({&question, 1});
  if (!answers) return tl::unexpected(answers.error());
  // What an UPDATE says is public, and signed: an answer without DNSSEC may lead to the wrong server, which cannot use
  // it.
  if (answers->front().security != Security::Bogus) return std::move(answers->front());
  return fail(Errc::Refused, fmt::format("{} {}: {}", plain_text(name), dns::to_text(type), answers->front().note));
}

Result<Place> tls_place(Resolver& resolver, const dns::Name& zone) {
  const auto agents = below("_agents", zone);
  const auto owner = agents ? below("_registry", *agents) : agents;
  if (!owner) return tl::unexpected(owner.error());
  const auto answer = ask(resolver, *owner, RrType::SRV);
  if (!answer) return tl::unexpected(answer.error());
  if (answer->rdatas.empty())
    return fail(Errc::NotFound,
                fmt::format("{}: no SRV says where the registry takes DNS over TLS", plain_text(*owner)));
  const ByteView rdata = answer->rdatas.front();
  const auto target = dns::NameView::from_wire(rdata.subspan(srv_target_at));
  if (!target) return tl::unexpected(target.error());
  return Place{*target, load_u16(&rdata[srv_port_at])};
}

Result<SocketAddress> address_of(Resolver& resolver, const Place& place) {
  for (const RrType type : {RrType::A, RrType::AAAA}) {
    const auto answer = ask(resolver, place.host, type);
    if (!answer) return tl::unexpected(answer.error());
    if (!answer->rdatas.empty())
      return SocketAddress::from_text(
          fmt::format("{}@{}", dns::rdata_to_text(type, answer->rdatas.front()), place.port));
  }
  return fail(Errc::NotFound, fmt::format("the registry's server {} has no address", plain_text(place.host)));
}

}  // namespace

std::optional<ZoneServer> zone_server_of(const dns::Message& answer, const dns::Name& name) {
  for (const auto* section : {&answer.answer, &answer.authority}) {
    for (const dns::Record& record : *section) {
      if (record.type != RrType::SOA || !name.view().is_at_or_below(record.owner)) continue;
      const auto server = dns::NameView::from_wire(record.rdata);
      if (server) return ZoneServer{record.owner.folded(), dns::Name(*server)};
    }
  }
  return std::nullopt;
}

Result<FoundRegistry> find_registry(const Settings& settings, const dns::Name& name) {
  const auto text = read_anchor_text(settings);
  if (!text) return tl::unexpected(text.error());
  const auto anchors = parse_anchors(*text);
  if (!anchors) return fail("trust anchor", anchors.error());
  auto resolver = Resolver::open(settings, *anchors);
  if (!resolver) return tl::unexpected(resolver.error());
  const auto soa = ask(*resolver, name, RrType::SOA);
  if (!soa) return tl::unexpected(soa.error());
  const auto server = zone_server_of(soa->message, name);
  if (!server || !server->zone.view().is_at_or_below(*dns::Name::from_text(settings.apex))) {
    return fail(Errc::NotFound, fmt::format("{}: no registry below {} has that name; --registry names one",
                                            plain_text(name), settings.apex));
  }
  Result<Place> place = Place{server->server, dns_port};
  if (settings.tls) place = tls_place(*resolver, server->zone);
  if (!place) return tl::unexpected(place.error());
  const auto address = address_of(*resolver, *place);
  if (!address) return tl::unexpected(address.error());
  return FoundRegistry{*address, plain_text(place->host)};
}

}  // namespace steward::client
