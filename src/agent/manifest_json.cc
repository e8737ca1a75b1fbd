#include "agent/manifest_json.hh"

#include <fmt/format.h>

#include <algorithm>

namespace steward::agent {

namespace {

/// Builds the value while the parser reads; the parser itself keeps the last of equal members and knows no depth.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(std::string_view text) : text_(text) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // JSON has none
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& key) override {
    if (open_.back()->contains(key)) {
      key_ = std::move(key);
      return refuse(pointer(), "stands there twice: which of them counts is not defined (RFC 8259 §4)");
    }
    key_ = std::move(key);
    return true;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    const std::string_view before = text_.substr(0, std::min(position == 0 ? 0 : position - 1, text_.size()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const size_t column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
    // "[…] parse error at line 1, column 2: syntax error while parsing value - invalid literal; last read: '…'"
    std::string_view why = error.what();
    const size_t dash = why.find(" - ");
    why = dash == why.npos ? std::string_view("a number that is too large") : why.substr(dash + 3);
    why = why.substr(0, why.find("; last read"));
    return refuse("", fmt::format("line {}, column {}: not JSON: {} (RFC 8259)", line, column, why));
  }

  Json root;
  ManifestRefusal refusal;

 private:
  bool refuse(std::string pointer, std::string rule) {
    refusal = {"", std::move(pointer), std::move(rule)};
    return false;
  }
  template <class T>
  Json* place(T&& value) {
    if (open_.empty()) {
      root = std::forward<T>(value);
      return &root;
    }
    Json& parent = *open_.back();
    if (parent.is_object()) return &(parent[key_] = std::forward<T>(value));
    parent.push_back(std::forward<T>(value));
    return &parent.back();
  }
  template <class T>
  bool put(T&& value) {
    place(Json(std::forward<T>(value)));
    return true;
  }
  bool open(Json value) {
    if (open_.size() == max_json_depth) {
      return refuse(pointer(), fmt::format("nested deeper than {} levels", max_json_depth));
    }
    Json* placed = place(std::move(value));
    if (!open_.empty()) keys_.push_back(open_.back()->is_object() ? key_ : std::to_string(open_.back()->size() - 1));
    open_.push_back(placed);
    return true;
  }
  bool close() {
    open_.pop_back();
    if (!keys_.empty()) keys_.pop_back();
    return true;
  }
  [[nodiscard]] std::string pointer() const {
    std::string out;
    for (const std::string& key : keys_) out = pointer_to(out, key);
    const Json& parent = *open_.back();
    return pointer_to(out, parent.is_object() ? key_ : std::to_string(parent.size()));
  }

  std::string_view text_;
  std::vector<Json*> open_;        // an element's place in its array is not used after the next is put there
  std::vector<std::string> keys_;  // of open_ without the first
  std::string key_;
};

/// Steps over JSON that is known to be sound.
class Stepper {
 public:
  explicit Stepper(std::string_view text) : text_(text) { skip_space(); }

  [[nodiscard]] char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip(size_t count) {
    at_ = std::min(at_ + count, text_.size());
    skip_space();
  }
  /// The text of one value; stands behind it and the space after it.
  std::string_view value() {
    const size_t start = at_;
    size_t depth = 0;
    do {
      const char first = next();
      if (first == '"') {
        skip_string();
      } else if (first == '[' || first == '{') {
        ++depth;
        ++at_;
      } else if (first == ']' || first == '}') {
        --depth;
        ++at_;
      } else if (depth > 0) {
        ++at_;
      } else {
        at_ = std::min(text_.find_first_of(" \t\r\n,]}", at_), text_.size());
      }
    } while (depth > 0 && at_ < text_.size());
    const std::string_view found = text_.substr(start, at_ - start);
    skip_space();
    return found;
  }

 private:
  void skip_string() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    at_ = std::min(at_ + 1, text_.size());
  }
  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

tl::expected<Json, ManifestRefusal> json_from_text(std::string_view text) {
  // A mark in front of the text would be skipped, and the octets that count would not be the ones that were read.
  if (text.starts_with("\xef\xbb\xbf")) {
    return tl::unexpected(ManifestRefusal{"", "", "starts with a byte order mark (RFC 8259 §8.1)"});
  }
  Builder builder(text);
  if (!Json::sax_parse(text, &builder)) return tl::unexpected(std::move(builder.refusal));
  return std::move(builder.root);
}

std::vector<std::string_view> texts_of_elements(std::string_view text) {
  std::vector<std::string_view> elements;
  Stepper in(text);
  if (in.next() != '[') return elements;
  for (in.skip(1); in.next() != ']' && in.next() != '\0';) {
    elements.push_back(in.value());
    if (in.next() == ',') in.skip(1);
  }
  return elements;
}

std::string_view text_of_member(std::string_view text, std::string_view key) {
  Stepper in(text);
  if (in.next() != '{') return {};
  for (in.skip(1); in.next() != '}' && in.next() != '\0';) {
    const auto found = Json::parse(in.value(), nullptr, false);  // a key may hold escapes
    in.skip(1);                                                  // the colon
    const std::string_view value = in.value();
    if (found.is_string() && found.get_ref<const std::string&>() == key) return value;
    if (in.next() == ',') in.skip(1);
  }
  return {};
}

std::string pointer_to(std::string_view pointer, std::string_view key) {
  std::string out(pointer);
  out += '/';
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace steward::agent
