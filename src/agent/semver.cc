#include "agent/semver.hh"

#include <algorithm>

#include "agent/shown_text.hh"

namespace steward::agent {

namespace {

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_identifier(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

bool has_leading_zero(std::string_view number) { return number.size() > 1 && number[0] == '0'; }

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t dot = text.find('.');
    parts.emplace_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    text.remove_prefix(dot + 1);
  }
}

/// Numbers without leading zeros, of any size.
std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

/// §11.4: numbers numerically and below words, words in ASCII order.
std::strong_ordering compare_identifiers(std::string_view a, std::string_view b) {
  const bool a_number = is_number(a);
  const bool b_number = is_number(b);
  if (a_number && b_number) return compare_numbers(a, b);
  if (a_number != b_number) return a_number ? std::strong_ordering::less : std::strong_ordering::greater;
  return a.compare(b) <=> 0;
}

}  // namespace

Result<SemanticVersion> SemanticVersion::from_text(std::string_view text) {
  const auto wrong = [text](const char* rule) {
    return fail(Errc::Invalid, "version " + in_quotes(text) + ": " + rule);
  };
  if (text.size() > 255) return wrong("over 255 octets");
  SemanticVersion version;
  const size_t plus = text.find('+');
  if (plus != std::string_view::npos && !std::ranges::all_of(split(text.substr(plus + 1)), is_identifier)) {
    return wrong("build metadata is identifiers of letters, digits and hyphens (semver.org §10)");
  }
  const std::string_view rest = text.substr(0, plus);
  const size_t hyphen = rest.find('-');
  version.core_ = split(rest.substr(0, hyphen));
  const auto is_core = [](std::string_view part) { return is_number(part) && !has_leading_zero(part); };
  if (version.core_.size() != 3 || !std::ranges::all_of(version.core_, is_core)) {
    return wrong("three numbers without leading zeros wanted (semver.org §2)");
  }
  if (hyphen != std::string_view::npos) {
    version.prerelease_ = split(rest.substr(hyphen + 1));
    const auto is_sound = [](std::string_view part) {
      return is_identifier(part) && !(is_number(part) && has_leading_zero(part));
    };
    if (!std::ranges::all_of(version.prerelease_, is_sound)) {
      return wrong("a pre-release is identifiers, numbers among them without leading zeros (semver.org §9)");
    }
  }
  return version;
}

std::strong_ordering operator<=>(const SemanticVersion& a, const SemanticVersion& b) {
  for (size_t i = 0; i < 3; ++i) {
    if (const auto order = compare_numbers(a.core_[i], b.core_[i]); order != 0) return order;
  }
  // §11.3: a version with a pre-release comes before the same without.
  if (a.prerelease_.empty() != b.prerelease_.empty()) {
    return a.prerelease_.empty() ? std::strong_ordering::greater : std::strong_ordering::less;
  }
  const size_t common = std::min(a.prerelease_.size(), b.prerelease_.size());
  for (size_t i = 0; i < common; ++i) {
    if (const auto order = compare_identifiers(a.prerelease_[i], b.prerelease_[i]); order != 0) return order;
  }
  return a.prerelease_.size() <=> b.prerelease_.size();
}

}  // namespace steward::agent
