#include "change/edit_plan.hh"

#include <algorithm>

#include "change/node_key.hh"
#include "change/rewrite.hh"
#include "change/sign_ahead.hh"
#include "change/zone_digest.hh"
#include "sign/denial.hh"

namespace steward::change {
namespace {

// Labels of a canonical key are closed by 00 each (dns/name.hh), so that what is below a name begins with its key.
bool is_below(const Bytes& key, const Bytes& ancestor) {
  return key.size() > ancestor.size() && std::equal(ancestor.begin(), ancestor.end(), key.begin());
}

Bytes parent_of(const Bytes& key) {
  auto end = key.end() - 1;
  while (end != key.begin() && *(end - 1) != 0) --end;
  return {key.begin(), end};
}

// Whether a node with these flags hides what is below it: a cut, or a DNAME also at the apex (RFC 6672 §2.4).
bool hides(uint16_t flags) { return (flags & (zone::node_cut | zone::node_dname)) != 0; }

const EditedRrset* find_in(const std::vector<EditedRrset>& rrsets, RrType type) {
  const auto at = std::find_if(rrsets.begin(), rrsets.end(), [&](const EditedRrset& have) { return have.type == type; });
  return at != rrsets.end() && !at->rdatas.empty() ? &*at : nullptr;
}

void draft_edited(const EditedNode& edit, bool nsec3, NodeDraft& draft) {
  std::vector<ByteView> rdatas;
  std::vector<ByteView> rrsigs;
  for (const EditedRrset& rrset : edit.rrsets) {
    if ((rrset.type == RrType::NSEC3) != nsec3) continue;
    rdatas.assign(rrset.rdatas.begin(), rrset.rdatas.end());
    rrsigs.assign(rrset.rrsigs.begin(), rrset.rrsigs.end());
    draft.add(rrset.type, rrset.ttl, rdatas, rrsigs);
  }
}

// DNSKEY, CDS, CDNSKEY and NSEC3PARAM of the signer stay beside what is edited: keys change by rewrite_zone only.
void add_signers(zone::NodeView stored, NodeDraft& draft) {
  if (!stored) return;
  for (const ProvenanceEntry& entry : read_provenance(stored.provenance())) {
    if (entry.origin != Origin::Signer) continue;
    const ByteView held = draft.hold(Bytes(entry.rdata.begin(), entry.rdata.end()));
    draft.add_record(entry.type, entry.ttl, held);
    draft.note({Origin::Signer, entry.type, entry.ttl, held});
  }
}

}  // namespace

EditPlan::Item& EditPlan::touch(const Bytes& key) {
  const auto [at, is_new] = items_.try_emplace(key);
  if (!is_new) return at->second;
  const auto edit = edits_.find(key);
  return set_stored(at->second, edit != edits_.end() ? edit->second.stored : nodes_.find(key));
}

EditPlan::Item& EditPlan::set_stored(Item& item, zone::NodeView stored) const {
  item.stored = stored;
  item.exists = static_cast<bool>(item.stored);
  if (!item.stored) return item;
  item.owner = dns::Name(item.stored.owner());
  item.has_records = has_content(item.stored, r_.signing.keep());
  item.flags = item.stored.flags();
  return item;
}

EditPlan::Seen EditPlan::look(const Bytes& key) {
  if (const auto at = items_.find(key); at != items_.end())
    return {at->second.exists, at->second.has_records, at->second.flags, at->second.stored, &at->second};
  const zone::NodeView stored = nodes_.find(key);
  if (!stored) return {};
  return {true, has_content(stored, r_.signing.keep()), stored.flags(), stored, nullptr};
}

// The lowest stored name that is not before `key`. For all from the one that was asked for to the one that was found it is the same.
const EditPlan::StoredName& EditPlan::stored_at_or_after(const Bytes& key) {
  StoredName& last = stored_ahead_;
  if (last.is_known && last.from <= key && (!last.node || key <= last.key)) return last;
  last.is_known = true;
  last.from = last.key = key;
  last.node = nodes_.at_or_after(last.key);
  return last;
}

// The next name that exists behind `key`, which then becomes its key.
EditPlan::Seen EditPlan::next(Bytes& key) {
  while (true) {
    key.push_back(0);
    const auto& [is_known, from, stored_key, stored] = stored_at_or_after(key);
    const auto planned = items_.lower_bound(key);
    const bool has_planned = planned != items_.end();
    if (!stored && !has_planned) return {};
    if (has_planned && (!stored || planned->first <= stored_key)) {
      key = planned->first;
      const Item& item = planned->second;
      if (item.exists) return {true, item.has_records, item.flags, item.stored, &item};
      continue;
    }
    key = stored_key;
    return {true, has_content(stored, r_.signing.keep()), stored.flags(), stored, nullptr};
  }
}

EditPlan::Seen EditPlan::previous(Bytes& key) {
  while (true) {
    Bytes stored_key = key;
    const zone::NodeView stored = nodes_.before(stored_key);
    auto planned = items_.lower_bound(key);
    const bool has_planned = planned != items_.begin();
    if (has_planned) --planned;
    if (!stored && !has_planned) return {};
    if (has_planned && (!stored || planned->first >= stored_key)) {
      key = planned->first;
      if (planned->second.exists) return look(key);
      continue;
    }
    key = stored_key;
    return {true, has_content(stored, r_.signing.keep()), stored.flags(), stored, nullptr};
  }
}

// Below the name alone: behind it there may be thousands that go as well.
bool EditPlan::has_descendant(const Bytes& key) {
  for (Bytes at = key;;) {
    at.push_back(0);
    const auto& [is_known, from, stored_key, stored] = stored_at_or_after(at);
    const auto planned = items_.lower_bound(at);
    const bool is_planned = planned != items_.end() && (!stored || planned->first <= stored_key);
    if (!is_planned) return stored && is_below(stored_key, key);
    if (!is_below(planned->first, key)) return false;
    if (planned->second.exists) return true;
    at = planned->first;
  }
}

uint16_t EditPlan::own_flags(const Item& item) const {
  const auto has = [&](RrType type) {
    if (item.edit != nullptr) return find_in(item.edit->rrsets, type) != nullptr;
    return item.stored && item.stored.find(type).has_value();
  };
  const bool apex = item.owner == r_.apex.view();
  uint16_t flags = apex ? zone::node_apex : 0;
  if (has(RrType::CNAME)) flags |= zone::node_cname;
  if (has(RrType::DNAME)) flags |= zone::node_dname;
  if (!apex && has(RrType::NS)) flags |= zone::node_cut;
  return flags;
}

void EditPlan::plan_edits() {
  for (const auto& [key, edit] : edits_) {
    if (!edit.changed) continue;
    Item& item = items_.emplace_hint(items_.end(), key, Item())->second;
    set_stored(item, edit.stored);
    item.edit = &edit;
    item.owner = edit.owner;
    item.has_records = edit.has_content();
    item.exists = item.has_records || key.empty();
    item.flags = own_flags(item);
  }
  // Ancestors that join on the way stand before their descendants, and have been seen to.
  for (const auto& [key, item] : items_)
    if (item.exists && !item.stored) plan_ancestors(key, item.owner);
}

// Ancestors of a new name exist (RFC 8020), and the one next to it learns that it has children.
void EditPlan::plan_ancestors(const Bytes& key, NameView owner) {
  Bytes at = key;
  bool is_new = true;
  while (is_new && !at.empty()) {
    at = parent_of(at);
    owner = owner.parent();
    Item& item = touch(at);
    if (item.exists) return;
    item.exists = true;
    is_new = !item.stored;
    if (is_new && item.edit == nullptr) item.owner = dns::Name(owner);
  }
}

// Deepest first: what is left without records stays for the sake of what is below it, or goes, and perhaps its parent with it.
void EditPlan::plan_removals() {
  std::vector<Bytes> emptied;
  for (const auto& [key, item] : items_)
    if (!item.has_records && !key.empty()) emptied.push_back(key);
  std::sort(emptied.begin(), emptied.end(), std::greater<>());
  for (Bytes at : emptied) {
    while (!at.empty()) {
      Item& item = touch(at);
      if (item.has_records) break;
      item.exists = has_descendant(at);
      if (item.exists) break;
      at = parent_of(at);
    }
    touch(at);
  }
}

// A cut or DNAME that comes or goes hides or shows all that is below it.
void EditPlan::plan_subtrees() {
  std::vector<Bytes> turned;
  for (const auto& [key, item] : items_) {
    const bool hid = item.stored && hides(item.stored.flags());
    const bool hides_now = item.exists && hides(own_flags(item));
    if (hid != hides_now) turned.push_back(key);
  }
  for (const Bytes& key : turned) {
    Bytes at = key;
    while (next(at).exists && is_below(at, key)) touch(at);
  }
}

void EditPlan::set_flags() {
  // In canonical order a parent is settled before its children.
  for (auto at = items_.begin(); at != items_.end(); ++at) {
    const Bytes& key = at->first;
    Item& item = at->second;
    if (!item.exists) continue;
    item.flags = own_flags(item);
    if (!key.empty()) {
      const uint16_t above = look(parent_of(key)).flags;
      if ((above & zone::node_occluded) != 0 || hides(above)) item.flags |= zone::node_occluded;
    }
    const auto behind = std::next(at);
    const bool has_planned = behind != items_.end() && behind->second.exists && is_below(behind->first, key);
    // Ancestors of what is stored are stored: below a new name there are new ones only.
    if (!has_planned && !item.stored && (behind == items_.end() || !is_below(behind->first, key))) continue;
    if (has_planned || has_descendant(key)) item.flags |= zone::node_children;
    Bytes wildcard = key;
    wildcard.push_back('*');
    wildcard.push_back(0);
    if (look(wildcard).exists) item.flags |= zone::node_wildcard_child;
  }
}

// RFC 4035 §2.3: an owner that joins or leaves the chain changes the NSEC before it.
void EditPlan::plan_nsec_neighbours() {
  std::vector<Bytes> turned;
  for (const auto& [key, item] : items_) {
    const bool was = item.stored && !item.stored.is(zone::node_occluded) && item.stored.find(RrType::NSEC);
    const bool is = item.exists && item.has_records && (item.flags & zone::node_occluded) == 0;
    if (was != is && !key.empty()) turned.push_back(key);
  }
  for (Bytes at : turned) {
    Seen before = previous(at);
    while (!at.empty() && !before.is_member()) before = previous(at);
    touch(at);
  }
}

NameView EditPlan::next_member(Bytes key) {
  for (Seen seen = next(key); seen.exists; seen = next(key))
    if (seen.is_member()) return seen.owner();
  return r_.apex;
}

void EditPlan::fill(Task& task, const Bytes& key, const Item& item) {
  task.key = key;
  task.stored = item.stored;
  task.flags = item.flags;
  task.file_digest = item.stored ? item.stored.file_digest() : 0;
  if (item.edit != nullptr && item.has_records) {
    draft_edited(*item.edit, false, task.draft);
    task.ahead = item.edit->ahead;
    for (const EditedNode::Entry& entry : item.edit->provenance)
      if (entry.origin != Origin::Signer) task.draft.note({entry.origin, entry.type, entry.ttl, entry.rdata});
  } else if (item.edit == nullptr && item.stored) {
    task.content = Task::Content::Stored;
  }
  if (r_.signing.denial != zone::Denial::Nsec || !item.has_records || (item.flags & zone::node_occluded) != 0) return;
  task.wants_nsec = true;
  task.nsec_ttl = negative_ttl_;
  task.next = dns::Name(next_member(key));
}

void EditPlan::count(zone::NodeView before, zone::NodeView after) {
  const auto records = [](zone::NodeView node) {
    int64_t sum = 0;
    if (node)
      for (size_t i = 0; i < node.rrset_count(); ++i) sum += node.rrset(i).rr_count + int64_t{node.rrset(i).sig_count};
    return sum;
  };
  result_.nodes += static_cast<int64_t>(static_cast<bool>(after)) - static_cast<int64_t>(static_cast<bool>(before));
  result_.records += records(after) - records(before);
}

Result<void> EditPlan::flush() {
  return batch_.write(batch_.size(), nodes_, [this](const Task& task) {
    count(task.stored, task.outcome());
    result_.written += task.changed ? 1 : 0;
    is_changed_ |= task.changed;
  });
}

Result<void> EditPlan::write_nodes() {
  for (const auto& [key, item] : items_) {
    if (key.empty() || !item.exists) continue;
    fill(batch_.add(item.owner), key, item);
    if (batch_.is_full())
      if (auto flushed = flush(); !flushed) return flushed;
  }
  if (auto flushed = flush(); !flushed) return flushed;
  for (const auto& [key, item] : items_) {
    if (item.exists || !item.stored) continue;
    count(item.stored, {});
    if (auto erased = nodes_.erase(key); !erased) return erased;
    is_changed_ = true;
  }
  if (r_.signing.denial == zone::Denial::Nsec3)
    for (const auto& [key, item] : items_)
      if (!key.empty()) chain_.set(item.owner, nodes_.find(key));
  return r_.signing.keep() == Keep::All ? write_presigned_nsec3() : Result<void>{};
}

Result<void> EditPlan::write_presigned_nsec3() {
  for (const auto& [key, edit] : edits_) {
    if (!edit.changed) continue;
    const bool has_chain = find_in(edit.rrsets, RrType::NSEC3) != nullptr;
    if (!has_chain && !edit.stored_nsec3) continue;
    const auto hash = sign::nsec3_hash_of_owner(edit.owner);
    if (!hash) return fail(edit.owner.to_text(), hash.error());
    const Bytes at(hash->begin(), hash->end());
    if (!has_chain) {
      if (auto erased = nsec3_.erase(at); !erased) return erased;
      is_changed_ = true;
      continue;
    }
    Task& task = batch_.add(edit.owner);
    task.key = at;
    task.flags = zone::node_nsec3;
    task.stored = edit.stored_nsec3;
    draft_edited(edit, true, task.draft);
  }
  return batch_.write(batch_.size(), nsec3_, [this](const Task& task) { is_changed_ |= task.changed; });
}

Result<void> EditPlan::write_apex() {
  const Bytes key;
  const auto at = items_.find(key);
  const zone::NodeView stored = at != items_.end() ? at->second.stored : nodes_.find(key);
  if (!stored) return fail(Errc::Corrupt, r_.apex.to_text() + ": no apex");
  Task task;
  task.reset(stored.owner());
  task.stored = stored;
  task.file_digest = stored.file_digest();
  task.flags = at != items_.end() ? at->second.flags : stored.flags();
  if (at != items_.end() && at->second.edit != nullptr) {
    draft_edited(*at->second.edit, false, task.draft);
    for (const EditedNode::Entry& entry : at->second.edit->provenance)
      if (entry.origin != Origin::Signer) task.draft.note({entry.origin, entry.type, entry.ttl, entry.rdata});
    add_signers(stored, task.draft);
  } else {
    draft_stored(stored, Keep::All, task.draft);
  }
  uint32_t soa_serial = 0;
  for (const zone::RrsetInput& rrset : task.draft.rrsets())
    if (rrset.type == RrType::SOA) soa_serial = load_u32(&rrset.rdatas.front()[rrset.rdatas.front().size() - 20]);
  if (r_.signing.denial == zone::Denial::Nsec) {
    task.wants_nsec = true;
    task.nsec_ttl = negative_ttl_;
    task.next = dns::Name(next_member(key));
  }
  if (r_.zonemd) draft_zonemd(task.draft, stored, r_.stored_serial, *r_.zonemd);
  if (!r_.exact_serial) task.serial = r_.stored_serial;
  batch_.finish_one(task);
  if (task.error) return tl::unexpected<Error>(*task.error);
  if (r_.signing.denial == zone::Denial::Nsec3) {
    chain_.set(r_.apex, task.outcome());
    auto written = chain_.write(negative_ttl_, batch_, nsec3_);
    if (!written) return tl::unexpected<Error>(written.error());
    is_changed_ |= *written;
  }
  is_changed_ |= task.changed;
  result_.changed = is_changed_;
  result_.serial = r_.exact_serial ? soa_serial : r_.stored_serial;
  if (!is_changed_) return {};
  if (!r_.exact_serial) {
    result_.serial = next_serial(r_.stored_serial, soa_serial);
    task.serial = result_.serial;
    batch_.finish_one(task);
    if (task.error) return tl::unexpected<Error>(*task.error);
  }
  if (!task.changed) return {};
  if (auto digested = digest_zone(batch_.finisher(), task, r_.zonemd, nodes_, nsec3_); !digested) return digested;
  count(stored, task.outcome());
  ++result_.written;
  return nodes_.put(key, task.node);
}

Result<void> EditPlan::keep_provenance() {
  if (attic_ == nullptr || !r_.note_provenance) return {};
  for (const auto& [key, edit] : edits_) {
    if (!edit.changed) continue;
    const bool aside = !edit.has_content() && !edit.provenance.empty();
    if (!aside && !edit.from_attic) continue;
    if (auto put = attic_->put(key, aside ? edit.provenance_octets() : Bytes{}); !put) return put;
  }
  return {};
}

Result<EditResult> EditPlan::run() {
  const auto negative_ttl = [](zone::NodeView apex) {
    const auto soa = apex ? apex.negative_soa() : std::nullopt;
    return soa ? soa->ttl() : 0;
  };
  const uint32_t before = negative_ttl(nodes_.find({}));
  negative_ttl_ = before;
  if (const auto apex = edits_.find({}); apex != edits_.end()) {
    const EditedRrset* soa = find_in(apex->second.rrsets, RrType::SOA);
    if (soa == nullptr) return fail(Errc::Invalid, r_.apex.to_text() + ": no SOA at the zone's apex (RFC 1035 §5.2)");
    const Bytes& rdata = soa->rdatas.front();
    negative_ttl_ = std::min(soa->ttl, load_u32(&rdata[rdata.size() - 4]));
  }
  for (const auto& [key, edit] : edits_)
    if (edit.changed)
      for (const EditedRrset& rrset : edit.rrsets) result_.max_ttl = std::max(result_.max_ttl, rrset.ttl);
  result_.needs_rewrite = negative_ttl_ != before && r_.signing.denial != zone::Denial::None;
  plan_edits();
  plan_removals();
  plan_subtrees();
  set_flags();
  if (r_.signing.denial == zone::Denial::Nsec) plan_nsec_neighbours();
  if (ahead_ != nullptr) ahead_->settle();
  if (auto written = write_nodes(); !written) return tl::unexpected<Error>(written.error());
  if (auto written = write_apex(); !written) return tl::unexpected<Error>(written.error());
  if (auto kept = keep_provenance(); !kept) return tl::unexpected<Error>(kept.error());
  result_.signatures = batch_.signatures() + (ahead_ != nullptr ? ahead_->signatures() : 0);
  return result_;
}

}  // namespace steward::change
