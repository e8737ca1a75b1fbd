#include "serve/condense.hh"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "zone/difference.hh"

namespace steward::serve {
namespace {

using zone::DifferenceReader;
using zone::DifferenceRecord;

// What one record was before the differences and is after them.
struct Fate {
  std::optional<DifferenceRecord> before;
  std::optional<DifferenceRecord> after;
};

struct Identity {
  DifferenceRecord record;

  friend bool operator==(const Identity& a, const Identity& b) {
    return a.record.type == b.record.type && a.record.owner == b.record.owner &&
           std::equal(a.record.rdata.begin(), a.record.rdata.end(), b.record.rdata.begin(), b.record.rdata.end());
  }
};

struct IdentityHash {
  size_t operator()(const Identity& identity) const {
    const DifferenceRecord& record = identity.record;
    std::array<uint8_t, dns::max_name_size> folded;  // NOLINT: filled below
    dns::fold_into(record.owner, folded.data());
    const std::hash<std::string_view> hash;
    const size_t owner = hash({reinterpret_cast<const char*>(folded.data()), record.owner.size()});
    return owner ^ (hash(as_text(record.rdata)) * 0x9e3779b97f4a7c15U + value(record.type));
  }
};

// The same to the last octet: nothing to send.
bool same(const std::optional<DifferenceRecord>& a, const std::optional<DifferenceRecord>& b) {
  if (!a || !b) return !a && !b;
  const ByteView left = a->owner.wire();
  const ByteView right = b->owner.wire();
  return a->ttl == b->ttl && std::equal(left.begin(), left.end(), right.begin(), right.end());
}

// All that is not SOA, netted, in the order in which it first appeared.
class Net {
 public:
  void add(const DifferenceRecord& record) {
    const auto [at, fresh] = places_.try_emplace(Identity{record}, fates_.size());
    if (fresh) {
      // What is removed first was there before.
      fates_.push_back({});
      if (!record.added) fates_.back().before = record;
    }
    Fate& fate = fates_[at->second];
    fate.after.reset();
    if (record.added) fate.after = record;
  }
  void write_removed(Bytes& out) const {
    for (const Fate& fate : fates_)
      if (fate.before && !same(fate.before, fate.after)) append_difference_record(out, *fate.before);
  }
  void write_added(Bytes& out) const {
    for (const Fate& fate : fates_)
      if (fate.after && !same(fate.before, fate.after)) append_difference_record(out, *fate.after);
  }

 private:
  std::unordered_map<Identity, size_t, IdentityHash> places_;
  std::vector<Fate> fates_;
};

}  // namespace

std::optional<Bytes> condense(ByteView records) {
  DifferenceReader reader(records);
  Net net;
  std::optional<DifferenceRecord> first_soa;
  std::optional<DifferenceRecord> last_soa;
  bool was_added = true;  // a difference begins with what it removes
  while (const auto record = reader.next()) {
    // The SOA stands first of the removed and first of the added ones.
    const bool turn = record->added != was_added;
    was_added = record->added;
    if ((record->type == dns::RrType::SOA) != turn) return std::nullopt;
    if (!turn) {
      net.add(*record);
    } else if (record->added) {
      last_soa = record;
    } else if (!first_soa) {
      first_soa = record;
    }
  }
  if (!reader.ok() || !first_soa || !last_soa || !was_added) return std::nullopt;
  Bytes out;
  append_difference_record(out, *first_soa);
  net.write_removed(out);
  append_difference_record(out, *last_soa);
  net.write_added(out);
  return out;
}

}  // namespace steward::serve
