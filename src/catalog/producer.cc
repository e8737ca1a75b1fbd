#include "catalog/producer.hh"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/catalog.hh"
#include "crypto/digest.hh"
#include "dns/encoding.hh"
#include "dns/rdata.hh"

namespace steward::catalog {
namespace {

constexpr size_t label_digits = 32;
// In octets of wire form: what stands left of the catalog's name in the longest owner.
constexpr size_t longest_prefix = (1 + sizeof("group") - 1) + (1 + label_digits) + (1 + sizeof("zones") - 1);
constexpr size_t max_txt_string = 255;

// Consumers ask for the zone as for any other; these are the intervals for when they miss a NOTIFY.
constexpr std::string_view soa_times = "3600 600 2419200 0";

std::string txt_text(std::string_view value) {
  Bytes rdata;
  append_u8(rdata, static_cast<uint8_t>(value.size()));
  append(rdata, as_bytes(value));
  return dns::rdata_to_text(dns::RrType::TXT, rdata);
}

}  // namespace

std::string unique_label(dns::NameView zone, uint32_t generation) {
  const dns::Name folded = dns::Name(zone).folded();
  Bytes input(folded.data(), folded.data() + folded.size());
  if (generation != 0) append_u32(input, generation);
  const auto digest = crypto::sha256(input);
  return dns::encode(dns::hex_lower, ByteView(digest).subspan(0, label_digits / 2));
}

Result<CatalogProducer> CatalogProducer::create(const dns::Name& name) {
  if (name.size() + longest_prefix > dns::max_name_size)
    return fail(Errc::Invalid,
                fmt::format("{}: a catalog's name has at most {} octets, so that its members' properties have names",
                            name.to_text(), dns::max_name_size - longest_prefix));
  return CatalogProducer(name.folded());
}

Result<void> CatalogProducer::add(ProducedMember member) {
  member.zone = member.zone.folded();
  if (member.zone == name_) return fail(Errc::Invalid, name_.to_text() + ": a catalog is no member of itself");
  for (const std::string& group : member.groups)
    if (group.empty() || group.size() > max_txt_string)
      return fail(Errc::Invalid,
                  fmt::format("{}: a group has 1 to 255 octets (RFC 9432 section 4.3.2)", member.zone.to_text()));
  // The RRset has no order, the text has one.
  std::sort(member.groups.begin(), member.groups.end());
  member.groups.erase(std::unique(member.groups.begin(), member.groups.end()), member.groups.end());
  const auto at = std::lower_bound(
      members_.begin(), members_.end(), member,
      [](const ProducedMember& a, const ProducedMember& b) { return dns::canonical_compare(a.zone, b.zone) < 0; });
  // RFC 9432 §4.1: a zone that is listed twice breaks the catalog.
  if (at != members_.end() && at->zone == member.zone)
    return fail(Errc::Exists, fmt::format("{}: is a member of {} already", member.zone.to_text(), name_.to_text()));
  members_.insert(at, std::move(member));
  return {};
}

std::string CatalogProducer::zone_text(uint32_t serial) const {
  // §4.1: nobody resolves names in a catalog; NS is there because a zone must have one.
  std::string out =
      fmt::format("$ORIGIN {}\n$TTL 0\n@ SOA invalid. invalid. {} {}\n@ NS invalid.\nversion TXT \"{}\"\n",
                  name_.to_text(), serial, soa_times, schema_version);
  for (const ProducedMember& member : members_) {
    const std::string label = unique_label(member.zone, member.generation);
    out += fmt::format("{}.zones PTR {}\n", label, member.zone.to_text());
    for (const std::string& group : member.groups)
      out += fmt::format("group.{}.zones TXT {}\n", label, txt_text(group));
    if (member.coo) out += fmt::format("coo.{}.zones PTR {}\n", label, member.coo->to_text());
  }
  return out;
}

}  // namespace steward::catalog
