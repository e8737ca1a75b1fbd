#include "config/name_pattern.hh"

namespace steward::config {
namespace {

constexpr std::string_view subdomain_word = "subdomain ";

}  // namespace

Result<NamePattern> parse_name_pattern(std::string_view text) {
  using Kind = NamePattern::Kind;
  if (text == "self") return NamePattern{Kind::Self, {}};
  if (text == "selfsub") return NamePattern{Kind::SelfSub, {}};
  NamePattern pattern;
  if (text.starts_with(subdomain_word)) {
    pattern.kind = Kind::Subdomain;
    text.remove_prefix(subdomain_word.size());
  }
  if (text.empty()) return fail(Errc::Invalid, "empty");
  const auto name = dns::Name::from_text(text);
  if (!name) return tl::unexpected(name.error());
  pattern.name = name->folded();
  // The wildcard's own name is below its parent, so that a rule for all names below covers it too.
  if (pattern.kind == Kind::Exact && pattern.name.view().is_wildcard()) {
    pattern.kind = Kind::Wildcard;
    pattern.name = dns::Name(pattern.name.view().parent());
  }
  return pattern;
}

std::string to_text(const NamePattern& pattern) {
  switch (pattern.kind) {
    case NamePattern::Kind::Exact: return pattern.name.to_text();
    case NamePattern::Kind::Subdomain: return std::string(subdomain_word) + pattern.name.to_text();
    case NamePattern::Kind::Wildcard:
      return pattern.name.view().is_root() ? std::string("*.") : "*." + pattern.name.to_text();
    case NamePattern::Kind::Self: return "self";
    case NamePattern::Kind::SelfSub: return "selfsub";
  }
  return "";
}

bool matches(const NamePattern& pattern, dns::NameView owner, const dns::Name* signer) {
  switch (pattern.kind) {
    case NamePattern::Kind::Exact: return owner == pattern.name.view();
    case NamePattern::Kind::Subdomain: return owner.is_at_or_below(pattern.name);
    case NamePattern::Kind::Wildcard: return owner.is_below(pattern.name);
    case NamePattern::Kind::Self: return signer != nullptr && owner == signer->view();
    case NamePattern::Kind::SelfSub: return signer != nullptr && owner.is_at_or_below(*signer);
  }
  return false;
}

}  // namespace steward::config
