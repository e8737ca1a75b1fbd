#pragma once
// What the shapes of manifests have in common: members with their pointers, and rules that each name a member.
//
// Inside of the room. A ManifestReader takes what a shape hands it, member by member; after the first refusal it takes
// nothing more, so that a shape is read from top to bottom and asked once at the end. One thread.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/manifest.hh"
#include "agent/manifest_json.hh"

namespace steward::agent {

/// A member and where it stands; also one that is not there, and null counts as not there.
class Member {
 public:
  Member(const Json* value, std::string pointer) : value_(value), pointer_(std::move(pointer)) {}

  [[nodiscard]] bool exists() const { return value_ != nullptr && !value_->is_null(); }
  [[nodiscard]] bool is_object() const { return value_ != nullptr && value_->is_object(); }
  [[nodiscard]] bool is_array() const { return value_ != nullptr && value_->is_array(); }
  [[nodiscard]] bool is_text() const { return value_ != nullptr && value_->is_string(); }
  /// Of a text; empty for anything else.
  [[nodiscard]] std::string_view text() const;
  /// Of a number.
  [[nodiscard]] std::optional<double> number() const;
  [[nodiscard]] Member operator[](std::string_view key) const;
  /// Of an array; empty for anything else.
  [[nodiscard]] std::vector<Member> elements() const;
  [[nodiscard]] const std::string& pointer() const { return pointer_; }

 private:
  const Json* value_;
  std::string pointer_;
};

class ManifestReader {
 public:
  explicit ManifestReader(ManifestShape shape) { manifest_.shape = shape; }

  [[nodiscard]] Manifest& manifest() { return manifest_; }
  /// The manifest, or why it is none.
  tl::expected<Manifest, ManifestRefusal> finish();

  void refuse(const Member& member, std::string rule);
  void note(const Member& member, std::string_view what);

  /// A text that must be there and not be empty.
  std::string_view required_text(const Member& member);
  /// A text where the member is there.
  std::string_view optional_text(const Member& member);
  void required_object(const Member& member);
  void required_array(const Member& member);
  void one_of(const Member& member, std::span<const std::string_view> words);

  /// The agent's label.
  void name(const Member& member, std::string_view text);
  /// A semantic version. `lenient`: "1" and "1.2" are completed with zeros, and a note says so.
  void version(const Member& member, bool lenient);
  void capability(const Member& member);
  /// One line, cut at 1,000 octets.
  void description(std::string_view text, const Member& member);
  /// A share from 0 to 1, the first one for its key.
  void claim(std::string_view key, const Member& member);
  /// `protocol`: "a2a", "mcp" or "". A URL that is not well-formed refuses the manifest; one that no record can name is
  /// noted.
  void endpoint(const Member& url, std::string_view protocol);

 private:
  Manifest manifest_;
  std::optional<ManifestRefusal> refusal_;
};

// The shapes. `as`: the label that the caller gives the agent; empty: the manifest's own name.
tl::expected<Manifest, ManifestRefusal> read_steward_v1(const Member& root, std::string_view as);
tl::expected<Manifest, ManifestRefusal> read_steward(const Member& root, std::string_view as);
tl::expected<Manifest, ManifestRefusal> read_a2a_card(const Member& root, std::string_view as);
tl::expected<Manifest, ManifestRefusal> read_mcp_server(const Member& root, std::string_view as);

}  // namespace steward::agent
