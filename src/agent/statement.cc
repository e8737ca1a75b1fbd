#include "agent/statement.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/semver.hh"
#include "crypto/digest.hh"
#include "dns/encoding.hh"
#include "dns/rdata.hh"

namespace steward::agent {

namespace {

constexpr std::array<std::string_view, 1> not_signed{"sig"};

constexpr std::array<std::pair<AgentStatus, std::string_view>, 4> statuses{{
    {AgentStatus::Active, "active"},
    {AgentStatus::Deprecated, "deprecated"},
    {AgentStatus::Withdrawn, "withdrawn"},
    {AgentStatus::Revoked, "revoked"},
}};

Result<AgentStatus> status_from_text(std::string_view text) {
  for (const auto& [status, word] : statuses) {
    if (word == text) return status;
  }
  return fail(Errc::Invalid, "status: active, deprecated, withdrawn or revoked wanted");
}

Result<void> check_fields(std::span<const TextField> fields) {
  if (fields[0].key != "v" || fields[0].value != statement_version) {
    return fail(Errc::Invalid, "v=steward1 must be the first string");
  }
  for (const std::string_view key : {"version", "status", "fp", "modified", "ep", "sig"}) {
    if (!find_field(fields, key)) return fail(Errc::Invalid, fmt::format("key {} is missing", key));
  }
  if (fields.back().key != "sig") return fail(Errc::Invalid, "sig must come last");
  if (const auto version = SemanticVersion::from_text(*find_field(fields, "version")); !version) {
    return tl::unexpected(version.error());
  }
  for (const std::string_view key : {"fp", "ep", "digest"}) {
    const auto value = find_field(fields, key);
    if (value && !is_sha256_text(*value)) {
      return fail(Errc::Invalid, fmt::format("{}: sha256: and 64 hex digits in lower case wanted", key));
    }
  }
  return {};
}

Result<void> check_status(AgentStatus status, std::span<const TextField> fields) {
  const std::string_view needed = status == AgentStatus::Deprecated ? "succ"
                                  : status == AgentStatus::Revoked  ? "reason"
                                                                    : "";
  if (!needed.empty() && find_field(fields, needed).value_or("").empty()) {
    return fail(Errc::Invalid, fmt::format("status={} needs {}", to_text(status), needed));
  }
  return {};
}

}  // namespace

std::string_view to_text(AgentStatus status) {
  for (const auto& [known, word] : statuses) {
    if (known == status) return word;
  }
  return "";
}

std::string endpoint_digest(std::span<const Endpoint> rows) {
  struct Row {
    uint16_t type;
    Bytes rdata;
  };
  std::vector<Row> sorted;
  for (const Endpoint& row : rows) {
    if (row.type != dns::RrType::SRV && row.type != dns::RrType::SVCB) continue;
    sorted.push_back({dns::value(row.type), Bytes(row.rdata.begin(), row.rdata.end())});
    dns::canonicalize_rdata(row.type, sorted.back().rdata);
  }
  std::sort(sorted.begin(), sorted.end(), [](const Row& a, const Row& b) {
    return a.type != b.type ? a.type < b.type : dns::compare_rdata(a.rdata, b.rdata) < 0;
  });
  Bytes input;
  for (const Row& row : sorted) {
    append_u16(input, row.type);
    append_u16(input, static_cast<uint16_t>(row.rdata.size()));
    append(input, row.rdata);
  }
  return sha256_text(input);
}

Result<PublisherKey> PublisherKey::from_rdata(ByteView key_rdata) {
  ByteReader in(key_rdata);
  const uint16_t flags = in.u16();
  const uint8_t protocol = in.u8();
  const uint8_t number = in.u8();
  if (!in.ok()) return fail(Errc::Invalid, "KEY: RDATA ends early (RFC 2535 §3.1)");
  // SRP clients send 513.
  if (flags != publisher_key_flags && flags != publisher_key_flags + 1) {
    return fail(Errc::Invalid, fmt::format("KEY: flags 512 wanted, not {} (RFC 2535 §3.1.2)", flags));
  }
  if (protocol != crypto::dnskey_protocol) return fail(Errc::Invalid, "KEY: protocol 3 wanted (RFC 3445 §4)");
  const auto algorithm = crypto::algorithm_from_number(number);
  if (!algorithm || !crypto::may_sign(*algorithm)) {
    return fail(Errc::Unsupported,
                fmt::format("KEY: algorithm {} is not accepted: 8, 10, 13, 14 or 15 wanted", number));
  }
  auto key = crypto::PublicKey::from_octets(*algorithm, in.rest());
  if (!key) return fail("KEY", key.error());
  auto fingerprint = key->fingerprint();
  if (!fingerprint) return fail("KEY", fingerprint.error());
  return PublisherKey(std::move(*key), std::move(*fingerprint));
}

Result<Statement> Statement::from_txt(ByteView txt_rdata) {
  auto fields = fields_from_txt(txt_rdata);
  if (!fields) return fail("statement", fields.error());
  if (auto sound = check_fields(*fields); !sound) return fail("statement", sound.error());
  const auto status = status_from_text(*find_field(*fields, "status"));
  if (!status) return fail("statement", status.error());
  if (auto sound = check_status(*status, *fields); !sound) return fail("statement", sound.error());
  const auto modified = modified_from_text(*find_field(*fields, "modified"));
  if (!modified) return fail("statement: modified", modified.error());
  Statement statement;
  statement.rdata_.assign(txt_rdata.begin(), txt_rdata.end());
  statement.fields_ = std::move(*fields);
  statement.status_ = *status;
  statement.modified_ = *modified;
  return statement;
}

Result<Statement> Statement::make(NameView agent, std::span<const TextField> fields, const crypto::KeyPair& key) {
  const auto fingerprint = key.public_key().fingerprint();
  if (!fingerprint) return fail("statement", fingerprint.error());
  auto signer = crypto::Signer::create(key);
  if (!signer) return fail("statement", signer.error());
  Bytes rdata;
  append_field(rdata, "v", statement_version);
  for (const TextField& field : fields) {
    if (field.key == "v" || field.key == "fp" || field.key == "sig" || field.key.empty() || field.key.size() > 63) {
      return fail(Errc::Invalid, fmt::format("statement: key \"{}\" is not the caller's to set", field.key));
    }
    if (field.key == "modified") append_field(rdata, "fp", *fingerprint);
    append_field(rdata, field.key, field.value);
  }
  Bytes signature(signer->signature_size());
  if (auto made = signer->sign(signed_octets(statement_label, agent, rdata, not_signed), signature.data()); !made) {
    return fail("statement", made.error());
  }
  append_field(rdata, "sig", dns::encode(dns::base64url, signature));
  if (rdata.size() > dns::max_rdata_size) return fail(Errc::Full, "statement: over 65535 octets (RFC 1035 §3.2.1)");
  return from_txt(rdata);
}

std::vector<std::string> Statement::capabilities() const {
  const std::string_view text = find("capabilities").value_or("");
  std::vector<std::string> parts;
  for (size_t at = 0; at < text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    parts.emplace_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return parts;
}

Result<void> Statement::verify(NameView agent, std::span<const ByteView> keys) const {
  const auto signature = dns::decode(dns::base64url, *find("sig"));
  if (!signature) return fail("statement: sig", signature.error());
  std::string unusable;
  for (const ByteView rdata : keys) {
    const auto key = PublisherKey::from_rdata(rdata);
    if (!key) {
      unusable = "; " + key.error().what;
      continue;
    }
    if (key->fingerprint() != fingerprint()) continue;
    if (key->key().verify(signed_octets(statement_label, agent, rdata_, not_signed), *signature)) return {};
    return fail(Errc::Invalid,
                fmt::format("statement of {}: sig does not verify with the key {}", agent.to_text(), fingerprint()));
  }
  return fail(Errc::NotFound, fmt::format("statement of {}: no KEY has the fingerprint {}{}", agent.to_text(),
                                          fingerprint(), unusable));
}

Result<void> Statement::verify_endpoints(std::span<const Endpoint> rows) const {
  const std::string digest = endpoint_digest(rows);
  if (digest == endpoints()) return {};
  return fail(Errc::Invalid, fmt::format("statement: ep is {}, the SRV and SVCB rows have {}", endpoints(), digest));
}

Result<void> check_supersedes(const Statement& next, const Statement& present) {
  if (next.modified() <= present.modified()) {
    return fail(Errc::Refused, fmt::format("statement: modified {} is not after {}", modified_to_text(next.modified()),
                                           modified_to_text(present.modified())));
  }
  const auto order = *SemanticVersion::from_text(next.version()) <=> *SemanticVersion::from_text(present.version());
  if (order > 0 || (order == 0 && next.status() != present.status())) return {};
  return fail(Errc::Refused, fmt::format("statement: version {} is not above {}, nor equal with another status",
                                         next.version(), present.version()));
}

}  // namespace steward::agent
