#include "zone/file_report.hh"

#include <fmt/format.h>

namespace steward::zone {
namespace {

constexpr size_t longest_text = 80;

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, longest_text)) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < ' ' || octet == 0x7f)
      out += fmt::format("\\{:03}", octet);
    else
      out += c;
  }
  if (text.size() > longest_text) out += "...";
  return out;
}

}  // namespace

const std::array<ZoneRuleRow, zone_rule_count>& zone_rules() {
  using enum ZoneRule;
  using enum Severity;
  // BIND: what named-checkzone of 9.18 does where it differs.
  static constexpr std::array<ZoneRuleRow, zone_rule_count> table{{
      {OutOfZone, Error,
       "owner is not in the zone"},  // BIND leaves the record out; a typing error should not do that silently
      {NoSoa, Error, "zone has no SOA record (RFC 1035 §5.2)"},
      {SecondSoa, Error, "second SOA record: a zone has exactly one (RFC 1035 §5.2)"},
      {SoaNotAtApex, Error, "SOA record below the zone's apex (RFC 1034 §4.2.1)"},
      {NoApexNs, Error, "zone has no NS records at its apex (RFC 1034 §4.2.1)"},
      {CnameAndOther, Error, "CNAME and other data at one name (RFC 1034 §3.6.2, RFC 2181 §10.1)"},
      {SecondCname, Error, "more than one CNAME at a name (RFC 2181 §10.1)"},
      {SecondDname, Error, "more than one DNAME at a name (RFC 6672 §2.4)"},
      {DnameAndNs, Error, "DNAME and NS at a name that is not the apex (RFC 6672 §2.3)"},
      {BelowDname, Error, "name below a DNAME (RFC 6672 §2.4)"},          // BIND takes it
      {NsTargetCname, Warning, "NS points at a CNAME (RFC 2181 §10.3)"},  // BIND: an error
      {MxTargetCname, Warning, "MX points at a CNAME (RFC 2181 §10.3)"},
      {SrvTargetCname, Warning, "SRV points at a CNAME (RFC 2782)"},
      {NsTargetNoAddress, Error, "NS points at a name of this zone that has no address"},
      {MxTargetNoAddress, Warning, "MX points at a name of this zone that has no address"},    // BIND: an error
      {SrvTargetNoAddress, Warning, "SRV points at a name of this zone that has no address"},  // BIND: an error
      {MissingGlue, Warning, "name server lies in the delegated zone and has no glue (RFC 1034 §4.2.1, RFC 9471)"},
      {MissingSiblingGlue, Warning, "name server lies in another delegated zone and has no glue (RFC 9471 §2.2)"},
      {HiddenByDelegation, Warning,
       "record at or below a delegation that is no glue: it is never answered (RFC 1034 §4.2.1)"},
      {WildcardDelegation, Warning, "NS or DNAME at a wildcard: what it means is undefined (RFC 4592 §4.2, §4.4)"},
      {DsWithoutNs, Warning, "DS without NS (RFC 4035 §2.4)"},
      {DsAtApex, Warning, "DS at the zone's own apex: it belongs to the parent (RFC 4035 §2.4)"},
      {TtlDiffers, Warning, "TTLs of one RRset differ: the smallest is taken (RFC 2181 §5.2)"},
      {RrsigWithoutRrset, Warning, "RRSIG covers no RRset of this name and is left out (RFC 4035 §2.2)"},
      {RrsigTtlDiffers, Warning, "TTL of the RRSIG is not that of the RRset, which is taken (RFC 4034 §3)"},
      {Nsec3ParamNotAtApex, Error, "NSEC3PARAM below the zone's apex (RFC 5155 §4)"},
      {Nsec3Algorithm, Error, "NSEC3 hash algorithm is not 1, SHA-1 (RFC 5155 §11)"},
      {Nsec3Iterations, Warning, "NSEC3 with iterations: validators may take the zone for unsigned (RFC 9276 §3.2)"},
      {Nsec3Owner, Error, "owner of NSEC3 is not one label of 32 base32hex digits below the apex (RFC 5155 §3)"},
      {Nsec3ParamMissing, Warning, "NSEC3 whose parameters no NSEC3PARAM has (RFC 5155 §7.1)"},
      {RrsetTooLarge, Error, "RRset with its RRSIGs is larger than a message can carry (RFC 1035 §4.2.2)"},
  }};
  return table;
}

Severities default_severities() {
  Severities severities{};
  for (const auto& row : zone_rules()) severities[static_cast<size_t>(row.rule)] = row.severity;
  return severities;
}

std::string FileMessage::to_text() const {
  std::string place = file;
  if (line != 0) place += fmt::format(":{}", line);
  if (column != 0) place += fmt::format(":{}", column);
  return text.empty() ? fmt::format("{}: {}", place, what)
                      : fmt::format("{}: {}, \"{}\"", place, what, printable(text));
}

void FileReport::error(FileMessage message) {
  if (errors_.size() < max_messages)
    errors_.push_back({std::move(message)});
  else
    ++more_errors_;
}

void FileReport::warning(FileMessage message) {
  if (warnings_.size() < max_messages)
    warnings_.push_back({std::move(message)});
  else
    ++more_warnings_;
}

void FileReport::broken(ZoneRule rule, FileMessage place, std::string_view detail) {
  const auto kind = severity(rule);
  if (kind == Severity::Ignore) return;
  place.what = zone_rules()[static_cast<size_t>(rule)].what;
  if (!detail.empty()) place.what += fmt::format("; {}", detail);
  if (kind == Severity::Error)
    error(std::move(place));
  else
    warning(std::move(place));
}

}  // namespace steward::zone
