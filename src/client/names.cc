#include "client/names.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/a_label.hh"
#include "agent/manifest.hh"
#include "client/failure.hh"
#include "steward/client.hh"

namespace steward::client {
namespace {

using dns::Name;
using dns::NameView;

/// An agent's name in wire form (steward-records(7), "Names"): room for what stands below it.
constexpr size_t max_agent_name_size = 180;

/// What a reversed name may begin with, where the configured namespace does not tell: labels that end domain names of
/// organisations and of countries, and the registry of GitHub's namespaces.
bool is_top_label(ByteView label) {
  constexpr std::array<std::string_view, 14> known{"com", "org", "net", "edu", "gov",  "int",   "info",
                                                   "biz", "dev", "app", "xyz", "tech", "cloud", "github"};
  const std::string_view text = as_text(label);
  return text.size() == 2 || std::find(known.begin(), known.end(), text) != known.end();
}

Name reversed(NameView name) {
  Bytes wire;
  for (size_t labels = 1; labels <= name.label_count(); ++labels) {
    const ByteView label = name.suffix(labels).first_label();
    append_u8(wire, static_cast<uint8_t>(label.size()));
    append(wire, label);
  }
  append_u8(wire, 0);
  return Name(NameView(wire.data(), wire.size()));
}

/// `relative` stands below the apex: whether it is written from the top label on.
bool is_reversed(NameView relative, NameView space) {
  if (relative.label_count() < 3) return false;
  if (!space.is_root()) {
    if (relative.is_below(space)) return false;
    if (reversed(relative).view().is_below(space)) return true;
  }
  return is_top_label(relative.first_label()) && !is_top_label(relative.suffix(1).first_label());
}

Result<Name> relative_to_apex(NameView relative, NameView apex, NameView space) {
  if (relative.label_count() == 1) {
    if (space.is_root())
      return fail(Errc::Invalid, "a short name needs a namespace: write it in full, or set `namespace`");
    const auto inside = dns::concatenate(relative, space);
    return inside ? dns::concatenate(*inside, apex) : tl::unexpected(inside.error());
  }
  if (is_reversed(relative, space)) return dns::concatenate(reversed(relative), apex);
  return dns::concatenate(relative, apex);
}

/// As Name::from_text, with U-labels as their A-labels (RFC 5890 §2.3.2.1).
Result<Name> typed_name(std::string_view text) {
  std::string out;
  while (true) {
    const size_t end = std::min(text.find('.'), text.size());
    const auto label = agent::a_label(text.substr(0, end));
    if (!label) return tl::unexpected(label.error());
    out += *label;
    if (end == text.size()) return Name::from_text(out);
    out += '.';
    text.remove_prefix(end + 1);
  }
}

}  // namespace

Result<Name> agent_name(std::string_view text, const Settings& settings) {
  const auto apex = Name::from_text(settings.apex);
  if (!apex) return fail("apex", apex.error());
  const auto space = typed_name(settings.name_space);
  if (!settings.name_space.empty() && !space) return fail("namespace", space.error());
  // A namespace may be given in full as well.
  Name inside = settings.name_space.empty() ? Name() : *space;
  if (inside.view().is_below(*apex)) {
    const size_t size = inside.size() - apex->size();
    Bytes wire(inside.data(), inside.data() + size);
    append_u8(wire, 0);
    inside = Name(NameView(wire.data(), wire.size()));
  }
  const auto given = typed_name(text);
  if (!given || given->view().is_root() || text.empty())
    return fail(Errc::Invalid,
                fmt::format("'{}' is no name of an agent: {}", text, given ? "it is empty" : given.error().what));
  const Name folded = given->folded();
  if (folded == *apex) return fail(Errc::Invalid, fmt::format("'{}' is above all agents", text));
  auto full =
      folded.view().is_below(*apex) ? Result<Name>(folded) : relative_to_apex(folded, apex->folded(), inside.folded());
  if (full && text.back() == '.' && !folded.view().is_below(*apex))
    return fail(Errc::Invalid, fmt::format("'{}' is not below {}", text, settings.apex));
  if (!full) return fail(fmt::format("'{}'", text), full.error());
  if (full->size() > max_agent_name_size)
    return fail(Errc::Invalid, fmt::format("'{}': over {} octets in wire form", text, max_agent_name_size));
  if (full->view().label_count() < apex->view().label_count() + 2)
    return fail(Errc::Invalid, fmt::format("'{}' names no agent: it has no namespace", text));
  if (const auto label = agent::agent_label(as_text(full->view().first_label())); !label)
    return fail(fmt::format("'{}'", text), label.error());
  return full;
}

Result<Name> registry_zone(const Settings& settings) {
  const auto apex = Name::from_text(settings.apex);
  if (!apex) return fail("apex", apex.error());
  if (settings.name_space.empty()) return apex->folded();
  const auto space = typed_name(settings.name_space);
  if (!space) return fail("namespace", space.error());
  // A namespace may be given in full as well.
  if (space->view().is_at_or_below(*apex)) return space->folded();
  const auto zone = dns::concatenate(*space, *apex);
  if (!zone) return fail("namespace", zone.error());
  return zone->folded();
}

Result<Name> below(std::string_view label, NameView name) { return Name(name).child(as_bytes(label)); }

std::string plain_text(NameView name) { return name.to_plain_text(); }

Outcome<std::string> full_name(std::string_view agent, const Settings& settings) {
  const auto name = agent_name(agent, settings);
  if (!name) return failure_of(name.error());
  return plain_text(*name);
}

}  // namespace steward::client
