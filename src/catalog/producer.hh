#pragma once
// A catalog zone (RFC 9432) as we make it: a zone file's text, of the zones that the configuration assigns to it.
//
// The label of a member is derived from its name, so that it stays over restarts and needs no storage; a generation
// that moves says that the zone is a new one by the same name (§5.4). The text is the same octet for octet for the same
// members, in whatever order they came. No I/O; one thread.

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hh"
#include "base/result.hh"
#include "dns/name.hh"

namespace steward::catalog {

struct ProducedMember {
  dns::Name zone;
  std::vector<std::string> groups{};  ///< 1 to 255 octets each
  std::optional<dns::Name> coo{};     ///< the catalog that is to take it over
  uint32_t generation = 0;            ///< another one makes another label: consumers drop what they keep for the zone
};

/// `<unique-N>` of a zone: 32 hex digits of a SHA-256 over its name in canonical form, and the generation unless that
/// is 0.
std::string unique_label(dns::NameView zone, uint32_t generation = 0);

class CatalogProducer {
 public:
  /// Invalid where the name is so long that `group.<unique-N>.zones.<name>` is none.
  static Result<CatalogProducer> create(const dns::Name& name);

  /// Exists where the zone is a member already; Invalid for the catalog itself and for groups that no TXT string can
  /// hold.
  Result<void> add(ProducedMember member);
  [[nodiscard]] size_t size() const { return members_.size(); }

  /// The whole zone as zone/file_loader.hh reads it: SOA and NS of `invalid.` (§4), the version, the members. The
  /// serial served moves when the content does, as with any file (change/rewrite.hh), so `serial` may stay as it is.
  [[nodiscard]] std::string zone_text(uint32_t serial) const;

 private:
  explicit CatalogProducer(const dns::Name& name) : name_(name) {}

  dns::Name name_;
  std::vector<ProducedMember> members_;  // in canonical order of their zones
};

}  // namespace steward::catalog
