#include "zone/file_targets.hh"

namespace steward::zone {

NameView target_of(const FileRecord& record) {
  const size_t skipped = record.type() == RrType::SRV ? 6 : record.type() == RrType::MX ? 2 : 0;
  return {record.rdata().data() + skipped, record.size - skipped};
}

TargetFinder::TargetFinder(FileImage& image) : image_(image), glue_(image.owners().size()) {
  for (const NodeIndex node : image.nodes_with_ns())
    if (!image.owners().labels(node).empty()) mark_glue(node);
}

void TargetFinder::mark_glue(NodeIndex node) {
  for (const FileRecord* one = image_.first(node); one != nullptr; one = image_.after(one)) {
    if (one->type_value > dns::value(RrType::NS)) return;  // in ascending order
    if (one->type() != RrType::NS) continue;
    has_cuts_ = true;
    const NameView target = target_of(*one);
    if (!target.is_at_or_below(image_.apex())) continue;
    if (const auto found = image_.owners().find(target)) glue_[*found] = true;
  }
}

TargetFinder::Kinds TargetFinder::kinds_of(NodeIndex node) const {
  Kinds kinds;
  for (const FileRecord* one = image_.first(node); one != nullptr; one = image_.after(one)) {
    kinds.address |= one->type() == RrType::A || one->type() == RrType::AAAA;
    kinds.cname |= one->type() == RrType::CNAME;
    kinds.ns |= one->type() == RrType::NS;
  }
  return kinds;
}

TargetState TargetFinder::state(NameView from, NameView target) {
  if (target.is_root() || !target.is_at_or_below(image_.apex())) return TargetState::Elsewhere;
  // Many records in a row point at one target.
  if (target == last_target_.view() && from == last_from_.view()) return last_state_;
  if (target == last_target_.view() && (last_state_ == TargetState::Address || last_state_ == TargetState::Cname))
    return last_state_;

  const auto decide = [&] {
    if (const auto cut = highest_cut(target)) {
      const auto node = image_.owners().find(target);
      if (node && kinds_of(*node).address) return TargetState::Address;
      return *cut == from ? TargetState::NoGlue : TargetState::NoSiblingGlue;
    }
    const auto node = answering_node(target);
    if (!node) return TargetState::NoAddress;
    const Kinds kinds = kinds_of(*node);
    return kinds.cname ? TargetState::Cname : kinds.address ? TargetState::Address : TargetState::NoAddress;
  };
  last_state_ = decide();
  last_target_ = target;
  last_from_ = from;
  return last_state_;
}

// The node that answers for `target`: its own, or a wildcard above it (RFC 4592 §2.2). An empty non-terminal that hides
// the wildcard is not looked for: at worst a missing address is not noticed.
std::optional<NodeIndex> TargetFinder::answering_node(NameView target) const {
  if (const auto node = image_.owners().find(target)) return node;
  for (NameView name = target; name.size() > image_.apex().size();) {
    name = name.parent();
    constexpr uint8_t asterisk = '*';
    if (const auto wildcard = dns::Name(name).child(ByteView(&asterisk, 1)))
      if (const auto node = image_.owners().find(*wildcard)) return node;
    if (image_.owners().find(name)) break;  // the closest encloser
  }
  return std::nullopt;
}

std::optional<NameView> TargetFinder::highest_cut(NameView name) const {
  if (!has_cuts_) return std::nullopt;
  std::optional<NameView> cut;
  for (; name.size() > image_.apex().size(); name = name.parent())
    if (const auto node = image_.owners().find(name); node && kinds_of(*node).ns) cut = name;
  return cut;
}

}  // namespace steward::zone
