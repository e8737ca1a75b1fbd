#include "change/edit.hh"

#include <algorithm>
#include <array>

#include "change/edit_plan.hh"
#include "change/node_key.hh"
#include "change/sign_ahead.hh"
#include "dns/rdata.hh"
#include "sign/denial.hh"
#include "zone/octet_hash.hh"

namespace steward::change {
namespace {

bool is_singleton(RrType type) { return type == RrType::SOA || type == RrType::CNAME || type == RrType::DNAME; }

bool is_same(ByteView a, ByteView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

// RFC 4034 §6.2 (3): their RDATA is a name and nothing else.
bool is_one_name(RrType type) {
  return type == RrType::PTR || type == RrType::NS || type == RrType::CNAME || type == RrType::DNAME;
}

/// A copy of RDATA in canonical form, of the usual size without memory of its own: comparisons make many.
class Canonical {
 public:
  Canonical(RrType type, ByteView rdata) : size_(rdata.size()) {
    if (size_ > near_.size()) far_.resize(size_);
    if (is_one_name(type)) {
      // No octet that counts a label's is a letter.
      std::transform(rdata.begin(), rdata.end(), data(), [](uint8_t octet) { return dns::fold(octet); });
      return;
    }
    std::copy(rdata.begin(), rdata.end(), data());
    dns::canonicalize_rdata(type, {data(), size_});
  }
  Canonical(const Canonical&) = delete;
  Canonical& operator=(const Canonical&) = delete;
  [[nodiscard]] ByteView view() const { return {far_.empty() ? near_.data() : far_.data(), size_}; }

 private:
  uint8_t* data() { return far_.empty() ? near_.data() : far_.data(); }
  size_t size_;
  std::array<uint8_t, 512> near_;
  Bytes far_;
};

bool is_canonically(RrType type, ByteView rdata, ByteView canonical) {
  return rdata.size() == canonical.size() && is_same(Canonical(type, rdata).view(), canonical);
}

// RFC 2136 §1.1.1: names in RDATA are compared without regard to case.
bool same_record(RrType type, ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  // What differs in more than case differs in canonical form too; this spares most comparisons the copies below.
  if (!std::equal(a.begin(), a.end(), b.begin(), [](uint8_t x, uint8_t y) { return dns::fold(x) == dns::fold(y); })) return false;
  return is_same(a, b) || is_canonically(type, a, Canonical(type, b).view());
}

std::vector<EditedRrset>::iterator place_of(std::vector<EditedRrset>& rrsets, RrType type) {
  return std::lower_bound(rrsets.begin(), rrsets.end(), type, [](const EditedRrset& have, RrType wanted) { return have.type < wanted; });
}

EditedRrset* find_in(std::vector<EditedRrset>& rrsets, RrType type) {
  const auto at = place_of(rrsets, type);
  return at != rrsets.end() && at->type == type ? &*at : nullptr;
}

EditedRrset& find_or_add(std::vector<EditedRrset>& rrsets, RrType type, uint32_t ttl) {
  auto at = place_of(rrsets, type);
  if (at == rrsets.end() || at->type != type) at = rrsets.insert(at, {type, ttl, {}, {}});
  return *at;
}

// Where a record stands, or would: RDATA is kept in the order of its canonical form.
std::vector<Bytes>::iterator place_of(std::vector<Bytes>& rdatas, RrType type, ByteView wanted) {
  return std::lower_bound(rdatas.begin(), rdatas.end(), wanted, [type](const Bytes& have, ByteView other) {
    return dns::compare_rdata(Canonical(type, have).view(), other) < 0;
  });
}

void take_rrset(const zone::RrsetInput& rrset, std::vector<EditedRrset>& into) {
  EditedRrset& mine = find_or_add(into, rrset.type, rrset.ttl);
  for (const ByteView rdata : rrset.rdatas) mine.rdatas.emplace_back(rdata.begin(), rdata.end());
  for (const ByteView rrsig : rrset.rrsigs) mine.rrsigs.emplace_back(rrsig.begin(), rrsig.end());
}

// RFC 4034 §3.1.1: what an RRSIG covers stands first.
RrType covered_by(ByteView rrsig) { return rrsig.size() >= 2 ? static_cast<RrType>(load_u16(rrsig.data())) : RrType{}; }

}  // namespace

bool EditedNode::has_content() const {
  return std::any_of(rrsets.begin(), rrsets.end(),
                     [](const EditedRrset& rrset) { return rrset.type != RrType::NSEC3 && !rrset.rdatas.empty(); });
}

Bytes EditedNode::provenance_octets() const {
  Bytes octets;
  for (const Entry& entry : provenance) append_provenance(octets, {entry.origin, entry.type, entry.ttl, entry.rdata});
  return octets;
}

ZoneEdit::ZoneEdit(EditRequest request, zone::NodeTable& nodes, zone::NodeTable& nsec3, zone::OctetTable* attic)
    : r_(std::move(request)), nodes_(nodes), nsec3_(nsec3), attic_(attic) {}

ZoneEdit::~ZoneEdit() = default;

void ZoneEdit::sign_ahead(Parallel& parallel) {
  if (r_.signing.signer != nullptr && parallel.threads() > 1) ahead_ = std::make_unique<SignAhead>(*r_.signing.signer, parallel);
}

bool ZoneEdit::is_ignored(RrType type) const {
  if (type == RrType::ZONEMD && r_.zonemd) return true;
  if (r_.signing.keep() == Keep::All) return false;
  return type == RrType::RRSIG || type == RrType::NSEC || type == RrType::NSEC3 || type == RrType::NSEC3PARAM;
}

EditedNode& ZoneEdit::at(NameView owner) {
  EditedNode*& recent = recent_[zone::hash_octets(owner.wire(), 0) % recent_.size()];
  if (recent != nullptr && is_same(recent->owner.view().wire(), owner.wire())) return *recent;
  std::array<uint8_t, dns::max_canonical_key_size> octets;
  const ByteView key(octets.data(), dns::canonical_key(owner, r_.apex, octets.data()));
  auto place = edits_.lower_bound(key);
  if (place == edits_.end() || zone::KeyOrder()(key, place->first)) {
    place = edits_.try_emplace(place, Bytes(key.begin(), key.end()));
    place->second.owner = dns::Name(owner);
    load(place->second, place->first);
  }
  return *(recent = &place->second);
}

void ZoneEdit::load(EditedNode& node, const Bytes& key) {
  const auto take = [&](zone::NodeView stored) {
    NodeDraft draft;
    draft_stored(stored, r_.signing.keep(), draft);
    for (const zone::RrsetInput& rrset : draft.rrsets()) take_rrset(rrset, node.rrsets);
  };
  ByteView provenance;
  Bytes kept;
  if ((node.stored = nodes_.find(key))) {
    node.owner = dns::Name(node.stored.owner());
    take(node.stored);
    provenance = node.stored.provenance();
  }
  if (provenance.empty() && attic_ != nullptr && node.rrsets.empty()) {
    kept = attic_->find(key);
    provenance = kept;
    node.from_attic = !kept.empty();
  }
  for (const ProvenanceEntry& entry : read_provenance(provenance))
    node.provenance.push_back({entry.origin, entry.type, entry.ttl, Bytes(entry.rdata.begin(), entry.rdata.end())});
  // RFC 5155 §3: a hashed name is none of the zone's; where we do not sign, its NSEC3 is content all the same.
  if (r_.signing.keep() == Keep::All && node.owner.view().label_count() == r_.apex.view().label_count() + 1)
    if (const auto hash = sign::nsec3_hash_of_owner(node.owner))
      if ((node.stored_nsec3 = nsec3_.find(ByteView(hash->data(), hash->size())))) take(node.stored_nsec3);
}

EditedNode& ZoneEdit::for_change(NameView owner) {
  EditedNode& node = at(owner);
  begin_change(node);
  return node;
}

void ZoneEdit::begin_change(EditedNode& node) {
  keep(node);
  touch(node);
}

void ZoneEdit::touch(EditedNode& node) {
  if (node.step == step_) return;
  node.step = step_;
  if (ahead_) left_behind_.emplace_back(step_, &node);
}

// Before it is changed.
void ZoneEdit::keep(EditedNode& node) {
  if (node.kept == step_) return;
  undo_.push_back({&node, std::make_unique<EditedNode>(node), {}, {}, 0, false});
  node.kept = step_;
}

const EditedRrset* ZoneEdit::find(NameView owner, RrType type) { return find_in(at(owner).rrsets, type); }

const std::vector<EditedRrset>& ZoneEdit::rrsets(NameView owner) { return at(owner).rrsets; }

std::vector<dns::Name> ZoneEdit::stored_names(ByteView after, ByteView last, size_t most) {
  std::vector<dns::Name> names;
  for (Bytes key(after.begin(), after.end()); names.size() < most;) {
    key.push_back(0);
    const zone::NodeView node = nodes_.at_or_after(key);
    if (!node || (!last.empty() && std::ranges::lexicographical_compare(last, key))) break;
    names.emplace_back(node.owner());
  }
  return names;
}

void ZoneEdit::note(EditedNode& node, RrType type, uint32_t ttl, ByteView rdata, bool is_added) {
  // The SOA of a zone with a file is the file's at the next reload, but for its serial.
  if (!r_.note_provenance || type == RrType::SOA) return;
  const Origin taken_back = is_added ? Origin::Withdrawn : Origin::Dynamic;
  const auto at = std::find_if(node.provenance.begin(), node.provenance.end(), [&](const EditedNode::Entry& entry) {
    return entry.origin == taken_back && entry.type == type && same_record(type, entry.rdata, rdata);
  });
  if (at != node.provenance.end())
    node.provenance.erase(at);
  else
    node.provenance.push_back({is_added ? Origin::Dynamic : Origin::Withdrawn, type, ttl, Bytes(rdata.begin(), rdata.end())});
}

// One more beside others, as most records come to what many agents share: taken back without a copy of them all. False where it is another case.
bool ZoneEdit::add_to_others(EditedNode& node, RrType type, uint32_t ttl, ByteView rdata) {
  EditedRrset* rrset = find_in(node.rrsets, type);
  if (rrset == nullptr || rrset->rdatas.empty() || rrset->ttl != ttl || is_singleton(type)) return false;
  const auto is_noted = [](const EditedNode::Entry& entry) { return entry.origin == Origin::Withdrawn; };
  if (std::any_of(node.provenance.begin(), node.provenance.end(), is_noted)) return false;
  const Canonical wanted(type, rdata);
  const auto at = place_of(rrset->rdatas, type, wanted.view());
  if (at != rrset->rdatas.end() && is_canonically(type, *at, wanted.view())) return false;
  if (node.kept != step_) undo_.push_back({&node, nullptr, type, Bytes(rdata.begin(), rdata.end()), node.step, node.changed});
  touch(node);
  rrset->rdatas.emplace(at, rdata.begin(), rdata.end());
  note(node, type, ttl, rdata, true);
  return node.changed = true;
}

bool ZoneEdit::add(NameView owner, RrType type, uint32_t ttl, ByteView rdata) {
  if (is_ignored(type)) return false;
  if (type == RrType::RRSIG) {
    const RrType covered = covered_by(rdata);
    EditedNode& node = for_change(owner);
    std::vector<Bytes>& rrsigs = find_or_add(node.rrsets, covered, ttl).rrsigs;
    if (std::any_of(rrsigs.begin(), rrsigs.end(), [&](const Bytes& have) { return same_record(type, have, rdata); })) return false;
    rrsigs.emplace_back(rdata.begin(), rdata.end());
    return node.changed = true;
  }
  EditedNode& node = at(owner);
  if (add_to_others(node, type, ttl, rdata)) return true;
  begin_change(node);
  EditedRrset& rrset = find_or_add(node.rrsets, type, ttl);
  const bool new_ttl = rrset.ttl != ttl;
  rrset.ttl = ttl;
  if (new_ttl)
    for (EditedNode::Entry& entry : node.provenance)
      if (entry.origin == Origin::Dynamic && entry.type == type) entry.ttl = ttl;
  const Canonical wanted(type, rdata);
  auto at = place_of(rrset.rdatas, type, wanted.view());
  if (at != rrset.rdatas.end() && is_canonically(type, *at, wanted.view())) {
    // The same record, perhaps in another case: only the TTL can be new.
    node.changed |= new_ttl;
    return new_ttl;
  }
  if (is_singleton(type) && !rrset.rdatas.empty()) {
    note(node, type, ttl, rrset.rdatas.front(), false);
    rrset.rdatas.clear();
    at = rrset.rdatas.end();
  }
  rrset.rdatas.emplace(at, rdata.begin(), rdata.end());
  note(node, type, ttl, rdata, true);
  return node.changed = true;
}

bool ZoneEdit::remove_signature(NameView owner, ByteView rdata) {
  EditedNode& node = for_change(owner);
  EditedRrset* rrset = find_in(node.rrsets, covered_by(rdata));
  if (rrset == nullptr) return false;
  const auto removed = std::erase_if(rrset->rrsigs, [&](const Bytes& have) { return same_record(RrType::RRSIG, have, rdata); });
  if (rrset->rdatas.empty() && rrset->rrsigs.empty()) std::erase_if(node.rrsets, [&](const EditedRrset& have) { return &have == rrset; });
  node.changed |= removed > 0;
  return removed > 0;
}

bool ZoneEdit::remove(NameView owner, RrType type, ByteView rdata) {
  if (is_ignored(type)) return false;
  if (type == RrType::RRSIG) return remove_signature(owner, rdata);
  EditedNode& node = for_change(owner);
  EditedRrset* rrset = find_in(node.rrsets, type);
  if (rrset == nullptr) return false;
  const auto at = place_of(rrset->rdatas, type, Canonical(type, rdata).view());
  if (at == rrset->rdatas.end() || !same_record(type, *at, rdata)) return false;
  note(node, type, rrset->ttl, *at, false);
  rrset->rdatas.erase(at);
  if (rrset->rdatas.empty() && rrset->rrsigs.empty()) node.rrsets.erase(place_of(node.rrsets, type));
  return node.changed = true;
}

bool ZoneEdit::remove_rrset(NameView owner, RrType type) {
  if (is_ignored(type)) return false;
  EditedNode& node = for_change(owner);
  const auto at = place_of(node.rrsets, type);
  if (at == node.rrsets.end() || at->type != type) return false;
  for (const Bytes& rdata : at->rdatas) note(node, type, at->ttl, rdata, false);
  node.rrsets.erase(at);
  return node.changed = true;
}

bool ZoneEdit::remove_name(NameView owner) {
  EditedNode& node = for_change(owner);
  if (node.rrsets.empty()) return false;
  for (const EditedRrset& rrset : node.rrsets)
    for (const Bytes& rdata : rrset.rdatas) note(node, rrset.type, rrset.ttl, rdata, false);
  node.rrsets.clear();
  return node.changed = true;
}

// What was changed `steps` savepoints ago and not since is signed: what many changes have in common, as pages of a term, is not yet done.
void ZoneEdit::leave(size_t steps) {
  for (; !left_behind_.empty() && left_behind_.front().first + steps <= step_; left_behind_.pop_front()) {
    const auto [step, node] = left_behind_.front();
    if (node->step == step && node->changed && !(node->owner == r_.apex.view())) ahead_->add(*node);
  }
  ahead_->begin();
}

void ZoneEdit::set_savepoint() {
  constexpr size_t patience = 16;  // savepoints: an act upon an agent sets two
  if (ahead_) leave(patience);
  ++step_;
  undo_.clear();
}

void ZoneEdit::roll_back() {
  for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) {
    EditedNode& node = *undo->node;
    if (undo->before) {
      node = std::move(*undo->before);
      continue;
    }
    std::erase(find_in(node.rrsets, undo->type)->rdatas, undo->rdata);
    if (r_.note_provenance) node.provenance.pop_back();
    node.step = undo->step;
    node.changed = undo->changed;
  }
  undo_.clear();
  while (!left_behind_.empty() && left_behind_.back().first == step_) left_behind_.pop_back();
}

bool ZoneEdit::has_changes() const {
  return std::any_of(edits_.begin(), edits_.end(), [](const auto& edit) { return edit.second.changed; });
}

Result<EditResult> ZoneEdit::finish(Parallel& parallel) {
  constexpr size_t few = 16;  // names: waking helpers for so little takes longer than signing
  auto batch = Batch::create(r_.zone, r_.signing, parallel);
  if (!batch) return tl::unexpected<Error>(batch.error());
  // While the plan is made, the rest.
  if (ahead_ && left_behind_.size() > few) {
    set_savepoint();
    leave(0);
  }
  return EditPlan(r_, edits_, nodes_, nsec3_, attic_, ahead_.get(), **batch).run();
}

}  // namespace steward::change
