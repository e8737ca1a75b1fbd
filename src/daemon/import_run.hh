#pragma once
// What one import has brought so far: which name came from where, so that the first manifest of a name wins. As long as
// the operator's connection; a few dozen octets a name, however long the names are. The import thread's.

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/bytes.hh"
#include "dns/name.hh"

namespace steward::daemon {

/// A manifest's place in what the operator gives.
struct ImportPlace {
  uint32_t source = 0;              ///< the client's number of the file
  std::optional<uint32_t> element;  ///< from 0, in a list
};

class ImportRun {
 public:
  struct Entry {
    ImportPlace place;
    std::array<uint8_t, 8> digest{};  ///< of the manifest

    [[nodiscard]] bool has_digest(ByteView sha256) const;
  };

  /// Who came first with this name; nothing where it is this one, which is remembered then. `sha256`: of its manifest.
  std::optional<Entry> first_of(dns::NameView agent, ByteView sha256, const ImportPlace& place);

 private:
  // A part of the name's SHA-256, since two names of one import must not be taken for one.
  struct Key {
    std::array<uint8_t, 16> octets;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const;
  };
  std::unordered_map<Key, Entry, KeyHash> names_;
};

}  // namespace steward::daemon
