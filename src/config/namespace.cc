#include "config/namespace.hh"

#include <fmt/format.h>

#include <algorithm>

namespace steward::config {
namespace {

constexpr size_t max_agent_name_size = 180;  // octets in wire form

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_reserved(std::string_view label) {
  if (label == "replicas" || label == "www" || label == "localhost" || label == "ns") return true;
  if (!label.starts_with("ns") || label.size() > 4 || label.size() < 3 || label[2] == '0') return false;
  return std::all_of(label.begin() + 2, label.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The rule that the label breaks; empty where it is good.
std::string broken_rule(std::string_view label) {
  if (label.empty()) return "an empty label";
  if (label.size() > dns::max_label_size) return fmt::format("the label '{}' has over 63 characters", label);
  const bool plain = std::all_of(label.begin(), label.end(), [](char c) { return is_letter_or_digit(c) || c == '-'; });
  if (!plain) return fmt::format("the label '{}' holds something else than letters, digits and hyphens", label);
  if (label.front() == '-' || label.back() == '-')
    return fmt::format("the label '{}' begins or ends with a hyphen", label);
  if (is_reserved(label))
    return fmt::format("the label '{}' is reserved (replicas, ns, ns1 to ns99, www, localhost)", label);
  return {};
}

std::string folded(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return static_cast<char>(dns::fold(static_cast<uint8_t>(c))); });
  return out;
}

Result<void> check_labels(std::string_view text, std::string_view left, bool is_pattern) {
  const char* const text_start = left.data();
  if (left.ends_with('.')) left.remove_suffix(1);
  for (bool more = true; more;) {
    const size_t dot = left.find('.');
    const std::string_view label = left.substr(0, dot);
    const bool is_first = label.data() == text_start;
    if (auto rule = is_pattern && is_first && label == "*" ? std::string() : broken_rule(label); !rule.empty())
      return fail(Errc::Invalid, fmt::format("namespace '{}': {}", text, rule));
    more = dot != std::string_view::npos;
    left.remove_prefix(more ? dot + 1 : left.size());
  }
  return {};
}

}  // namespace

Result<dns::Name> parse_hosted_namespace(std::string_view text, bool is_pattern) {
  if (text == ".") return dns::Name();
  const std::string name = folded(text);
  const size_t slash = name.find('/');
  if (slash == std::string::npos) {
    if (auto checked = check_labels(text, name, is_pattern); !checked) return tl::unexpected<Error>(checked.error());
    return dns::Name::from_text(name);
  }
  // One label that holds a slash, then `github` (steward-records(7), "Names").
  const std::string_view kind = std::string_view(name).substr(0, slash);
  const size_t dot = name.find('.');
  const std::string_view below = dot == std::string::npos ? std::string_view() : std::string_view(name).substr(dot + 1);
  if ((kind != "user" && kind != "org") || (below != "github" && below != "github."))
    return fail(Errc::Invalid, fmt::format("namespace '{}': expected user/NAME.github or org/NAME.github where there is a slash", text));
  const std::string_view owner = std::string_view(name).substr(slash + 1, dot - slash - 1);
  if (is_pattern && owner == "*")
    return fail(Errc::Invalid, fmt::format("namespace '{}': expected *.github, which stands for all users and organisations", text));
  if (auto rule = broken_rule(owner); !rule.empty()) return fail(Errc::Invalid, fmt::format("namespace '{}': {}", text, rule));
  return dns::Name::from_text(name);
}

Result<dns::Name> parse_namespace(std::string_view text) {
  if (text == ".") return dns::Name();
  if (text.find('/') != std::string_view::npos)
    return fail(Errc::Refused,
                fmt::format("namespace '{}': one with a slash is hosted by the 'github' registry and has no "
                            "server of its own, since a slash cannot stand in a host name",
                            text));
  const std::string name = folded(text);
  if (auto checked = check_labels(text, name, false); !checked) return tl::unexpected<Error>(checked.error());
  return dns::Name::from_text(name);
}

Result<dns::Name> zone_of_namespace(dns::NameView space, dns::NameView apex) {
  auto zone = dns::concatenate(space, apex);
  // An agent's label takes a length octet and at least one more.
  if (!zone || zone->size() + 2 > max_agent_name_size)
    return fail(Errc::Invalid,
                fmt::format("namespace '{}' below '{}': too long, an agent's name has at most {} octets in wire form",
                            space.to_text(), apex.to_text(), max_agent_name_size));
  return zone->folded();
}

std::string id_of_namespace(dns::NameView space) {
  if (space.is_root()) return "root";
  std::string id;
  for (dns::NameView at = space; !at.is_root(); at = at.parent()) {
    const std::string label(as_text(at.first_label()));
    id = id.empty() ? label : label + "." + id;
  }
  return id;
}

}  // namespace steward::config
