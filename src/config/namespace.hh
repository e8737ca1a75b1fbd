#pragma once
// Namespaces: which names below the apex a registry may be, and what follows from one (zone, parent, id).

#include <string>
#include <string_view>

#include "base/result.hh"
#include "dns/name.hh"

namespace steward::config {

constexpr std::string_view default_apex = "steward-registry.org.";

/// "acme-corp.com" or "acme-corp.com.", upper case folded; "." is the root registry. Invalid, with the reason, where a
/// label is not
/// `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?` or is reserved (replicas, ns, ns1 to ns99, www, localhost). Refused where it
/// holds a slash: such a namespace is hosted by the `github` registry and has no server of its own.
[[nodiscard]] Result<dns::Name> parse_namespace(std::string_view text);

/// A namespace that another registry's zone hosts: as above, or `user/NAME.github` and `org/NAME.github`, whose first label holds a slash.
/// With `is_pattern` the first label may be `*`, which stands for any that a namespace may have there.
[[nodiscard]] Result<dns::Name> parse_hosted_namespace(std::string_view text, bool is_pattern);

/// The zone of a namespace: "acme-corp.com." below "steward-registry.org.". Invalid over 180 octets less an agent's
/// shortest label: no agent could be named in it.
[[nodiscard]] Result<dns::Name> zone_of_namespace(dns::NameView space, dns::NameView apex);

/// "com.acme-corp" for "acme-corp.com."; "root" for the root.
[[nodiscard]] std::string id_of_namespace(dns::NameView space);

}  // namespace steward::config
