#include "change/rewrite.hh"

#include <algorithm>

#include "change/node_key.hh"
#include "change/rewrite_pass.hh"
#include "change/zone_digest.hh"
#include "dns/rdata.hh"

namespace steward::change {
namespace {

bool has_dynamic(zone::NodeView node) {
  const auto entries = read_provenance(node.provenance());
  return std::any_of(entries.begin(), entries.end(), [](const ProvenanceEntry& e) { return e.origin == Origin::Dynamic; });
}

bool has_provenance(zone::NodeView node) { return node && !node.provenance().empty(); }

}  // namespace

Result<void> Rewrite::merge() {
  zone::ZoneImage::Node file;
  Bytes file_key;
  const auto next_file = [&] {
    if (r_.image == nullptr || !r_.image->next(file)) return false;
    file_key = key_of(file.owner, r_.apex);
    return true;
  };
  if (r_.image != nullptr) r_.image->rewind();
  bool in_file = next_file();
  withdrawn_left_ = r_.image != nullptr && r_.attic != nullptr && r_.attic->at_or_after(withdrawn_at_);
  Bytes stored_key;
  zone::NodeView stored = nodes_.at_or_after(stored_key);

  while (in_file || stored) {
    const int order = !stored ? -1 : !in_file ? 1 : file_key < stored_key ? -1 : file_key > stored_key ? 1 : 0;
    if (order <= 0)
      if (auto forgotten = forget_withdrawn(&file_key); !forgotten) return forgotten;
    Result<void> taken = order <= 0 ? take_file(file, order == 0 ? stored : zone::NodeView{}, file_key) : take_stored(stored, stored_key);
    if (!taken) return taken;
    if (batch_.is_full())
      if (auto flushed = flush(false); !flushed) return flushed;
    if (order <= 0) in_file = next_file();
    if (order >= 0) {
      step_past(stored_key);
      stored = nodes_.at_or_after(stored_key);
    }
  }
  return forget_withdrawn(nullptr);
}

// What updates withdrew holds for as long as the file has it: names that the file has no more leave the attic, up to one that it has.
Result<void> Rewrite::forget_withdrawn(const Bytes* file_key) {
  while (withdrawn_left_ && (file_key == nullptr || withdrawn_at_ < *file_key)) {
    if (auto put = r_.attic->put(withdrawn_at_, {}); !put) return put;
    withdrawn_left_ = r_.attic->at_or_after(withdrawn_at_);
  }
  if (!withdrawn_left_ || file_key == nullptr || withdrawn_at_ != *file_key) return {};
  step_past(withdrawn_at_);
  withdrawn_left_ = r_.attic->at_or_after(withdrawn_at_);
  return {};
}

Result<void> Rewrite::take_file(const zone::ZoneImage::Node& file, zone::NodeView stored, const Bytes& key) {
  if (key.empty()) {
    take_apex(&file, stored);
    return {};
  }
  const auto is = [&](RrType wanted) {
    return std::any_of(file.rrsets.begin(), file.rrsets.end(), [&](const zone::RrsetInput& rrset) { return rrset.type == wanted; });
  };
  if (is(RrType::NSEC3)) {
    // RFC 5155 §7.1: a hashed name is no name of the zone. Where we sign, the chain is made anew.
    if (stored) stale_.emplace_back(key, stored);
    if (file_keep_ == Keep::All) return take_presigned_nsec3(file);
    return {};
  }
  if (auto dropped = drop_stale(file.owner); !dropped) return dropped;
  const bool unchanged = stored && stored.file_digest() == file.digest && stored.rrset_count() > 0 && !r_.signing.is_turned();
  if (!unchanged) {
    draft_.clear();
    const Bytes aside = r_.attic != nullptr && !has_provenance(stored) ? r_.attic->find(key) : Bytes{};
    draft_file(file.rrsets, aside.empty() ? (stored ? stored.provenance() : ByteView{}) : ByteView(aside), file_keep_, draft_);
    if (r_.attic != nullptr && (draft_.empty() || !aside.empty()))
      if (auto put = r_.attic->put(key, draft_.empty() ? draft_.provenance() : ByteView{}); !put) return put;
    if (draft_.empty()) {
      if (stored) stale_.emplace_back(key, stored);
      return {};
    }
    if (auto placed = place_empty_non_terminals(file.owner); !placed) return placed;
    Task& task = place(file.owner, key, stored);
    std::swap(task.draft, draft_);  // both keep their memory
    task.file_digest = file.digest;
    settle(task, true);
    return {};
  }
  if (auto placed = place_empty_non_terminals(file.owner); !placed) return placed;
  Task& task = place(file.owner, key, stored);
  task.content = Task::Content::Stored;
  settle(task, true);
  return {};
}

Result<void> Rewrite::take_stored(zone::NodeView stored, const Bytes& key) {
  if (key.empty()) {
    take_apex(nullptr, stored);
    return {};
  }
  const bool stays = r_.image == nullptr ? has_content(stored, keep_) : has_dynamic(stored);
  if (!stays) {
    stale_.emplace_back(key, stored);
    return {};
  }
  if (auto dropped = drop_stale(stored.owner()); !dropped) return dropped;
  if (auto placed = place_empty_non_terminals(stored.owner()); !placed) return placed;
  Task& task = place(stored.owner(), key, stored);
  if (r_.image == nullptr)
    task.content = Task::Content::Stored;
  else
    draft_file({}, stored.provenance(), file_keep_, task.draft);
  settle(task, true);
  return {};
}

void Rewrite::take_apex(const zone::ZoneImage::Node* file, zone::NodeView stored) {
  apex_.reset(file != nullptr ? file->owner : stored.owner());
  apex_.flags = zone::node_apex;
  apex_.stored = stored;
  if (file != nullptr) {
    draft_file(file->rrsets, stored ? stored.provenance() : ByteView{}, file_keep_, apex_.draft);
    apex_.file_digest = file->digest;
  } else {
    draft_stored(stored, keep_, apex_.draft);
    apex_.file_digest = stored.file_digest();
  }
  for (const ApexRecords& records : r_.apex_records)
    for (const Bytes& rdata : records.rdatas) {
      const ByteView held = apex_.draft.hold(rdata);
      apex_.draft.add_record(records.type, records.ttl, held);
      apex_.draft.note({Origin::Signer, records.type, records.ttl, held});
    }
  for (const zone::RrsetInput& rrset : apex_.draft.rrsets())
    if (rrset.type == RrType::SOA) {
      const ByteView soa = rrset.rdatas.front();
      result_.file_serial = load_u32(&soa[soa.size() - 20]);
      // RFC 9077 §3: what denies lives no longer than a negative answer.
      negative_ttl_ = std::min(rrset.ttl, load_u32(&soa[soa.size() - 4]));
      apex_seen_ = true;
    }
  for (const zone::RrsetInput& rrset : apex_.draft.rrsets()) apex_comes_signed_ |= !rrset.rrsigs.empty();
  // A digest from elsewhere is wrong once we sign, and none of ours stays where none is wanted any more.
  if (r_.signing.signer != nullptr || (r_.image == nullptr && has_made_zonemd(stored))) remove_zonemd(apex_.draft);
  if (r_.zonemd) draft_zonemd(apex_.draft, stored, r_.stored_serial, *r_.zonemd);
  if (apex_.draft.has(RrType::DNAME)) {
    // RFC 6672 §2.4: at the apex too it hides what is below.
    apex_.flags |= zone::node_dname;
    has_cut_ = true;
    cut_ = apex_.owner;
  }
  apex_.wants_nsec = r_.signing.denial == zone::Denial::Nsec;
  apex_.nsec_ttl = negative_ttl_;
  previous_ = apex_.owner;
  has_previous_ = true;
  last_ = &apex_;
}

// Ancestors of `owner` that have not been placed have no records: they exist all the same (RFC 8020).
Result<void> Rewrite::place_empty_non_terminals(NameView owner) {
  const size_t labels = owner.label_count();
  const size_t apex_labels = r_.apex.view().label_count();
  for (size_t count = apex_labels + 1; count < labels; ++count) {
    const NameView ancestor = owner.suffix(count);
    if (has_previous_ && previous_.view().is_at_or_below(ancestor)) continue;
    Bytes key = key_of(ancestor, r_.apex);
    zone::NodeView stored;
    const auto claimed = std::find_if(stale_.begin(), stale_.end(), [&](const auto& stale) { return stale.first == key; });
    if (claimed != stale_.end()) {
      stored = claimed->second;
      stale_.erase(claimed);
    }
    settle(place(stored ? dns::Name(stored.owner()) : dns::Name(ancestor), std::move(key), stored), false);
  }
  // What is stale and was not claimed here is above nothing.
  for (const auto& [key, stored] : stale_) {
    if (auto erased = nodes_.erase(key); !erased) return erased;
    erased_ = true;
  }
  stale_.clear();
  return {};
}

// Erases the stale names that are no ancestors of the name that comes now.
Result<void> Rewrite::drop_stale(NameView below) {
  for (auto at = stale_.begin(); at != stale_.end();) {
    if (below.is_below(at->second.owner())) {
      ++at;
      continue;
    }
    if (auto erased = nodes_.erase(at->first); !erased) return erased;
    erased_ = true;
    at = stale_.erase(at);
  }
  return {};
}

Task& Rewrite::place(NameView owner, Bytes key, zone::NodeView stored) {
  if (last_ != nullptr && owner.is_below(last_->owner)) last_->flags |= zone::node_children;
  mark_wildcard(owner);
  Task& task = batch_.add(owner);
  task.key = std::move(key);
  task.stored = stored;
  if (has_cut_ && owner.is_below(cut_))
    task.flags |= zone::node_occluded;
  else
    has_cut_ = false;
  // A wildcard may come so late that its parent is written by then: what was known of it is kept, and looked into at the end.
  if (stored && stored.is(zone::node_wildcard_child)) {
    task.flags |= zone::node_wildcard_child;
    unconfirmed_wildcards_.emplace_back(owner);
  }
  previous_ = dns::Name(owner);
  last_ = &task;
  return task;
}

void Rewrite::mark_wildcard(NameView owner) {
  if (!owner.is_wildcard()) return;
  const NameView parent = owner.parent();
  if (apex_.owner == parent)
    apex_.flags |= zone::node_wildcard_child;
  else if (last_ != nullptr && last_->owner == parent) {
    last_->flags |= zone::node_wildcard_child;
    if (!unconfirmed_wildcards_.empty() && unconfirmed_wildcards_.back() == parent) unconfirmed_wildcards_.pop_back();
  } else
    late_wildcards_.emplace_back(parent);
}

// Flags from what the node holds, and its place in the NSEC chain.
void Rewrite::settle(Task& task, bool has_records) {
  const auto has = [&](RrType type) {
    return task.content == Task::Content::Stored ? task.stored.find(type).has_value() : task.draft.has(type);
  };
  if (has(RrType::CNAME)) task.flags |= zone::node_cname;
  if (has(RrType::DNAME)) task.flags |= zone::node_dname;
  if (has(RrType::NS)) task.flags |= zone::node_cut;
  const bool occluded = (task.flags & zone::node_occluded) != 0;
  if (!occluded && (task.flags & (zone::node_cut | zone::node_dname)) != 0) {
    has_cut_ = true;
    cut_ = task.owner;
  }
  if (occluded || !has_records || r_.signing.denial != zone::Denial::Nsec) return;
  (open_ == none ? apex_ : batch_[open_]).next = task.owner;
  task.wants_nsec = true;
  task.nsec_ttl = negative_ttl_;
  open_ = batch_.size() - 1;
}

Result<void> Rewrite::flush(bool all) {
  // The last one may yet get a child, the open one its next name.
  const size_t ready = all ? batch_.size() : std::min(open_, batch_.size() - 1);
  if (ready == 0) return {};
  if (open_ != none) open_ = open_ < ready ? none : open_ - ready;
  return batch_.write(ready, nodes_, [this](const Task& task) { account(task); });
}

void Rewrite::account(const Task& task) {
  const zone::NodeView node = task.outcome();
  ++result_.nodes;
  result_.written += task.changed ? 1 : 0;
  for (size_t i = 0; i < node.rrset_count(); ++i) {
    const zone::StoredRrset rrset = node.rrset(i);
    result_.records += rrset.rr_count + size_t{rrset.sig_count};
  }
  if (r_.signing.denial == zone::Denial::Nsec3 && !node.is(zone::node_occluded)) chain_.add(task.owner, node);
}

Result<void> Rewrite::take_presigned_nsec3(const zone::ZoneImage::Node& file) {
  const auto hash = sign::nsec3_hash_of_owner(file.owner);
  if (!hash) return fail(file.owner.to_text(), hash.error());
  const Bytes key(hash->begin(), hash->end());
  zone::NodeView stored;
  while ((stored = nsec3_.at_or_after(nsec3_at_)) && nsec3_at_ < key) {
    if (auto erased = nsec3_.erase(nsec3_at_); !erased) return erased;
    chain_changed_ = true;
  }
  stored = nsec3_.find(key);
  nsec3_at_ = key;
  step_past(nsec3_at_);
  Task& task = chain_batch_.add(file.owner);
  task.key = key;
  task.flags = zone::node_nsec3;
  task.stored = stored;
  for (const zone::RrsetInput& rrset : file.rrsets)
    if (rrset.type == RrType::NSEC3) task.draft.add(rrset.type, rrset.ttl, rrset.rdatas, rrset.rrsigs);
  task.file_digest = file.digest;
  presigned_nsec3_ = true;
  if (!chain_batch_.is_full()) return {};
  return chain_batch_.write(chain_batch_.size(), nsec3_, [this](const Task& t) { chain_changed_ |= t.changed; });
}

std::vector<ApexRecords> stored_apex_records(zone::NodeView apex) {
  std::vector<ApexRecords> all;
  for (const ProvenanceEntry& entry : read_provenance(apex.provenance())) {
    if (entry.origin != Origin::Signer) continue;
    if (all.empty() || all.back().type != entry.type) all.push_back({entry.type, entry.ttl, {}});
    all.back().rdatas.emplace_back(entry.rdata.begin(), entry.rdata.end());
  }
  return all;
}

uint32_t next_serial(uint32_t served, uint32_t in_file) {
  return static_cast<int32_t>(in_file - served) > 0 ? in_file : served + 1;
}

Result<RewriteResult> rewrite_zone(const RewriteRequest& request, zone::NodeTable& nodes, zone::NodeTable& nsec3, Parallel& parallel) {
  auto batch = Batch::create(request.zone, request.signing, parallel);
  if (!batch) return tl::unexpected<Error>(batch.error());
  auto chain_batch = Batch::create(request.zone, request.signing, parallel);
  if (!chain_batch) return tl::unexpected<Error>(chain_batch.error());
  return Rewrite(request, nodes, nsec3, **batch, **chain_batch).run();
}

}  // namespace steward::change
