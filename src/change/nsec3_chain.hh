#pragma once
// The NSEC3 chain of a zone that is signed here (RFC 5155 §7.1): gathered name by name, then written in the order of the hashes.

#include <vector>

#include "change/batch.hh"
#include "sign/denial.hh"

namespace steward::change {

class Nsec3Chain {
 public:
  Nsec3Chain(NameView apex, bool opt_out) : apex_(apex), opt_out_(opt_out) {}

  /// A name of the zone that is not occluded, with the node that it will have.
  void add(NameView owner, zone::NodeView node);

  /// Brings `table` to exactly this chain. True where anything changed. `ttl`: RFC 9077 §3.
  Result<bool> write(uint32_t ttl, Batch& batch, zone::NodeTable& table);

 private:
  struct Link {
    sign::Nsec3Hash hash;
    uint32_t bitmap;  // where its types start in types_
    uint16_t count;
  };
  Result<void> add_task(size_t index, uint32_t ttl, Batch& batch, zone::NodeTable& table);

  dns::Name apex_;
  bool opt_out_;
  std::vector<Link> links_;
  std::vector<RrType> types_;
  std::vector<RrType> present_;
  std::vector<RrType> shown_;
};

}  // namespace steward::change
