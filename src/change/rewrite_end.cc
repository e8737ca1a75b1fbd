// What a rewrite does behind the last name: what is stale goes, late wildcards are marked, the NSEC3 chain, and the apex last of all.

#include <algorithm>

#include "change/node_key.hh"
#include "change/rewrite_pass.hh"
#include "change/stored_denial.hh"
#include "change/zone_digest.hh"

namespace steward::change {

Result<void> Rewrite::end_names() {
  (open_ == none ? apex_ : batch_[open_]).next = apex_.owner;
  open_ = none;
  last_ = nullptr;
  if (auto flushed = flush(true); !flushed) return flushed;
  for (const auto& [key, stored] : stale_) {
    if (auto erased = nodes_.erase(key); !erased) return erased;
    erased_ = true;
  }
  stale_.clear();
  return mark_late_wildcards();
}

// Labels such as "!" sort before "*": then the parent was written before its wildcard was seen.
Result<void> Rewrite::mark_late_wildcards() {
  for (const dns::Name& parent : late_wildcards_) {
    const Bytes key = key_of(parent, r_.apex);
    const zone::NodeView node = nodes_.find(key);
    if (!node || node.is(zone::node_wildcard_child)) continue;
    if (auto put = nodes_.put(key, zone::with_flags(node, static_cast<uint16_t>(node.flags() | zone::node_wildcard_child))); !put) return put;
  }
  for (const dns::Name& parent : unconfirmed_wildcards_) {
    const auto wildcard = parent.child(as_bytes("*"));
    if (wildcard && nodes_.find(key_of(*wildcard, r_.apex))) continue;
    const Bytes key = key_of(parent, r_.apex);
    const zone::NodeView node = nodes_.find(key);
    if (!node) continue;
    if (auto put = nodes_.put(key, zone::with_flags(node, static_cast<uint16_t>(node.flags() & ~zone::node_wildcard_child))); !put) return put;
  }
  return {};
}

Result<void> Rewrite::drop_rest_of_nsec3() {
  while (nsec3_.at_or_after(nsec3_at_)) {
    if (auto erased = nsec3_.erase(nsec3_at_); !erased) return erased;
    chain_changed_ = true;
  }
  return {};
}

// Last of all, since only now it is known whether the serial moves.
Result<void> Rewrite::write_apex() {
  // Its signatures and its denial do not know of the record.
  if (r_.zonemd && apex_comes_signed_)
    return fail(Errc::Invalid, r_.apex.to_text() + ": no ZONEMD can be added to a zone that comes signed; sign it here, or have it made there");
  const bool is_new = !apex_.stored;
  apex_.serial = is_new || r_.exact_serial ? result_.file_serial : r_.stored_serial;
  batch_.finish_one(apex_);
  if (apex_.error) return tl::unexpected<Error>(*apex_.error);

  if (r_.signing.denial == zone::Denial::Nsec3) {
    chain_.add(apex_.owner, apex_.outcome());
    auto written = chain_.write(negative_ttl_, chain_batch_, nsec3_);
    if (!written) return tl::unexpected<Error>(written.error());
    chain_changed_ = *written;
  } else {
    if (auto written = chain_batch_.write(chain_batch_.size(), nsec3_, [this](const Task& t) { chain_changed_ |= t.changed; }); !written)
      return written;
    // The chain of a zone that came signed stays when nothing but what is stored is looked at.
    const bool kept = r_.image == nullptr && keep_ == Keep::All;
    if (kept)
      presigned_nsec3_ = static_cast<bool>(nsec3_.at_or_after(nsec3_at_));
    else if (auto dropped = drop_rest_of_nsec3(); !dropped)
      return dropped;
  }

  result_.changed = apex_.changed || erased_ || chain_changed_ || result_.written > 0;
  if (auto settled = settle_serial(); !settled) return settled;
  const zone::NodeView before = apex_.outcome();
  find_denial();
  result_.nodes += 1;
  for (size_t i = 0; i < before.rrset_count(); ++i) result_.records += before.rrset(i).rr_count + size_t{before.rrset(i).sig_count};
  if (!result_.changed) return {};
  result_.written += 1;
  return nodes_.put(apex_.key, apex_.node);
}

// The serial, and the digest that covers it.
Result<void> Rewrite::settle_serial() {
  result_.serial = *apex_.serial;
  if (!result_.changed) return {};
  if (apex_.stored) {
    const uint32_t in_file = r_.image != nullptr ? result_.file_serial : r_.stored_serial;
    result_.serial = r_.exact_serial ? in_file : next_serial(r_.stored_serial, in_file);
    apex_.serial = result_.serial;
    batch_.finish_one(apex_);
    if (apex_.error) return tl::unexpected<Error>(*apex_.error);
  }
  return digest_zone(batch_.finisher(), apex_, r_.zonemd, nodes_, nsec3_);
}

void Rewrite::find_denial() {
  if (r_.signing.signer != nullptr) {
    result_.denial = r_.signing.denial;
    return;
  }
  StoredDenial stored = stored_denial(apex_.outcome(), presigned_nsec3_);
  result_.denial = stored.denial;
  result_.nsec3_iterations = stored.nsec3_iterations;
  result_.nsec3_salt = std::move(stored.nsec3_salt);
}

}  // namespace steward::change
