// The rows of `resolver`.

#include "config/schema_rows.hh"

namespace steward::config {
namespace {

ResolverConfig& resolver(T t) {
  if (!t.config.resolver) t.config.resolver.emplace();
  return *t.config.resolver;
}

// clang-format off
const Row rows_of_resolver[] = {
  {.path = "resolver", .shape = Shape::Map,
   .doc = "Resolve and validate names below registry.apex for some clients, from registry.root and registry.trust-anchor on."},
  {.path = "resolver.allow", .shape = Shape::List, .type = Type::Block, .doc = "These clients, and nobody else; a block of all addresses is refused (RFC 5358).",
   .set = [](T t, V v) { resolver(t).allow.push_back(v.block); }, .effect = Effect::Restart, .required = true},
  {.path = "resolver.timeout", .type = Type::Duration, .fallback = "5s", .least = 1, .most = minute, .doc = "How long one question may take.",
   .set = [](T t, V v) { resolver(t).timeout = seconds(v); }, .effect = Effect::Restart},
  {.path = "resolver.max-queries", .type = Type::Integer, .fallback = "1000", .least = 1, .most = 100'000, .doc = "Questions under way at once; beyond, SERVFAIL.",
   .set = [](T t, V v) { resolver(t).max_queries = as<uint32_t>(v); }, .effect = Effect::Restart},
  {.path = "resolver.max-client-queries", .type = Type::Integer, .fallback = "100", .least = 1, .most = 100'000, .doc = "Those of one client address.",
   .set = [](T t, V v) { resolver(t).max_client_queries = as<uint32_t>(v); }, .effect = Effect::Restart},
};
// clang-format on

}  // namespace

std::span<const Row> resolver_rows() { return rows_of_resolver; }

}  // namespace steward::config
