#pragma once
// What is wrong with a zone file: errors, which keep it from being used, and warnings, which do not.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace steward::zone {

struct FileMessage {
  std::string file;
  uint32_t line = 0;    ///< 1-based; 0: the file as a whole
  uint32_t column = 0;  ///< 1-based, in octets; 0: the record as a whole
  std::string text;     ///< what the message is about, as the file spells it, cut where long
  std::string what;     ///< what is wrong, and the rule that it breaks

  /// "zones/a.zone:12:7: TTL is over 2147483647 (RFC 2181 §8), \"4294967295\""; control characters escaped.
  [[nodiscard]] std::string to_text() const;
};
struct FileError : FileMessage {};
struct FileWarning : FileMessage {};

/// The rules about what a zone must hold, beyond the syntax of its records.
enum class ZoneRule : uint8_t {
  OutOfZone,
  NoSoa,
  SecondSoa,
  SoaNotAtApex,
  NoApexNs,
  CnameAndOther,
  SecondCname,
  SecondDname,
  DnameAndNs,
  BelowDname,
  NsTargetCname,
  MxTargetCname,
  SrvTargetCname,
  NsTargetNoAddress,
  MxTargetNoAddress,
  SrvTargetNoAddress,
  MissingGlue,
  MissingSiblingGlue,
  HiddenByDelegation,
  WildcardDelegation,
  DsWithoutNs,
  DsAtApex,
  TtlDiffers,
  RrsigWithoutRrset,
  RrsigTtlDiffers,
  Nsec3ParamNotAtApex,
  Nsec3Algorithm,
  Nsec3Iterations,
  Nsec3Owner,
  Nsec3ParamMissing,
  RrsetTooLarge,
};
constexpr size_t zone_rule_count = static_cast<size_t>(ZoneRule::RrsetTooLarge) + 1;

enum class Severity : uint8_t { Ignore, Warning, Error };

struct ZoneRuleRow {
  ZoneRule rule;
  Severity severity;      ///< unless LoadOptions says otherwise
  std::string_view what;  ///< the message, with the RFC
};
/// The one table of severities, in the order of the enumerators.
const std::array<ZoneRuleRow, zone_rule_count>& zone_rules();

using Severities = std::array<Severity, zone_rule_count>;
Severities default_severities();

/// Collects messages, the first `max_messages` of each kind; the rest is only counted.
class FileReport {
 public:
  static constexpr size_t max_messages = 20;

  explicit FileReport(const Severities& severities) : severities_(severities) {}

  void error(FileMessage message);
  void warning(FileMessage message);
  [[nodiscard]] Severity severity(ZoneRule rule) const { return severities_[static_cast<size_t>(rule)]; }
  /// An error, a warning or nothing, as the severity of `rule` says. `detail`, where there is some, stands behind the
  /// rule's own words.
  void broken(ZoneRule rule, FileMessage place, std::string_view detail = {});

  [[nodiscard]] bool failed() const { return !errors_.empty(); }
  /// More errors than are listed: reading on serves nobody.
  [[nodiscard]] bool full() const { return more_errors_ > 0; }

  std::vector<FileError> take_errors() { return std::move(errors_); }
  std::vector<FileWarning> take_warnings() { return std::move(warnings_); }
  [[nodiscard]] size_t more_errors() const { return more_errors_; }
  [[nodiscard]] size_t more_warnings() const { return more_warnings_; }

 private:
  Severities severities_;
  std::vector<FileError> errors_;
  std::vector<FileWarning> warnings_;
  size_t more_errors_ = 0;
  size_t more_warnings_ = 0;
};

}  // namespace steward::zone
