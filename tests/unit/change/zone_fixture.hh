#pragma once
// A zone in two tables in memory, loaded from text as often as a test likes, and looked at as text.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "change/edit.hh"
#include "change/recorder.hh"
#include "change/rewrite.hh"
#include "memory_octets.hh"
#include "memory_table.hh"
#include "sign/zone_signer.hh"

namespace steward::change::test {

inline const UnixTime now = unix_time(1'800'000'000);

inline dns::Name name(std::string_view text) { return *dns::Name::from_text(text); }
/// Relative to example.
Bytes key_of(std::string_view text);

enum class Mode { Unsigned, Nsec, Nsec3, OptOut };

/// One CSK and what goes with it.
struct Keys {
  Keys();
  sign::SigningKey csk;
  Bytes dnskey;
  [[nodiscard]] sign::ZoneSigner signer(UnixTime at = now) const;
};
const Keys& keys();
const Keys& other_keys();

using MemoryAttic = steward::test::MemoryOctets;

/// RDATA from its text; relative names end in example.
Bytes rdata_of(RrType type, std::string_view text);

struct Zone {
  MemoryAttic attic;
  steward::test::MemoryTable nodes;
  steward::test::MemoryTable nsec3;
  bool is_signed = false;
  std::optional<sign::ZonemdHash> zonemd;
  uint32_t serial = 0;
  RewriteResult last;
  bool record = false;                       ///< load() leaves what it changed in `recorded`
  size_t record_most = 1000;
  std::optional<zone::Difference> recorded;

  /// Reads `text` (checks off) and brings the tables to it.
  RewriteResult load(std::string_view text, Mode mode = Mode::Unsigned, const Keys& with = keys(), bool recheck = false,
                     UnixTime at = now);
  /// The same without a file.
  RewriteResult refresh(Mode mode, const Keys& with = keys(), bool recheck = false, UnixTime at = now);
  Result<RewriteResult> try_rewrite(zone::ZoneImage* image, Mode mode, const Keys& with, bool recheck, UnixTime at);
  ResignProgress resign(Mode mode, UnixTime at, size_t limit, ResignProgress progress = {}, const Keys& with = keys(),
                        bool recheck = false);

  /// Changes the zone by `edits` and finishes.
  EditResult edit(Mode mode, const std::function<void(ZoneEdit&)>& edits, bool note_provenance = true, bool exact_serial = false);

  [[nodiscard]] zone::NodeView node(std::string_view owner);
  /// Puts a node there that an update would have left: the same with a record more.
  void add_dynamic(std::string_view owner, RrType type, std::string_view rdata);
  void withdraw(std::string_view owner, RrType type, std::string_view rdata);
};

/// SOA and NS of example., with `rest` behind.
std::string text(uint32_t serial, std::string_view rest = "");

/// Each node in a line: owner, flags, records without RRSIG and without the SOA's serial, digest, provenance.
std::vector<std::string> shape(Zone& zone);
/// What is wrong with flags, chain and signatures, told by rules written down a second time; empty where all is well.
std::vector<std::string> faults(Zone& zone, Mode mode, const Keys& with = keys(), UnixTime at = now);

}  // namespace steward::change::test
