#include "serve/query.hh"

namespace steward::serve {

using dns::NameView;
using dns::RrType;
using zone::NodeView;

const zone::ZoneInfo* zone_for(const zone::Snapshot& snapshot, NameView name, RrType type) {
  const zone::ZoneInfo* zone = snapshot.find_zone(name);
  if (type != RrType::DS || zone == nullptr || name.size() != zone->apex.size() || name.is_root()) return zone;
  // RFC 4035 §3.1.4.1: a DS stands above the cut. Without the parent's zone it is NODATA in the child's.
  const zone::ZoneInfo* parent = snapshot.find_zone(name.parent());
  return parent != nullptr ? parent : zone;
}

QueryAnswer::QueryAnswer(const zone::Snapshot& snapshot, const Request& request, Response& response,
                         const Settings& settings, Chain& chain)
    : snapshot_(snapshot),
      request_(request),
      response_(response),
      proofs_(snapshot, response, settings),
      chain_(chain),
      dnssec_(request.edns.dnssec_ok) {}

ResponseClass QueryAnswer::answer(const Step& first, NodeView node) {
  step_ = first;
  node_ = node;
  State state = solve_answer();
  state = solve_authority(state);
  solve_additional(state);
  switch (state) {
    case State::Hit:
    case State::Follow: return ResponseClass::Positive;
    case State::Delegation: response_.set_leads_on(); return ResponseClass::Referral;
    case State::NoData: return ResponseClass::NoData;
    case State::NameError: return ResponseClass::NameError;
    case State::Overflow: response_.set_rcode(dns::Rcode::YXDOMAIN); return ResponseClass::NameError;
    case State::Truncated: response_.set_truncated(); return ResponseClass::Positive;
    case State::Failed: break;
  }
  response_.clear();
  response_.set_rcode(dns::Rcode::SERVFAIL);
  return ResponseClass::Error;
}

// The answer section (RFC 1034 §4.3.2 steps 2 and 3), name by name along a chain of CNAMEs.
QueryAnswer::State QueryAnswer::solve_answer() {
  for (bool first = true;; first = false) {
    State state = solve_name();
    if (state == State::Delegation && request_.qtype == RrType::DS) {
      // The parent's zone is not the direct parent's: of two zones that we serve the child's knows better.
      const zone::ZoneInfo* const zone = snapshot_.find_zone(step_.name);
      if (zone != step_.zone && cut_name_.size() < step_.name.size()) {
        step_.zone = zone;
        step_.nsec = {};
        node_ = find(step_.name);
        state = solve_name();
      }
    }
    // RFC 1035 §4.1.1: AA is said of the first name in the answer section.
    if (first && state != State::Delegation && state != State::Failed) response_.set_authoritative();
    if (state != State::Follow) return state;
    if (!follow()) {
      response_.set_leads_on();
      return State::Hit;
    }
  }
}

QueryAnswer::State QueryAnswer::solve_name() {
  wildcard_ = NodeView();
  if (node_) return solve_existing(node_);
  if (!closest_encloser()) return State::Failed;
  return solve_encloser();
}

// Step 3 a: the whole of the name matches.
QueryAnswer::State QueryAnswer::solve_existing(NodeView node) {
  if (node.is(zone::node_occluded)) {
    cut_name_ = step_.name;
    cut_ = topmost_cut(cut_name_, node);
    return cut_.is(zone::node_cut) ? State::Delegation : solve_dname(cut_);
  }
  // Step 3 b. RFC 4035 §3.1.4.1: the DS of a cut is the parent's to answer.
  if (node.is(zone::node_cut) && request_.qtype != RrType::DS) {
    cut_name_ = step_.name;
    cut_ = node;
    return State::Delegation;
  }
  return solve_data(node);
}

// Steps 3 b and c: the name does not exist; what is said by the closest that does.
QueryAnswer::State QueryAnswer::solve_encloser() {
  if (encloser_.is(zone::node_occluded) || encloser_.is(zone::node_cut) || encloser_.is(zone::node_dname)) {
    cut_name_ = encloser_name_;
    cut_ = topmost_cut(cut_name_, encloser_);
    return cut_.is(zone::node_cut) ? State::Delegation : solve_dname(cut_);
  }
  if (!encloser_.is(zone::node_wildcard_child)) return State::NameError;

  NameBuffer buffer;
  buffer.octets[0] = 1;
  buffer.octets[1] = '*';
  std::memcpy(&buffer.octets[2], encloser_name_.data(), encloser_name_.size());
  wildcard_ = find(NameView(buffer.octets.data(), encloser_name_.size() + 2));
  if (!wildcard_) return State::NameError;
  // RFC 4592 §4.2, §4.4: NS and DNAME at a wildcard have no meaning of their own; they are data of that type.
  return solve_data(wildcard_);
}

// Whether what the node has answers the question. A type that may stand beside a CNAME (RFC 4035 §2.5) goes before it;
// where it does not, the CNAME does (RFC 6840 §4.3: nothing is denied at an alias).
QueryAnswer::State QueryAnswer::solve_data(NodeView node) {
  if (request_.qtype == RrType::ANY) return solve_any(node);
  if (request_.qtype == RrType::RRSIG)
    if (const State state = solve_signatures(node); state != State::NoData) return state;
  if (const auto rrset = node.find(request_.qtype)) return hit(node, *rrset);
  if (node.is(zone::node_cname))
    if (const auto cname = node.find(RrType::CNAME)) return solve_cname(node, *cname);
  return State::NoData;
}

QueryAnswer::State QueryAnswer::hit(NodeView node, const zone::StoredRrset& rrset) {
  source_ = node.data();
  const size_t start = response_.at();
  if (!response_.put(Section::Answer, rrset, node.owner(), step_.place, dnssec_)) return State::Truncated;
  if (has_additional(rrset.type)) named_ = {rrset.type, rrset.rr_count, start, step_.place, node};
  if (wildcard_) chain_.expansions[expansion_count_++] = {step_, encloser_name_};
  return State::Hit;
}

// RFC 8482 §4.1: one RRset, the smallest, and none that only proves something while there are others.
QueryAnswer::State QueryAnswer::solve_any(NodeView node) {
  std::optional<zone::StoredRrset> best;
  for (size_t i = 0; i < node.rrset_count(); ++i) {
    const zone::StoredRrset rrset = node.rrset(i);
    const bool better = !best || best->type == RrType::NSEC ||
                        (rrset.type != RrType::NSEC && rrset.rrs_with_sigs.size() < best->rrs_with_sigs.size());
    if (better) best = rrset;
  }
  return best ? hit(node, *best) : State::NoData;
}

// RFC 8482 §7: asked for RRSIG, the signatures of one RRset do.
QueryAnswer::State QueryAnswer::solve_signatures(NodeView node) {
  for (size_t i = 0; i < node.rrset_count(); ++i) {
    const zone::StoredRrset rrset = node.rrset(i);
    if (rrset.sig_count == 0) continue;
    source_ = node.data();
    if (!response_.put_sigs(rrset, step_.place)) return State::Truncated;
    if (wildcard_) chain_.expansions[expansion_count_++] = {step_, encloser_name_};
    return State::Hit;
  }
  return State::NoData;
}

QueryAnswer::State QueryAnswer::solve_cname(NodeView node, const zone::StoredRrset& cname) {
  source_ = node.data();
  const size_t start = response_.at();
  if (!response_.put(Section::Answer, cname, node.owner(), step_.place, dnssec_)) return State::Truncated;
  if (wildcard_) chain_.expansions[expansion_count_++] = {step_, encloser_name_};
  return next_link(static_cast<uint16_t>(rdata_place(response_.message(), start)));
}

// RFC 6672 §3.2 step 3 c: the DNAME, and the CNAME that it means for this name.
QueryAnswer::State QueryAnswer::solve_dname(NodeView node) {
  const auto dname = node.find(RrType::DNAME);
  if (!dname) return State::Failed;
  source_ = node.data();
  size_t target = 0;
  if (!put_dname(node, *dname, target)) return State::Truncated;
  const size_t target_size = load_u16(response_.message() + target - 2);
  const size_t prefix = step_.name.size() - cut_name_.size();
  if (prefix + target_size > dns::max_name_size) return State::Overflow;
  if (target > 0x3fff) return State::Truncated;

  // In the case of the question (the first name), or as it was led to.
  NameBuffer buffer;
  const uint8_t* labels = request_.qname.data();
  if (links_ > 0) {
    std::memcpy(buffer.octets.data(), step_.name.data(), prefix);
    labels = buffer.octets.data();
  }
  const size_t cname = response_.at();
  // RFC 6672 §3.1
  if (!response_.put_name_record(step_.place, RrType::CNAME, dname->ttl(), ByteView(labels, prefix),
                                 static_cast<uint16_t>(target)))
    return State::Truncated;
  if (request_.qtype == RrType::CNAME || request_.qtype == RrType::ANY) return State::Hit;
  return next_link(static_cast<uint16_t>(cname + 12));
}

// Writes the DNAME RRset, unless a link before was made of it; `target` is where the name stands that it redirects to.
bool QueryAnswer::put_dname(NodeView node, const zone::StoredRrset& dname, size_t& target) {
  for (size_t i = 0; i < dname_count_; ++i)
    if (chain_.dnames[i].node == node.data()) {
      target = chain_.dnames[i].target;
      return true;
    }
  const size_t start = response_.at();
  if (!response_.put(Section::Answer, dname, node.owner(), place_of(cut_name_), dnssec_)) return false;
  target = rdata_place(response_.message(), start);
  chain_.dnames[dname_count_++] = {node.data(), static_cast<uint16_t>(target)};
  return true;
}

// Takes note of the name at `target` in the message, to be looked for next.
QueryAnswer::State QueryAnswer::next_link(uint16_t target) {
  // Whatever leads further than a pointer reaches, or this long, the resolver follows itself.
  if (links_ == max_links || response_.at() > 0x3fff - dns::max_name_size) {
    response_.set_leads_on();
    return State::Hit;
  }
  chain_.visited[links_] = step_.name;
  step_.name = read_folded(response_.message(), target, chain_.names[links_]);
  step_.place = target;
  ++links_;
  return State::Follow;
}

// The next name of the chain, in whichever zone of ours it is; false where it ends: elsewhere, or in a loop.
bool QueryAnswer::follow() {
  for (size_t i = 0; i < links_; ++i)
    if (chain_.visited[i] == step_.name) return false;
  const zone::ZoneInfo* const zone = zone_for(snapshot_, step_.name, request_.qtype);
  if (zone == nullptr || zone->availability != zone::Availability::Serving) return false;
  // What is signed as it is asked for is an answer of its own; what is for transfer only is none.
  if (zone->online || zone->transfer_only) return false;
  step_.zone = zone;
  step_.nsec = {};
  node_ = find(step_.name);
  return true;
}

}  // namespace steward::serve
