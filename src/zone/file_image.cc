#include "zone/file_image.hh"

#include <fmt/format.h>

#include <algorithm>

#include "dns/rdata.hh"
#include "zone/node_order.hh"
#include "zone/octet_hash.hh"

namespace steward::zone {
namespace {

uint32_t item_key(const FileRecord& record) {
  return static_cast<uint32_t>(dns::value(record.group())) << 1 | (record.type() == RrType::RRSIG ? 1 : 0);
}

bool has_upper_case(ByteView octets) {
  // Without an early end, so that the compiler does sixteen octets at a time.
  uint8_t found = 0;
  for (const uint8_t octet : octets) found |= static_cast<uint8_t>(static_cast<uint8_t>(octet - 'A') < 26);
  return found != 0;
}

uint64_t digest_rrset(uint64_t digest, const RrsetInput& rrset) {
  const auto head = static_cast<uint64_t>(dns::value(rrset.type)) << 32 | rrset.ttl;
  digest = hash_mix(digest ^ head, 0x9e3779b97f4a7c15 ^ rrset.rdatas.size());
  for (const ByteView rdata : rrset.rdatas) digest = hash_octets(rdata, digest);
  digest = hash_mix(digest ^ rrset.rrsigs.size(), 0xd1b54a32d192ed03);
  for (const ByteView rdata : rrset.rrsigs) digest = hash_octets(rdata, digest);
  return digest;
}

}  // namespace

void FileImage::add_file(const std::string& file) {
  if (std::find(files_.begin(), files_.end(), file) == files_.end()) files_.push_back(file);
}

void FileImage::set_file(const std::string& file) {
  const auto from = static_cast<ArenaRef>((arena_.used() + Arena::unit - 1) / Arena::unit);
  if (!ranges_.empty() && ranges_.back().from == from) ranges_.pop_back();
  ranges_.push_back({from, file});
}

bool FileImage::add(NodeIndex node, RrType type, uint32_t ttl, uint32_t line, ByteView rdata) {
  uint8_t* place = arena_.take(sizeof(FileRecord) + rdata.size());
  if (place == nullptr) return false;
  max_ttl_ = std::max(max_ttl_, ttl);
  const FileRecord head{0, line, ttl, dns::value(type), static_cast<uint16_t>(rdata.size())};
  std::memcpy(place, &head, sizeof head);
  if (!rdata.empty()) std::memcpy(place + sizeof head, rdata.data(), rdata.size());
  const ArenaRef ref = arena_.ref(place);
  if (node >= first_.size()) {
    first_.resize(node + size_t{1});
    last_.resize(node + size_t{1});
  }
  if (first_[node] == 0)
    first_[node] = ref;
  else
    record_at(last_[node]).next = ref;
  last_[node] = ref;
  ++record_count_;
  return true;
}

void FileImage::arrange(FileReport& report) {
  last_ = std::vector<ArenaRef>();
  record_count_ = 0;
  // In the order of the file, in which the records lie in memory, before the nodes are put in theirs.
  for (NodeIndex node = 0; node < first_.size(); ++node)
    if (first_[node] != 0) arrange_node(node, report);
  sort_nodes();
}

void FileImage::sort_nodes() {
  order_.clear();
  order_.reserve(first_.size());
  for (NodeIndex node = 0; node < first_.size(); ++node)
    if (first_[node] != 0) order_.push_back(node);
  sort_canonically(owners_, order_);
}

void FileImage::arrange_node(NodeIndex node, FileReport& report) {
  if (record_at(first_[node]).next == 0 && record_at(first_[node]).type() != RrType::RRSIG) {
    if (record_at(first_[node]).type() == RrType::NS) with_ns_.push_back(node);
    ++record_count_;
    return;
  }
  items_.clear();
  for (ArenaRef ref = first_[node]; ref != 0; ref = record_at(ref).next)
    items_.push_back({item_key(record_at(ref)), ref});
  if (!std::is_sorted(items_.begin(), items_.end())) std::sort(items_.begin(), items_.end());

  size_t kept = 0;
  uint32_t rrset_key = 1;  // of the last RRset that is no RRSIG; 1 is no such key
  for (size_t from = 0; from < items_.size();) {
    size_t to = from + 1;
    while (to < items_.size() && items_[to].key == items_[from].key) ++to;
    const uint32_t key = items_[from].key;
    const std::span<Item> rrset(items_.data() + from, to - from);
    from = to;
    if ((key & 1) != 0 && rrset_key != (key & ~uint32_t{1})) {
      if (report.lists(ZoneRule::RrsigWithoutRrset))
        report.broken(ZoneRule::RrsigWithoutRrset, place_of(record_at(rrset[0].ref), node));
      continue;
    }
    const size_t count = arrange_rrset(rrset, node, report);
    if ((key & 1) != 0 && record_at(rrset[0].ref).ttl != record_at(items_[kept - 1].ref).ttl &&
        report.lists(ZoneRule::RrsigTtlDiffers))
      report.broken(ZoneRule::RrsigTtlDiffers, place_of(record_at(rrset[0].ref), node));
    if ((key & 1) == 0) rrset_key = key;
    if (record_at(rrset[0].ref).type() == RrType::NS) with_ns_.push_back(node);
    for (const Item& item : rrset.first(count)) items_[kept++] = item;
  }
  first_[node] = kept == 0 ? 0 : items_[0].ref;
  for (size_t i = 0; i < kept; ++i) record_at(items_[i].ref).next = i + 1 < kept ? items_[i + 1].ref : 0;
  record_count_ += kept;
}

// One TTL, canonical order, no repeats; returns how many records are left at the front of `rrset`.
size_t FileImage::arrange_rrset(std::span<Item> rrset, NodeIndex node, FileReport& report) {
  if (rrset.size() == 1) return 1;
  uint32_t least = record_at(rrset[0].ref).ttl;
  const Item* differs = nullptr;
  for (const Item& item : rrset) {
    const uint32_t ttl = record_at(item.ref).ttl;
    if (ttl != least && differs == nullptr) differs = &item;
    least = std::min(least, ttl);
  }
  // RFC 4034 §3: RRSIGs that cover different types have different TTLs; those here cover one.
  if (differs != nullptr) {
    if (report.lists(ZoneRule::TtlDiffers))
      report.broken(ZoneRule::TtlDiffers, place_of(record_at(differs->ref), node), fmt::format("{} s", least));
    for (const Item& item : rrset) record_at(item.ref).ttl = least;
  }
  return sort_rdata(rrset);
}

size_t FileImage::sort_rdata(std::span<Item> rrset) {
  const RrType type = record_at(rrset[0].ref).type();
  std::array<dns::RdataName, 1> one_name;
  const bool names = dns::rdata_names(type, record_at(rrset[0].ref).rdata(), one_name) > 0;
  const auto folds = [&](const Item& item) { return has_upper_case(record_at(item.ref).rdata()); };
  sorting_.clear();
  for (const Item& item : rrset) sorting_.push_back({record_at(item.ref).rdata(), item});
  if (names && std::any_of(rrset.begin(), rrset.end(), folds)) {
    // Compared in canonical form, stored in the file's case.
    canonical_.clear();
    for (const Sorted& entry : sorting_) append(canonical_, entry.rdata);
    size_t at = 0;
    for (Sorted& entry : sorting_) {
      const MutableByteView copy(canonical_.data() + at, entry.rdata.size());
      at += copy.size();
      dns::canonicalize_rdata(type, copy);
      entry.rdata = copy;
    }
  }
  std::sort(sorting_.begin(), sorting_.end(), [](const Sorted& a, const Sorted& b) {
    const int order = dns::compare_rdata(a.rdata, b.rdata);
    return order != 0 ? order < 0 : a.item.ref < b.item.ref;  // of equal ones the first in the file stays
  });
  size_t kept = 0;
  for (size_t i = 0; i < sorting_.size(); ++i)
    if (i == 0 || dns::compare_rdata(sorting_[i - 1].rdata, sorting_[i].rdata) != 0) rrset[kept++] = sorting_[i].item;
  return kept;
}

FileMessage FileImage::place_of(const FileRecord& record, NodeIndex node) {
  const ArenaRef ref = arena_.ref(reinterpret_cast<const uint8_t*>(&record));
  auto range = std::upper_bound(ranges_.begin(), ranges_.end(), ref,
                                [](ArenaRef sought, const FileRange& r) { return sought < r.from; });
  FileMessage message;
  if (range != ranges_.begin()) message.file = std::prev(range)->file;
  message.line = record.line;
  message.text = fmt::format("{} {}", owners_.name(node).to_text(), dns::to_text(record.type()));
  return message;
}

bool FileImage::next(Node& node) {
  if (at_ == order_.size()) return false;
  prefetch(at_ + prefetch_distance);
  const NodeIndex index = order_[at_++];
  views_.clear();
  rrsets_.clear();
  // First the views, which may move while they are added; then the spans over them.
  for (const FileRecord* one = first(index); one != nullptr; one = after(one)) {
    if (one->type() != RrType::RRSIG && (rrsets_.empty() || rrsets_.back().type != one->type()))
      rrsets_.push_back({one->type(), one->ttl, {}, {}});
    views_.push_back(one->rdata());
  }
  const ByteView* at = views_.data();
  size_t rrset = 0;
  for (const FileRecord* one = first(index); one != nullptr; ++rrset) {
    const ByteView* from = at;
    const RrType type = one->type();
    for (; one != nullptr && one->type() == type; one = after(one)) ++at;
    rrsets_[rrset].rdatas = {from, at};
    from = at;
    for (; one != nullptr && one->type() == RrType::RRSIG; one = after(one)) ++at;
    rrsets_[rrset].rrsigs = {from, at};
  }
  uint64_t digest = 0x5354455741524431;
  for (const RrsetInput& one : rrsets_) digest = digest_rrset(digest, one);
  node.owner = owners_.name(index);
  node.rrsets = rrsets_;
  node.digest = digest == 0 ? 1 : digest;
  return true;
}

}  // namespace steward::zone
