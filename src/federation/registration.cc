#include "federation/registration.hh"

#include <fmt/format.h>

#include <algorithm>

#include "agent/text_fields.hh"
#include "config/namespace.hh"
#include "federation/identity.hh"
#include "federation/own_entry.hh"

namespace steward::federation {

namespace {

using dns::RrClass;
using dns::RrType;

constexpr std::string_view version_word = "steward-register1";

using Refused = tl::unexpected<RegistrationRefusal>;

Refused refuse(RegistrationRule rule, std::string reason) {
  return Refused(RegistrationRefusal{rule, std::move(reason)});
}

struct Places {
  dns::Name zone;
  dns::Name identity;
  std::string space;
};

/// "vibe-agency.com" for the zone vibe-agency.com.S: nothing where the zone is not below S.
std::optional<std::string> namespace_of(NameView zone, NameView apex) {
  if (!zone.is_below(apex)) return std::nullopt;
  std::string text;
  for (NameView at = zone; at.size() > apex.size(); at = at.parent()) {
    if (!text.empty()) text += '.';
    text += as_text(at.first_label());
  }
  return text;
}

/// The rules of names, by which the parent and the child itself go.
tl::expected<Places, RegistrationRefusal> places_of(NameView zone, NameView parent, NameView apex) {
  if (zone.is_root() || !(zone.parent() == parent))
    return refuse(RegistrationRule::Foreign,
                  fmt::format("{} is not one label below {}", zone.to_text(), parent.to_text()));
  const dns::Name folded = dns::Name(zone).folded();
  auto space = namespace_of(folded, apex);
  if (!space)
    return refuse(RegistrationRule::Foreign, fmt::format("{} is not below {}", zone.to_text(), apex.to_text()));
  if (space->find('/') != std::string::npos)
    return refuse(RegistrationRule::Slash, fmt::format("{}: a namespace with a slash is hosted only", zone.to_text()));
  const auto parsed = config::parse_namespace(*space);
  if (!parsed) return refuse(RegistrationRule::ReservedLabel, parsed.error().what);
  if (const auto fits = config::zone_of_namespace(*parsed, apex); !fits)
    return refuse(RegistrationRule::ReservedLabel, fits.error().what);
  auto identity = identity_name(folded, parent);
  if (!identity) return refuse(RegistrationRule::ReservedLabel, identity.error().what);
  return Places{folded, *identity, *std::move(space)};
}

bool is_token(std::string_view text) {
  return text.size() <= max_invitation &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

/// Nobody can be asked at a wildcard, multicast or broadcast address.
bool is_unicast(ByteView address) {
  if (std::all_of(address.begin(), address.end(), [](uint8_t octet) { return octet == 0; })) return false;
  return address.size() == 4 ? address[0] != 0 && address[0] < 224 : address[0] != 0xff;
}

std::optional<RegistrationRefusal> check_leaving(const Registration& registration) {
  if (registration.servers.empty() && registration.ds.empty() && registration.addresses.empty() && registration.replica.empty() &&
      registration.feeds.empty() && !registration.pushes && registration.invitation.empty())
    return std::nullopt;
  return RegistrationRefusal{RegistrationRule::Form, "a registry that leaves has KEY and TXT and nothing else to say"};
}

std::optional<RegistrationRefusal> check_servers(const Registration& registration) {
  if (registration.leaves) return check_leaving(registration);
  const auto refusal = [](std::string reason) {
    return RegistrationRefusal{RegistrationRule::Servers, std::move(reason)};
  };
  if (registration.is_hosted()) {
    if (registration.ds.empty() && registration.addresses.empty()) return std::nullopt;
    return refusal("where no NS is, there are no DS and no addresses");
  }
  if (registration.servers.empty() || registration.servers.size() > max_registered_servers ||
      registration.ds.size() > max_registered_ds || registration.addresses.size() > max_registered_addresses)
    return refusal(fmt::format("1 to {} NS, up to {} DS and {} addresses wanted", max_registered_servers,
                               max_registered_ds, max_registered_addresses));
  const auto has_address = [&](const dns::Name& server) {
    return std::any_of(registration.addresses.begin(), registration.addresses.end(),
                       [&](const NameServerAddress& address) { return address.server == server; });
  };
  for (const dns::Name& server : registration.servers) {
    if (server.view().is_at_or_below(registration.zone) && !has_address(server))
      return refusal(fmt::format("{} lies in the zone and has no address (RFC 9471)", server.to_text()));
  }
  for (const auto& [server, octets] : registration.addresses) {
    const bool named =
        std::find(registration.servers.begin(), registration.servers.end(), server) != registration.servers.end();
    if (!named || !server.view().is_at_or_below(registration.zone))
      return refusal(
          fmt::format("{} is no server in the zone: its address is not the parent's to say", server.to_text()));
    if (!is_unicast(octets)) return refusal(fmt::format("{} has an address that nobody can ask", server.to_text()));
  }
  return std::nullopt;
}

std::optional<RegistrationRefusal> check_key(ByteView rdata) {
  const std::vector<PublishedRecord> records{{dns::Name(), RrType::KEY, 0, Bytes(rdata.begin(), rdata.end())}};
  if (const auto identity = read_identity(records, NameView()); identity) return std::nullopt;
  return RegistrationRefusal{RegistrationRule::Key,
                             "KEY: RSA/SHA-256 of at least 2048 bits or Ed25519 wanted, for requests"};
}

/// "192.0.2.1@8530,2001:db8::1@8530"; nothing where it is something else, or an address that nobody can be asked at.
std::optional<std::vector<SocketAddress>> endpoints_from(std::string_view text) {
  std::vector<SocketAddress> endpoints;
  while (!text.empty()) {
    const size_t end = std::min(text.find(','), text.size());
    const auto endpoint = SocketAddress::from_text(std::string(text.substr(0, end)));
    if (!endpoint || endpoint->port() == 0 || !is_unicast(endpoint->octets()) || endpoints.size() == max_feed_endpoints)
      return std::nullopt;
    endpoints.push_back(*endpoint);
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return endpoints;
}

std::optional<RegistrationRefusal> check_feed(const Registration& registration) {
  if (registration.replica.empty() && registration.feeds.empty() && !registration.pushes) return std::nullopt;
  if (registration.replica.empty() || registration.feeds.empty() != registration.pushes || registration.feeds.size() > max_feed_endpoints ||
      !feed_name(registration.replica, registration.zone))
    return RegistrationRefusal{RegistrationRule::Form,
                               fmt::format("replica= and feed=: the id of a replica and 1 to {} addresses with their ports wanted, or push=update", max_feed_endpoints)};
  return std::nullopt;
}

Bytes request_text(const Registration& registration) {
  Bytes rdata;
  agent::append_field(rdata, "v", version_word);
  agent::append_field(rdata, "namespace", registration.space);
  if (registration.leaves) agent::append_field(rdata, "leave", "yes");
  if (!registration.invitation.empty()) agent::append_field(rdata, "invite", registration.invitation);
  if (registration.replica.empty()) return rdata;
  std::string feeds;
  for (const SocketAddress& endpoint : registration.feeds) feeds += (feeds.empty() ? "" : ",") + endpoint.to_text();
  agent::append_field(rdata, "replica", registration.replica);
  registration.pushes ? agent::append_field(rdata, "push", "update") : agent::append_field(rdata, "feed", feeds);
  return rdata;
}

/// Gathers the records of a request.
class RegistrationReader {
 public:
  explicit RegistrationReader(const Places& places) : places_(places) {
    registration_.zone = places.zone;
    registration_.space = places.space;
  }

  std::optional<RegistrationRefusal> take(const change::UpdateRecord& record) {
    const auto form = [](std::string reason) { return RegistrationRefusal{RegistrationRule::Form, std::move(reason)}; };
    if (record.klass != RrClass::IN) return form("a registration adds records and removes none");
    const bool at_identity = record.owner == places_.identity;
    const Bytes rdata(record.rdata.begin(), record.rdata.end());
    if (at_identity && record.type == RrType::KEY) {
      if (!registration_.key.empty() && registration_.key != rdata) return form("over one KEY");
      registration_.key = rdata;
    } else if (at_identity && record.type == RrType::TXT) {
      return take_text(rdata);
    } else if (record.owner == places_.zone && record.type == RrType::NS) {
      registration_.servers.push_back(dns::Name(*NameView::from_wire(rdata)).folded());
    } else if (record.owner == places_.zone && record.type == RrType::DS) {
      registration_.ds.push_back(rdata);
    } else if (!at_identity && (record.type == RrType::A || record.type == RrType::AAAA)) {
      registration_.addresses.push_back({dns::Name(record.owner).folded(), rdata});
    } else {
      return form(fmt::format("{} {} is no part of a registration", record.owner.to_text(), dns::to_text(record.type)));
    }
    return std::nullopt;
  }

  tl::expected<Registration, RegistrationRefusal> finish() {
    if (!has_text_ || registration_.key.empty())
      return refuse(RegistrationRule::Form, "KEY and TXT v=steward-register1 wanted");
    if (auto refusal = check_key(registration_.key)) return Refused(*std::move(refusal));
    if (auto refusal = check_servers(registration_)) return Refused(*std::move(refusal));
    if (auto refusal = check_feed(registration_)) return Refused(*std::move(refusal));
    return std::move(registration_);
  }

 private:
  std::optional<RegistrationRefusal> take_text(const Bytes& rdata) {
    const auto refusal = [](RegistrationRule rule, std::string reason) {
      return RegistrationRefusal{rule, std::move(reason)};
    };
    const auto fields = agent::fields_from_txt(rdata);
    if (!fields || fields->empty() || fields->front() != agent::TextField{"v", std::string(version_word)} || has_text_)
      return refusal(RegistrationRule::Form, "one TXT wanted that begins with v=steward-register1");
    has_text_ = true;
    if (agent::find_field(*fields, "namespace") != registration_.space)
      return refusal(RegistrationRule::Foreign, fmt::format("namespace= is not {}", registration_.space));
    registration_.invitation = agent::find_field(*fields, "invite").value_or("");
    if (!is_token(registration_.invitation))
      return refusal(RegistrationRule::Form,
                     fmt::format("invite= is not of up to {} printable octets", max_invitation));
    registration_.leaves = agent::find_field(*fields, "leave") == "yes";
    registration_.replica = agent::find_field(*fields, "replica").value_or("");
    const auto push = agent::find_field(*fields, "push");
    if (push && push != "update") return refusal(RegistrationRule::Form, "push= is not update");
    registration_.pushes = push.has_value();
    auto endpoints = endpoints_from(agent::find_field(*fields, "feed").value_or(""));
    if (!endpoints)
      return refusal(RegistrationRule::Form, fmt::format("feed= is not of up to {} addresses with their ports", max_feed_endpoints));
    registration_.feeds = *std::move(endpoints);
    return std::nullopt;
  }

  const Places& places_;
  Registration registration_;
  bool has_text_ = false;
};

/// The child's label is what stands before `_registries`: the one name that a registration cannot be without.
std::optional<dns::Name> zone_of(const change::UpdateRequest& request, NameView parent, bool added_only = false) {
  for (const change::UpdateRecord& record : request.updates) {
    if (added_only && record.klass != RrClass::IN) continue;
    const NameView above = record.owner.parent();
    if (record.owner.label_count() != parent.label_count() + 3 || !record.owner.is_below(parent)) continue;
    if (as_text(above.first_label()) != "_registries" || as_text(above.parent().first_label()) != "_agents") continue;
    if (auto zone = dns::Name(parent).child(record.owner.first_label())) return zone->folded();
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_text(RegistrationRule rule) {
  switch (rule) {
    case RegistrationRule::None: return "none";
    case RegistrationRule::Form: return "form";
    case RegistrationRule::Foreign: return "foreign";
    case RegistrationRule::ReservedLabel: return "reserved";
    case RegistrationRule::Slash: return "slash";
    case RegistrationRule::Servers: return "servers";
    case RegistrationRule::Key: return "key";
    case RegistrationRule::Signer: return "signer";
    case RegistrationRule::Taken: return "taken";
    case RegistrationRule::Agent: return "agent";
    case RegistrationRule::LookAlike: return "look-alike";
    case RegistrationRule::Quota: return "quota";
    case RegistrationRule::Invitation: return "invitation";
    case RegistrationRule::Closed: return "closed";
  }
  return "";
}

Result<dns::Message> registration_message(const Registration& registration, NameView parent, NameView apex,
                                          uint16_t id) {
  const auto failed = [](const RegistrationRefusal& refusal) {
    return fail(refusal.rule == RegistrationRule::Slash ? Errc::Refused : Errc::Invalid, refusal.reason);
  };
  const auto places = places_of(registration.zone, parent, apex);
  if (!places) return failed(places.error());
  if (registration.space != places->space || !is_token(registration.invitation))
    return fail(Errc::Invalid, "registration: namespace or invitation");
  if (const auto refusal = check_key(registration.key)) return failed(*refusal);
  if (const auto refusal = check_servers(registration)) return failed(*refusal);
  if (const auto refusal = check_feed(registration)) return failed(*refusal);
  dns::Message message;
  message.header.id = id;
  message.header.opcode = dns::Opcode::UPDATE;
  message.question.push_back({dns::Name(parent), RrType::SOA, RrClass::IN});  // RFC 2136 §2.3
  const auto add = [&](const dns::Name& owner, RrType type, Bytes rdata, uint32_t ttl = registration_ttl) {
    message.authority.push_back({owner, type, RrClass::IN, ttl, std::move(rdata)});
  };
  add(places->identity, RrType::KEY, registration.key, identity_ttl);
  add(places->identity, RrType::TXT, request_text(registration), identity_ttl);
  for (const dns::Name& server : registration.servers) {
    const ByteView wire = server.view().wire();
    add(places->zone, RrType::NS, Bytes(wire.begin(), wire.end()));
  }
  for (const Bytes& ds : registration.ds) add(places->zone, RrType::DS, ds);
  for (const auto& [server, octets] : registration.addresses)
    add(server, octets.size() == 4 ? RrType::A : RrType::AAAA, octets);
  return message;
}

bool is_registration(const change::UpdateRequest& request, NameView parent) {
  return zone_of(request, parent, true).has_value();
}

tl::expected<Registration, RegistrationRefusal> read_registration(const change::UpdateRequest& request, NameView parent,
                                                                  NameView apex) {
  if (!(request.zone == parent) || request.zone_class != RrClass::IN)
    return refuse(RegistrationRule::Foreign, fmt::format("{} is not asked", request.zone.to_text()));
  if (!request.prerequisites.empty()) return refuse(RegistrationRule::Form, "a registration has no prerequisites");
  const auto zone = zone_of(request, parent);
  if (!zone) return refuse(RegistrationRule::Form, "nothing at <child>._registries._agents of the zone");
  const auto places = places_of(*zone, parent, apex);
  if (!places) return Refused(places.error());
  RegistrationReader reader(*places);
  for (const change::UpdateRecord& record : request.updates) {
    if (auto refusal = reader.take(record)) return Refused(*std::move(refusal));
  }
  return reader.finish();
}

}  // namespace steward::federation
