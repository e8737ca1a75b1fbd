#pragma once
// The attic: provenance of names that are not served, since updates withdrew all that the zone file says there.
//
// The store implements it within a write transaction; tests over a std::map. Writer thread.

#include "base/bytes.hh"
#include "base/result.hh"

namespace steward::zone {

class Attic {
 public:
  virtual ~Attic() = default;
  /// By the name's canonical key relative to the apex. Empty where there is nothing.
  [[nodiscard]] virtual Bytes find(ByteView key) = 0;
  /// Moves `key` to the lowest one that is not below it; false where there is none.
  [[nodiscard]] virtual bool at_or_after(Bytes& key) = 0;
  /// Empty provenance removes. Full, Io.
  virtual Result<void> put(ByteView key, ByteView provenance) = 0;
};

}  // namespace steward::zone
