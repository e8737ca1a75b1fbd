#pragma once
// UPDATE messages made by hand, and a zone that they are tried on.

#include <string>
#include <string_view>
#include <vector>

#include "change/update.hh"
#include "dns/message.hh"
#include "zone_fixture.hh"

namespace steward::change::test {

/// An UPDATE of example., record by record; owners are relative to it unless they end with a dot, `@` is the apex.
struct Script {
  Script();

  Script& exists(std::string_view owner);                                                        ///< §2.4.4
  Script& exists(std::string_view owner, RrType type);                                           ///< §2.4.1
  Script& exists(std::string_view owner, RrType type, std::string_view rdata);                   ///< §2.4.2
  Script& absent(std::string_view owner);                                                        ///< §2.4.5
  Script& absent(std::string_view owner, RrType type);                                           ///< §2.4.3
  Script& add(std::string_view owner, RrType type, std::string_view rdata, uint32_t ttl = 300);  ///< §2.5.1
  Script& remove(std::string_view owner, RrType type);                                           ///< §2.5.2
  Script& remove(std::string_view owner);                                                        ///< §2.5.3
  Script& remove(std::string_view owner, RrType type, std::string_view rdata);                   ///< §2.5.4
  Script& prerequisite(dns::Record record);
  Script& update(dns::Record record);
  [[nodiscard]] Bytes wire() const;

  dns::Message message;
};

dns::Record record(std::string_view owner, RrType type, RrClass klass, uint32_t ttl = 0, Bytes rdata = {});

/// The zone under test, whose sender may do everything unless a test says otherwise.
struct Trial {
  explicit Trial(std::string_view rest = "", Mode mode = Mode::Unsigned);

  /// Parsed, evaluated, finished. What is not NOERROR must have left the zone, and its serial, as it was.
  UpdateOutcome run(const Script& script);
  UpdateOutcome run(ByteView wire);
  Rcode rcode(const Script& script) { return run(script).rcode; }
  /// "300 A 192.0.2.1" and so on, of all that is content; sorted by type.
  std::vector<std::string> at(std::string_view owner);

  Zone zone;
  Mode mode;
  std::vector<config::UpdateRule> rules;
  UpdateSender sender;
  UpdateLimits limits;
};

using Lines = std::vector<std::string>;

}  // namespace steward::change::test
