// The authority and additional sections of an answer, and the walk up the tree.

#include "serve/query.hh"

namespace steward::serve {

using dns::NameView;
using dns::RrType;
using zone::NodeView;

QueryAnswer::State QueryAnswer::solve_authority(State state) {
  switch (state) {
    case State::Hit:
    case State::Follow:
    case State::Overflow: {
      const State proven = solve_wildcard_proofs();
      return proven == State::Hit ? state : proven;
    }
    case State::NoData:
    case State::NameError: return solve_denial(state);
    case State::Delegation: return solve_delegation();
    case State::Truncated:
    case State::Failed: return state;
  }
  return state;
}

QueryAnswer::State QueryAnswer::after(Proof proof) const {
  switch (proof) {
    case Proof::Written: return State::Hit;
    case Proof::NoRoom: return State::Truncated;
    case Proof::Unaffordable: break;
  }
  response_.set_extended_error(ExtendedError::UnsupportedNsec3Iterations);
  return State::Failed;
}

// RFC 4035 §3.1.3.3: whoever gets what a wildcard stands for is shown that nothing closer exists.
QueryAnswer::State QueryAnswer::solve_wildcard_proofs() {
  if (!dnssec_) return State::Hit;
  for (size_t i = 0; i < expansion_count_; ++i)
    if (const State state = after(proofs_.wildcard_answer(chain_.expansions[i].step, chain_.expansions[i].encloser));
        state != State::Hit)
      return state;
  return State::Hit;
}

// RFC 2308 §3: the SOA, with its negative TTL; with DO, the proof.
QueryAnswer::State QueryAnswer::solve_denial(State state) {
  const NodeView apex = snapshot_.find(*step_.zone, step_.zone->apex);
  const auto soa = apex ? apex.negative_soa() : std::nullopt;
  if (!soa) return State::Failed;
  if (source_ == nullptr) source_ = apex.data();
  // RFC 6604 §3: the code is that of the last name of a chain.
  if (state == State::NameError) response_.set_rcode(dns::Rcode::NXDOMAIN);
  if (!response_.put(Section::Authority, *soa, apex.owner(), place_of(step_.zone->apex), dnssec_))
    return State::Truncated;
  if (!dnssec_) return state;

  if (const State proven = solve_wildcard_proofs(); proven != State::Hit) return proven;
  const Proof proof = state == State::NameError ? proofs_.name_error(step_, encloser_name_, encloser_)
                      : wildcard_               ? proofs_.wildcard_no_data(step_, encloser_name_, wildcard_)
                                                : proofs_.no_data(step_, node_);
  const State proven = after(proof);
  return proven == State::Hit ? state : proven;
}

// Step 3 b: the NS RRset of the cut, its DS or the proof that there is none (RFC 4035 §3.1.4), and glue.
QueryAnswer::State QueryAnswer::solve_delegation() {
  const auto ns = cut_.find(RrType::NS);
  if (!ns) return State::Failed;
  if (source_ == nullptr) source_ = cut_.data();
  const uint16_t place = place_of(cut_name_);
  const WrittenRrset written{RrType::NS, ns->rr_count, response_.at(), place, cut_};
  if (!response_.put(Section::Authority, *ns, cut_.owner(), place, dnssec_)) return State::Truncated;
  // In a zone that is not signed a DS proves nothing to anybody.
  if (dnssec_ && step_.zone->denial != zone::Denial::None) {
    if (const State proven = solve_wildcard_proofs(); proven != State::Hit) return proven;
    // RFC 4035 §3.1: it is added for signed zones; a DS that nothing signs tells a validator nothing.
    const bool is_signed = step_.zone->denial != zone::Denial::None;
    if (const auto ds = is_signed ? cut_.find(RrType::DS) : std::nullopt) {
      if (!response_.put(Section::Authority, *ds, cut_.owner(), place, true)) return State::Truncated;
    } else if (const State proven = after(proofs_.no_ds(step_, cut_name_, cut_)); proven != State::Hit) {
      return proven;
    }
  }
  if (!add_glue(snapshot_, response_, written, *step_.zone, cut_name_, dnssec_)) response_.set_truncated();
  return State::Delegation;
}

void QueryAnswer::solve_additional(State state) {
  if (state == State::Hit && named_.node) add_additional(snapshot_, response_, named_, dnssec_);
}

// The closest encloser of a name that does not exist (RFC 4592 §3.3.1). What is above an existing name exists too, if
// only as an empty non-terminal, so that a long name costs seven look-ups and not a hundred. False: not even the apex.
bool QueryAnswer::closest_encloser() {
  std::array<uint8_t, dns::max_labels> starts;  // of the names between the apex and step_.name
  size_t count = 0;
  const NameView name = step_.name;
  const size_t apex_at = name.size() - step_.zone->apex.size();
  for (size_t at = 0; at < apex_at; at += name.data()[at] + size_t{1}) starts[count++] = static_cast<uint8_t>(at);
  const auto tail = [&](size_t i) {
    const size_t at = i < count ? starts[i] : apex_at;
    return NameView(name.data() + at, name.size() - at);
  };

  // Mostly the parent exists. starts[0] is the name itself, starts[count] would be the apex.
  encloser_name_ = tail(1);
  encloser_ = find(encloser_name_);
  if (encloser_) return true;
  size_t missing = 1;
  size_t existing = count;
  while (existing - missing > 1) {
    const size_t middle = missing + (existing - missing) / 2;
    (find(tail(middle)) ? existing : missing) = middle;
  }
  if (missing >= existing) return false;
  encloser_name_ = tail(existing);
  encloser_ = find(encloser_name_);
  return static_cast<bool>(encloser_);
}

// From `node` at `name`, which is a cut, a DNAME or below one, up to the topmost: nothing under it is this zone's to
// say.
NodeView QueryAnswer::topmost_cut(NameView& name, NodeView node) const {
  while (node.is(zone::node_occluded) && name.size() > step_.zone->apex.size()) {
    const NodeView parent = find(name.parent());
    if (!parent) break;
    name = name.parent();
    node = parent;
  }
  return node;
}

// Where `ancestor` of step_.name stands in the message, as its tail.
uint16_t QueryAnswer::place_of(NameView ancestor) const {
  return tail_place(response_.message(), step_.place, step_.name.size() - ancestor.size());
}

}  // namespace steward::serve
