#pragma once
// From edited names to nodes: which others are touched by them, in which order all are made. What ZoneEdit::finish() runs.
//
// A plan holds the names that may come out otherwise than they are stored; everything else is looked up in the tables. Steps: which names
// exist; what a new or lost cut shows or hides; flags; neighbours in the NSEC chain; nodes; the NSEC3 chain; the apex last.

#include <map>
#include <vector>

#include "change/batch.hh"
#include "change/edit.hh"
#include "change/nsec3_edit.hh"

namespace steward::change {

class EditPlan {
 public:
  EditPlan(const EditRequest& request, const EditedNodes& edits, zone::NodeTable& nodes, zone::NodeTable& nsec3,
           zone::OctetTable* attic, SignAhead* ahead, Batch& batch)
      : r_(request), edits_(edits), nodes_(nodes), nsec3_(nsec3), attic_(attic), ahead_(ahead), batch_(batch),
        chain_(request.apex, request.signing.opt_out) {}

  Result<EditResult> run();

 private:
  struct Item {
    dns::Name owner;
    zone::NodeView stored;
    const EditedNode* edit = nullptr;   // null: what is stored is the content
    bool exists = true;
    bool has_records = false;
    uint16_t flags = 0;
  };
  /// A name as it will be, planned or not.
  struct Seen {
    bool exists = false;
    bool has_records = false;
    uint16_t flags = 0;
    zone::NodeView stored;
    const Item* item = nullptr;
    [[nodiscard]] bool is_member() const { return exists && has_records && (flags & zone::node_occluded) == 0; }
    [[nodiscard]] NameView owner() const { return item != nullptr ? item->owner.view() : stored.owner(); }
  };

  Item& touch(const Bytes& key);
  Item& set_stored(Item& item, zone::NodeView stored) const;
  /// A stored name that was looked for, and what it was looked for from.
  struct StoredName {
    bool is_known = false;
    Bytes from;
    Bytes key;
    zone::NodeView node;  // none: there is none behind
  };
  const StoredName& stored_at_or_after(const Bytes& key);
  [[nodiscard]] Seen look(const Bytes& key);
  [[nodiscard]] Seen next(Bytes& key);
  [[nodiscard]] Seen previous(Bytes& key);
  [[nodiscard]] bool has_descendant(const Bytes& key);
  [[nodiscard]] uint16_t own_flags(const Item& item) const;

  void plan_edits();
  void plan_ancestors(const Bytes& key, NameView owner);
  void plan_removals();
  void plan_subtrees();
  void set_flags();
  void plan_nsec_neighbours();
  [[nodiscard]] NameView next_member(Bytes key);
  Result<void> write_nodes();
  void fill(Task& task, const Bytes& key, const Item& item);
  Result<void> flush();
  Result<void> write_presigned_nsec3();
  Result<void> write_apex();
  Result<void> keep_provenance();
  void count(zone::NodeView before, zone::NodeView after);

  const EditRequest& r_;
  const EditedNodes& edits_;
  zone::NodeTable& nodes_;
  zone::NodeTable& nsec3_;
  zone::OctetTable* attic_;
  SignAhead* ahead_;  // may be null
  Batch& batch_;
  Nsec3Edit chain_;
  std::map<Bytes, Item> items_;
  StoredName stored_ahead_;  // it stays so while nodes are written: those that are, are among items_
  uint32_t negative_ttl_ = 0;
  bool is_changed_ = false;
  EditResult result_;
};

}  // namespace steward::change
