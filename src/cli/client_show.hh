#pragma once
// How `steward` shows what libsteward says: lines for people, JSON for programs. Every text from the network goes
// through client::for_terminal(), or through JSON's escapes.

#include <nlohmann/json.hpp>
#include <string>

#include "cli/console.hh"
#include "steward/client.hh"

namespace steward::cli {

[[nodiscard]] nlohmann::ordered_json to_json(const client::Agent& agent);
[[nodiscard]] nlohmann::ordered_json to_json(const client::Verification& verification);
[[nodiscard]] nlohmann::ordered_json to_json(const client::TrustSum& sum);
[[nodiscard]] nlohmann::ordered_json to_json(const client::Discovery& discovery);

/// The name with its A-labels as U-labels; null where it has none.
[[nodiscard]] nlohmann::ordered_json unicode_json(std::string_view name);

/// One line of JSON in ASCII: what a terminal would act on is \uXXXX, octets that are no UTF-8 are U+FFFD.
void show_json(Console& console, const nlohmann::ordered_json& json);

void show(Console& console, const client::Agent& agent);
void show(Console& console, const client::Verification& verification);
void show(Console& console, const client::TrustSum& sum);
/// `apex` is left out of the names of registries.
void show(Console& console, const client::Discovery& discovery, std::string_view apex);

/// "vibe-agency.com", "com"; the apex itself in full.
[[nodiscard]] std::string short_zone(std::string_view zone, std::string_view apex);
/// "0.94 ★★★", and whether nobody but its home registry says so.
[[nodiscard]] std::string trust_text(const client::FoundAgent& agent);

}  // namespace steward::cli
