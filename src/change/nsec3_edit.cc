#include "change/nsec3_edit.hh"

#include <algorithm>
#include <set>

#include "crypto/nsec3_hash.hh"

namespace steward::change {

void Nsec3Edit::set(NameView owner, zone::NodeView node) {
  const auto hash = crypto::nsec3_hash(owner);
  Link& link = links_[Bytes(hash.begin(), hash.end())];
  link = {};
  if (!node || node.is(zone::node_occluded)) return;
  const bool cut = node.is(zone::node_cut);
  // RFC 5155 §6: a delegation without DS may be left out where the span that covers it says opt-out.
  if (opt_out_ && cut && !node.find(RrType::DS)) return;
  std::vector<RrType> present;
  for (size_t i = 0; i < node.rrset_count(); ++i)
    if (node.rrset(i).type != RrType::NSEC) present.push_back(node.rrset(i).type);
  sign::denial_types(sign::DenialKind::Nsec3, present, cut, link.types);
  link.exists = true;
}

// The last hash before this one that is in the chain, round the circle.
Bytes Nsec3Edit::previous(const Bytes& hash, zone::NodeTable& table) const {
  Bytes at = hash;
  for (bool wrapped = false;; ) {
    Bytes stored = at;
    const bool has_stored = static_cast<bool>(table.before(stored));
    auto planned = links_.lower_bound(at);
    const bool has_planned = planned != links_.begin();
    if (has_planned) --planned;
    if (!has_stored && !has_planned) {
      if (wrapped) return hash;
      wrapped = true;
      at.assign(zone::nsec3_hash_size + 1, 0xff);
      continue;
    }
    at = has_planned && (!has_stored || planned->first >= stored) ? planned->first : stored;
    const auto link = links_.find(at);
    if (link == links_.end() || link->second.exists) return at;
  }
}

Bytes Nsec3Edit::next(const Bytes& hash, zone::NodeTable& table) const {
  Bytes at = hash;
  at.push_back(0);
  for (bool wrapped = false;; at.push_back(0)) {
    Bytes stored = at;
    const bool has_stored = static_cast<bool>(table.at_or_after(stored));
    const auto planned = links_.lower_bound(at);
    const bool has_planned = planned != links_.end();
    if (!has_stored && !has_planned) {
      if (wrapped) return hash;
      wrapped = true;
      at.clear();
      continue;
    }
    at = has_planned && (!has_stored || planned->first <= stored) ? planned->first : stored;
    const auto link = links_.find(at);
    if (link == links_.end() || link->second.exists) return at;
  }
}

Result<void> Nsec3Edit::add_task(const Bytes& hash, const Link* link, uint32_t ttl, Batch& batch, zone::NodeTable& table) const {
  sign::Nsec3Hash own;
  std::copy(hash.begin(), hash.end(), own.begin());
  const auto owner = sign::nsec3_owner(own, apex_);
  if (!owner) return tl::unexpected<Error>(owner.error());
  Task& task = batch.add(*owner);
  task.key = hash;
  task.flags = zone::node_nsec3;
  task.stored = table.find(hash);
  const Bytes following = next(hash, table);
  sign::Nsec3Hash after;
  std::copy(following.begin(), following.end(), after.begin());
  Bytes rdata;
  if (link != nullptr) {
    sign::append_nsec3_rdata({0, {}, opt_out_}, after, link->types, rdata);
  } else {
    // A neighbour: what stands there is as it was, only what follows is another.
    const ByteView before = zone::StoredRrReader(task.stored.rrset(0).rrs).next().rdata;
    rdata.assign(before.begin(), before.end());
    const size_t salt = rdata[4];
    std::copy(after.begin(), after.end(), rdata.begin() + static_cast<long>(6 + salt));  // RFC 5155 §3.2
  }
  const ByteView held[] = {task.draft.hold(std::move(rdata))};
  task.draft.add(RrType::NSEC3, ttl, held);
  return {};
}

Result<bool> Nsec3Edit::write(uint32_t ttl, Batch& batch, zone::NodeTable& table) {
  std::set<Bytes> neighbours;
  for (const auto& [hash, link] : links_)
    if (link.exists != static_cast<bool>(table.find(hash))) {
      const Bytes before = previous(hash, table);
      if (!links_.contains(before)) neighbours.insert(before);
    }
  bool changed = false;
  const auto seen = [&](const Task& task) { changed |= task.changed; };
  for (const auto& [hash, link] : links_)
    if (link.exists)
      if (auto added = add_task(hash, &link, ttl, batch, table); !added) return tl::unexpected<Error>(added.error());
  for (const Bytes& hash : neighbours)
    if (auto added = add_task(hash, nullptr, ttl, batch, table); !added) return tl::unexpected<Error>(added.error());
  if (auto written = batch.write(batch.size(), table, seen); !written) return tl::unexpected<Error>(written.error());
  for (const auto& [hash, link] : links_) {
    if (link.exists || !table.find(hash)) continue;
    if (auto erased = table.erase(hash); !erased) return tl::unexpected<Error>(erased.error());
    changed = true;
  }
  return changed;
}

}  // namespace steward::change
