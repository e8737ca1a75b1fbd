#pragma once
// The publisher's statement (`v=steward1`): what a publisher says about an agent, and signs. To the octet as the
// records of the registry are defined; it travels unchanged through every registry.
//
// No I/O, no clock. A Statement is a checked value: it owns its octets and is immutable; any thread.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agent/text_fields.hh"
#include "base/bytes.hh"
#include "base/clock.hh"
#include "base/result.hh"
#include "crypto/key_pair.hh"
#include "dns/name.hh"
#include "dns/rr_type.hh"

namespace steward::agent {

constexpr std::string_view statement_version = "steward1";
constexpr std::string_view statement_label = "steward-statement-v1";

enum class AgentStatus : uint8_t { Active, Deprecated, Withdrawn, Revoked };
std::string_view to_text(AgentStatus status);

/// An SRV or SVCB row at the agent's name: RDATA uncompressed, in any case.
struct Endpoint {
  dns::RrType type{};
  ByteView rdata;
};

/// `ep`: "sha256:…" over type, RDLENGTH and canonical RDATA (RFC 4034 §6.2) of all rows, sorted by type, then RDATA
/// (§6.3); over no octets where there are none. Rows of other types are left out.
std::string endpoint_digest(std::span<const Endpoint> rows);

/// A publisher's KEY record: flags 512 or 513, protocol 3 (RFC 2535 §3.1.2, RFC 3445).
class PublisherKey {
 public:
  /// Invalid or Unsupported with the rule.
  static Result<PublisherKey> from_rdata(ByteView key_rdata);
  [[nodiscard]] const crypto::PublicKey& key() const { return key_; }
  /// "sha256:…" of its SubjectPublicKeyInfo: `fp`.
  [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }

 private:
  PublisherKey(crypto::PublicKey key, std::string fingerprint)
      : key_(std::move(key)), fingerprint_(std::move(fingerprint)) {}
  crypto::PublicKey key_;
  std::string fingerprint_;
};

constexpr uint16_t publisher_key_flags = 512;

class Statement {
 public:
  /// TXT RDATA: `v=steward1` first, each key once, `sig` last. version, status, fp, modified, ep and sig are required;
  /// deprecated needs succ, revoked needs reason. Unknown keys are kept. Invalid names the string or key and the rule.
  /// The signature is not checked here.
  static Result<Statement> from_txt(ByteView txt_rdata);

  /// Makes and signs a statement. `fields`: all but v, fp and sig, in the order in which they shall stand; fp is put in
  /// front of `modified` where it stands in the records' example, v first, sig last. The result is what from_txt()
  /// accepts, else Invalid says why.
  static Result<Statement> make(NameView agent, std::span<const TextField> fields, const crypto::KeyPair& key);

  [[nodiscard]] ByteView txt_rdata() const { return rdata_; }
  [[nodiscard]] std::span<const TextField> fields() const { return fields_; }
  [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const { return find_field(fields_, key); }
  [[nodiscard]] std::string_view version() const { return *find("version"); }
  [[nodiscard]] std::string_view fingerprint() const { return *find("fp"); }
  [[nodiscard]] std::string_view endpoints() const { return *find("ep"); }
  [[nodiscard]] AgentStatus status() const { return status_; }
  [[nodiscard]] UnixTime modified() const { return modified_; }
  /// As they stand there between commas; none where the key is not there or empty.
  [[nodiscard]] std::vector<std::string> capabilities() const;

  /// Checks the signature for the agent of this name with the key among `keys` (KEY RDATA) whose fingerprint is `fp`.
  /// NotFound where there is none, Invalid where the signature does not verify. `agent`: the agent's own fully
  /// qualified name, also where the record was found elsewhere.
  [[nodiscard]] Result<void> verify(NameView agent, std::span<const ByteView> keys) const;
  /// Whether these rows are the ones that the publisher signed: Invalid otherwise, and then none of them is used.
  [[nodiscard]] Result<void> verify_endpoints(std::span<const Endpoint> rows) const;

 private:
  Bytes rdata_;
  std::vector<TextField> fields_;
  AgentStatus status_{};
  UnixTime modified_{};
};

/// Whether `next` supersedes `present` at the same name: its `modified` is greater, and its version is greater by
/// SemVer precedence, or equal with another status. Refused with the reason otherwise.
Result<void> check_supersedes(const Statement& next, const Statement& present);

}  // namespace steward::agent
