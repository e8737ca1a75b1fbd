// What is more than a query: signatures, transfers, NOTIFY, UPDATE.

#include "auth/signature.hh"
#include "base/reply.hh"
#include "serve/deferred_response.hh"
#include "serve/operations.hh"
#include "serve/pipeline.hh"
#include "serve/recursion.hh"
#include "serve/soa_hint.hh"
#include "serve/transfer_out.hh"
#include "serve/transfer_records.hh"
#include "zone/difference.hh"

namespace steward::serve {

using dns::Rcode;
using dns::RrType;

namespace {

// The zone that has exactly this apex (in lower case); null where we serve none of that name.
const zone::ZoneInfo* zone_at(const zone::Snapshot& snapshot, dns::NameView apex) {
  const zone::ZoneInfo* const zone = snapshot.find_zone(apex);
  return zone != nullptr && zone->apex.size() == apex.size() ? zone : nullptr;
}

const ZoneAccess* access_of(const Context& context, dns::NameView apex) {
  const AccessTable* const table = context.settings->access.get();
  return table != nullptr ? table->find(apex) : nullptr;
}

// The request without its TSIG, which was the last record of its additional section.
Bytes without_tsig(ByteView message, size_t size) {
  Bytes out(message.begin(), message.begin() + static_cast<long>(size));
  store_u16(&out[10], static_cast<uint16_t>(load_u16(&out[10]) - 1));
  return out;
}

}  // namespace

// RFC 8945 §5.2. False where the request ends here.
bool Pipeline::check_tsig(Query& query, const Exchange& exchange, Context& context) {
  static const auth::Keyring no_keys;
  const auth::Keyring* const keys = context.settings->keys.get();
  auto verdict =
      auth::verify_request(exchange.request, keys != nullptr ? *keys : no_keys, unix_time(context.unix_seconds));
  if (verdict.is_good()) {
    context.counters.tsig_good.add();
    query.tsig = std::make_unique<auth::TsigVerdict>(std::move(verdict));
    return true;
  }
  context.counters.tsig_bad.add();
  respond_with(query, verdict.rcode());
  // §5.2: a TSIG that cannot be read is answered without one.
  if (verdict.status != auth::TsigStatus::FormErr && verdict.status != auth::TsigStatus::Absent)
    query.tsig = std::make_unique<auth::TsigVerdict>(std::move(verdict));
  else
    query.rcode = Rcode::FORMERR;
  return false;
}

// NOTIFY and UPDATE: what their question may be.
void Pipeline::judge_zone_request(Query& query, const Context& context, Plan plan) {
  Request& request = query.request;
  query.plan = plan;
  if (context.operations == nullptr) {
    request.question_size = 0;
    return respond_with(query, Rcode::NOTIMP);
  }
  // RFC 2136 §3.1.1: ZTYPE is SOA. RFC 1996 §3.5 has no other QTYPE either, RFC 9859 §4 adds CDS.
  const bool is_of_child = plan == Plan::Notify && request.qtype == RrType::CDS;
  if (request.qtype != RrType::SOA && !is_of_child) return respond_with(query, Rcode::FORMERR);
  if (request.qclass != dns::RrClass::IN) return respond_with(query, Rcode::NOTAUTH);
}

Asker Pipeline::asker_of(const Query& query, const Exchange& exchange) {
  Asker asker{*exchange.client, exchange.transport, {}, {}};
  if (query.tsig != nullptr && query.tsig->is_good()) asker.key = query.tsig->key_name;
  if (exchange.peer != nullptr) asker.peer = *exchange.peer;
  return asker;
}

// What only a registry may do, as it says who it is.
void Pipeline::identify(Asker& asker, const AccessList& list, const Exchange& exchange, const Context& context) {
  if (exchange.shown == nullptr || context.operations == nullptr || list.allows(asker)) return;
  const std::vector<dns::Name> registries = list.registries();
  if (!registries.empty()) asker.registry = context.operations->registry_of(exchange.request, registries, *exchange.shown, *exchange.client);
}

// Of a zone that is for transfer only. Its SOA says nothing but whether there is something new.
bool Pipeline::may_transfer(const Query& query, const Exchange& exchange, const Context& context) {
  const dns::NameView apex = query.step.zone->apex;
  if (query.request.qtype == RrType::SOA && query.step.name.size() == apex.size()) return true;
  const dns::Name folded = query.step.zone->apex.folded();
  const ZoneAccess* const access = access_of(context, folded);
  return access != nullptr && access->transfer.allows(asker_of(query, exchange));
}

void Pipeline::set_error(Rcode rcode, ExtendedError error) {
  response_.set_rcode(rcode);
  response_.set_extended_error(error);
}

bool Pipeline::begin_transfer(Query& query, Exchange& exchange, const zone::Snapshot& snapshot, Context& context) {
  dns::fold_into(query.request.qname, query.folded.octets.data());
  const dns::NameView apex(query.folded.octets.data(), query.request.qname.size());
  Asker asker = asker_of(query, exchange);
  const ZoneAccess* const access = access_of(context, apex);
  if (access != nullptr) identify(asker, access->transfer, exchange, context);
  TransferRequest request{exchange, query.request, zone_at(snapshot, apex), access, asker, query.tsig.get()};
  Bytes difference;
  TransferAnswer answer = request.zone != nullptr ? TransferAnswer::Prohibited : TransferAnswer::NotAuth;
  if (context.transfers != nullptr) answer = context.transfers->begin(request, snapshot, context, difference);
  switch (answer) {
    case TransferAnswer::Started: return false;
    case TransferAnswer::Current:
      context.counters.transfers_current.add();
      answer_soa(query, snapshot, *request.zone);
      return true;
    case TransferAnswer::Differences:
      answer_differences(query, snapshot, *request.zone, difference, context);
      return true;
    case TransferAnswer::NotAuth: set_error(Rcode::NOTAUTH, ExtendedError::NotAuthoritative); break;
    case TransferAnswer::Prohibited: set_error(Rcode::REFUSED, ExtendedError::Prohibited); break;
    case TransferAnswer::TooMany: set_error(Rcode::REFUSED, ExtendedError::NotReady); break;
    case TransferAnswer::Expired: set_error(Rcode::SERVFAIL, ExtendedError::InvalidData); break;
    case TransferAnswer::Unavailable: set_error(Rcode::SERVFAIL, ExtendedError::NotReady); break;
    case TransferAnswer::FormatError: response_.set_rcode(Rcode::FORMERR); break;
  }
  context.counters.transfers_refused.add();
  return true;
}

void Pipeline::answer_soa(Query& query, const zone::Snapshot& snapshot, const zone::ZoneInfo& zone) {
  const auto soa = SoaRecord::of(snapshot.find(zone, zone.apex));
  response_.set_authoritative();
  if (!soa || !response_.put_record(query.request.qname, RrType::SOA, soa->ttl, soa->rdata)) response_.set_truncated();
}

// RFC 1995 §4: over UDP the differences where all of them fit, else the SOA alone.
void Pipeline::answer_differences(Query& query, const zone::Snapshot& snapshot, const zone::ZoneInfo& zone,
                                  ByteView records, Context& context) {
  answer_soa(query, snapshot, zone);
  bool fits = !response_.truncated();
  zone::DifferenceReader reader(records);
  while (fits) {
    const auto record = reader.next();
    if (!record) break;
    fits = response_.put_record(record->owner, record->type, record->ttl, record->rdata);
  }
  if (fits && reader.ok()) {
    const auto soa = SoaRecord::of(snapshot.find(zone, zone.apex));
    fits = soa && response_.put_record(query.request.qname, RrType::SOA, soa->ttl, soa->rdata);
    if (fits) return context.counters.transfers_ixfr.add();
  }
  context.counters.transfers_current.add();
  response_.clear();
  answer_soa(query, snapshot, zone);
}

// RFC 1034 §4.3.1: RD, from somebody who may. A signed request is somebody's who talks to us, not to others through us.
bool Pipeline::may_recurse(const Query& query, const Exchange& exchange, const Context& context) {
  const Request& request = query.request;
  return query.plan == Plan::LookUp && request.recursion_desired() && request.qclass == dns::RrClass::IN &&
         request.qtype != RrType::ANY && query.tsig == nullptr && context.recursion != nullptr && exchange.source != nullptr &&
         context.settings->recursion->admits(*exchange.client, request.qname);
}

// No zone of ours has the name, or only as its apex, whose DS is the parent's to answer (RFC 4035 §3.1.4.1); above the
// federation's own apex nobody is asked.
bool Pipeline::leads_elsewhere(const Query& query, const Settings& settings) {
  const zone::ZoneInfo* const zone = query.step.zone;
  if (zone == nullptr) return true;
  const size_t size = query.step.name.size();
  return query.request.qtype == RrType::DS && size == zone->apex.size() && size > settings.recursion->apex.size();
}

// What stands in the response so far is forgotten. The rate limit counts what a client asks for, not what comes of it.
void Pipeline::recurse(Query& query, Exchange& exchange, Context& context) {
  response_.clear();
  if (!limit_rate(query, exchange, ResponseClass::Referral, context.recursion, context)) return;
  if (response_.truncated()) return send(query, exchange, context);
  context.counters.recursions.add();
  const ByteView cookie = query.cookie != CookieState::Absent ? ByteView(query.server_cookie) : ByteView();
  context.recursion->resolve({exchange, query.request, *context.settings, cookie});
}

bool Pipeline::begin_notify(Query& query, const Exchange& exchange, Context& context) {
  dns::fold_into(query.request.qname, query.folded.octets.data());
  const dns::NameView apex(query.folded.octets.data(), query.request.qname.size());
  if (query.request.qtype == RrType::CDS) return begin_child_notify(apex, context);
  const ZoneAccess* const access = access_of(context, apex);
  Notification notification{apex, {}, asker_of(query, exchange)};
  if (access != nullptr && access->secondary) identify(notification.asker, access->notify, exchange, context);
  if (access == nullptr || !access->secondary) {
    set_error(Rcode::NOTAUTH, ExtendedError::NotAuthoritative);
  } else if (!access->notify.allows(notification.asker)) {
    // RFC 1996 §3.10: from a known primary only.
    set_error(Rcode::REFUSED, ExtendedError::Prohibited);
  } else {
    if (load_u16(&exchange.request[6]) > 0) notification.serial = soa_hint(exchange.request, query.request);
    context.counters.notifies.add();
    context.operations->notified(notification);
    response_.set_authoritative();  // RFC 1996 §3.12 by its example, as all servers have it
    return true;
  }
  context.counters.notifies_refused.add();
  return true;
}

// RFC 9859 §4.3: from anybody, since all that comes of it is that the child's own servers are asked.
bool Pipeline::begin_child_notify(dns::NameView child, Context& context) {
  if (context.operations->child_notified(child)) {
    context.counters.notifies.add();
    response_.set_authoritative();
  } else {
    set_error(Rcode::NOTAUTH, ExtendedError::NotAuthoritative);
    context.counters.notifies_refused.add();
  }
  return true;
}

bool Pipeline::begin_update(Query& query, Exchange& exchange, const zone::Snapshot& snapshot, Context& context) {
  dns::fold_into(query.request.qname, query.folded.octets.data());
  const dns::NameView apex(query.folded.octets.data(), query.request.qname.size());
  const ZoneAccess* const access = access_of(context, apex);
  const Asker asker = asker_of(query, exchange);
  const auth::FoundSignature found =
      query.tsig == nullptr ? auth::find_signature(exchange.request) : auth::FoundSignature{};
  const bool has_sig0 = found.kind == auth::SignatureKind::Sig0;
  if (found.kind == auth::SignatureKind::Malformed) {
    response_.set_rcode(Rcode::FORMERR);
  } else if (access == nullptr && zone_at(snapshot, apex) == nullptr) {
    set_error(Rcode::NOTAUTH, ExtendedError::NotAuthoritative);  // RFC 2136 §3.1.2
  } else if (access == nullptr || access->update.empty() || (!has_sig0 && !access->update.allows(asker))) {
    set_error(Rcode::REFUSED, ExtendedError::Prohibited);  // RFC 2136 §3.3
  } else if (exchange.source == nullptr) {
    set_error(Rcode::SERVFAIL, ExtendedError::NotReady);
  } else {
    const ByteView message = exchange.request;
    Bytes copy =
        query.tsig != nullptr ? without_tsig(message, query.tsig->message_size) : Bytes(message.begin(), message.end());
    DeferredResponse response(exchange.source->defer(exchange), message, query.request, context.settings->udp_size,
                              std::move(query.tsig));
    context.counters.updates.add();
    context.operations->update({apex, std::move(copy), asker, has_sig0, query.request.edns.update_lease, std::move(response)});
    return false;
  }
  context.counters.updates_refused.add();
  return true;
}

}  // namespace steward::serve
