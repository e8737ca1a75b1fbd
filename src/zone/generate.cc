#include "zone/generate.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "dns/rr_type.hh"
#include "dns/ttl.hh"

namespace steward::zone {
namespace {

constexpr uint64_t largest_number = 0x7fffffff;
constexpr uint32_t widest = 253;

using Outcome = tl::expected<void, std::string>;

template <class N>
bool parse_number(std::string_view text, N& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// The hexadecimal digits from the last on, with dots between, as ip6.arpa has them; `width` counts the dots too.
std::string nibbles(uint64_t number, uint32_t width, bool upper) {
  const std::string_view digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out;
  do {
    out += digits[number & 15];
    number >>= 4;
    if (number != 0 || out.size() < width) out += '.';
  } while (number != 0 || out.size() < width);
  return out;
}

std::string number_text(uint64_t number, uint32_t width, char base) {
  switch (base) {
    case 'o': return fmt::format("{:0{}o}", number, width);
    case 'x': return fmt::format("{:0{}x}", number, width);
    case 'X': return fmt::format("{:0{}X}", number, width);
    case 'n': return nibbles(number, width, false);
    case 'N': return nibbles(number, width, true);
    default: return fmt::format("{:0{}d}", number, width);
  }
}

}  // namespace

tl::expected<GenerateSource, GenerateProblem> GenerateSource::make(std::span<const dns::Token> words, uint64_t most) {
  const auto problem = [](size_t word, std::string what) {
    return tl::unexpected(GenerateProblem{word, std::move(what)});
  };
  if (words.size() < 5) return problem(words.size() - 1, "$GENERATE takes a range, an owner, a type and RDATA");
  GenerateSource source;
  if (auto range = source.add_range(words[1].text, most); !range) return problem(1, range.error());
  if (words[2].quoted) return problem(2, "owner in quotes: a name is written without (RFC 1035 §5.1)");
  // One quoted word as the last is RDATA of several words, as BIND takes it; several words keep their quotes.
  size_t type = 3;
  while (type + 2 < words.size() &&
         (dns::looks_like_ttl(words[type].text) || dns::rr_class_from_text(words[type].text) == dns::RrClass::IN))
    ++type;
  const bool unquote = type + 2 == words.size();
  for (size_t i = 2; i < words.size(); ++i) {
    const bool quotes = words[i].quoted && !unquote;
    if (i > 2) source.add_text(" ");
    if (quotes) source.add_text("\"");
    if (auto added = source.add_template(words[i].text); !added) return problem(i, added.error());
    if (quotes) source.add_text("\"");
  }
  source.add_text("\n");
  return source;
}

Outcome GenerateSource::add_range(std::string_view word, uint64_t most) {
  const size_t dash = word.find('-');
  const size_t slash = std::min(word.find('/'), word.size());
  const auto wrong = [](std::string what) { return tl::unexpected(std::move(what)); };
  if (dash >= slash || !parse_number(word.substr(0, dash), next_) ||
      !parse_number(word.substr(dash + 1, slash - dash - 1), stop_) ||
      (slash < word.size() && !parse_number(word.substr(slash + 1), step_)))
    return wrong("range is not start-stop or start-stop/step");
  if (next_ > stop_ || stop_ > largest_number || step_ == 0 || step_ > largest_number)
    return tl::unexpected(fmt::format("range goes from 0 to {} at most, upwards, with a step from 1", largest_number));
  if (const uint64_t count = (stop_ - next_) / step_ + 1; count > most)
    return tl::unexpected(fmt::format("range makes {} records, more than the limit of {}", count, most));
  return {};
}

void GenerateSource::add_text(std::string_view text) {
  if (parts_.empty() || parts_.back().kind != Part::Kind::Text) parts_.push_back({});
  parts_.back().text += text;
}

Outcome GenerateSource::add_template(std::string_view word) {
  for (size_t i = 0; i < word.size();) {
    if (word[i] == '\\') {
      add_text(word.substr(i, 2));
      i += 2;
    } else if (word[i] != '$') {
      add_text(word.substr(i++, 1));
    } else if (word.substr(i).starts_with("$$")) {
      add_text("\\$");  // so that a line that begins with it is no directive
      i += 2;
    } else {
      Part part{Part::Kind::Number, {}, 0, 0, 'd'};
      ++i;
      if (i < word.size() && word[i] == '{') {
        const auto size = read_braces(word, i, part);
        if (!size) return tl::unexpected(size.error());
        i += *size;
      }
      if (auto checked = check_part(part); !checked) return checked;
      parts_.push_back(std::move(part));
    }
  }
  return {};
}

// `{offset[,width[,base]]}` at `at`; how many octets it has.
tl::expected<size_t, std::string> GenerateSource::read_braces(std::string_view word, size_t at, Part& part) {
  const auto wrong = [] {
    return tl::unexpected(std::string("not ${offset}, ${offset,width} or ${offset,width,base}"));
  };
  const size_t close = word.find('}', at);
  if (close == std::string_view::npos) return wrong();
  const std::string_view inside = word.substr(at + 1, close - at - 1);
  const size_t first = std::min(inside.find(','), inside.size());
  std::string_view offset = inside.substr(0, first);
  if (offset.starts_with('+')) offset.remove_prefix(1);
  if (!parse_number(offset, part.offset)) return wrong();
  if (first < inside.size()) {
    const size_t second = std::min(inside.find(',', first + 1), inside.size());
    if (!parse_number(inside.substr(first + 1, second - first - 1), part.width)) return wrong();
    if (second < inside.size()) {
      const std::string_view base = inside.substr(second + 1);
      if (base.size() != 1 || std::string_view("doxXnN").find(base[0]) == std::string_view::npos)
        return tl::unexpected(std::string("base is none of d, o, x, X, n, N"));
      part.base = base[0];
    }
  }
  return close - at + 1;
}

Outcome GenerateSource::check_part(const Part& part) const {
  if (part.width > widest) return tl::unexpected(fmt::format("width is over {}", widest));
  const auto limit = static_cast<int64_t>(largest_number);
  if (part.offset < -limit || part.offset > limit || static_cast<int64_t>(next_) + part.offset < 0 ||
      static_cast<int64_t>(stop_) + part.offset > limit)
    return tl::unexpected(fmt::format("offset makes a number that is negative or over {}", limit));
  return {};
}

void GenerateSource::make_line() {
  line_.clear();
  line_at_ = 0;
  for (const Part& part : parts_) {
    if (part.kind == Part::Kind::Text)
      line_ += part.text;
    else
      line_ += number_text(static_cast<uint64_t>(static_cast<int64_t>(next_) + part.offset), part.width, part.base);
  }
  next_ += step_;
}

Result<size_t> GenerateSource::read(MutableByteView into) {
  size_t size = 0;
  while (size < into.size()) {
    if (line_at_ == line_.size()) {
      if (next_ > stop_) break;
      make_line();
    }
    const size_t part = std::min(into.size() - size, line_.size() - line_at_);
    std::memcpy(into.data() + size, line_.data() + line_at_, part);
    size += part;
    line_at_ += part;
  }
  return size;
}

}  // namespace steward::zone
