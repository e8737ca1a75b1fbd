#include "zone_text.hh"

#include <algorithm>
#include <stdexcept>

#include "dns/rdata.hh"

namespace steward::test {
namespace {

struct Line {
  std::vector<dns::Token> tokens;
  bool same_owner = false;  // begins with blank space
};

class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  // The next entry, parentheses and comments gone; false after the last.
  bool next(Line& line) {
    line.tokens.clear();
    int depth = 0;
    bool start = true;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        ++at_;
        ++number_;
        if (depth == 0 && !line.tokens.empty()) return true;
        if (depth == 0) start = true;
        continue;
      }
      if (c == ';') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
        continue;
      }
      if (line.tokens.empty() && start) line.same_owner = c == ' ' || c == '\t';
      start = false;
      if (c == ' ' || c == '\t') {
        ++at_;
      } else if (c == '(' || c == ')') {
        depth += c == '(' ? 1 : -1;
        ++at_;
      } else {
        line.tokens.push_back(token());
      }
    }
    return !line.tokens.empty();
  }
  [[nodiscard]] uint32_t number() const { return number_; }

 private:
  dns::Token token() {
    dns::Token token;
    token.line = number_;
    token.quoted = text_[at_] == '"';
    if (token.quoted) ++at_;
    const size_t start = at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\') {
        token.escaped = true;
        at_ += 2;
        continue;
      }
      if (token.quoted ? c == '"' : std::string_view(" \t\n();\"").find(c) != std::string_view::npos) break;
      ++at_;
    }
    token.text = text_.substr(start, at_ - start);
    if (token.quoted) ++at_;
    return token;
  }

  std::string_view text_;
  size_t at_ = 0;
  uint32_t number_ = 1;
};

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

[[noreturn]] void wrong(uint32_t line, const std::string& what) {
  throw std::runtime_error("zone text, line " + std::to_string(line) + ": " + what);
}

}  // namespace

std::vector<Record> parse_zone_text(std::string_view text, dns::NameView apex) {
  std::vector<Record> records;
  dns::Name origin = apex;
  dns::Name owner = apex;
  uint32_t default_ttl = 3600;
  Line line;
  for (Lines lines(text); lines.next(line);) {
    const auto name = [&](std::string_view word) {
      auto parsed = dns::Name::from_text(word, origin);
      if (!parsed) wrong(lines.number(), parsed.error().what);
      return *parsed;
    };
    std::span<const dns::Token> tokens = line.tokens;
    if (tokens[0].text == "$ORIGIN") {
      origin = name(tokens[1].text);
      continue;
    }
    if (tokens[0].text == "$TTL") {
      default_ttl = static_cast<uint32_t>(std::stoul(std::string(tokens[1].text)));
      continue;
    }
    if (!line.same_owner) {
      owner = name(tokens[0].text);
      tokens = tokens.subspan(1);
    }
    Record record{owner, {}, default_ttl, {}};
    while (!tokens.empty() && (is_number(tokens[0].text) || tokens[0].text == "IN")) {
      if (tokens[0].text != "IN") record.ttl = static_cast<uint32_t>(std::stoul(std::string(tokens[0].text)));
      tokens = tokens.subspan(1);
    }
    const auto type = tokens.empty() ? std::nullopt : dns::rr_type_from_text(tokens[0].text);
    if (!type) wrong(lines.number(), "no type");
    record.type = *type;
    if (auto done = dns::rdata_from_tokens(*type, tokens.subspan(1), origin, record.rdata); !done)
      wrong(lines.number(), to_text(*type) + ": " + done.error().what);
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace steward::test
