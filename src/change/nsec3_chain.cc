#include "change/nsec3_chain.hh"

#include <algorithm>

#include "crypto/nsec3_hash.hh"

namespace steward::change {

void Nsec3Chain::add(NameView owner, zone::NodeView node) {
  present_.clear();
  for (size_t i = 0; i < node.rrset_count(); ++i) present_.push_back(node.rrset(i).type);
  const bool cut = node.is(zone::node_cut);
  // RFC 5155 §6: a delegation without DS may be left out where the span that covers it says opt-out.
  if (opt_out_ && cut && !node.find(RrType::DS)) return;
  std::erase_if(present_, [](RrType type) { return type == RrType::NSEC; });
  sign::denial_types(sign::DenialKind::Nsec3, present_, cut, shown_);
  links_.push_back({crypto::nsec3_hash(owner), static_cast<uint32_t>(types_.size()), static_cast<uint16_t>(shown_.size())});
  types_.insert(types_.end(), shown_.begin(), shown_.end());
}

Result<void> Nsec3Chain::add_task(size_t index, uint32_t ttl, Batch& batch, zone::NodeTable& table) {
  const Link& link = links_[index];
  const auto owner = sign::nsec3_owner(link.hash, apex_);
  if (!owner) return tl::unexpected<Error>(owner.error());
  Task& task = batch.add(*owner);
  task.key.assign(link.hash.begin(), link.hash.end());
  task.flags = zone::node_nsec3;
  task.stored = table.find(task.key);
  Bytes rdata;
  sign::append_nsec3_rdata({0, {}, opt_out_}, links_[(index + 1) % links_.size()].hash,
                           std::span(types_).subspan(link.bitmap, link.count), rdata);
  const ByteView held[] = {task.draft.hold(std::move(rdata))};
  task.draft.add(RrType::NSEC3, ttl, held);
  return {};
}

Result<bool> Nsec3Chain::write(uint32_t ttl, Batch& batch, zone::NodeTable& table) {
  std::sort(links_.begin(), links_.end(), [](const Link& a, const Link& b) { return a.hash < b.hash; });
  for (size_t i = 1; i < links_.size(); ++i)
    if (links_[i - 1].hash == links_[i].hash)
      return fail(Errc::Invalid, "two names of the zone have the same NSEC3 hash (RFC 5155 §7.1); use NSEC");
  bool changed = false;
  const auto seen = [&](const Task& task) { changed |= task.changed; };
  Bytes at;
  for (size_t i = 0; i < links_.size(); ++i) {
    // Hashes that are stored but no longer of any name.
    const Bytes wanted(links_[i].hash.begin(), links_[i].hash.end());
    while (table.at_or_after(at) && at < wanted) {
      if (auto erased = table.erase(at); !erased) return tl::unexpected<Error>(erased.error());
      changed = true;
    }
    at = wanted;
    at.push_back(0);
    if (auto added = add_task(i, ttl, batch, table); !added) return tl::unexpected<Error>(added.error());
    if (batch.is_full())
      if (auto written = batch.write(batch.size(), table, seen); !written) return tl::unexpected<Error>(written.error());
  }
  if (auto written = batch.write(batch.size(), table, seen); !written) return tl::unexpected<Error>(written.error());
  while (table.at_or_after(at)) {
    if (auto erased = table.erase(at); !erased) return tl::unexpected<Error>(erased.error());
    changed = true;
  }
  return changed;
}

}  // namespace steward::change
