#include "federation/feed_words.hh"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "agent/trust.hh"
#include "federation/clock.hh"

namespace steward::federation {
namespace {

using agent::AgentStatus;
using agent::TextField;

constexpr std::string_view word_version = "steward-registry1";
constexpr std::string_view suspended_word = "suspended";

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  for (size_t at = 0; at != std::string_view::npos;) {
    const size_t comma = text.find(',', at);
    words.emplace_back(text.substr(at, comma == std::string_view::npos ? comma : comma - at));
    at = comma == std::string_view::npos ? comma : comma + 1;
  }
  return words;
}

Result<AgentStatus> status_from(std::string_view word) {
  for (const auto status : {AgentStatus::Active, AgentStatus::Deprecated, AgentStatus::Withdrawn, AgentStatus::Revoked})
    if (agent::to_text(status) == word) return status;
  return fail(Errc::Invalid, "status: active, deprecated, withdrawn or revoked wanted, or suspended and state=");
}

Result<uint64_t> number_from(std::string_view key, std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size() && text.front() != '0' && number <= max_count)
    return number;
  return fail(Errc::Invalid, fmt::format("{}: a number from 1 to 2^53 - 1 without leading zeros wanted", key));
}

// As agent::trust_text() writes it, and nothing else: two writers would differ in octets for one number.
Result<double> trust_from(std::string_view text) {
  unsigned hundredths = 0;
  const bool shape = text.size() == 4 && text[1] == '.';
  const std::string digits = shape ? std::string{text[0], text[2], text[3]} : std::string();
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), hundredths);
  if (!shape || error != std::errc{} || end != digits.data() + digits.size() || hundredths > 100)
    return fail(Errc::Invalid, "trust: 0.00 to 1.00 with two decimals wanted");
  return hundredths / 100.0;
}

Result<GoneName> gone_from(std::span<const TextField> fields) {
  GoneName gone;
  for (const std::string_view key : {"version", "modified", "fp"})
    if (!find_field(fields, key))
      return fail(Errc::Invalid, fmt::format("key {} of a name that is gone is missing", key));
  const auto modified = agent::modified_from_text(*find_field(fields, "modified"));
  if (!modified) return fail("modified", modified.error());
  gone.version = *find_field(fields, "version");
  gone.modified = *modified;
  gone.fingerprint = *find_field(fields, "fp");
  return gone;
}

Result<void> read_standing(std::span<const TextField> fields, FeedEntry& entry) {
  const std::string_view word = *find_field(fields, "status");
  entry.suspended = word == suspended_word;
  // A takedown hides the publisher's status; the winner of a conflict depends on it.
  const auto status = status_from(entry.suspended ? find_field(fields, "state").value_or("") : word);
  if (!status) return tl::unexpected(status.error());
  entry.status = *status;
  const auto presence = find_field(fields, "presence");
  if (!presence) return {};
  if (*presence != "gone") return fail(Errc::Invalid, "presence: gone wanted, or no such key");
  auto gone = gone_from(fields);
  if (!gone) return tl::unexpected(gone.error());
  entry.gone = *std::move(gone);
  return {};
}

Result<void> read_write(std::span<const TextField> fields, FeedEntry& entry) {
  auto clock = clock_from_text(*find_field(fields, "vc"));
  if (!clock) return tl::unexpected(clock.error());
  const auto stamp = number_from("stamp", *find_field(fields, "stamp"));
  if (!stamp) return tl::unexpected(stamp.error());
  const auto told = number_from("told", *find_field(fields, "told"));
  if (!told) return tl::unexpected(told.error());
  const auto trust = trust_from(*find_field(fields, "trust"));
  if (!trust) return tl::unexpected(trust.error());
  entry.write = {*std::move(clock), *stamp, std::string(*find_field(fields, "replica"))};
  entry.told = *told;
  entry.trust = *trust;
  return {};
}

}  // namespace

Bytes feed_statement(const FeedEntry& entry) {
  agent::AgentEntry said;
  said.trust = entry.trust;
  said.write = entry.write;
  said.status = entry.status;
  if (entry.suspended) said.suspended.emplace();
  Bytes out = agent::registry_statement(entry.registry, said);
  if (entry.suspended) agent::append_field(out, "state", agent::to_text(entry.status));
  agent::append_field(out, "stamp", std::to_string(entry.write.stamp));
  agent::append_field(out, "replica", entry.write.replica);
  agent::append_field(out, "told", std::to_string(entry.told));
  if (entry.gone) {
    agent::append_field(out, "presence", "gone");
    agent::append_field(out, "version", entry.gone->version);
    agent::append_field(out, "modified", agent::modified_to_text(entry.gone->modified));
    agent::append_field(out, "fp", entry.gone->fingerprint);
  }
  if (!entry.lost.empty()) agent::append_field(out, "lost", joined(entry.lost));
  return out;
}

std::string word_of_write(const FeedEntry& entry) {
  const GoneName gone = entry.gone.value_or(GoneName{});
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {}", entry.registry, agent::to_text(entry.status), entry.suspended,
                     clock_to_text(entry.write.clock), entry.write.stamp, entry.write.replica, entry.gone.has_value(),
                     gone.version, agent::modified_to_text(gone.modified), gone.fingerprint, joined(entry.lost));
}

Result<void> read_feed_statement(ByteView txt_rdata, FeedEntry& entry) {
  const auto fields = agent::fields_from_txt(txt_rdata);
  if (!fields) return fail("registry's statement", fields.error());
  if ((*fields)[0].key != "v" || (*fields)[0].value != word_version)
    return fail(Errc::Invalid, "registry's statement: v=steward-registry1 must be the first string");
  for (const std::string_view key : {"registry", "trust", "vc", "status", "stamp", "replica", "told"})
    if (!find_field(*fields, key))
      return fail(Errc::Invalid, fmt::format("registry's statement: key {} is missing", key));
  entry.registry = *find_field(*fields, "registry");
  if (auto read = read_standing(*fields, entry); !read) return fail("registry's statement", read.error());
  if (auto read = read_write(*fields, entry); !read) return fail("registry's statement", read.error());
  if (const auto lost = find_field(*fields, "lost")) entry.lost = split(*lost);
  return {};
}

}  // namespace steward::federation
