#pragma once
// Changing single links of the NSEC3 chain of a zone that is signed here (RFC 5155 §7.5), where Nsec3Chain makes all of it.

#include <map>
#include <vector>

#include "change/batch.hh"
#include "sign/denial.hh"
#include "zone/node_table.hh"

namespace steward::change {

class Nsec3Edit {
 public:
  Nsec3Edit(NameView apex, bool opt_out) : apex_(apex), opt_out_(opt_out) {}

  /// What stands at `owner` from now on: its node, or none.
  void set(NameView owner, zone::NodeView node);
  /// Brings `table` to it, neighbours included. True where anything changed. `ttl`: RFC 9077 §3.
  Result<bool> write(uint32_t ttl, Batch& batch, zone::NodeTable& table);

 private:
  struct Link {
    bool exists = false;
    std::vector<RrType> types;
  };
  [[nodiscard]] Bytes previous(const Bytes& hash, zone::NodeTable& table) const;
  [[nodiscard]] Bytes next(const Bytes& hash, zone::NodeTable& table) const;
  Result<void> add_task(const Bytes& hash, const Link* link, uint32_t ttl, Batch& batch, zone::NodeTable& table) const;

  dns::Name apex_;
  bool opt_out_;
  std::map<Bytes, Link> links_;
};

}  // namespace steward::change
