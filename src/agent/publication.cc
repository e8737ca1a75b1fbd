#include "agent/publication.hh"

#include <fmt/format.h>

#include <algorithm>

#include "agent/endpoint_rows.hh"
#include "agent/endpoint_url.hh"
#include "agent/shown_text.hh"

namespace steward::agent {

namespace {

using Fields = std::vector<TextField>;

/// Room for what stands below an agent's name, and in a feed.
constexpr size_t max_agent_name = 180;

Result<dns::Name> checked_agent(const dns::Name& agent) {
  if (agent.size() > max_agent_name) {
    return fail(Errc::Invalid,
                fmt::format("agent {}: {} octets, at most {}", agent.to_text(), agent.size(), max_agent_name));
  }
  const auto label = agent_label(as_text(agent.view().first_label()));
  if (!label) return fail("agent " + agent.to_text(), label.error());
  return agent.folded();
}

Result<void> check_line(std::string_view key, std::string_view text) {
  const bool control =
      std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (control) return fail(Errc::Invalid, fmt::format("{}: one line without control characters wanted", key));
  if (text.size() > 1000) return fail(Errc::Invalid, fmt::format("{}: {} octets, at most 1000", key, text.size()));
  return {};
}

/// status, and what it needs: succ or reason.
Result<void> append_status(Fields& fields, AgentStatus status, const std::string& successor,
                           const std::string& reason) {
  fields.push_back({"status", std::string(to_text(status))});
  if (auto sound = check_line("succ", successor); !sound) return sound;
  if (!successor.empty()) {
    if (const auto name = dns::Name::from_text(successor); !name) return fail("succ", name.error());
    fields.push_back({"succ", successor});
  }
  if (auto sound = check_line("reason", reason); !sound) return sound;
  if (!reason.empty()) fields.push_back({"reason", reason});
  return {};
}

// RFC 4501 §3: what is not a pchar is written as %XX, which a namespace with a slash needs.
std::string dns_uri(const dns::Name& agent) {
  constexpr std::string_view plain = "-._~!$&'()*+,;=:@";
  std::string name = agent.to_text();
  name.pop_back();
  std::string out = "dns:_manifest.";
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || plain.find(c) != plain.npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return out + "?type=TXT";
}

Result<Bytes> manifest_txt(std::string_view octets) {
  if (octets.size() > max_stored_manifest) {
    return fail(Errc::Invalid, fmt::format("manifest: {} octets, at most {} at _manifest: name a URL where it is",
                                           octets.size(), max_stored_manifest));
  }
  if (octets.empty()) return fail(Errc::Invalid, "manifest: no octets");
  Bytes rdata;
  rdata.reserve(octets.size() + octets.size() / 255 + 1);
  for (size_t at = 0; at < octets.size(); at += 255) {
    const std::string_view part = octets.substr(at, 255);
    append_u8(rdata, static_cast<uint8_t>(part.size()));
    append(rdata, as_bytes(part));
  }
  return rdata;
}

Result<void> check_manifest_url(std::string_view text) {
  const auto url = endpoint_url(text);
  if (!url) return fail("manifest URL", url.error());
  if (url->scheme != "https") return fail(Errc::Invalid, fmt::format("manifest URL {}: https wanted", in_quotes(text)));
  return check_line("manifest URL", text);
}

std::vector<Endpoint> views_of(std::span<const EndpointRow> rows) {
  std::vector<Endpoint> views;
  for (const EndpointRow& row : rows) views.push_back({row.type, row.rdata});
  return views;
}

/// Statement, KEY and rows: what every publish has.
Result<std::vector<PublishedRecord>> signed_records(const dns::Name& agent, const Fields& fields,
                                                    std::span<const Endpoint> rows, uint32_t ttl,
                                                    const crypto::KeyPair& key) {
  const Bytes key_rdata = key.public_key().dnskey_rdata(publisher_key_flags);
  const auto statement = Statement::make(agent, fields, key);
  if (!statement) return tl::unexpected(statement.error());
  std::vector<PublishedRecord> records;
  const auto add = [&](dns::RrType type, ByteView rdata) {
    records.push_back({agent, type, ttl, Bytes(rdata.begin(), rdata.end())});
  };
  add(dns::RrType::TXT, statement->txt_rdata());
  add(dns::RrType::KEY, key_rdata);
  for (const Endpoint& row : rows) add(row.type, row.rdata);
  return records;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

bool is_ending(AgentStatus status) { return status == AgentStatus::Withdrawn || status == AgentStatus::Revoked; }

}  // namespace

Result<std::vector<PublishedRecord>> make_publication(const Manifest& manifest, const PublishOptions& options,
                                                      const crypto::KeyPair& key) {
  const auto agent = checked_agent(options.agent);
  if (!agent) return tl::unexpected(agent.error());
  if (as_text(agent->view().first_label()) != manifest.name) {
    return fail(Errc::Invalid,
                fmt::format("agent {}: the manifest is that of {}", agent->to_text(), in_quotes(manifest.name)));
  }
  if (is_ending(options.status)) return fail(Errc::Invalid, "a publication is active or deprecated");
  const bool deprecated = options.status == AgentStatus::Deprecated || manifest.status == "deprecated";
  const auto rows = endpoint_rows(manifest, options.manifest_url);
  if (!rows) return tl::unexpected(rows.error());
  const std::vector<Endpoint> views = views_of(*rows);

  Fields fields{{"version", manifest.version}};
  if (!manifest.capabilities.empty()) fields.push_back({"capabilities", joined(manifest.capabilities)});
  const std::string& successor = options.successor.empty() ? manifest.successor : options.successor;
  if (auto sound =
          append_status(fields, deprecated ? AgentStatus::Deprecated : AgentStatus::Active, successor, options.reason);
      !sound) {
    return tl::unexpected(sound.error());
  }
  fields.push_back({"modified", modified_to_text(options.modified)});
  std::optional<Bytes> stored;
  if (options.manifest_url.empty()) {
    auto txt = manifest_txt(manifest.octets);
    if (!txt) return tl::unexpected(txt.error());
    stored = std::move(*txt);
  } else if (auto sound = check_manifest_url(options.manifest_url); !sound) {
    return tl::unexpected(sound.error());
  }
  fields.push_back({"manifest", stored ? dns_uri(*agent) : options.manifest_url});
  fields.push_back({"digest", sha256_text(as_bytes(manifest.octets))});
  fields.push_back({"ep", endpoint_digest(views)});
  if (!manifest.description.empty()) fields.push_back({"desc", manifest.description});
  if (!options.custody.empty()) fields.push_back({"custody", options.custody});

  auto records = signed_records(*agent, fields, views, options.ttl, key);
  if (!records || !stored) return records;
  const auto below = agent->child(as_bytes("_manifest"));
  if (!below) return tl::unexpected(below.error());
  records->push_back({*below, dns::RrType::TXT, options.ttl, std::move(*stored)});
  return records;
}

Result<std::vector<PublishedRecord>> make_tombstone(const Statement& present, const PublishOptions& options,
                                                    const crypto::KeyPair& key) {
  const auto agent = checked_agent(options.agent);
  if (!agent) return tl::unexpected(agent.error());
  if (!is_ending(options.status)) return fail(Errc::Invalid, "a tombstone is withdrawn or revoked");
  const auto rows = tombstone_rows();
  const std::vector<Endpoint> views = views_of(rows);
  Fields fields{{"version", std::string(present.version())}};
  if (auto sound = append_status(fields, options.status, options.successor, options.reason); !sound) {
    return tl::unexpected(sound.error());
  }
  fields.push_back({"modified", modified_to_text(options.modified)});
  fields.push_back({"ep", endpoint_digest(views)});
  if (const auto description = present.find("desc")) fields.push_back({"desc", std::string(*description)});
  if (!options.custody.empty()) fields.push_back({"custody", options.custody});
  return signed_records(*agent, fields, views, options.ttl, key);
}

Result<std::vector<PublishedRecord>> restate(const Statement& present, std::span<const Endpoint> endpoints,
                                             const PublishOptions& options, const crypto::KeyPair& key) {
  const auto agent = checked_agent(options.agent);
  if (!agent) return tl::unexpected(agent.error());
  if (is_ending(options.status))
    return fail(Errc::Invalid, "what is withdrawn or revoked is not restated: it is a tombstone");
  if (auto same = present.verify_endpoints(endpoints); !same) return tl::unexpected(same.error());
  Fields fields;
  for (const TextField& field : present.fields()) {
    if (field.key == "version") {
      fields.push_back({"version", options.version.empty() ? field.value : options.version});
    } else if (field.key == "status") {
      if (auto sound = append_status(fields, options.status, options.successor, options.reason); !sound) {
        return tl::unexpected(sound.error());
      }
    } else if (field.key == "modified") {
      fields.push_back({"modified", modified_to_text(options.modified)});
    } else if (field.key != "v" && field.key != "fp" && field.key != "sig" && field.key != "succ" &&
               field.key != "reason" && field.key != "custody") {
      fields.push_back(field);
    }
  }
  if (!options.custody.empty()) fields.push_back({"custody", options.custody});
  return signed_records(*agent, fields, endpoints, options.ttl, key);
}

}  // namespace steward::agent
