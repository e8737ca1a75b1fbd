#include "change/recorder.hh"

#include <algorithm>
#include <compare>
#include <functional>
#include <span>
#include <vector>

namespace steward::change {
namespace {

using dns::RrType;

struct Record {
  RrType type{};
  uint32_t ttl = 0;
  ByteView rdata;
};

std::strong_ordering operator<=>(const Record& a, const Record& b) {
  if (a.type != b.type) return a.type <=> b.type;
  if (a.ttl != b.ttl) return a.ttl <=> b.ttl;
  return std::lexicographical_compare_three_way(a.rdata.begin(), a.rdata.end(), b.rdata.begin(), b.rdata.end());
}

/// The SOA apart, since it has a place of its own in a difference.
struct Soa {
  uint32_t ttl = 0;
  Bytes rdata;
  [[nodiscard]] uint32_t serial() const { return load_u32(&rdata[rdata.size() - 20]); }
};

/// All records of a node, sorted, but its SOA.
class Records {
 public:
  /// The node stays where it is as long as they are looked at.
  void read(zone::NodeView node, std::optional<Soa>& soa) {
    all_.clear();
    expanded_.clear();
    ends_.clear();
    if (!node) return;
    for (size_t i = 0; i < node.rrset_count(); ++i) {
      const zone::StoredRrset rrset = node.rrset(i);
      for (zone::StoredRrReader reader(rrset.rrs); !reader.done();) {
        const zone::StoredRr rr = reader.next();
        if (rrset.type == RrType::SOA) {
          soa.emplace().ttl = rr.ttl;
          zone::expand_rdata(rrset.type, rr.rdata, node.owner(), soa->rdata);
          continue;
        }
        zone::expand_rdata(rrset.type, rr.rdata, node.owner(), expanded_);
        ends_.push_back(expanded_.size());
        all_.push_back({rrset.type, rr.ttl, {}});
      }
    }
    for (size_t i = 0, at = 0; i < ends_.size(); at = ends_[i++]) all_[i].rdata = ByteView(expanded_).subspan(at, ends_[i] - at);
    for (size_t i = 0; i < node.rrset_count(); ++i)
      for (zone::StoredRrReader reader(node.rrset(i).sigs()); !reader.done();) {
        const zone::StoredRr rr = reader.next();
        all_.push_back({RrType::RRSIG, rr.ttl, rr.rdata});
      }
    std::sort(all_.begin(), all_.end(), std::less<>());
  }

  [[nodiscard]] const std::vector<Record>& all() const { return all_; }

 private:
  std::vector<Record> all_;
  Bytes expanded_;  // RDATA one after the other, and where each ends
  std::vector<size_t> ends_;
};

class Gathering {
 public:
  void add(const Recorder::Change& change) {
    const auto [before, after] = change;
    had_.read(before, old_soa_);
    has_.read(after, new_soa_);
    if (before && before.is(zone::node_apex)) apex_ = dns::Name(before.owner());
    auto had = had_.all().begin();
    auto has = has_.all().begin();
    while (had != had_.all().end() || has != has_.all().end()) {
      const auto order = had == had_.all().end()   ? std::strong_ordering::greater
                         : has == has_.all().end() ? std::strong_ordering::less
                                                   : *had <=> *has;
      if (order < 0) {
        put(removed_, false, before.owner(), *had);
        ++difference_.removed;
      } else if (order > 0) {
        put(added_, true, after.owner(), *has);
        ++difference_.added;
      }
      if (order <= 0) ++had;
      if (order >= 0) ++has;
    }
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
    difference_.from = old_soa_->serial();
    difference_.to = new_soa_->serial();
    if (difference_.from == difference_.to) return std::nullopt;
    ++difference_.removed;
    ++difference_.added;
    difference_.records.reserve(removed_.size() + added_.size() + 2 * soa_room);
    put(difference_.records, false, apex_, {RrType::SOA, old_soa_->ttl, old_soa_->rdata});
    append(difference_.records, removed_);
    put(difference_.records, true, apex_, {RrType::SOA, new_soa_->ttl, new_soa_->rdata});
    append(difference_.records, added_);
    return std::move(difference_);
  }

 private:
  static constexpr size_t soa_room = 1024;  // octets that one takes at most
  static void put(Bytes& out, bool added, dns::NameView owner, const Record& record) {
    zone::append_difference_record(out, {added, owner, record.type, record.ttl, record.rdata});
  }

  zone::Difference difference_;
  Bytes removed_;
  Bytes added_;
  dns::Name apex_;
  std::optional<Soa> old_soa_;
  std::optional<Soa> new_soa_;
  Records had_;  // for their memory
  Records has_;
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
