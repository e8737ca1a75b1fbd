#pragma once
// One consistent view of all zones: what the answer path reads.
//
// The store implements it over its index and its tree; tests implement it over a std::map. A snapshot is used by
// one thread and held for one batch of queries at most. Everything that it returns is valid as long as it is held.
// None of it allocates, locks or blocks. Names passed in are folded (lower case).

#include <cstdint>
#include <span>

#include "base/bytes.hh"
#include "dns/name.hh"
#include "zone/node.hh"

namespace steward::zone {

enum class Denial : uint8_t { None, Nsec, Nsec3 };

/// Whether there is anything to answer with.
enum class Availability : uint8_t {
  Serving,
  NotLoaded,  ///< configured, and nothing of it was ever loaded or transferred: SERVFAIL with EDE 14 (Not Ready)
  Expired,    ///< its primaries were silent for longer than the SOA allows (RFC 1035 §3.3.13): SERVFAIL with EDE 24 (Invalid Data)
};

/// What is known of a zone beside its nodes.
struct ZoneInfo {
  uint32_t id = 0;
  dns::Name apex;
  Denial denial = Denial::None;       ///< None: the zone is unsigned
  Availability availability = Availability::Serving;
  bool online = false;                ///< names below the apex are made and signed as they are asked for (serve/discover.hh)
  bool transfer_only = false;         ///< answered to who may transfer it alone, but for the SOA at its apex: a feed
  uint16_t nsec3_iterations = 0;      ///< 0 for what we sign; a pre-signed zone may have more
  uint8_t nsec3_salt_size = 0;
  std::array<uint8_t, 255> nsec3_salt{};
  [[nodiscard]] ByteView salt() const { return {nsec3_salt.data(), nsec3_salt_size}; }
};

constexpr size_t nsec3_hash_size = 20;
using Nsec3Hash = std::array<uint8_t, nsec3_hash_size>;

/// A look-up in three steps, so that a batch can have many misses of the cache under way at once.
struct Probe {
  const ZoneInfo* zone = nullptr;
  NameView name;
  uint64_t hash = 0;
  uint64_t slot = 0;
  const uint8_t* node = nullptr;
};

/// The same for the NSEC that denies a name.
struct NsecProbe {
  const ZoneInfo* zone = nullptr;
  NameView name;
  const uint8_t* node = nullptr;  ///< found; null where an implementation would rather be asked for each
};

class Snapshot {
 public:
  virtual ~Snapshot() = default;

  /// The zone with the longest apex that is `name` or an ancestor of it; null where we serve none.
  [[nodiscard]] virtual const ZoneInfo* find_zone(NameView name) const = 0;

  /// The node with exactly this name; none where it does not exist. Empty non-terminals are nodes.
  [[nodiscard]] virtual NodeView find(const ZoneInfo& zone, NameView name) const = 0;

  // The same in steps: begin() for all of a batch, then fetch() for all, then finish() for each.
  virtual void begin(Probe& probe, const ZoneInfo& zone, NameView name) const = 0;
  virtual void fetch(Probe& probe) const = 0;
  [[nodiscard]] virtual NodeView finish(const Probe& probe) const = 0;

  /// Denial::Nsec: the node whose NSEC matches `name` or covers it, that is, the last one in canonical order that
  /// has an NSEC and is not after `name`.
  [[nodiscard]] virtual NodeView nsec_at_or_before(const ZoneInfo& zone, NameView name) const = 0;

  /// The same for many at once, some dozens at most: the waits for memory are shared, and the NSECs are near when it returns.
  virtual void fetch_nsec([[maybe_unused]] std::span<NsecProbe> probes) const {}

  /// Denial::Nsec: the same for `wildcard`, which is `*.<owner of encloser>`. One answer for all names that do not exist below
  /// `encloser`, so that an implementation may remember it.
  [[nodiscard]] virtual NodeView nsec_of_wildcard(const ZoneInfo& zone, [[maybe_unused]] NodeView encloser, NameView wildcard) const {
    return nsec_at_or_before(zone, wildcard);
  }

  /// Denial::Nsec3: the NSEC3 node whose hash is `hash` (exact) or the last one before it, round the circle. Its owner is
  /// the hashed name, its one RRset NSEC3 with its RRSIG.
  [[nodiscard]] virtual NodeView nsec3_at_or_before(const ZoneInfo& zone, const Nsec3Hash& hash, bool& exact) const = 0;
};

}  // namespace steward::zone
