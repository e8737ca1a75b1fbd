#include "client/trust_anchor.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "client/failure.hh"
#include "client/text_file.hh"
#include "dns/rdata.hh"
#include "steward/client.hh"
#include "zone/scanner.hh"

namespace steward::client {
namespace {

using dns::Record;
using dns::RrType;
using dns::Token;

constexpr size_t max_anchor_size = size_t{1} << 20;
/// Where Debian's dns-root-data and unbound-anchor put the root's key.
constexpr std::array<const char*, 2> root_keys{"/usr/share/dns/root.key", "/var/lib/unbound/root.key"};

bool is_ttl_or_class(std::string_view word) {
  return dns::rr_class_from_text(word) ||
         std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Result<Record> record_of(std::span<const Token> tokens) {
  const auto owner = dns::Name::from_text(tokens[0].text);
  if (!owner) return tl::unexpected(owner.error());
  size_t at = 1;
  while (at < tokens.size() && is_ttl_or_class(tokens[at].text)) ++at;
  const auto type = at < tokens.size() ? dns::rr_type_from_text(tokens[at].text) : std::nullopt;
  if (!type || (*type != RrType::DS && *type != RrType::DNSKEY))
    return fail(Errc::Invalid, "expected a DS or DNSKEY record");
  Record record{.owner = owner->folded(), .type = *type, .rdata = {}};
  if (const auto read = dns::rdata_from_tokens(*type, tokens.subspan(at + 1), dns::NameView(), record.rdata); !read)
    return fail(Errc::Invalid, read.error().what);
  return record;
}

}  // namespace

Result<std::vector<Record>> parse_anchors(std::string_view text) {
  zone::MemorySource source(text);
  zone::Scanner scanner(source);
  std::vector<Record> anchors;
  while (true) {
    zone::ScannedEntry entry;
    const auto step = scanner.next(entry);
    if (step == zone::Scanner::Step::End) break;
    if (step != zone::Scanner::Step::Entry)
      return fail(Errc::Invalid,
                  fmt::format("trust anchor, line {}: {}", scanner.problem().line, scanner.problem().what));
    auto record = record_of(entry.tokens);
    if (!record) return fail(fmt::format("trust anchor, line {}", entry.tokens[0].line), record.error());
    anchors.push_back(std::move(*record));
  }
  if (anchors.empty()) return fail(Errc::Invalid, "trust anchor: no DS and no DNSKEY record in it");
  return anchors;
}

Result<std::string> read_anchor_text(const Settings& settings) {
  if (!settings.trust_anchor.empty()) return read_text_file(settings.trust_anchor, max_anchor_size);
  for (const char* path : root_keys) {
    auto text = read_text_file(path, max_anchor_size);
    if (text || text.error().code != Errc::NotFound) return text;
  }
  return fail(
      Errc::NotFound,
      fmt::format("no trust anchor: none is configured, and the system has no {} (Debian package dns-root-data)",
                  root_keys[0]));
}

Outcome<std::string> read_trust_anchor(const Settings& settings) {
  auto text = read_anchor_text(settings);
  if (!text) return failure_of(text.error());
  return std::move(*text);
}

}  // namespace steward::client
