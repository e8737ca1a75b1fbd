#pragma once
// The pass of rewrite_zone(), from the apex to the last name: names in rewrite.cc, what can only be done behind the last one in rewrite_end.cc.
// Private to this room.

#include <deque>
#include <utility>
#include <vector>

#include "change/batch.hh"
#include "change/nsec3_chain.hh"
#include "change/rewrite.hh"

namespace steward::change {

// Items come in canonical order, from the file, from what is stored, or from both.
class Rewrite {
 public:
  Rewrite(const RewriteRequest& request, zone::NodeTable& nodes, zone::NodeTable& nsec3, Batch& batch, Batch& chain_batch)
      : r_(request), nodes_(nodes), nsec3_(nsec3), batch_(batch), chain_batch_(chain_batch), chain_(request.apex, request.signing.opt_out) {
    keep_ = request.signing.keep();
    file_keep_ = request.signing.keep_of_file();
  }

  Result<RewriteResult> run() {
    if (auto merged = merge(); !merged) return tl::unexpected<Error>(merged.error());
    if (!apex_seen_) return fail(Errc::Invalid, r_.apex.to_text() + ": no SOA at the zone's apex (RFC 1035 §5.2)");
    if (auto ended = end_names(); !ended) return tl::unexpected<Error>(ended.error());
    if (auto written = write_apex(); !written) return tl::unexpected<Error>(written.error());
    result_.signatures = batch_.signatures() + chain_batch_.signatures();
    return result_;
  }

 private:
  static constexpr size_t none = SIZE_MAX;
  Result<void> merge();
  Result<void> forget_withdrawn(const Bytes* file_key);
  Result<void> take_file(const zone::ZoneImage::Node& file, zone::NodeView stored, const Bytes& key);
  Result<void> take_stored(zone::NodeView stored, const Bytes& key);
  Result<void> take_presigned_nsec3(const zone::ZoneImage::Node& file);
  void take_apex(const zone::ZoneImage::Node* file, zone::NodeView stored);
  Result<void> place_empty_non_terminals(NameView owner);
  Task& place(NameView owner, Bytes key, zone::NodeView stored);
  void settle(Task& task, bool has_records);
  void mark_wildcard(NameView owner);
  Result<void> drop_stale(NameView below);
  Result<void> flush(bool all);
  void account(const Task& task);
  Result<void> end_names();
  Result<void> mark_late_wildcards();
  Result<void> drop_rest_of_nsec3();
  Result<void> write_apex();
  Result<void> settle_serial();
  void find_denial();

  const RewriteRequest& r_;
  zone::NodeTable& nodes_;
  zone::NodeTable& nsec3_;
  Batch& batch_;
  Batch& chain_batch_;
  Nsec3Chain chain_;
  Keep keep_;       // of what is stored
  Keep file_keep_;
  RewriteResult result_;
  NodeDraft draft_;

  Task apex_;
  bool apex_seen_ = false;
  bool apex_comes_signed_ = false;
  uint32_t negative_ttl_ = 0;
  bool has_previous_ = false;
  dns::Name previous_;             // the last name that was placed
  Task* last_ = nullptr;           // its task: what comes next may be its child
  bool has_cut_ = false;
  dns::Name cut_;                  // what is below it is occluded
  size_t open_ = none;             // the task that waits for the next name of the NSEC chain; none: the apex
  std::deque<std::pair<Bytes, zone::NodeView>> stale_;  // stored names without content: gone, unless a name below is found
  std::vector<dns::Name> late_wildcards_;         // parents that were placed long before
  std::vector<dns::Name> unconfirmed_wildcards_;  // parents that had a wildcard
  Bytes withdrawn_at_;  // the next name of the attic that was not looked at
  bool withdrawn_left_ = false;
  bool erased_ = false;
  Bytes nsec3_at_;
  bool presigned_nsec3_ = false;
  bool chain_changed_ = false;
};

}  // namespace steward::change
