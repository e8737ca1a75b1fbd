#include "zone/record_reader.hh"

#include <fmt/format.h>

#include "dns/rdata.hh"
#include "dns/ttl.hh"
#include "zone/owner_text.hh"

namespace steward::zone {

using dns::Token;

FileMessage RecordReader::message(const Scope& scope, const Token& token, std::string what) {
  FileMessage message;
  message.file = scope.file;
  message.line = scope.generated_at != 0 ? scope.generated_at : token.line;
  message.column = scope.generated_at != 0 ? 1 : token.column;
  message.text = token.text;
  message.what = std::move(what);
  return message;
}

void RecordReader::error(const Scope& scope, const Token& token, std::string what) {
  report_.error(message(scope, token, std::move(what)));
}

void RecordReader::read(Scope& scope, const ScannedEntry& entry) {
  size_t at = 0;
  if (entry.blank_owner) {
    if (!scope.has_owner)
      return error(scope, entry.tokens[0], "record without an owner, and no record before it has one (RFC 1035 §5.1)");
  } else {
    // Whatever stands in the first column is the owner, even where it looks like a class, a TTL or a type.
    if (!read_owner(scope, entry.tokens[0])) return;
    at = 1;
  }
  Fields fields;
  if (!read_fields(scope, entry.tokens, at, fields)) return;
  if (!scope.owner_in_zone) return;  // said when the owner was named
  if (!read_rdata(scope, entry.tokens, fields)) return;
  const auto ttl = ttl_of(scope, entry.tokens[fields.rdata - 1], fields);
  if (!ttl) return;
  const uint32_t line = scope.generated_at != 0 ? scope.generated_at : entry.tokens[0].line;
  if (!image_.add(scope.owner, fields.type, *ttl, line, rdata_))
    error(scope, entry.tokens[0],
          "out of memory: the zone's records take more than the system or the limit of octets allows");
}

bool RecordReader::read_owner(Scope& scope, const Token& token) {
  if (!scope.owner_text.empty() && token.text == scope.owner_text) return true;
  scope.has_owner = true;
  scope.owner_in_zone = false;
  scope.owner_text.clear();
  std::array<uint8_t, dns::max_name_size> wire;
  const auto owner = owner_from_text(token, scope.origin, wire);
  if (!owner) {
    error(scope, token, "owner: " + owner.error().what);
    return false;
  }
  if (!owner->is_at_or_below(image_.apex())) {
    report_.broken(ZoneRule::OutOfZone, message(scope, token), "zone " + image_.apex().to_text());
    return true;
  }
  const auto node = image_.owners().find_or_add(*owner);
  if (!node) {
    error(scope, token, "out of memory: the zone's names take more than the system or the limit of octets allows");
    return false;
  }
  scope.owner = *node;
  scope.owner_in_zone = true;
  scope.owner_text = token.text;
  return true;
}

// [TTL] [class] type or [class] [TTL] type (RFC 1035 §5.1).
bool RecordReader::read_fields(const Scope& scope, std::span<const Token> tokens, size_t at, Fields& fields) {
  for (; at < tokens.size(); ++at) {
    const Token& token = tokens[at];
    if (token.quoted) {
      error(scope, token, "quoted string where a type, class or TTL must stand (RFC 1035 §5.1)");
      return false;
    }
    if (dns::looks_like_ttl(token.text)) {
      if (!read_ttl(scope, token, fields)) return false;
      continue;
    }
    if (token.text.size() > 5 || token.text.size() == 2) {
      if (const auto klass = dns::rr_class_from_text(token.text)) {
        if (fields.has_class) return error(scope, token, "second class in a record (RFC 1035 §5.1)"), false;
        if (*klass != dns::RrClass::IN) return error(scope, token, "class is not IN: this server has no other"), false;
        fields.has_class = true;
        continue;
      }
    }
    const auto type = type_of(scope, token);
    if (!type) return false;
    fields.type = *type;
    fields.rdata = at + 1;
    return true;
  }
  error(scope, tokens.back(), "record ends before its type (RFC 1035 §5.1)");
  return false;
}

bool RecordReader::read_ttl(const Scope& scope, const Token& token, Fields& fields) {
  if (fields.ttl) {
    error(scope, token, "second TTL in a record, or a type that begins with a digit (RFC 1035 §5.1)");
    return false;
  }
  const auto ttl = dns::ttl_from_text(token.text);
  if (!ttl) {
    error(scope, token, ttl.error().what);
    return false;
  }
  fields.ttl = *ttl;
  return true;
}

std::optional<RrType> RecordReader::type_of(const Scope& scope, const Token& token) {
  const auto type = dns::rr_type_from_text(token.text);
  if (!type) {
    error(scope, token,
          token.text.starts_with('$') ? "directive must begin in the first column (RFC 1035 §5.1)"
                                      : "unknown type; TYPEnnn names one by its number (RFC 3597 §5)");
    return std::nullopt;
  }
  if (dns::is_meta_type(*type) || dns::value(*type) == 0) {
    error(scope, token, "type is for queries and messages, not for zones (RFC 6895 §3.1)");
    return std::nullopt;
  }
  return type;
}

bool RecordReader::read_rdata(const Scope& scope, std::span<const Token> tokens, const Fields& fields) {
  const auto words = tokens.subspan(fields.rdata);
  rdata_.clear();
  const auto parsed = dns::rdata_from_tokens(fields.type, words, scope.origin, rdata_);
  if (parsed) return true;
  const std::string what = fmt::format("{}: {}", dns::to_text(fields.type), parsed.error().what);
  if (parsed.error().token < words.size()) {
    error(scope, words[parsed.error().token], what);
  } else {
    // More was wanted: the place is behind the last word.
    Token end = words.empty() ? tokens[fields.rdata - 1] : words.back();
    end.column += static_cast<uint32_t>(end.text.size() + (end.quoted ? 2 : 0));
    error(scope, end, what);
  }
  return false;
}

// RFC 2308 §4: the record's own, else $TTL's; without $TTL the last one named (RFC 1035 §5.1), and for an SOA without
// any its MINIMUM.
std::optional<uint32_t> RecordReader::ttl_of(const Scope& scope, const Token& type_token, const Fields& fields) {
  if (fields.ttl) {
    last_ttl_ = fields.ttl;
    return fields.ttl;
  }
  if (default_ttl_) return default_ttl_;
  if (last_ttl_) {
    if (!warned_of_last_ttl_)
      report_.warning(
          {message(scope, type_token,
                   fmt::format("record without a TTL, and no $TTL: the last one named, {} s, is taken here and below "
                               "(RFC 1035 §5.1)",
                               *last_ttl_))});
    warned_of_last_ttl_ = true;
    return last_ttl_;
  }
  if (fields.type == RrType::SOA) {
    const uint32_t minimum = std::min(load_u32(rdata_.data() + rdata_.size() - 4), dns::max_ttl);
    report_.warning(
        {message(scope, type_token,
                 fmt::format("SOA without a TTL, and no $TTL: its MINIMUM, {} s, is taken as the default", minimum))});
    default_ttl_ = minimum;
    return minimum;
  }
  error(scope, type_token, "record without a TTL, and neither $TTL nor a record before it gives one (RFC 2308 §4)");
  return std::nullopt;
}

}  // namespace steward::zone
