#pragma once
// Where NS, MX and SRV records of a zone file point: addresses, CNAMEs, glue.

#include <optional>

#include "zone/file_image.hh"

namespace steward::zone {

/// What the zone says about the target of a record.
enum class TargetState : uint8_t {
  Elsewhere,  ///< not a name of this zone
  Address,    ///< has A or AAAA, in the zone's own data or as glue
  Cname,
  NoAddress,      ///< authoritative here, and no address
  NoGlue,         ///< at or below the cut that the record itself makes
  NoSiblingGlue,  ///< at or below another cut
};

class TargetFinder {
 public:
  explicit TargetFinder(FileImage& image);

  /// `from` is the owner of the record that points at `target`.
  TargetState state(NameView from, NameView target);
  /// Whether an NS at a cut points at this node: its addresses are glue.
  [[nodiscard]] bool is_glue(NodeIndex node) const { return glue_[node]; }

 private:
  struct Kinds {
    bool address = false;
    bool cname = false;
    bool ns = false;
  };
  [[nodiscard]] Kinds kinds_of(NodeIndex node) const;
  [[nodiscard]] std::optional<NodeIndex> answering_node(NameView target) const;
  [[nodiscard]] std::optional<NameView> highest_cut(NameView name) const;
  void mark_glue(NodeIndex node);

  FileImage& image_;
  std::vector<bool> glue_;  // by node
  bool has_cuts_ = false;
  dns::Name last_target_;
  dns::Name last_from_;
  TargetState last_state_ = TargetState::Elsewhere;
};

/// The target's name in the RDATA of an NS, MX or SRV record.
NameView target_of(const FileRecord& record);

}  // namespace steward::zone
