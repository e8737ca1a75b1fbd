#include "config/registry_checks.hh"

#include <fmt/format.h>

#include <algorithm>

#include "config/namespace.hh"
#include "config/value.hh"

namespace steward::config {
namespace {

constexpr std::string_view fingerprint_prefix = "sha256:";

class RegistryChecks {
 public:
  RegistryChecks(Config& config, std::vector<Problem>& problems)
      : config_(config), registry_(*config.registry), problems_(problems) {}

  void run() {
    const Setting* given = setting("registry.namespace");
    if (given == nullptr) return;
    const auto space = parse_namespace(given->text);
    if (!space) return problem(given->at, "registry." + space.error().what);
    const auto zone = zone_of_namespace(*space, registry_.apex);
    if (!zone) return problem(given->at, "registry." + zone.error().what);
    registry_.space = *space;
    registry_.zone = *zone;
    id();
    parent();
    namespaces();
    publishers();
    leases();
    replica();
    push();
    for (ChildConfig& child : registry_.children) this->child(child);
  }

 private:
  void problem(Mark at, std::string what) { problems_.push_back({at, std::move(what)}); }
  [[nodiscard]] const Setting* setting(const std::string& key) const {
    const auto at = config_.settings.find(key);
    return at == config_.settings.end() ? nullptr : &at->second;
  }

  void id() {
    registry_.id = id_of_namespace(registry_.space);
    const Setting* given = setting("registry.id");
    if (given != nullptr && given->text != registry_.id)
      problem(given->at, fmt::format("registry.id: expected '{}', the namespace in reverse order, found '{}'",
                                     registry_.id, given->text));
  }

  void parent() {
    const Setting* given = setting("registry.parent");
    if (given == nullptr) {
      if (!registry_.space.view().is_root()) registry_.parent = registry_.zone.view().parent();
      return;
    }
    if (!registry_.parent) return;
    const dns::NameView parent = *registry_.parent;
    if (!registry_.zone.view().is_below(parent) || !parent.is_at_or_below(registry_.apex))
      problem(given->at, fmt::format("registry.parent: expected {} or a zone between it and {}, found {}",
                                     registry_.apex.to_text(), registry_.zone.to_text(), parent.to_text()));
  }

  /// The full name of a namespace that the registry's zone hosts.
  Result<dns::Name> hosted(std::string_view text, bool is_pattern) const {
    const auto space = parse_hosted_namespace(text, is_pattern);
    if (!space) return tl::unexpected(space.error());
    auto name = zone_of_namespace(*space, registry_.apex);
    if (name && !name->view().is_at_or_below(registry_.zone))
      return fail(Errc::Invalid, fmt::format("namespace '{}': expected one at or below {}, the registry's own", text,
                                             registry_.space.to_text()));
    return name;
  }

  void namespaces() {
    const Setting* given = setting("registry.namespaces");
    if (given == nullptr) {
      // steward-records(7), "Names": those with a slash are always hosted by this one.
      if (registry_.space.to_text() == "github.")
        if (auto all = hosted("*.github", true)) registry_.namespaces.push_back(*std::move(all));
      return;
    }
    std::string_view left = given->text;
    while (!left.empty()) {
      const size_t comma = left.find(", ");
      const auto name = hosted(left.substr(0, comma), true);
      if (name)
        registry_.namespaces.push_back(*name);
      else
        problem(given->at, "registry.namespaces: " + name.error().what);
      left.remove_prefix(comma == std::string_view::npos ? left.size() : comma + 2);
    }
  }

  void publishers() {
    for (PublisherConfig& publisher : registry_.publishers) {
      publisher.space = registry_.zone;
      if (!publisher.space_text.empty()) {
        const auto name = hosted(publisher.space_text, false);
        if (!name) problem(publisher.at, "registry.publishers: " + name.error().what);
        if (name) publisher.space = *name;
      }
      std::string& text = publisher.fingerprint;
      std::transform(text.begin(), text.end(), text.begin(),
                     [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
      const bool good = text.starts_with(fingerprint_prefix) &&
                        text.find_first_not_of("0123456789abcdef", fingerprint_prefix.size()) == std::string::npos;
      if (!good)
        problem(publisher.at,
                fmt::format("registry.publishers: fingerprint '{}'; expected sha256: and 64 hexadecimal digits",
                            shown(text)));
    }
  }

  void leases() {
    if (registry_.min_lease <= registry_.max_lease && registry_.max_lease <= registry_.max_key_lease) return;
    const Setting* given = setting("registry.lease");
    problem(given != nullptr ? given->at : Mark{}, "registry.lease: expected min, max and key-max in ascending order");
  }

  void replica() {
    const Setting* given = setting("registry.replica");
    const std::string& name = registry_.replica;
    const bool good = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos &&
                      !name.starts_with('-') && !name.ends_with('-');
    if (!good && given != nullptr)
      problem(given->at, fmt::format("registry.replica: '{}'; expected lower-case letters, digits and hyphens inside",
                                     shown(name)));
  }

  void push() {
    const Setting* given = setting("registry.push");
    if (registry_.push != FeedPush::None && given != nullptr && (!registry_.parent || registry_.identity.empty()))
      problem(given->at, "registry.push: the feed is sent to a parent that knows us: needs registry.identity, and a parent");
  }

  void child(ChildConfig& child) {
    const auto wrong = [&](std::string_view what) {
      problem(child.at, fmt::format("registry.children: {}: {}", shown(child.space_text), what));
    };
    const auto space = parse_namespace(child.space_text);
    if (!space) return wrong(space.error().what);
    const auto zone = zone_of_namespace(*space, registry_.apex);
    if (!zone) return wrong(zone.error().what);
    if (!zone->view().is_below(registry_.zone))
      return wrong(fmt::format("expected a namespace below {}, the registry's own", registry_.space.to_text()));
    child.zone = *zone;
    if (child.replica.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
      return wrong(fmt::format("replica '{}'; expected lower-case letters, digits and hyphens", shown(child.replica)));
    const auto feed = dns::Name::from_text(child.replica + "._feed", child.zone);
    if (!feed) return wrong(feed.error().what);
    child.feed = feed->folded();
    if (child.primaries.empty()) wrong("primaries: expected at least one address, found none");
    for (const ChildConfig* other = registry_.children.data(); other != &child; ++other)
      if (are_nested(other->zone, child.zone))
        wrong(fmt::format("{} is given too; expected no child at or below another", shown(other->space_text)));
    for (const dns::Name& hosted : registry_.namespaces)
      if (are_nested(hosted, child.zone))
        wrong(fmt::format("{} is hosted here; expected a namespace of another registry", hosted.to_text()));
  }

  static bool are_nested(dns::NameView a, dns::NameView b) { return a.is_at_or_below(b) || b.is_at_or_below(a); }

  Config& config_;
  RegistryConfig& registry_;
  std::vector<Problem>& problems_;
};

}  // namespace

void check_registry(Config& config, std::vector<Problem>& problems) {
  if (config.registry) RegistryChecks(config, problems).run();
}

}  // namespace steward::config
