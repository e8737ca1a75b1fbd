#pragma once
// RdataReader: RDATA from the words of a master file entry, field by field. Inside of the room; made for one entry, one
// thread.
//
// Every read_… takes tokens, appends wire form, and returns false where a rule is broken: the error then names the
// token. Nothing is allocated but in `out`.

#include <optional>
#include <span>

#include "base/bytes.hh"
#include "dns/encoding.hh"
#include "dns/name.hh"
#include "dns/rdata.hh"
#include "dns/rdata_layout.hh"
#include "dns/token.hh"

namespace steward::dns {

class RdataReader {
 public:
  RdataReader(std::span<const Token> tokens, NameView origin, Bytes& out)
      : tokens_(tokens), origin_(origin), out_(out) {}

  [[nodiscard]] bool more() const { return next_ < tokens_.size(); }
  /// The next token without taking it; more() holds.
  [[nodiscard]] const Token& peek() const { return tokens_[next_]; }
  void skip() { ++next_; }
  /// Takes the next token; null, and the error that the field is missing, where there is none.
  const Token* take() {
    if (next_ < tokens_.size()) return &tokens_[next_++];
    missing();
    return nullptr;
  }
  [[nodiscard]] Bytes& out() { return out_; }

  /// The field's label in errors.
  void begin(const char* label) { label_ = label; }
  bool read_field(FieldKind kind, RrType type);

  std::optional<uint32_t> read_number(uint32_t most);
  bool read_name();
  bool read_string();  ///< a character-string with its length octet
  bool read_ipv4();
  bool read_ipv6();
  bool read_encoded_rest(const Alphabet& alphabet, bool may_be_empty);  ///< all tokens that are left
  bool read_encoded_word(const Alphabet& alphabet);                     ///< one token
  /// The octets of `token` with its escapes undone, at most `most` of them, appended.
  bool append_octets(const Token& token, size_t most, const char* rule);

  /// False. The error is about the token taken last.
  bool fail(std::string_view rule);
  [[nodiscard]] const RdataError& error() const { return error_; }
  [[nodiscard]] RdataError& error() { return error_; }

 private:
  void missing();
  bool read_integer(FieldKind kind);
  bool read_special(FieldKind kind, RrType type);
  bool read_strings();
  bool read_period();
  bool read_time();
  bool read_type();
  bool read_salt();
  bool read_hash();
  bool read_tag();
  bool read_bitmap(bool may_be_empty);
  bool read_nxt_bitmap();
  bool read_locator64();
  bool read_eui(size_t size);
  bool read_gateway(unsigned type);
  bool read_relay_type();
  bool append_name(const Token& token);

  std::span<const Token> tokens_;
  NameView origin_;
  Bytes& out_;
  size_t next_ = 0;
  size_t start_ = out_.size();  // of the RDATA in out_
  const char* label_ = "";
  RdataError error_;
};

/// SvcParams from all tokens that are left (rdata: svc_params_text.cc).
bool read_svc_params(RdataReader& reader);

}  // namespace steward::dns
