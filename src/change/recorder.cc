#include "change/recorder.hh"

#include <algorithm>
#include <span>
#include <vector>

namespace steward::change {
namespace {

using dns::RrType;

struct Record {
  RrType type;
  uint32_t ttl;
  Bytes rdata;
  friend auto operator<=>(const Record&, const Record&) = default;
};

// All records of a node, sorted; the SOA apart, since it has a place of its own in a difference.
std::vector<Record> records_of(zone::NodeView node, std::optional<Record>& soa) {
  std::vector<Record> records;
  if (!node) return records;
  for (size_t i = 0; i < node.rrset_count(); ++i) {
    const zone::StoredRrset rrset = node.rrset(i);
    for (zone::StoredRrReader reader(rrset.rrs); !reader.done();) {
      Record record{rrset.type, 0, {}};
      const zone::StoredRr rr = reader.next();
      record.ttl = rr.ttl;
      zone::expand_rdata(rrset.type, rr.rdata, node.owner(), record.rdata);
      if (record.type == RrType::SOA)
        soa = std::move(record);
      else
        records.push_back(std::move(record));
    }
    for (zone::StoredRrReader reader(rrset.sigs()); !reader.done();) {
      const zone::StoredRr rr = reader.next();
      records.push_back({RrType::RRSIG, rr.ttl, Bytes(rr.rdata.begin(), rr.rdata.end())});
    }
  }
  std::sort(records.begin(), records.end());
  return records;
}

class Gathering {
 public:
  void add(const Recorder::Change& change) {
    const auto [before, after] = change;
    const auto had = records_of(before, old_soa_);
    const auto has = records_of(after, new_soa_);
    if (before && before.is(zone::node_apex)) apex_ = dns::Name(before.owner());
    std::vector<Record> only;
    std::set_difference(had.begin(), had.end(), has.begin(), has.end(), std::back_inserter(only));
    for (const Record& record : only) put(removed_, false, before.owner(), record);
    difference_.removed += only.size();
    only.clear();
    std::set_difference(has.begin(), has.end(), had.begin(), had.end(), std::back_inserter(only));
    for (const Record& record : only) put(added_, true, after.owner(), record);
    difference_.added += only.size();
  }

  /// What another gathered of the nodes that follow.
  void join(Gathering&& other) {
    append(removed_, other.removed_);
    append(added_, other.added_);
    difference_.removed += other.difference_.removed;
    difference_.added += other.difference_.added;
    if (other.old_soa_) old_soa_ = std::move(other.old_soa_);
    if (other.new_soa_) new_soa_ = std::move(other.new_soa_);
    if (!other.apex_.view().is_root()) apex_ = other.apex_;
  }

  std::optional<zone::Difference> finish() {
    if (!old_soa_ || !new_soa_) return std::nullopt;
    difference_.from = serial_of(*old_soa_);
    difference_.to = serial_of(*new_soa_);
    if (difference_.from == difference_.to) return std::nullopt;
    ++difference_.removed;
    ++difference_.added;
    put(difference_.records, false, apex_, *old_soa_);
    append(difference_.records, removed_);
    put(difference_.records, true, apex_, *new_soa_);
    append(difference_.records, added_);
    return std::move(difference_);
  }

 private:
  static uint32_t serial_of(const Record& soa) { return load_u32(&soa.rdata[soa.rdata.size() - 20]); }
  static void put(Bytes& out, bool added, dns::NameView owner, const Record& record) {
    zone::append_difference_record(out, {added, owner, record.type, record.ttl, record.rdata});
  }

  zone::Difference difference_;
  Bytes removed_;
  Bytes added_;
  dns::Name apex_;
  std::optional<Record> old_soa_;
  std::optional<Record> new_soa_;
};

}  // namespace

Recorder::Recorder(zone::NodeTable& nodes, zone::NodeTable& nsec3, size_t most_nodes)
    : nodes_(nodes, most_nodes), nsec3_(nsec3, most_nodes) {}

void Recorder::Table::keep(ByteView key) {
  if (overflowed) return;
  const auto [at, is_new] = originals.try_emplace(Bytes(key.begin(), key.end()));
  if (is_new) at->second = inner_.find(key);
  if (originals.size() <= most_) return;
  overflowed = true;
  originals.clear();
}

Result<void> Recorder::Table::put(ByteView key, ByteView blob) {
  keep(key);
  return inner_.put(key, blob);
}

Result<void> Recorder::Table::erase(ByteView key) {
  keep(key);
  return inner_.erase(key);
}

std::optional<zone::Difference> Recorder::difference(Parallel& parallel) {
  if (nodes_.overflowed || nsec3_.overflowed) return std::nullopt;
  std::vector<Change> changes;
  for (Table* table : {&nodes_, &nsec3_})
    for (const auto& [key, before] : table->originals) changes.push_back({before, table->find(key)});
  constexpr size_t stride = 64;  // nodes
  std::vector<Gathering> parts((changes.size() + stride - 1) / stride);
  const auto gather = [&](size_t part) {
    for (const Change& change : std::span(changes).subspan(part * stride).first(std::min(stride, changes.size() - part * stride)))
      parts[part].add(change);
  };
  if (parts.size() < 2)
    for (size_t part = 0; part < parts.size(); ++part) gather(part);
  else
    parallel.run(parts.size(), 1, [&](size_t, size_t part) { gather(part); });
  Gathering gathering;
  for (Gathering& part : parts) gathering.join(std::move(part));
  return gathering.finish();
}

}  // namespace steward::change
