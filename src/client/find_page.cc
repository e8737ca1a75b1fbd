#include "client/find_page.hh"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "agent/text_fields.hh"
#include "steward/discover.hh"

namespace steward::client {
namespace {

using agent::TextField;
using dns::Name;
using dns::NameView;

constexpr std::string_view find_version = "steward-find1";
constexpr size_t max_term = 62;
/// `_p` before it makes a label.
constexpr size_t max_page_id = dns::max_label_size - 2;

bool is_term_octet(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

bool is_page_id(std::string_view text) {
  return text.size() <= max_page_id && std::all_of(text.begin(), text.end(), is_term_octet);
}

bool is_find_page(std::span<const TextField> fields) {
  return !fields.empty() && fields[0].key == "v" && fields[0].value == find_version;
}

Result<Name> below_agents(NameView zone, std::string_view label) {
  auto agents = Name(zone).child(as_bytes(std::string_view("_agents")));
  return agents ? agents->child(as_bytes(label)) : agents;
}

}  // namespace

Result<FindPage> read_find_page(std::span<const Bytes> txt_rdatas) {
  std::vector<TextField> found;
  for (const Bytes& rdata : txt_rdatas) {
    auto fields = agent::fields_from_txt(rdata);
    if (!fields || !is_find_page(*fields)) continue;
    if (!found.empty()) return fail(Errc::Corrupt, "more than one v=steward-find1 record");
    found = std::move(*fields);
  }
  if (found.empty()) return fail(Errc::NotFound, "no v=steward-find1 record");
  FindPage page;
  for (const auto& [key, place] : {std::pair{"from", &page.from}, std::pair{"to", &page.to},
                                   std::pair{"next", &page.next}, std::pair{"serial", &page.serial}}) {
    const auto value = agent::find_field(found, key);
    if (!value) return fail(Errc::Corrupt, fmt::format("{}= is missing", key));
    *place = *value;
  }
  if (!is_page_id(page.next)) return fail(Errc::Corrupt, fmt::format("next={}: is no id of a page", page.next));
  const std::string_view about = agent::find_field(found, "n").value_or("");
  const auto [end, error] = std::from_chars(about.data(), about.data() + about.size(), page.about);
  if (error != std::errc{} || end != about.data() + about.size())
    return fail(Errc::Corrupt, fmt::format("n={}: a number wanted", about));
  return page;
}

Result<Name> find_page_name(NameView zone, std::string_view term, std::string_view id) {
  auto name = below_agents(zone, "_find");
  if (name) name = name->child(as_bytes(term));
  if (name && !id.empty()) name = name->child(as_bytes(fmt::format("_p{}", id)));
  return name;
}

Result<Name> ref_name(NameView zone, NameView agent) {
  const auto refs = below_agents(zone, "_ref");
  if (!refs) return refs;
  Bytes relative(agent.data(), agent.data() + agent.size() - zone.size());
  append_u8(relative, 0);
  return dns::concatenate(NameView(relative.data(), relative.size()), *refs);
}

bool is_found_by(const Agent& agent, std::string_view term) {
  if (agent.label == term || std::ranges::find(agent.capabilities, term) != agent.capabilities.end()) return true;
  std::string_view rest = agent.label;
  while (!rest.empty()) {
    const size_t hyphen = std::min(rest.find('-'), rest.size());
    if (rest.substr(0, hyphen) == term) return true;
    rest.remove_prefix(std::min(hyphen + 1, rest.size()));
  }
  return false;
}

Outcome<std::string> search_term(std::string_view text) {
  std::string term(text);
  std::ranges::transform(term, term.begin(),
                         [](char c) { return static_cast<char>(dns::fold(static_cast<uint8_t>(c))); });
  if (term.empty() || term.size() > max_term || !std::ranges::all_of(term, is_term_octet))
    return Failure{Fault::Invalid, fmt::format("'{}' is no term: 1 to {} of a-z, 0-9, _ and - wanted", text, max_term)};
  return term;
}

}  // namespace steward::client
