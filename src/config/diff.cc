#include "config/diff.hh"

#include <algorithm>
#include <map>

#include "config/value.hh"

namespace steward::config {
namespace {

/// "zones[example.com].file" as the table has it: "zones[].file". A name may hold brackets and dots of its own, escaped
/// or not, so the element ends at the last "]" of the key.
std::string pattern_of(const std::string& key) {
  const size_t open = key.find('[');
  const size_t close = key.rfind(']');
  if (open == std::string::npos || close == std::string::npos) return key;
  const Row* list = find_row(key.substr(0, open));
  if (list != nullptr && !list->keys_of.empty()) return std::string(list->keys_of) + "[" + key.substr(close);
  return key.substr(0, open + 1) + key.substr(close);
}

/// "zones[example.com]" of "zones[example.com].file"; empty outside of elements.
std::string element_of(const std::string& key) {
  const size_t close = key.rfind(']');
  return close == std::string::npos ? std::string() : key.substr(0, close + 1);
}

/// The default in the spelling of a setting.
std::string fallback_text(const Row& row, const Path& folder) {
  if (row.fallback.empty() || row.fallback[0] == '(') return "";
  if (row.shape == Shape::List) return std::string(row.fallback);
  const auto value = parse_value(row, row.fallback, folder);
  return value ? value->text : "";
}

std::string text_of(const Config& config, const std::string& key, const Row& row) {
  const auto at = config.settings.find(key);
  return at == config.settings.end() ? fallback_text(row, config.file.parent_path()) : at->second.text;
}

bool has_element(const Config& config, const std::string& element) {
  const auto at = config.settings.lower_bound(element + ".");
  return at != config.settings.end() && at->first.starts_with(element + ".");
}

}  // namespace

std::vector<Change> diff(const Config& before, const Config& after) {
  std::map<std::string, Change> changes;
  const auto compare = [&](const std::string& key) {
    const Row* row = find_row(pattern_of(key));
    if (row == nullptr) return;
    const std::string element = element_of(key);
    const bool was = element.empty() || has_element(before, element);
    const bool is = element.empty() || has_element(after, element);
    if (was != is) {
      changes[element] = {element, was ? "given" : "", is ? "given" : "", Effect::Reload};
      return;
    }
    std::string old_text = text_of(before, key, *row);
    std::string new_text = text_of(after, key, *row);
    if (old_text == new_text) return;
    if (row->secret) old_text = new_text = "(secret)";
    changes[key] = {key, std::move(old_text), std::move(new_text), row->effect};
  };
  for (const auto& [key, setting] : before.settings) compare(key);
  for (const auto& [key, setting] : after.settings) compare(key);
  std::vector<Change> out;
  out.reserve(changes.size());
  for (auto& [key, change] : changes) out.push_back(std::move(change));
  return out;
}

}  // namespace steward::config
