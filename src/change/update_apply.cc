#include <fmt/format.h>

#include <algorithm>

#include "change/update.hh"
#include "dns/serial.hh"
#include "dns/ttl.hh"

namespace steward::change {
namespace {

// What an RRset may take of a message, with room for signatures of several keys (RSA with 4096 bits has 512 octets and
// a name).
constexpr size_t max_rrset_size = 65535 - 12 - 259 - 11;
constexpr size_t room_for_signatures = 4096;
constexpr size_t record_overhead = 12;  // a pointer to the owner, and the fields before the RDATA
constexpr size_t soa_numbers = 20;      // SERIAL, REFRESH, RETRY, EXPIRE and MINIMUM at the end of the RDATA
constexpr size_t wks_key = 5;           // ADDRESS and PROTOCOL

// RFC 4034 §3, §4; RFC 3007 §3 with RFC 3755 for KEY, SIG and NXT.
bool may_stand_beside_cname(RrType type) {
  return type == RrType::RRSIG || type == RrType::NSEC || type == RrType::KEY || type == RrType::SIG ||
         type == RrType::NXT;
}

uint32_t serial_of(ByteView soa) { return load_u32(&soa[soa.size() - soa_numbers]); }

/// What stands at a name before a record is added.
struct Sizes {
  size_t rrsets = 0;
  size_t records = 0;        // at the name
  size_t rrset_records = 0;  // of the type
};

class Application {
 public:
  Application(const UpdateRequest& request, const UpdatePolicy& policy, const UpdateLimits& limits, ZoneEdit& edit)
      : request_(request), policy_(policy), limits_(limits), edit_(edit) {}

  UpdateOutcome run() {
    for (size_t i = 0; i < request_.updates.size(); ++i) {
      const UpdateRecord& record = request_.updates[i];
      if (record.klass == request_.zone_class) {
        if (auto full = add(record, i)) return *std::move(full);
      } else if (record.klass == RrClass::NONE) {
        remove_record(record);
      } else if (record.type == RrType::ANY) {
        remove_name(record.owner);
      } else {
        remove_rrset(record);
      }
    }
    if (auto full = check_octets()) return *std::move(full);
    outcome_.changed = outcome_.added + outcome_.removed != 0;
    return std::move(outcome_);
  }

 private:
  [[nodiscard]] bool is_apex(NameView owner) const { return owner == request_.zone.view(); }

  // RFC 2136 §3.4.2.2.
  std::optional<UpdateOutcome> add(const UpdateRecord& record, size_t index) {
    const Sizes before = sizes(record);
    if (is_dname_beside_ns(record))
      return refused_update(Rcode::REFUSED, UpdateEde::Prohibited,
                            fmt::format("update {}, {} {}: DNAME and NS exclude each other (RFC 6672 §2.3)", index + 1,
                                        record.owner.to_text(), dns::to_text(record.type)));
    if (is_passed_over(record)) {
      ++outcome_.ignored;
      return {};
    }
    if (record.type == RrType::WKS) remove_same_service(record);
    // RFC 2181 §8: a TTL with its first bit set is 0.
    const uint32_t ttl = record.ttl > dns::max_ttl ? 0 : record.ttl;
    if (!edit_.add(record.owner, record.type, ttl, record.rdata)) {
      ++outcome_.ignored;
      return {};
    }
    ++outcome_.added;
    return check_limits(record, index, before);
  }

  // "Silently ignored", by the rules between types; RFC 6672 §5.2 has DNAME beside CNAME go the same way.
  bool is_passed_over(const UpdateRecord& record) {
    if (record.type == RrType::SOA) {
      const EditedRrset* soa = is_apex(record.owner) ? find_rrset(edit_, record.owner, RrType::SOA) : nullptr;
      if (soa == nullptr) return true;
      // RFC 1982 §3.2: neither lower, nor equal, nor without order.
      return !(dns::Serial(serial_of(record.rdata)) > dns::Serial(serial_of(soa->rdatas.front())));
    }
    if (may_stand_beside_cname(record.type)) return false;
    if (record.type == RrType::CNAME)
      return std::ranges::any_of(edit_.rrsets(record.owner), [](const EditedRrset& rrset) {
        return !rrset.rdatas.empty() && rrset.type != RrType::CNAME && !may_stand_beside_cname(rrset.type);
      });
    return find_rrset(edit_, record.owner, RrType::CNAME) != nullptr;
  }

  // RFC 6672 §2.3, but at the apex. No silence is asked for here, so it is refused, as Knot DNS does.
  bool is_dname_beside_ns(const UpdateRecord& record) {
    if (is_apex(record.owner)) return false;
    if (record.type == RrType::DNAME) return find_rrset(edit_, record.owner, RrType::NS) != nullptr;
    return record.type == RrType::NS && find_rrset(edit_, record.owner, RrType::DNAME) != nullptr;
  }

  // RFC 2136 §3.4.2.2: one WKS an address and protocol.
  void remove_same_service(const UpdateRecord& record) {
    const EditedRrset* rrset = find_rrset(edit_, record.owner, RrType::WKS);
    if (rrset == nullptr) return;
    std::vector<Bytes> old;
    for (const Bytes& rdata : rrset->rdatas)
      if (std::ranges::equal(ByteView(rdata).first(wks_key), record.rdata.first(wks_key)) &&
          !std::ranges::equal(rdata, record.rdata))
        old.push_back(rdata);
    for (const Bytes& rdata : old) edit_.remove(record.owner, RrType::WKS, rdata);
  }

  // RFC 2136 §3.4.2.3.
  void remove_rrset(const UpdateRecord& record) {
    const EditedRrset* rrset = find_rrset(edit_, record.owner, record.type);
    const bool stays = record.type == RrType::SOA || (record.type == RrType::NS && is_apex(record.owner));
    if (rrset == nullptr || stays) {
      ++outcome_.ignored;
      return;
    }
    outcome_.removed += static_cast<uint32_t>(rrset->rdatas.size());
    edit_.remove_rrset(record.owner, record.type);
  }

  void remove_name(NameView owner) {
    std::vector<RrType> types;
    for (const EditedRrset& rrset : edit_.rrsets(owner)) {
      const bool stays = is_apex(owner) && (rrset.type == RrType::SOA || rrset.type == RrType::NS);
      if (stays || policy_.is_signers(rrset.type)) continue;
      types.push_back(rrset.type);
      outcome_.removed += static_cast<uint32_t>(rrset.rdatas.size());
    }
    if (types.empty()) ++outcome_.ignored;
    for (const RrType type : types) edit_.remove_rrset(owner, type);
  }

  // RFC 2136 §3.4.2.4: never the SOA, nor the zone's last NS.
  void remove_record(const UpdateRecord& record) {
    bool stays = record.type == RrType::SOA;
    if (record.type == RrType::NS && is_apex(record.owner)) {
      const EditedRrset* rrset = find_rrset(edit_, record.owner, RrType::NS);
      stays = rrset == nullptr || rrset->rdatas.size() <= 1;
    }
    if (stays || !edit_.remove(record.owner, record.type, record.rdata)) {
      ++outcome_.ignored;
      return;
    }
    ++outcome_.removed;
    // What signed an RRset that is gone goes with it, in a zone that came signed.
    const EditedRrset* left = edit_.find(record.owner, record.type);
    if (left != nullptr && left->rdatas.empty()) edit_.remove_rrset(record.owner, record.type);
  }

  Sizes sizes(const UpdateRecord& record) {
    Sizes sizes;
    for (const EditedRrset& rrset : edit_.rrsets(record.owner)) {
      ++sizes.rrsets;
      sizes.records += rrset.rdatas.size();
      if (rrset.type != record.type) continue;
      sizes.rrset_records = rrset.rdatas.size();
    }
    return sizes;
  }

  // Only growth is refused: a zone file may be beyond our limits, and what is there can be made less.
  std::optional<UpdateOutcome> check_limits(const UpdateRecord& record, size_t index, const Sizes& before) {
    const Sizes after = sizes(record);
    const auto over = [](size_t was, size_t is, size_t limit) { return limit != 0 && is > was && is > limit; };
    const auto refuse = [&](std::string_view quota, size_t limit) {
      return refused_update(Rcode::REFUSED, UpdateEde::Prohibited,
                            fmt::format("update {}, {} {}: {}: over {}", index + 1, record.owner.to_text(),
                                        dns::to_text(record.type), quota, limit));
    };
    if (over(before.rrset_records, after.rrset_records, limits_.rrset_records))
      return refuse("rrset-records", limits_.rrset_records);
    if (over(before.rrsets, after.rrsets, limits_.name_rrsets)) return refuse("name-rrsets", limits_.name_rrsets);
    if (over(before.records, after.records, limits_.name_records)) return refuse("name-records", limits_.name_records);
    return {};
  }

  // ZoneEdit::finish() would fail over it, and with it every other update of the transaction. Once an RRset, not once a
  // record.
  std::optional<UpdateOutcome> check_octets() {
    const size_t most = max_rrset_size - (policy_.is_signed_here() ? room_for_signatures : 0);
    const UpdateRecord* before = nullptr;
    for (const UpdateRecord& record : request_.updates) {
      if (record.klass != request_.zone_class) continue;
      const bool again =
          before != nullptr && before->type == record.type && before->owner.data() == record.owner.data();
      before = &record;
      const EditedRrset* rrset = again ? nullptr : edit_.find(record.owner, record.type);
      if (rrset == nullptr) continue;
      size_t size = 0;
      for (const Bytes& rdata : rrset->rdatas) size += record_overhead + rdata.size();
      for (const Bytes& rrsig : rrset->rrsigs) size += record_overhead + rrsig.size();
      if (size > most)
        return refused_update(Rcode::REFUSED, UpdateEde::Prohibited,
                              fmt::format("{} {}: {} octets, over the {} that a message carries (RFC 1035 §4.2.2)",
                                          record.owner.to_text(), dns::to_text(record.type), size, most));
    }
    return {};
  }

  const UpdateRequest& request_;
  const UpdatePolicy& policy_;
  const UpdateLimits& limits_;
  ZoneEdit& edit_;
  UpdateOutcome outcome_;
};

}  // namespace

UpdateOutcome apply_updates(const UpdateRequest& request, const UpdatePolicy& policy, const UpdateLimits& limits,
                            ZoneEdit& edit) {
  return Application(request, policy, limits, edit).run();
}

}  // namespace steward::change
