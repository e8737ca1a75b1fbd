#include "serve/proof.hh"

#include "serve/message_name.hh"
#include "serve/nsec3_name.hh"

namespace steward::serve {
namespace {

using dns::NameView;
using dns::RrType;
using zone::NodeView;

// `*.<encloser>`; there is room, since a name below the encloser is at least as long.
NameView wildcard_of(NameView encloser, NameBuffer& buffer) {
  buffer.octets[0] = 1;
  buffer.octets[1] = '*';
  std::memcpy(&buffer.octets[2], encloser.data(), encloser.size());
  return {buffer.octets.data(), encloser.size() + 2};
}

// The ancestor of `name`, or itself, that is one label longer than `encloser` (RFC 5155 §1.3: next closer name).
NameView next_closer(NameView name, NameView encloser) {
  while (name.parent().size() > encloser.size()) name = name.parent();
  return name;
}

// Whether `nsec`, the NSEC at `owner` (which is before `name`), also covers `name`: its next name is after it, or the
// apex.
bool covers(NameView owner, const zone::StoredRrset& nsec, NameView name, NameView apex) {
  const auto next = NameView::from_wire(zone::StoredRrReader(nsec.rrs).next().rdata);
  if (!next) return false;
  return canonical_compare(owner, name) < 0 && (*next == apex || canonical_compare(name, *next) < 0);
}

}  // namespace

// Writes the NSEC or NSEC3 RRset of `node`, unless it stands there already.
Proof ProofWriter::put(const Step& step, NodeView node, RrType type) {
  // A signed zone without the record is broken; what there is, is sent.
  const auto rrset = node ? node.find(type) : std::nullopt;
  if (!rrset) return Proof::Written;
  for (size_t i = 0; i < written_count_; ++i)
    if (written_[i] == node.data()) return Proof::Written;

  const NameView owner = node.owner();
  // As much of the owner as it has in common with the name that was asked for; at least the apex.
  NameView shared = step.name;
  while (shared.size() > step.zone->apex.size() && !owner.is_at_or_below(shared)) shared = shared.parent();
  const uint16_t place = tail_place(response_.message(), step.place, step.name.size() - shared.size());
  const bool written =
      shared.size() == owner.size()
          ? response_.put(Section::Authority, *rrset, owner, place, true)
          : response_.put_with_owner(Section::Authority, *rrset, owner, owner.size() - shared.size(), place, true);
  if (!written) return Proof::NoRoom;
  if (written_count_ < written_.size()) written_[written_count_++] = node.data();
  return Proof::Written;
}

Proof ProofWriter::nsec_covering(const Step& step, NameView name) {
  return put(step, snapshot_.nsec_at_or_before(*step.zone, name), RrType::NSEC);
}

Proof ProofWriter::nsec3_matching(const Step& step, NameView name, bool& exact) {
  const zone::ZoneInfo& zone = *step.zone;
  const NodeView node = snapshot_.nsec3_at_or_before(zone, nsec3_hash_of(name, zone), exact);
  return exact ? put(step, node, RrType::NSEC3) : Proof::Written;
}

Proof ProofWriter::nsec3_covering(const Step& step, NameView name) {
  const zone::ZoneInfo& zone = *step.zone;
  bool exact = false;
  return put(step, snapshot_.nsec3_at_or_before(zone, nsec3_hash_of(name, zone), exact), RrType::NSEC3);
}

// RFC 5155 §7.2.1: a match for the closest provable encloser, and what covers the next closer name. An empty
// non-terminal above nothing but opted-out delegations has no NSEC3, so that the provable one, to which `encloser` is
// set, may be further up.
Proof ProofWriter::nsec3_closest_encloser(const Step& step, NameView name, NameView& encloser) {
  bool exact = false;
  while (true) {
    if (const Proof proof = nsec3_matching(step, encloser, exact); proof != Proof::Written) return proof;
    if (exact || encloser.size() <= step.zone->apex.size()) break;
    encloser = encloser.parent();
  }
  return nsec3_covering(step, next_closer(name, encloser));
}

// RFC 5155 §7.2.3, §7.2.4, §7.2.7: the match; where opt-out left none, the closest provable encloser.
Proof ProofWriter::nsec3_matching_or_opt_out(const Step& step, NameView name) {
  bool exact = false;
  if (const Proof proof = nsec3_matching(step, name, exact); proof != Proof::Written || exact) return proof;
  if (name.size() <= step.zone->apex.size()) return Proof::Written;
  NameView encloser = name.parent();
  return nsec3_closest_encloser(step, name, encloser);
}

Proof ProofWriter::name_error(const Step& step, NameView encloser, NodeView encloser_node) {
  NameBuffer buffer;
  switch (step.zone->denial) {
    case zone::Denial::None: return Proof::Written;
    case zone::Denial::Nsec: {
      // RFC 4035 §3.1.3.2: often one NSEC covers both the name and the wildcard.
      const NameView wildcard = wildcard_of(encloser, buffer);
      const NodeView node = nsec_of(step);
      if (const Proof proof = put(step, node, RrType::NSEC); proof != Proof::Written) return proof;
      if (const auto nsec = node ? node.find(RrType::NSEC) : std::nullopt;
          nsec && covers(node.owner(), *nsec, wildcard, step.zone->apex))
        return Proof::Written;
      return put(step, snapshot_.nsec_of_wildcard(*step.zone, encloser_node, wildcard), RrType::NSEC);
    }
    case zone::Denial::Nsec3: {
      if (!affordable(*step.zone)) return Proof::Unaffordable;
      // RFC 5155 §7.2.2: the wildcard at the provable encloser, from which a validator derives it (§8.4).
      const Proof proof = nsec3_closest_encloser(step, step.name, encloser);
      return proof == Proof::Written ? nsec3_covering(step, wildcard_of(encloser, buffer)) : proof;
    }
  }
  return Proof::Written;
}

Proof ProofWriter::no_data(const Step& step, NodeView node) {
  switch (step.zone->denial) {
    case zone::Denial::None: return Proof::Written;
    case zone::Denial::Nsec:
      // RFC 4035 §3.1.3.1; an empty non-terminal has no NSEC, the one before covers it.
      return node.find(RrType::NSEC) ? put(step, node, RrType::NSEC) : put(step, nsec_of(step), RrType::NSEC);
    case zone::Denial::Nsec3:
      return affordable(*step.zone) ? nsec3_matching_or_opt_out(step, step.name) : Proof::Unaffordable;
  }
  return Proof::Written;
}

Proof ProofWriter::wildcard_no_data(const Step& step, NameView encloser, NodeView wildcard) {
  NameBuffer buffer;
  const NameView name = wildcard_of(encloser, buffer);
  switch (step.zone->denial) {
    case zone::Denial::None: return Proof::Written;
    case zone::Denial::Nsec: {
      // RFC 4035 §3.1.3.4: no such type at the wildcard, and no closer match than it.
      const Proof proof = wildcard.find(RrType::NSEC) ? put(step, wildcard, RrType::NSEC) : nsec_covering(step, name);
      return proof == Proof::Written ? put(step, nsec_of(step), RrType::NSEC) : proof;
    }
    case zone::Denial::Nsec3: {
      if (!affordable(*step.zone)) return Proof::Unaffordable;
      // RFC 5155 §7.2.5
      Proof proof = nsec3_closest_encloser(step, step.name, encloser);
      bool exact = false;
      if (proof == Proof::Written) proof = nsec3_matching(step, name, exact);
      return proof;
    }
  }
  return Proof::Written;
}

Proof ProofWriter::wildcard_answer(const Step& step, NameView encloser) {
  switch (step.zone->denial) {
    case zone::Denial::None: return Proof::Written;
    case zone::Denial::Nsec: return put(step, nsec_of(step), RrType::NSEC);  // RFC 4035 §3.1.3.3
    case zone::Denial::Nsec3:                                        // RFC 5155 §7.2.6
      return affordable(*step.zone) ? nsec3_covering(step, next_closer(step.name, encloser)) : Proof::Unaffordable;
  }
  return Proof::Written;
}

Proof ProofWriter::no_ds(const Step& step, NameView cut, NodeView node) {
  switch (step.zone->denial) {
    case zone::Denial::None: return Proof::Written;
    case zone::Denial::Nsec: return put(step, node, RrType::NSEC);  // RFC 4035 §3.1.4
    case zone::Denial::Nsec3:                                       // RFC 5155 §7.2.7
      return affordable(*step.zone) ? nsec3_matching_or_opt_out(step, cut) : Proof::Unaffordable;
  }
  return Proof::Written;
}

}  // namespace steward::serve
