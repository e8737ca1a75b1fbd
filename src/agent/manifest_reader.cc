#include "agent/manifest_reader.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "agent/endpoint_url.hh"
#include "agent/semver.hh"
#include "agent/shown_text.hh"

namespace steward::agent {

namespace {

constexpr size_t max_description = 1000;
/// Each is a term to be found under, and a row of DNS-SD.
constexpr size_t max_capabilities = 64;
constexpr size_t max_capability = 62;
/// Of a hostile manifest there is no end of them.
constexpr size_t max_notes = 100;

bool is_capability(std::string_view text) {
  return !text.empty() && text.size() <= max_capability && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

bool is_core_without_patch(std::string_view text) {
  return !text.empty() && std::count(text.begin(), text.end(), '.') <= 1 &&
         text.find_first_not_of("0123456789.") == text.npos;
}

}  // namespace

std::string_view Member::text() const {
  return is_text() ? std::string_view(value_->get_ref<const std::string&>()) : std::string_view();
}

std::optional<double> Member::number() const {
  if (value_ == nullptr || !value_->is_number()) return std::nullopt;
  return value_->get<double>();
}

Member Member::operator[](std::string_view key) const {
  const Json* found = nullptr;
  if (is_object()) {
    const auto at = value_->find(key);
    if (at != value_->end()) found = &*at;
  }
  return {found, pointer_to(pointer_, key)};
}

std::vector<Member> Member::elements() const {
  std::vector<Member> out;
  if (!is_array()) return out;
  for (const Json& element : *value_) out.emplace_back(&element, pointer_to(pointer_, std::to_string(out.size())));
  return out;
}

tl::expected<Manifest, ManifestRefusal> ManifestReader::finish() {
  if (refusal_) return tl::unexpected(std::move(*refusal_));
  return std::move(manifest_);
}

void ManifestReader::refuse(const Member& member, std::string rule) {
  if (!refusal_) refusal_ = ManifestRefusal{manifest_.name, member.pointer(), std::move(rule)};
}

void ManifestReader::note(const Member& member, std::string_view what) {
  auto& notes = manifest_.notes;
  if (notes.size() < max_notes) {
    notes.push_back(fmt::format("{}: {}", member.pointer(), what));
  } else if (notes.size() == max_notes) {
    notes.emplace_back("more was left out");
  }
}

std::string_view ManifestReader::required_text(const Member& member) {
  if (!member.exists()) refuse(member, "is missing");
  if (!member.is_text()) refuse(member, "a text wanted");
  if (member.text().empty()) refuse(member, "must not be empty");
  return member.text();
}

std::string_view ManifestReader::optional_text(const Member& member) {
  if (member.exists() && !member.is_text()) refuse(member, "a text wanted");
  return member.text();
}

void ManifestReader::required_object(const Member& member) {
  if (!member.exists()) refuse(member, "is missing");
  if (!member.is_object()) refuse(member, "an object wanted");
}

void ManifestReader::required_array(const Member& member) {
  if (!member.exists()) refuse(member, "is missing");
  if (!member.is_array()) refuse(member, "a list wanted");
}

void ManifestReader::one_of(const Member& member, std::span<const std::string_view> words) {
  const std::string_view text = required_text(member);
  if (std::find(words.begin(), words.end(), text) != words.end()) return;
  refuse(member, fmt::format("{}: one of {} wanted", in_quotes(text), fmt::join(words, ", ")));
}

void ManifestReader::name(const Member& member, std::string_view text) {
  auto label = agent_label(text);
  if (!label) return refuse(member, std::move(label.error().what));
  manifest_.name = std::move(*label);
}

void ManifestReader::version(const Member& member, bool lenient) {
  std::string text(required_text(member));
  if (lenient && is_core_without_patch(text)) {
    const std::string_view zeros = text.find('.') == text.npos ? ".0.0" : ".0";
    if (SemanticVersion::from_text(text + std::string(zeros))) {
      note(member, fmt::format("{} is taken as {}{}", in_quotes(text), text, zeros));
      text += zeros;
    }
  }
  auto version = SemanticVersion::from_text(text);
  if (!version) return refuse(member, std::move(version.error().what));
  manifest_.version = std::move(text);
}

void ManifestReader::capability(const Member& member) {
  const std::string_view text = optional_text(member);
  auto& known = manifest_.capabilities;
  if (!member.exists() || std::find(known.begin(), known.end(), text) != known.end()) return;
  if (!is_capability(text)) {
    return note(member, fmt::format("{} is left out of the capabilities: 1 to 62 of a-z, 0-9, _ and - wanted",
                                    in_quotes(text)));
  }
  if (known.size() == max_capabilities) {
    return note(member,
                fmt::format("{} is left out of the capabilities: at most {}", in_quotes(text), max_capabilities));
  }
  known.emplace_back(text);
}

void ManifestReader::description(std::string_view text, const Member& member) {
  ShownLine line = one_line(text, max_description);
  if (line.left_out) note(member, "control characters are left out of the description");
  if (line.cut) note(member, fmt::format("the description is cut at {} octets", max_description));
  manifest_.description = std::move(line.text);
}

void ManifestReader::claim(std::string_view key, const Member& member) {
  auto& claims = manifest_.claims;
  if (!member.exists() ||
      std::any_of(claims.begin(), claims.end(), [&](const auto& have) { return have.first == key; }))
    return;
  const auto value = member.number();
  if (!value || !(*value >= 0 && *value <= 1)) return note(member, "is not counted: a number from 0 to 1 wanted");
  claims.emplace_back(key, *value);
}

void ManifestReader::endpoint(const Member& url, std::string_view protocol) {
  const std::string_view text = required_text(url);
  auto read = endpoint_url(text);
  if (!read) return refuse(url, std::move(read.error().what));
  if (read->unusable) return note(url, fmt::format("no SRV and SVCB: {}", *read->unusable));
  manifest_.endpoints.push_back({std::string(protocol), read->scheme == "wss" ? "http/1.1" : "h2",
                                 std::move(read->host), read->port, std::move(read->path), std::string(text)});
  auto& known = manifest_.protocols;
  if (!protocol.empty() && std::find(known.begin(), known.end(), protocol) == known.end()) known.emplace_back(protocol);
}

}  // namespace steward::agent
