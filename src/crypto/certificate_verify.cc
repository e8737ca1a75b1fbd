// A peer's certificates against the root's. The library checks what every certificate is checked for, including that
// the end entity's name lies within the constraints of all authorities above it; what is asked of registries beyond
// that, at every step, stands here.

#include <fmt/format.h>
#include <openssl/x509_vfy.h>

#include "crypto/certificate_state.hh"

namespace steward::crypto {

namespace {

using StoreHandle = Handle<X509_STORE, X509_STORE_free>;
using StoreCtxHandle = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;

// RSA of 2,048 bits, SHA-256: 112 bits of security (SSL_CTX_set_security_level(3)). SHA-1 has fewer.
constexpr int least_security_level = 2;

void free_stack(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }
using StackHandle = Handle<STACK_OF(X509), free_stack>;

tl::unexpected<Error> refused(std::string rule) { return fail(Errc::Refused, "certificate: " + std::move(rule)); }

Result<StackHandle> stack_of(std::span<const Bytes> certificates) {
  StackHandle stack(sk_X509_new_null());
  if (!stack) return openssl_failure(Errc::Invalid, "certificates");
  for (const Bytes& der : certificates) {
    auto certificate = certificate_from_der(der);
    if (!certificate) return tl::unexpected(certificate.error());
    if (sk_X509_push(stack.get(), certificate->get()) == 0) return openssl_failure(Errc::Invalid, "certificates");
    certificate->release();
  }
  return stack;
}

/// Which certificate of the chain is meant: by what it is for, or by its place.
std::string place_of(X509_STORE_CTX* context) {
  const int depth = X509_STORE_CTX_get_error_depth(context);
  X509* certificate = X509_STORE_CTX_get_current_cert(context);
  const auto facts =
      certificate != nullptr ? facts_of(certificate) : Result<CertificateFacts>(fail(Errc::NotFound, ""));
  if (facts && facts->authority && facts->permitted && !facts->permitted->empty())
    return fmt::format("authority of {}", facts->permitted->front());
  return depth == 0 ? "end entity" : fmt::format("authority {} above the end entity", depth);
}

Result<void> check_path(X509* end_entity, STACK_OF(X509) * others, X509* root, UnixTime now,
                        const StoreCtxHandle& context) {
  const StoreHandle store(X509_STORE_new());
  if (!store || X509_STORE_add_cert(store.get(), root) != 1 ||
      X509_STORE_CTX_init(context.get(), store.get(), end_entity, others) != 1)
    return openssl_failure(Errc::Invalid, "certificates");
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(rules, seconds_of(now));
  X509_VERIFY_PARAM_set_auth_level(rules, least_security_level);
  X509_VERIFY_PARAM_set_depth(rules, static_cast<int>(max_authorities_below_root));
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  if (X509_verify_cert(context.get()) == 1) return {};
  const std::string why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
  ERR_clear_error();
  return refused(fmt::format("{}: {} (RFC 5280 §6)", place_of(context.get()), why));
}

bool is_at_or_below(std::string_view name, std::string_view zone) {
  return name == zone ||
         (name.size() > zone.size() && name.ends_with(zone) && name[name.size() - zone.size() - 1] == '.');
}

Result<void> check_key(const CertificateFacts& facts) {
  const auto key = PublicKey::from_spki(facts.spki);
  if (!key) return tl::unexpected(key.error());
  return check_identity_key(*key);
}

/// An authority, held to one zone that lies at or above `below`, what it has issued for.
Result<std::string> check_authority(const CertificateFacts& facts, const std::string& below, bool issued_authority) {
  if (!facts.authority) return refused("an issuer is no authority (RFC 5280 §4.2.1.9)");
  if (!facts.permitted || facts.other_constraints || facts.permitted->size() != 1)
    return refused("an authority is not held to one zone by critical name constraints (RFC 5280 §4.2.1.10)");
  const std::string& zone = facts.permitted->front();
  if (!is_at_or_below(below, zone) || (issued_authority && below == zone))
    return refused(fmt::format("authority of {}: {} is not below it (RFC 5280 §4.2.1.10)", zone, below));
  if (auto sound = check_key(facts); !sound) return fail(fmt::format("authority of {}", zone), sound.error());
  return zone;
}

Result<void> check_end_entity(const CertificateFacts& facts, const std::string& zone, ByteView spki) {
  if (facts.authority) return refused("an authority's stands where an end entity's is wanted");
  if (facts.other_names || facts.names.size() != 1 || facts.names.front() != zone)
    return refused(fmt::format("its subjectAltName is not {} alone", zone));
  if (!facts.server_and_client) return refused("it is not for servers and clients (RFC 5280 §4.2.1.12)");
  if (auto sound = check_key(facts); !sound) return sound;
  if (!std::equal(spki.begin(), spki.end(), facts.spki.begin(), facts.spki.end()))
    return refused(fmt::format("its key is not the one at the parent of {}", zone));
  return {};
}

Result<void> check_steps(STACK_OF(X509) * chain, std::string below) {
  for (int i = 1; i < sk_X509_num(chain); ++i) {
    const auto facts = facts_of(sk_X509_value(chain, i));
    if (!facts) return tl::unexpected(facts.error());
    auto zone = check_authority(*facts, below, i > 1);
    if (!zone) return tl::unexpected(zone.error());
    below = *std::move(zone);
  }
  return {};
}

}  // namespace

Result<void> verify_certificates(std::span<const Bytes> certificates, const ChainRules& rules) {
  auto zone = certificate_name(rules.zone);
  if (!zone) return tl::unexpected(zone.error());
  if (certificates.empty()) return refused("none was shown");
  if (certificates.size() > 1 + max_authorities_below_root)
    return refused(fmt::format("over {} of them were shown", 1 + max_authorities_below_root));
  const auto root = certificate_from_der(rules.root);
  if (!root) return fail("root", root.error());
  const auto end_entity = certificate_from_der(certificates.front());
  if (!end_entity) return tl::unexpected(end_entity.error());
  const auto facts = facts_of(end_entity->get());
  if (!facts) return tl::unexpected(facts.error());
  // What costs nothing comes first.
  if (auto fits = check_end_entity(*facts, *zone, rules.spki); !fits) return fits;
  const auto others = stack_of(certificates.subspan(1));
  if (!others) return tl::unexpected(others.error());
  const StoreCtxHandle context(X509_STORE_CTX_new());
  if (!context) return openssl_failure(Errc::Invalid, "certificates");
  if (auto path = check_path(end_entity->get(), others->get(), root->get(), rules.now, context); !path) return path;
  return check_steps(X509_STORE_CTX_get0_chain(context.get()), *zone);
}

}  // namespace steward::crypto
