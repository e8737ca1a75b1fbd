#pragma once
// The one table of all keys of registry.yaml: path, type, default, range, what a change needs, since when, and one line
// of meaning. The loader, the list of keys, the man page check and the difference of two configurations all read it.

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "config/config.hh"

namespace steward::config {

/// What a scalar is.
enum class Type : uint8_t {
  None,
  Flag,
  Integer,
  Duration,
  Size,
  Fraction,  ///< a decimal of up to six digits behind the point
  Text,
  File,
  Name,
  Address,
  Block,
  Choice,
  Base64,
  Octets,
  RecordType,  ///< a mnemonic or TYPE123
  Pattern      ///< config/name_pattern.hh
};

/// How many: one scalar; a list of them (a single one will do); a map of keys; a list of maps.
enum class Shape : uint8_t { One, List, Map, Maps };

/// What a change of the key needs.
enum class Effect : uint8_t { Reload, Restart };

/// Whether this version does what the key says. `Warned`: the key is checked and its absence is safe, so the server
/// starts and says so. `Refused`: a server that starts without it would not be what the operator asked for.
enum class Available : uint8_t { Yes, Warned, Refused };

/// A scalar of the file, checked. Which member holds depends on the row's type.
struct Value {
  std::string text;    ///< canonical spelling; also Type::Text
  bool flag = false;   ///< Flag
  int64_t number = 0;  ///< Integer; Duration in seconds; Size in octets; Fraction in millionths; Choice: the index; RecordType
  dns::Name name;      ///< folded
  SocketAddress address;
  bool port_given = false;  ///< Address
  AddressBlock block;
  Path path;
  Bytes octets;  ///< Base64, Octets
  NamePattern pattern;
  Mark at;
};

/// What rows write to: the configuration, and the list elements that are being read.
struct Target {
  Config& config;
  ZoneConfig* zone = nullptr;
  TsigKey* key = nullptr;
  AccessRule* rule = nullptr;
  UpdateRule* update_rule = nullptr;  ///< the same, of allow-update
  Peer* peer = nullptr;
  CatalogGroup* group = nullptr;
  PublisherConfig* publisher = nullptr;
  ChildConfig* child = nullptr;
};

struct Row {
  std::string_view path;  ///< "zones[].dnssec.algorithm"; `[]` is any element of a list
  Shape shape = Shape::One;
  Type type = Type::None;     ///< None for a Map or Maps without a short form
  std::string_view fallback;  ///< the default as one would write it; in parentheses: words, nothing is set; empty: none
  int64_t least = 0;          ///< Integer, Duration, Size, Fraction: the value; Text, Base64, Octets: octets
  int64_t most = std::numeric_limits<int64_t>::max();
  std::string_view choices;  ///< "text|json"
  std::string_view doc;
  void (*set)(Target&, const Value&) = nullptr;  ///< for Maps: adds an element
  std::string_view keys_of;                      ///< Maps: the elements take the keys of this list's, "zones"
  std::string_view short_for;                    ///< a scalar here stands for this key of the map
  Effect effect = Effect::Reload;
  Available available = Available::Yes;
  bool required = false;  ///< in its map
  bool secret = false;    ///< never printed
  uint16_t port = 53;     ///< Address: where none is given
  std::string_view since = "0.1.0";
};

[[nodiscard]] std::span<const Row> schema();
[[nodiscard]] const Row* find_row(std::string_view path);
/// The keys directly below a map's path ("" for the file itself, "zones[]" for an element), in table order.
[[nodiscard]] std::vector<const Row*> rows_below(std::string_view path);
/// The last part of the path: "algorithm".
[[nodiscard]] std::string_view leaf(const Row& row);
/// "a duration from 1h to 1y", for errors and the list of keys.
[[nodiscard]] std::string expected(const Row& row);
/// All keys as a table for people: `steward-registry check --list-keys`.
[[nodiscard]] std::string key_listing();

}  // namespace steward::config
