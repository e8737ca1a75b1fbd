#include "zone/zone_writer.hh"

#include <fmt/format.h>

#include <iterator>

#include "dns/rdata.hh"

namespace steward::zone {
namespace {

constexpr size_t block = size_t{64} << 10;

}  // namespace

ZoneWriter::ZoneWriter(NameView apex, uint32_t default_ttl, Sink sink)
    : apex_(apex), default_ttl_(default_ttl), sink_(std::move(sink)) {
  text_ = fmt::format("$ORIGIN {}\n$TTL {}\n", apex_.to_text(), default_ttl_);
}

// Relative to the origin where that gives the same octets back: an apex in another case is written out.
std::string ZoneWriter::owner_text(NameView owner) const {
  if (owner.size() < apex_.size() || !owner.is_at_or_below(apex_)) return owner.to_text();
  const size_t head = owner.size() - apex_.size();
  if (std::memcmp(owner.data() + head, apex_.data(), apex_.size()) != 0) return owner.to_text();
  if (head == 0) return "@";
  // The labels alone, as a name of their own, and that without its final dot.
  std::array<uint8_t, dns::max_name_size> wire;
  std::memcpy(wire.data(), owner.data(), head);
  wire[head] = 0;
  std::string text = NameView(wire.data(), head + 1).to_text();
  text.pop_back();
  return text;
}

Result<void> ZoneWriter::write(NameView owner, uint32_t ttl, RrType type, ByteView rdata) {
  text_ += owner_text(owner);
  if (ttl != default_ttl_) fmt::format_to(std::back_inserter(text_), " {}", ttl);
  fmt::format_to(std::back_inserter(text_), " IN {} {}\n", dns::to_text(type), dns::rdata_to_text(type, rdata));
  if (text_.size() < block) return {};
  auto written = sink_(text_);
  text_.clear();
  return written;
}

Result<void> ZoneWriter::write(NameView owner, const RrsetInput& rrset) {
  for (const ByteView rdata : rrset.rdatas)
    if (auto written = write(owner, rrset.ttl, rrset.type, rdata); !written) return written;
  for (const ByteView rdata : rrset.rrsigs)
    if (auto written = write(owner, rrset.ttl, RrType::RRSIG, rdata); !written) return written;
  return {};
}

Result<void> ZoneWriter::finish() {
  if (text_.empty()) return {};
  auto written = sink_(text_);
  text_.clear();
  return written;
}

}  // namespace steward::zone
