#include "zone/record_source.hh"

#include <algorithm>

namespace steward::zone {

bool ImageRecords::next(Node& node) {
  ZoneImage::Node from;
  if (!image_.next(from)) return false;
  node = {from.owner, from.rrsets};
  return true;
}

TableRecords::TableRecords(NameView apex, NodeTable& nodes, NodeTable& nsec3)
    : apex_(apex), nodes_(nodes), nsec3_(nsec3) {
  rewind();
}

void TableRecords::rewind() {
  node_key_.clear();
  node_ = nodes_.at_or_after(node_key_);
  // A zone that is being made has its apex nowhere yet.
  if (apex_node_ && (!node_ || !node_key_.empty())) node_key_.clear();
  if (apex_node_) node_ = apex_node_;
  hash_.clear();
  hashed_ = nsec3_.at_or_after(hash_);
  if (!hashed_) return;
  hashed_key_.resize(dns::max_canonical_key_size);
  hashed_key_.resize(dns::canonical_key(hashed_.owner(), apex_, hashed_key_.data()));
}

void TableRecords::step_nodes() {
  // The lowest key behind this one.
  node_key_.push_back(0);
  node_ = nodes_.at_or_after(node_key_);
}

void TableRecords::step_nsec3() {
  hash_.push_back(0);
  hashed_ = nsec3_.at_or_after(hash_);
  if (!hashed_) return;
  hashed_key_.resize(dns::max_canonical_key_size);
  hashed_key_.resize(dns::canonical_key(hashed_.owner(), apex_, hashed_key_.data()));
}

void TableRecords::gather(NodeView node) {
  for (size_t i = 0; i < node.rrset_count(); ++i) {
    const StoredRrset rrset = node.rrset(i);
    Gathered& to =
        gathered_.emplace_back(Gathered{rrset.type, rrset.ttl(), sizes_.size(), rrset.rr_count, rrset.sig_count});
    for (StoredRrReader reader(rrset.rrs); !reader.done();) {
      const size_t before = octets_.size();
      expand_rdata(to.type, reader.next().rdata, node.owner(), octets_);
      sizes_.push_back(octets_.size() - before);
    }
    for (StoredRrReader reader(rrset.sigs()); !reader.done();) {
      const ByteView rdata = reader.next().rdata;
      append(octets_, rdata);
      sizes_.push_back(rdata.size());
    }
  }
}

// Only once all octets are there: until then they may move.
void TableRecords::set_views() {
  views_.clear();
  size_t at = 0;
  for (const size_t size : sizes_) {
    views_.emplace_back(octets_.data() + at, size);
    at += size;
  }
  std::sort(gathered_.begin(), gathered_.end(), [](const Gathered& a, const Gathered& b) { return a.type < b.type; });
  rrsets_.clear();
  for (const Gathered& g : gathered_)
    rrsets_.push_back(
        {g.type, g.ttl, {views_.data() + g.first, g.count}, {views_.data() + g.first + g.count, g.sig_count}});
}

bool TableRecords::next(Node& node) {
  while (node_ || hashed_) {
    octets_.clear();
    sizes_.clear();
    gathered_.clear();
    const int order = !node_ ? 1 : !hashed_ || node_key_ < hashed_key_ ? -1 : node_key_ > hashed_key_ ? 1 : 0;
    owner_ = dns::Name(order <= 0 ? node_.owner() : hashed_.owner());
    // A name of the zone may look like a hash and be one (order 0): then it is one owner.
    if (order <= 0) gather(node_);
    if (order >= 0) gather(hashed_);
    if (order <= 0) step_nodes();
    if (order >= 0) step_nsec3();
    if (gathered_.empty()) continue;
    set_views();
    node = {owner_, rrsets_};
    return true;
  }
  return false;
}

}  // namespace steward::zone
