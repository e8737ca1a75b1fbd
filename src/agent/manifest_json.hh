#pragma once
// JSON as manifests need it: strict (RFC 8259), no member twice in one object, no nesting without end, and where in the
// text each element of a list stands, since a manifest's digest is over its exact octets.
//
// Inside of the room. Pure functions, any thread.

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "agent/manifest.hh"

namespace steward::agent {

using Json = nlohmann::json;

/// Deepest nesting of objects and arrays that is read.
constexpr size_t max_json_depth = 64;

/// The whole text as one value. A refusal says line and column, or the pointer of the member that stands there twice.
tl::expected<Json, ManifestRefusal> json_from_text(std::string_view text);

/// The texts of the elements of the array that `text` is, in order. `text` has been through json_from_text().
std::vector<std::string_view> texts_of_elements(std::string_view text);
/// The text of the member `key` of the object that `text` is; empty where there is none.
std::string_view text_of_member(std::string_view text, std::string_view key);

/// `pointer` and one more reference token (RFC 6901 §3); control characters as in its JSON string form (§5).
std::string pointer_to(std::string_view pointer, std::string_view key);

}  // namespace steward::agent
