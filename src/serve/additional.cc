#include "serve/additional.hh"

#include <array>

#include "serve/message_name.hh"

namespace steward::serve {
namespace {

using dns::NameView;
using dns::RrType;
using zone::NodeView;

// Octets of RDATA before the name, of the types of has_additional().
constexpr size_t name_offset(RrType type) {
  switch (type) {
    case RrType::MX:
    case RrType::SVCB:
    case RrType::HTTPS: return 2;
    case RrType::SRV: return 6;
    default: return 0;
  }
}

constexpr bool is_service_binding(RrType type) { return type == RrType::SVCB || type == RrType::HTTPS; }

// Adds A and AAAA of `node`, whose name stands at `place`; false where one does not fit.
bool put_addresses(Response& response, NodeView node, uint16_t place, bool dnssec) {
  bool fits = true;
  for (const RrType type : {RrType::A, RrType::AAAA})
    if (const auto rrset = node.find(type))
      fits = response.put(Section::Additional, *rrset, node.owner(), place, dnssec) && fits;
  return fits;
}

// The additional section of one response. SVCB targets have SVCB records of their own (RFC 9460 §4.1), so that there is
// a queue of RRsets to go through.
class Collector {
 public:
  Collector(const zone::Snapshot& snapshot, Response& response, bool dnssec)
      : snapshot_(snapshot), response_(response), dnssec_(dnssec) {}

  void run(const WrittenRrset& source) {
    queue_[queued_++] = source;
    if (is_service_binding(source.type)) seen(source.node);
    for (size_t i = 0; i < queued_; ++i) {
      collect(WrittenRrset(queue_[i]));
      owner_done_ = true;  // of all but the first, the addresses stand there already
    }
  }

 private:
  void collect(const WrittenRrset& source) {
    const uint8_t* const message = response_.message();
    size_t at = source.at;
    for (size_t i = 0; i < source.rr_count; ++i) {
      const size_t rdata = rdata_place(message, at);
      at = rr_end(message, rdata);
      const auto place = rdata + name_offset(source.type);
      if (place > 0x3fff) return;  // no pointer reaches it
      if (is_service_binding(source.type) && message[place] == 0) {
        // RFC 9460 §2.5: "." is the owner itself; of AliasMode it says that there is no service.
        if (load_u16(message + rdata) != 0 && !owner_done_) {
          owner_done_ = true;
          (void)put_addresses(response_, source.node, source.owner_place, dnssec_);
        }
        continue;
      }
      add(source.type, static_cast<uint16_t>(place));
    }
  }

  void add(RrType type, uint16_t place) {
    // An RRset of thousands of names must not cost thousands of look-ups (CVE-2024-11187).
    if (looked_up_ == most_names) return;
    ++looked_up_;
    NameBuffer buffer;
    const NameView name = read_folded(response_.message(), place, buffer);
    const zone::ZoneInfo* const zone = snapshot_.find_zone(name);
    if (zone == nullptr || zone->availability != zone::Availability::Serving || zone->transfer_only) return;
    const NodeView node = snapshot_.find(*zone, name);
    // What is below a cut is another's to say; of a name server only it would be glue.
    if (!node || (type != RrType::NS && node.is(zone::node_occluded)) || seen(node)) return;
    (void)put_addresses(response_, node, place, dnssec_);
    if (!is_service_binding(type) || queued_ == queue_.size()) return;
    const auto rrset = node.find(type);
    const size_t start = response_.at();
    if (rrset && response_.put(Section::Additional, *rrset, node.owner(), place, dnssec_))
      queue_[queued_++] = {type, rrset->rr_count, start, place, node};
  }

  // Whether `node` was added before; it is from now on. Where there is no room to remember it, it is not added.
  bool seen(NodeView node) {
    for (size_t i = 0; i < seen_count_; ++i)
      if (seen_[i] == node.data()) return true;
    if (seen_count_ == seen_.size()) return true;
    seen_[seen_count_++] = node.data();
    return false;
  }

  static constexpr size_t most_names = 64;

  const zone::Snapshot& snapshot_;
  Response& response_;
  const bool dnssec_;
  size_t looked_up_ = 0;
  bool owner_done_ = false;
  size_t queued_ = 0;
  size_t seen_count_ = 0;
  std::array<WrittenRrset, 8> queue_;
  std::array<const uint8_t*, 32>
      seen_;  // NOLINT(cppcoreguidelines-pro-type-member-init): the first seen_count_ are set
};

}  // namespace

void add_additional(const zone::Snapshot& snapshot, Response& response, const WrittenRrset& source, bool dnssec) {
  Collector(snapshot, response, dnssec).run(source);
}

bool add_glue(const zone::Snapshot& snapshot, Response& response, const WrittenRrset& source,
              const zone::ZoneInfo& zone, NameView cut, bool dnssec) {
  const uint8_t* const message = response.message();
  // First what the delegation does not work without, then what only saves a query (RFC 9471 §3.2).
  for (const bool in_domain : {true, false}) {
    size_t at = source.at;
    for (size_t i = 0; i < source.rr_count; ++i) {
      const size_t place = rdata_place(message, at);
      at = rr_end(message, place);
      NameBuffer buffer;
      const NameView name = read_folded(message, place, buffer);
      if (name.is_at_or_below(cut) != in_domain || !name.is_at_or_below(zone.apex)) continue;
      const NodeView node = snapshot.find(zone, name);
      if (!node) continue;
      if (!put_addresses(response, node, static_cast<uint16_t>(place), dnssec) && in_domain) return false;
    }
  }
  return true;
}

}  // namespace steward::serve
