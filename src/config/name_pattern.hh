#pragma once
// Patterns of names in the rules of an update: which names of a zone a rule is about (after BIND's update-policy).
//
// Values only, any thread.

#include <string>
#include <string_view>

#include "base/result.hh"
#include "dns/name.hh"

namespace steward::config {

struct NamePattern {
  enum class Kind : uint8_t {
    Exact,      ///< "host.example.com": that name
    Subdomain,  ///< "subdomain example.com": that name and all below
    Wildcard,   ///< "*.example.com": all below, at any depth, but not the name itself
    Self,       ///< "self": the name of the key that signed
    SelfSub,    ///< "selfsub": that and all below
  };
  Kind kind = Kind::Exact;
  dns::Name name;  ///< folded; the root with Self and SelfSub
};

/// Invalid, with the rule of names that is broken. A name that is called `self` is written with its final dot.
[[nodiscard]] Result<NamePattern> parse_name_pattern(std::string_view text);
[[nodiscard]] std::string to_text(const NamePattern& pattern);
/// Whether `owner` is meant, where `signer` (null: nobody) is the name of the key that signed.
[[nodiscard]] bool matches(const NamePattern& pattern, dns::NameView owner, const dns::Name* signer);

}  // namespace steward::config
