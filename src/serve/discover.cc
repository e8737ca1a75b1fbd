#include "serve/discover.hh"

#include <algorithm>

#include "dns/type_bitmap.hh"
#include "serve/sign_budget.hh"

namespace steward::serve {

using dns::NameView;
using dns::RrType;
using zone::NodeView;
using zone::StoredRrset;

namespace {

constexpr uint32_t most_ttl = 60;  // seconds (steward-records(7)): what is new is seen soon

constexpr std::array<uint8_t, 6> find_label = {5, '_', 'f', 'i', 'n', 'd'};
constexpr std::array<uint8_t, 8> agents_label = {7, '_', 'a', 'g', 'e', 'n', 't', 's'};

uint32_t ttl_of(const StoredRrset& rrset) { return std::min(rrset.ttl(), most_ttl); }

// The label after `octet`: as DNS names sort, without the upper case letters, which are the same as the lower case
// ones.
uint8_t after(uint8_t octet) { return octet == '@' ? '[' : static_cast<uint8_t>(octet + 1); }

}  // namespace

bool is_term(ByteView label) {
  const auto fits = [](uint8_t c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !label.empty() && label.size() <= 62 && std::all_of(label.begin(), label.end(), fits);
}

void append_next_name(NameView name, NameView apex, Bytes& out) {
  if (name.size() + size_t{2} <= dns::max_name_size) {
    append_u8(out, 1);
    append_u8(out, 0);
    return append(out, name.wire());
  }
  for (; name.is_below(apex); name = name.parent()) {
    ByteView label = name.first_label();
    const bool has_room = name.size() < dns::max_name_size && label.size() < dns::max_label_size;
    // No name fits below this one: the next is the label with one octet more, or with the last that can be raised.
    if (has_room) {
      append_u8(out, static_cast<uint8_t>(label.size() + 1));
      append(out, label);
      append_u8(out, 0);
      return append(out, name.parent().wire());
    }
    while (!label.empty() && label.back() == 0xff) label = label.first(label.size() - 1);
    if (label.empty()) continue;
    append_u8(out, static_cast<uint8_t>(label.size()));
    append(out, label.first(label.size() - 1));
    append_u8(out, after(label.back()));
    return append(out, name.parent().wire());
  }
  append(out, apex.wire());  // RFC 4034 §4.1.1: after the last name of the zone
}

bool DiscoverAnswer::is_stored(const Step& step, NodeView node, RrType type) {
  if (step.name.size() != step.zone->apex.size() || !node || type == RrType::NSEC) return false;
  return type == RrType::ANY || type == RrType::RRSIG || node.find(type);
}

ResponseClass DiscoverAnswer::answer(const Step& step) {
  step_ = step;
  if (!call_.zone || call_.zone->apex != step.zone->apex.view()) return fail(ExtendedError::NotReady);
  apex_ = snapshot_.find(*step.zone, step.zone->apex);
  if (!apex_) return fail(ExtendedError::NotReady);
  source_ = apex_.data();
  dnssec_ = request_.edns.dnssec_ok && step.zone->denial != zone::Denial::None;
  if (dnssec_ && !room_.signer.use(call_.zone)) return fail(ExtendedError::NotReady);
  response_.set_authoritative();

  State state = State::Failed;
  if (is_apex()) {
    kind_ = ResponseClass::NoData;
    state = no_data({RrType::NS, RrType::SOA, RrType::DNSKEY, RrType::CDS, RrType::CDNSKEY});
  } else if (step_.name.parent().size() == step_.zone->apex.size() && is_term(step_.name.first_label())) {
    state = answer_term();
  } else {
    state = no_such_name();
  }
  switch (state) {
    case State::Done: return kind_;
    case State::NoRoom:
      response_.clear();
      response_.set_authoritative();
      response_.set_truncated();
      return kind_;
    case State::OverBudget: return limited();
    case State::Failed: break;
  }
  return fail(ExtendedError::NotReady);
}

ResponseClass DiscoverAnswer::fail(ExtendedError error) {
  response_.clear();
  response_.set_rcode(dns::Rcode::SERVFAIL);
  response_.set_extended_error(error);
  return ResponseClass::Error;
}

// Whoever is not there for sure asks again over TCP, where a forged address gets nothing signed.
ResponseClass DiscoverAnswer::limited() {
  call_.counters.online_refused.add();
  if (call_.is_proven) return fail(ExtendedError::Other);
  response_.clear();
  response_.set_truncated();
  return ResponseClass::Error;
}

DiscoverAnswer::State DiscoverAnswer::answer_term() {
  Term term;
  if (!find_term(term)) return State::Failed;
  if (term.is_known()) return answer_page(term);
  return call_.zone->parent ? answer_alias() : no_such_name();
}

// The first page of the step's term in the registry's zone. False where that zone cannot be answered from.
bool DiscoverAnswer::find_term(Term& term) {
  const NameView home = step_.zone->apex.view().parent().parent();
  const zone::ZoneInfo* const zone = snapshot_.find_zone(home);
  if (zone == nullptr || zone->apex.size() != home.size() || zone->availability != zone::Availability::Serving)
    return false;
  // Two octets shorter than the name that was asked for: it fits.
  uint8_t* at = room_.name.octets.data();
  const auto add = [&](ByteView octets) { at = std::copy(octets.begin(), octets.end(), at); };
  add(step_.name.wire().first(step_.name.first_label().size() + 1));
  add(find_label);
  add(agents_label);
  add(home.wire());
  const NameView name(room_.name.octets.data(), static_cast<size_t>(at - room_.name.octets.data()));
  page_ = snapshot_.find(*zone, name);
  // What lies below somebody else's cut is not the registry's to tell.
  if (!page_ || page_.is(zone::node_occluded) || page_.is(zone::node_cut)) return true;
  term.txt = page_.find(RrType::TXT);
  term.ptr = page_.find(RrType::PTR);
  return true;
}

DiscoverAnswer::State DiscoverAnswer::answer_page(const Term& term) {
  source_ = page_.data();
  switch (request_.qtype) {
    case RrType::TXT:
      if (term.txt) return put_page_rrset(*term.txt);
      break;
    case RrType::PTR:
      if (term.ptr) return put_page_rrset(*term.ptr);
      break;
    case RrType::ANY: return put_page_rrset(term.ptr ? *term.ptr : *term.txt);  // RFC 8482 §4.1
    default: break;
  }
  if (!term.txt) return no_data({RrType::PTR});
  if (!term.ptr) return no_data({RrType::TXT});
  return no_data({RrType::TXT, RrType::PTR});
}

DiscoverAnswer::State DiscoverAnswer::put_page_rrset(const StoredRrset& rrset) {
  begin_rdatas();
  for (zone::StoredRrReader reader(rrset.rrs); !reader.done();) {
    zone::expand_rdata(rrset.type, reader.next().rdata, page_.owner(), room_.octets);
    end_rdata();
  }
  const uint32_t ttl = ttl_of(rrset);
  size_t from = 0;
  for (const size_t end : room_.ends) {
    const ByteView rdata = ByteView(room_.octets).subspan(from, end - from);
    const bool written = rrset.type == RrType::PTR ? put_named(rrset.type, ttl, rdata)
                                                   : response_.put_record(request_.qname, rrset.type, ttl, rdata);
    if (!written) return State::NoRoom;
    from = end;
  }
  return dnssec_ ? put_signature(Section::Answer, rrset.type, ttl) : State::Done;
}

// A record whose RDATA is one name, as much of it as the question has too being a pointer there.
bool DiscoverAnswer::put_named(RrType type, uint32_t ttl, ByteView rdata) {
  const NameView name(rdata.data(), rdata.size());
  NameView shared = name;
  while (!step_.name.is_at_or_below(shared)) shared = shared.parent();
  if (shared.is_root()) return response_.put_record(request_.qname, type, ttl, rdata);
  const size_t place = question_place + step_.name.size() - shared.size();
  return response_.put_name_record(question_place, type, ttl, rdata.first(rdata.size() - shared.size()),
                                   static_cast<uint16_t>(place));
}

// RFC 4035 §2.5: an alias has an NSEC and RRSIGs of its own.
DiscoverAnswer::State DiscoverAnswer::answer_alias() {
  if (asks_for_proof()) return prove({RrType::CNAME});
  begin_rdatas();
  append(room_.octets, step_.name.wire().first(step_.name.size() - step_.zone->apex.view().parent().parent().size()));
  append(room_.octets, call_.zone->parent->view().wire());
  end_rdata();
  const uint32_t ttl = most_ttl;
  if (!put_named(RrType::CNAME, ttl, room_.octets)) return State::NoRoom;
  if (request_.qtype != RrType::CNAME && request_.qtype != RrType::ANY) response_.set_leads_on();
  return dnssec_ ? put_signature(Section::Answer, RrType::CNAME, ttl) : State::Done;
}

// RFC 9824 §3.1: signed, a name that does not exist is one that has nothing, which only NXNAME tells from others. §3:
// whoever does not ask for signatures is told so by the code alone.
DiscoverAnswer::State DiscoverAnswer::no_such_name() {
  kind_ = ResponseClass::NameError;
  if (!dnssec_) {
    response_.set_rcode(dns::Rcode::NXDOMAIN);
    const auto soa = negative_soa();
    return !soa ? State::Failed : put_soa(*soa) ? State::Done : State::NoRoom;
  }
  // RFC 9824 §5.1
  if (request_.edns.compact_answers_ok) response_.set_rcode(dns::Rcode::NXDOMAIN);
  return no_data({RrType::NXNAME});
}

// Of what else there is nothing at this name, the types of what there is being `types`.
DiscoverAnswer::State DiscoverAnswer::no_data(std::initializer_list<RrType> types) {
  if (asks_for_proof()) return prove(types);
  if (kind_ == ResponseClass::Positive) kind_ = ResponseClass::NoData;
  const auto soa = negative_soa();
  if (!soa) return State::Failed;
  if (!put_soa(*soa)) return State::NoRoom;
  return dnssec_ ? put_nsec(Section::Authority, soa->ttl(), types) : State::Done;
}

// Every name that a signed answer speaks of has an NSEC with its RRSIG, so these can be asked for as well.
bool DiscoverAnswer::asks_for_proof() const {
  return dnssec_ && (request_.qtype == RrType::NSEC || request_.qtype == RrType::RRSIG);
}

DiscoverAnswer::State DiscoverAnswer::prove(std::initializer_list<RrType> types) {
  const auto soa = negative_soa();
  return soa ? put_nsec(Section::Answer, soa->ttl(), types) : State::Failed;
}

// RFC 2308 §3
std::optional<StoredRrset> DiscoverAnswer::negative_soa() const { return apex_.negative_soa(); }

bool DiscoverAnswer::put_soa(const StoredRrset& soa) {
  const size_t place = question_place + step_.name.size() - step_.zone->apex.size();
  return response_.put(Section::Authority, soa, apex_.owner(), static_cast<uint16_t>(place), dnssec_);
}

DiscoverAnswer::State DiscoverAnswer::put_nsec(Section section, uint32_t ttl, std::initializer_list<RrType> types) {
  begin_rdatas();
  append_next_name(step_.name, step_.zone->apex, room_.octets);
  dns::TypeBitmap bitmap;
  bitmap.add(RrType::RRSIG);
  bitmap.add(RrType::NSEC);
  for (const RrType type : types)
    if (!is_apex() || apex_.find(type)) bitmap.add(type);
  bitmap.append_to(room_.octets);
  end_rdata();
  // Asked for RRSIG, the signature of one RRset does (RFC 8482 §7).
  if (request_.qtype != RrType::RRSIG &&
      !response_.put_record(request_.qname, RrType::NSEC, ttl, room_.octets, section))
    return State::NoRoom;
  return put_signature(section, RrType::NSEC, ttl);
}

DiscoverAnswer::State DiscoverAnswer::put_signature(Section section, RrType type, uint32_t ttl) {
  const sign::Rrset rrset = rrset_of(type, ttl);
  ByteView rdata = room_.signer.find(rrset, call_.now);
  if (rdata.empty()) {
    if (call_.budget != nullptr && !call_.budget->take(call_.client, call_.is_proven, call_.monotonic_ns))
      return State::OverBudget;
    rdata = room_.signer.make(rrset, call_.now);
    if (rdata.empty()) return State::Failed;
    call_.counters.online_signed.add();
  } else {
    call_.counters.online_reused.add();
  }
  return response_.put_record(request_.qname, RrType::RRSIG, ttl, rdata, section) ? State::Done : State::NoRoom;
}

void DiscoverAnswer::begin_rdatas() {
  room_.octets.clear();
  room_.ends.clear();
}

sign::Rrset DiscoverAnswer::rrset_of(RrType type, uint32_t ttl) {
  room_.rdatas.clear();
  size_t from = 0;
  for (const size_t end : room_.ends) {
    room_.rdatas.push_back(ByteView(room_.octets).subspan(from, end - from));
    from = end;
  }
  return {step_.name, type, ttl, room_.rdatas};
}

}  // namespace steward::serve
