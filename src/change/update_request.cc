#include "change/update_request.hh"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "dns/compressed_name.hh"
#include "dns/message.hh"
#include "dns/rdata.hh"

namespace steward::change {
namespace {

constexpr size_t max_explanation = 240;
constexpr size_t record_head = 10;   // type, class, TTL, RDLENGTH
constexpr size_t least_record = 11;  // with the root as owner

enum class Section : uint8_t { Prerequisite, Update };

/// Where something stands in the octets of the request, which move while they grow.
struct Place {
  size_t at = 0;
  size_t size = 0;
};

class Parser {
 public:
  explicit Parser(ByteView wire) : wire_(wire), at_(dns::header_size) {}

  Result<void> parse() {
    if (wire_.size() < dns::header_size || wire_.size() > dns::max_message_size)
      return fail(Errc::Invalid, "message is no DNS message (RFC 1035 §4.1.1)");
    const uint16_t flags = load_u16(&wire_[2]);
    request_.id = load_u16(wire_.data());
    if ((flags & 0x8000) != 0) return fail(Errc::Invalid, "message is a response (RFC 2136 §2.2)");
    if ((flags >> 11 & 15) != static_cast<unsigned>(dns::Opcode::UPDATE))
      return fail(Errc::Invalid, "opcode is not UPDATE (RFC 2136 §2.2)");
    auto done = zone();
    if (done) done = records(Section::Prerequisite, load_u16(&wire_[6]), request_.prerequisites);
    if (done) done = records(Section::Update, load_u16(&wire_[8]), request_.updates);
    if (done) done = additional(load_u16(&wire_[10]));
    if (done && at_ != wire_.size()) done = fail(Errc::Invalid, "octets are left over after the last record");
    return done;
  }

  UpdateRequest take() {
    size_t next = 0;
    for (auto* section : {&request_.prerequisites, &request_.updates})
      for (UpdateRecord& record : *section) {
        const auto& [owner, rdata] = places_[next++];
        record.owner = NameView(&request_.octets[owner.at], owner.size);
        record.rdata = ByteView(request_.octets).subspan(rdata.at, rdata.size);
      }
    return std::move(request_);
  }

 private:
  // RFC 2136 §3.1.1: exactly one, of type SOA.
  Result<void> zone() {
    if (load_u16(&wire_[4]) != 1)
      return fail(Errc::Invalid, "zone section has not exactly one record (RFC 2136 §3.1.1)");
    size_t used = 0;
    const auto name = dns::name_from_message(wire_, at_, wire_.size(), used);
    if (!name) return fail("zone section", name.error());
    if (wire_.size() - at_ - used < 4) return fail(Errc::Invalid, "zone section is cut short");
    at_ += used;
    request_.zone = *name;
    if (static_cast<RrType>(load_u16(&wire_[at_])) != RrType::SOA)
      return fail(Errc::Invalid, "type in the zone section is not SOA (RFC 2136 §3.1.1)");
    request_.zone_class = static_cast<RrClass>(load_u16(&wire_[at_ + 2]));
    at_ += 4;
    return {};
  }

  Result<void> records(Section section, size_t count, std::vector<UpdateRecord>& into) {
    // The count is a claim: what the message has room for is what we make room for.
    into.reserve(std::min(count, (wire_.size() - at_) / least_record));
    for (size_t i = 0; i < count; ++i)
      if (const auto done = record(section, into); !done)
        return fail(fmt::format("{} {}", section == Section::Update ? "update" : "prerequisite", i + 1), done.error());
    return {};
  }

  Result<void> record(Section section, std::vector<UpdateRecord>& into) {
    const auto owner = take_owner();
    if (!owner) return tl::unexpected(owner.error());
    if (wire_.size() - at_ < record_head) return fail(Errc::Invalid, "is cut short");
    UpdateRecord& record = into.emplace_back();
    record.type = static_cast<RrType>(load_u16(&wire_[at_]));
    record.klass = static_cast<RrClass>(load_u16(&wire_[at_ + 2]));
    record.ttl = load_u32(&wire_[at_ + 4]);
    const size_t size = load_u16(&wire_[at_ + 8]);
    at_ += record_head;
    if (wire_.size() - at_ < size) return fail(Errc::Invalid, "RDATA runs past the end of the message");
    const size_t start = request_.octets.size();
    // RFC 2136 §2.4, §2.5: RDATA stands where a record is to be there, to be added, or to be deleted by its value.
    if (record.klass == request_.zone_class || (record.klass == RrClass::NONE && section == Section::Update)) {
      if (const auto taken = dns::rdata_from_message(record.type, wire_, at_, size, request_.octets); !taken)
        return fail(dns::to_text(record.type), taken.error());
    } else {
      append(request_.octets, wire_.subspan(at_, size));
    }
    at_ += size;
    places_.push_back({*owner, {start, request_.octets.size() - start}});
    return {};
  }

  // Owners mostly repeat, by a pointer to where the name stood first: it is kept once.
  Result<Place> take_owner() {
    size_t first = at_;
    if (wire_.size() - at_ >= 2 && wire_[at_] >= 0xc0) first = load_u16(&wire_[at_]) & 0x3fffU;
    if (const auto known = owners_.find(first); known != owners_.end()) {
      at_ += 2;  // only a pointer leads to a name from before
      return known->second;
    }
    size_t used = 0;
    const auto name = dns::name_from_message(wire_, at_, wire_.size(), used);
    if (!name) return tl::unexpected(name.error());
    const Place place{request_.octets.size(), name->size()};
    append(request_.octets, name->view().wire());
    owners_.emplace(first, place);
    at_ += used;
    return place;
  }

  // Only that it is whole: what OPT, TSIG and SIG(0) say is for those who take them off.
  Result<void> additional(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (!skip_name() || wire_.size() - at_ < record_head)
        return fail(Errc::Invalid, fmt::format("additional record {} is cut short or malformed", i + 1));
      const size_t size = load_u16(&wire_[at_ + 8]);
      at_ += record_head;
      if (wire_.size() - at_ < size)
        return fail(Errc::Invalid, fmt::format("additional record {}: RDATA runs past the end of the message", i + 1));
      at_ += size;
    }
    return {};
  }

  bool skip_name() {
    while (at_ < wire_.size()) {
      const uint8_t octet = wire_[at_];
      const size_t step = octet >= 0xc0 ? 2 : octet + size_t{1};
      if ((octet > dns::max_label_size && octet < 0xc0) || wire_.size() - at_ < step) return false;
      at_ += step;
      if (octet == 0 || octet >= 0xc0) return true;
    }
    return false;
  }

  ByteView wire_;
  size_t at_;
  UpdateRequest request_;
  std::vector<std::pair<Place, Place>> places_;  // owner and RDATA, of both sections in turn
  std::unordered_map<size_t, Place> owners_;     // by where the name stands in the message
};

}  // namespace

UpdateOutcome refused_update(Rcode rcode, UpdateEde code, std::string text) {
  if (text.size() > max_explanation) text.resize(max_explanation);
  UpdateOutcome outcome;
  outcome.rcode = rcode;
  outcome.why = UpdateExplanation{code, std::move(text)};
  return outcome;
}

tl::expected<UpdateRequest, UpdateOutcome> parse_update(ByteView message) {
  Parser parser(message);
  if (auto parsed = parser.parse(); !parsed)
    return tl::unexpected(refused_update(Rcode::FORMERR, UpdateEde::Other, std::move(parsed.error().what)));
  return parser.take();
}

}  // namespace steward::change
