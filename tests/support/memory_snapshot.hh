#pragma once
// A zone::Snapshot in memory, from master-file text: what tests and the benchmark of the answer path read.
//
// The text is taken as it stands: RRSIGs go to the RRsets that they cover, NSEC3 records to a table of their own,
// nothing is signed or checked. One thread fills it, then any number read.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "zone/snapshot.hh"

namespace steward::test {

class MemorySnapshot final : public zone::Snapshot {
 public:
  MemorySnapshot();
  ~MemorySnapshot() override;

  /// Adds the zone `apex` with the records of `text` ($ORIGIN, $TTL, parentheses, quotes, comments). Throws
  /// std::runtime_error with the line where the text is wrong: a fixture has to be right.
  void add_zone(std::string_view apex, std::string_view text);
  /// The same with an RRSIG for every authoritative RRset, right in all its fields but the signature (64 zero octets).
  void add_signed_zone(std::string_view apex, std::string_view text);
  /// What find_zone() returns for the zone, to be changed by a test.
  zone::ZoneInfo& info(std::string_view apex);
  /// All nodes of the zone in canonical order, the apex first, then those of NSEC3.
  [[nodiscard]] std::vector<zone::NodeView> nodes(std::string_view apex);

  [[nodiscard]] const zone::ZoneInfo* find_zone(zone::NameView name) const override;
  [[nodiscard]] zone::NodeView find(const zone::ZoneInfo& zone, zone::NameView name) const override;
  void begin(zone::Probe& probe, const zone::ZoneInfo& zone, zone::NameView name) const override;
  void fetch(zone::Probe& probe) const override;
  [[nodiscard]] zone::NodeView finish(const zone::Probe& probe) const override;
  [[nodiscard]] zone::NodeView nsec_at_or_before(const zone::ZoneInfo& zone, zone::NameView name) const override;
  void fetch_nsec(std::span<zone::NsecProbe> probes) const override {
    for (zone::NsecProbe& probe : probes) probe.node = nsec_at_or_before(*probe.zone, probe.name).data();
  }
  [[nodiscard]] zone::NodeView nsec3_at_or_before(const zone::ZoneInfo& zone, const zone::Nsec3Hash& hash,
                                                  bool& exact) const override;

 private:
  struct Zone;
  void add(std::string_view apex, std::string_view text, bool sign);
  std::vector<std::unique_ptr<Zone>> zones_;
};

}  // namespace steward::test
