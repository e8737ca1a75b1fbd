#pragma once
// One entry of a zone file that is a record: owner, TTL, class, type, RDATA, with the defaults of each, put into a
// FileImage.
//
// The last owner and the origin belong to a file and come with a Scope; the default TTL goes through all files of a
// zone, as in BIND. Used by one thread.

#include <array>
#include <optional>
#include <string>

#include "zone/file_image.hh"
#include "zone/scanner.hh"

namespace steward::zone {

/// What a file's entries depend on beside themselves.
struct Scope {
  std::string file;
  dns::Name origin;
  bool has_owner = false;      ///< some record of this file named an owner
  bool owner_in_zone = false;  ///< and that is `owner`
  NodeIndex owner = 0;
  std::string owner_text;  ///< how the last record spelled it; empty where it can't be compared
  /// In text made by $GENERATE: the directive's line, which stands in all messages; 0 elsewhere.
  uint32_t generated_at = 0;
};

class RecordReader {
 public:
  RecordReader(FileImage& image, FileReport& report) : image_(image), report_(report) {}

  /// Reads the record that `entry` spells, or reports why it can't be read.
  void read(Scope& scope, const ScannedEntry& entry);
  /// $TTL (RFC 2308 §4).
  void set_default_ttl(uint32_t ttl) { default_ttl_ = ttl; }

  void error(const Scope& scope, const dns::Token& token, std::string what);
  [[nodiscard]] static FileMessage message(const Scope& scope, const dns::Token& token, std::string what = {});

 private:
  struct Fields {
    std::optional<uint32_t> ttl;
    bool has_class = false;
    RrType type{};
    size_t rdata = 0;  // index of its first token
  };
  bool read_owner(Scope& scope, const dns::Token& token);
  bool read_fields(const Scope& scope, std::span<const dns::Token> tokens, size_t at, Fields& fields);
  bool read_ttl(const Scope& scope, const dns::Token& token, Fields& fields);
  std::optional<RrType> type_of(const Scope& scope, const dns::Token& token);
  bool read_rdata(const Scope& scope, std::span<const dns::Token> tokens, const Fields& fields);
  std::optional<uint32_t> ttl_of(const Scope& scope, const dns::Token& type_token, const Fields& fields);

  FileImage& image_;
  FileReport& report_;
  std::optional<uint32_t> default_ttl_;
  std::optional<uint32_t> last_ttl_;
  bool warned_of_last_ttl_ = false;
  Bytes rdata_;
};

}  // namespace steward::zone
