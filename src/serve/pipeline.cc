#include "serve/pipeline.hh"

#include <algorithm>
#include <exception>

#include "serve/chaos.hh"
#include "serve/rate_limit.hh"

namespace steward::serve {

using dns::Rcode;
using dns::RrType;

void Pipeline::answer(std::span<Exchange> batch, const zone::Snapshot& snapshot, Context& context) {
  while (!batch.empty()) {
    const size_t size = std::min(batch.size(), max_batch);
    answer_some(batch.first(size), snapshot, context);
    batch = batch.subspan(size);
  }
}

void Pipeline::answer_some(std::span<Exchange> batch, const zone::Snapshot& snapshot, Context& context) {
  Query* const queries = queries_->data();
  for (size_t i = 0; i < batch.size(); ++i) {
    receive(queries[i], batch[i], context);
    if (queries[i].plan == Plan::LookUp) begin_look_up(queries[i], batch[i], snapshot, context);
  }
  for (size_t i = 0; i < batch.size(); ++i)
    if (queries[i].plan == Plan::LookUp) fetch(queries[i], snapshot);
  fetch_denials({queries, batch.size()}, snapshot);
  for (size_t i = 0; i < batch.size(); ++i) {
    batch[i].response_size = 0;
    if (queries[i].plan == Plan::Drop) continue;
    try {
      respond(queries[i], batch[i], snapshot, context);
    } catch (const std::exception&) {
      fail(queries[i], batch[i], context);
    }
  }
}

// What can be said without a zone, in the order in which the rules depend on each other.
void Pipeline::receive(Query& query, const Exchange& exchange, Context& context) {
  context.counters.queries[static_cast<size_t>(exchange.transport)].add();
  query.plan = Plan::LookUp;
  query.cookie = CookieState::Absent;
  query.extended_error = {};
  query.recursive = false;
  query.tsig.reset();
  const Verdict verdict = parse_request(exchange.request, query.request);
  if (query.request.tsig_offset == 0 || verdict == Verdict::FormatError)
    return judge(query, exchange, context, verdict);
  try {
    // RFC 8945 §5.2: before anything else is looked at.
    if (check_tsig(query, exchange, context)) judge(query, exchange, context, verdict);
  } catch (const std::exception&) {
    context.counters.failures.add();
    query.tsig.reset();
    respond_with(query, Rcode::SERVFAIL);
  }
}

void Pipeline::judge(Query& query, const Exchange& exchange, Context& context, Verdict verdict) {
  switch (verdict) {
    case Verdict::Drop:
      context.counters.dropped.add();
      query.plan = Plan::Drop;
      return;
    case Verdict::NotImplemented: return respond_with(query, Rcode::NOTIMP);
    case Verdict::FormatError: return respond_with(query, Rcode::FORMERR);
    case Verdict::BadVersion: return respond_with(query, Rcode::BADVERS);
    case Verdict::CookieOnly:
      // RFC 7873 §5.4: a client that only wants a cookie, or to know whether its own still holds.
      if (context.settings->cookies == CookiePolicy::Off) return respond_with(query, Rcode::FORMERR);
      judge_cookie(query, exchange, context);
      return respond_with(query, query.cookie == CookieState::Rejected ? Rcode::BADCOOKIE : Rcode::NOERROR);
    case Verdict::Notify: judge_zone_request(query, context, Plan::Notify); break;
    case Verdict::Update: judge_zone_request(query, context, Plan::Update); break;
    case Verdict::Answer: context.counters.count_query(query.request.qtype); break;
  }
  if (query.plan == Plan::Respond) return;
  if (query.request.edns.present) {
    context.counters.edns.add();
    if (query.request.edns.dnssec_ok) context.counters.dnssec_ok.add();
    const bool stream = exchange.transport == Transport::Tcp || exchange.transport == Transport::Tls;
    if (query.request.edns.keepalive_timeout && stream) return respond_with(query, Rcode::FORMERR);  // RFC 7828 §3.2.1
    judge_cookie(query, exchange, context);
    if (query.plan == Plan::Respond) return;
  }
  if (verdict != Verdict::Answer) return;
  judge_question(query, exchange);
  query.recursive = context.settings->recursion != nullptr && may_recurse(query, exchange, context);
}

void Pipeline::judge_cookie(Query& query, const Exchange& exchange, Context& context) {
  const CookiePolicy policy = context.settings->cookies;
  if (policy == CookiePolicy::Off || query.request.edns.cookie.empty()) return;
  query.cookie = check_cookie(query.request.edns.cookie, context.cookies, exchange.client->octets(),
                              context.unix_seconds, query.server_cookie);
  if (query.cookie == CookieState::Valid) return context.counters.cookies_valid.add();
  context.counters.cookies_new.add();
  // RFC 7873 §5.2.3, §5.2.4: over TCP the client's address is known anyway.
  if (policy == CookiePolicy::Required && exchange.transport == Transport::Udp) respond_with(query, Rcode::BADCOOKIE);
}

void Pipeline::judge_question(Query& query, const Exchange& exchange) {
  const Request& request = query.request;
  switch (request.qclass) {
    case dns::RrClass::IN:
    case dns::RrClass::ANY: break;
    case dns::RrClass::CH: query.plan = Plan::Chaos; return;
    default: return respond_with(query, Rcode::REFUSED);
  }
  switch (request.qtype) {
    case RrType::AXFR:
      // RFC 5936 §4.2: AXFR is defined over TCP only.
      if (exchange.transport == Transport::Udp) return respond_with(query, Rcode::FORMERR);
      [[fallthrough]];
    case RrType::IXFR:
      // There is no transfer of all classes, and an HTTP response is one message (RFC 8484 §6).
      if (request.qclass != dns::RrClass::IN || exchange.transport == Transport::Https)
        return respond_with(query, Rcode::REFUSED, ExtendedError::NotSupported);
      query.plan = Plan::Transfer;
      return;
    case RrType::OPT:
    case RrType::TKEY:
    case RrType::TSIG: return respond_with(query, Rcode::FORMERR);  // never the subject of a question
    case RrType::MAILA:
    case RrType::MAILB: return respond_with(query, Rcode::NOTIMP);  // obsolete since RFC 1035
    case RrType::NXNAME: return respond_with(query, Rcode::FORMERR, ExtendedError::InvalidQueryType);  // RFC 9824 §3.5
    default: return;
  }
}

void Pipeline::respond_with(Query& query, Rcode rcode, ExtendedError error) {
  query.plan = Plan::Respond;
  query.rcode = rcode;
  query.extended_error = error;
}

void Pipeline::begin_look_up(Query& query, const Exchange& exchange, const zone::Snapshot& snapshot,
                             const Context& context) {
  dns::fold_into(query.request.qname, query.folded.octets.data());
  query.step = {nullptr, dns::NameView(query.folded.octets.data(), query.request.qname.size()), question_place, {}};
  query.step.zone = zone_for(snapshot, query.step.name, query.request.qtype);
  if (query.recursive && leads_elsewhere(query, *context.settings)) {
    query.plan = Plan::Recurse;
    return;
  }
  if (query.step.zone == nullptr) return respond_with(query, Rcode::REFUSED, ExtendedError::NotAuthoritative);
  if (query.step.zone->transfer_only && !may_transfer(query, exchange, context))
    return respond_with(query, Rcode::REFUSED, ExtendedError::Prohibited);
  switch (query.step.zone->availability) {
    case zone::Availability::Serving: break;
    case zone::Availability::NotLoaded: return respond_with(query, Rcode::SERVFAIL, ExtendedError::NotReady);
    case zone::Availability::Expired: return respond_with(query, Rcode::SERVFAIL, ExtendedError::InvalidData);
  }
  snapshot.begin(query.probe, *query.step.zone, query.step.name);
}

// A name that is not there is denied by its closest encloser, most often the parent: its memory is fetched with the
// batch's too, so that the look-up that follows finds it near.
void Pipeline::fetch(Query& query, const zone::Snapshot& snapshot) {
  snapshot.fetch(query.probe);
  query.parent = {};
  if (query.probe.node == nullptr && query.step.name.size() > query.step.zone->apex.size())
    snapshot.begin(query.parent, *query.step.zone, query.step.name.parent());
}

void Pipeline::fetch_denials(std::span<Query> queries, const zone::Snapshot& snapshot) {
  std::array<zone::NsecProbe, max_batch> probes;
  std::array<Query*, max_batch> denied;
  size_t count = 0;
  for (Query& query : queries) {
    if (query.plan != Plan::LookUp || query.parent.zone == nullptr) continue;
    snapshot.fetch(query.parent);
    if (query.step.zone->denial != zone::Denial::Nsec || !query.request.edns.dnssec_ok) continue;
    probes[count] = {query.step.zone, query.step.name};
    denied[count++] = &query;
  }
  if (count == 0) return;
  snapshot.fetch_nsec({probes.data(), count});
  for (size_t i = 0; i < count; ++i) denied[i]->step.nsec = zone::NodeView(probes[i].node);
}

void Pipeline::respond(Query& query, Exchange& exchange, const zone::Snapshot& snapshot, Context& context) {
  const Settings& settings = *context.settings;
  const size_t signature = query.tsig != nullptr ? query.tsig->response_size() : 0;
  if (!response_.begin(exchange, query.request, settings, signature)) return context.counters.dropped.add();
  if (query.cookie != CookieState::Absent) response_.set_server_cookie(query.server_cookie);
  if (query.recursive) response_.set_recursion_available();
  const void* source = nullptr;
  ResponseClass kind = ResponseClass::Error;
  switch (query.plan) {
    case Plan::Recurse: return recurse(query, exchange, context);
    case Plan::Transfer:
      if (!begin_transfer(query, exchange, snapshot, context)) return;
      break;
    case Plan::Notify:
      if (!begin_notify(query, exchange, context)) return;
      break;
    case Plan::Update:
      if (!begin_update(query, exchange, snapshot, context)) return;
      break;
    case Plan::Drop:
    case Plan::Respond:
    case Plan::Chaos:
    case Plan::LookUp: kind = compose(query, exchange, snapshot, context, source); break;
  }
  if (query.recursive && response_.leads_on()) return recurse(query, exchange, context);
  if (query.rcode == Rcode::BADCOOKIE && query.plan == Plan::Respond) context.counters.cookies_refused.add();
  if (limit_rate(query, exchange, kind, source, context)) send(query, exchange, context);
}

ResponseClass Pipeline::compose(Query& query, const Exchange& exchange, const zone::Snapshot& snapshot,
                                Context& context, const void*& source) {
  const Settings& settings = *context.settings;
  switch (query.plan) {
    case Plan::LookUp: {
      if (query.step.zone->online) return discover(query, exchange, snapshot, context, source);
      QueryAnswer answer(snapshot, query.request, response_, settings, *chain_);
      const ResponseClass kind = answer.answer(query.step, snapshot.finish(query.probe));
      source = answer.source();
      // RFC 1035 §6.2: a response to QCLASS=* is never authoritative, unless it covers all classes.
      if (query.request.qclass == dns::RrClass::ANY) response_.clear_authoritative();
      return kind;
    }
    case Plan::Chaos: answer_chaos(query.request, settings, response_); return ResponseClass::Positive;
    case Plan::Respond:
      response_.set_rcode(query.rcode);
      if (query.extended_error != ExtendedError{}) response_.set_extended_error(query.extended_error);
      return ResponseClass::Error;
    case Plan::Drop:
    case Plan::Recurse:
    case Plan::Transfer:
    case Plan::Notify:
    case Plan::Update: break;
  }
  return ResponseClass::Error;
}

// A zone that is signed as it answers: what is stored of it is its apex.
ResponseClass Pipeline::discover(Query& query, const Exchange& exchange, const zone::Snapshot& snapshot,
                                 Context& context, const void*& source) {
  ResponseClass kind{};
  const zone::NodeView node = snapshot.finish(query.probe);
  // RFC 9824 §5.1: said with every answer, so that a resolver knows what it may make of the code.
  const RequestEdns& edns = query.request.edns;
  if (edns.compact_answers_ok && edns.dnssec_ok && query.step.zone->denial != zone::Denial::None)
    response_.set_compact_answers_ok();
  if (DiscoverAnswer::is_stored(query.step, node, query.request.qtype)) {
    QueryAnswer answer(snapshot, query.request, response_, *context.settings, *chain_);
    kind = answer.answer(query.step, node);
    source = answer.source();
  } else {
    const DiscoverCall call{context.settings->discover,
                            context.signatures,
                            *exchange.client,
                            is_proven(query, exchange),
                            unix_time(context.unix_seconds),
                            context.monotonic_ms * 1'000'000,
                            context.counters};
    DiscoverAnswer answer(snapshot, query.request, response_, *discover_, call);
    kind = answer.answer(query.step);
    source = answer.source();
  }
  if (query.request.qclass == dns::RrClass::ANY) response_.clear_authoritative();
  return kind;
}

// Over a stream, or with a cookie of ours or a key, the address is the client's own: nothing is reflected to anybody.
bool Pipeline::is_proven(const Query& query, const Exchange& exchange) {
  return exchange.transport != Transport::Udp || query.cookie == CookieState::Valid ||
         (query.tsig != nullptr && query.tsig->is_good());
}

// Whatever went wrong inside, the client is told so.
void Pipeline::fail(Query& query, Exchange& exchange, Context& context) {
  context.counters.failures.add();
  exchange.response_size = 0;
  query.tsig.reset();  // unsigned: what failed may have been the signing
  if (!response_.begin(exchange, query.request, *context.settings)) return;
  response_.set_rcode(Rcode::SERVFAIL);
  send(query, exchange, context);
}

// True where the response is to be sent, perhaps emptied.
bool Pipeline::limit_rate(const Query& query, const Exchange& exchange, ResponseClass kind, const void* source,
                          Context& context) {
  if (context.rate_limiter == nullptr || is_proven(query, exchange) ||
      !context.rate_limiter->applies_to(*exchange.client))
    return true;
  switch (context.rate_limiter->take(*exchange.client, kind, source, context.monotonic_ms, context.slip)) {
    case RateVerdict::Send: return true;
    case RateVerdict::Slip:
      context.counters.rate_limit_slipped.add();
      response_.clear();
      response_.set_truncated();
      return true;
    case RateVerdict::Drop: break;
  }
  context.counters.rate_limit_dropped.add();
  return false;
}

void Pipeline::send(Query& query, Exchange& exchange, Context& context) {
  size_t size = response_.finish(*context.settings);
  if (query.tsig != nullptr) {
    const auto with_tsig = query.tsig->sign_response(exchange.room, size, unix_time(context.unix_seconds));
    // The room was kept free; should it ever not suffice, a response that no one would believe is not sent.
    if (!with_tsig) return context.counters.failures.add();
    size = *with_tsig;
  }
  exchange.response_size = size;
  if (response_.truncated()) context.counters.truncated.add();
  context.counters.count_response(response_.rcode(), size);
}

}  // namespace steward::serve
