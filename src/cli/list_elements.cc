#include "cli/list_elements.hh"

#include <fmt/format.h>

namespace steward::cli {
namespace {

constexpr size_t block_size = size_t{256} << 10;
constexpr int end_of_file = -1;

bool is_space(int octet) { return octet == ' ' || octet == '\t' || octet == '\r' || octet == '\n'; }

}  // namespace

Result<ListElements> ListElements::open(const std::string& path, size_t most) {
  auto file = FileReader::open(path);
  if (!file) return tl::unexpected(file.error());
  ListElements list(std::move(*file), path, most);
  if (auto found = list.find_list(); !found) return tl::unexpected(found.error());
  return list;
}

tl::unexpected<Error> ListElements::wrong(std::string_view what) const {
  return fail(Errc::Invalid, fmt::format("octet {}: {}", at(), what));
}

Result<int> ListElements::peek(bool skip) {
  while (true) {
    while (at_ < block_.size()) {
      if (!skip || !is_space(block_[at_])) return block_[at_];
      ++at_;
    }
    block_start_ += block_.size();
    block_.resize(block_size);
    const auto got = file_.read(block_);
    if (!got) return tl::unexpected(got.error());
    block_.resize(*got);
    at_ = 0;
    if (*got == 0) return end_of_file;
  }
}

void ListElements::keep(std::string* into, char octet, uint64_t& octets) const {
  ++octets;
  if (into != nullptr && octets <= most_) into->push_back(octet);
}

Result<void> ListElements::string(std::string* into, uint64_t& octets) {
  bool escaped = false;
  for (bool first = true;; first = false) {
    const auto next = peek(false);
    if (!next) return tl::unexpected(next.error());
    if (*next == end_of_file) return wrong("a string without an end");
    keep(into, static_cast<char>(*next), octets);
    take();
    if (!first && !escaped && *next == '"') return {};
    escaped = !escaped && *next == '\\';
  }
}

Result<void> ListElements::value(std::string* into, uint64_t& octets) {
  size_t depth = 0;
  octets = 0;
  while (true) {
    const auto next = peek(false);
    if (!next) return tl::unexpected(next.error());
    const int octet = *next;
    const bool ends_scalar = is_space(octet) || octet == ',' || octet == ']' || octet == '}' || octet == end_of_file;
    if (depth == 0 && ends_scalar) return octets == 0 ? Result<void>(wrong("a value wanted")) : Result<void>();
    if (octet == end_of_file) return wrong("the file ends within a value");
    if (octet == '"') {
      if (auto read = string(into, octets); !read) return read;
    } else {
      keep(into, static_cast<char>(octet), octets);
      take();
    }
    if (octet == '[' || octet == '{') ++depth;
    if (octet == ']' || octet == '}') --depth;
    if (depth == 0 && (octet == ']' || octet == '}' || octet == '"')) return {};
  }
}

Result<void> ListElements::find_list() {
  const auto first = peek(true);
  if (!first) return tl::unexpected(first.error());
  if (*first != '[' && *first != '{') return wrong("an object or a list wanted");
  take();
  if (*first == '[') return {};
  while (true) {
    std::string key;
    uint64_t octets = 0;
    for (const char wanted : {'"', ':'}) {
      const auto next = peek(true);
      if (!next) return tl::unexpected(next.error());
      if (wanted == '"' && *next == '}')
        return fail(Errc::Invalid, fmt::format("no list, and over {} octets: more than a manifest may have", most_));
      if (*next != wanted) return wrong(fmt::format("{} wanted", wanted));
      if (wanted == ':') {
        take();
      } else if (auto read = string(&key, octets); !read) {
        return read;
      }
    }
    auto next = peek(true);
    if (!next) return tl::unexpected(next.error());
    if (key == "\"servers\"" && *next == '[') {
      pointer_ = "/servers";
      take();
      return {};
    }
    if (auto skipped = value(nullptr, octets); !skipped) return skipped;
    next = peek(true);
    if (!next) return tl::unexpected(next.error());
    if (*next == ',') take();
  }
}

Result<std::optional<ListElements::Element>> ListElements::next() {
  auto next = peek(true);
  if (!next) return tl::unexpected(next.error());
  if (*next == ']') return std::nullopt;
  if (count_ > 0) {
    if (*next != ',') return wrong(*next == end_of_file ? "the list has no end" : ", or ] wanted");
    take();
    if (next = peek(true); !next) return tl::unexpected(next.error());
  }
  Element element;
  element.number = count_++;
  if (auto read = value(&element.text, element.octets); !read) return tl::unexpected(read.error());
  if (element.octets > most_) element.text.clear();
  return element;
}

}  // namespace steward::cli
