#pragma once
// SignAhead: while an edit goes on, helpers sign what it has left behind.
//
// The writer's thread adds names and asks; helpers work on copies. Whoever uses a signature compares the records, so that a name that is
// changed again after all costs a few signatures and nothing else.

#include <atomic>
#include <deque>
#include <optional>
#include <vector>

#include "base/parallel.hh"
#include "change/finisher.hh"

namespace steward::change {

struct EditedNode;

class SignAhead {
 public:
  SignAhead(const sign::ZoneSigner& signer, Parallel& parallel);
  ~SignAhead();
  SignAhead(const SignAhead&) = delete;
  SignAhead& operator=(const SignAhead&) = delete;

  /// The RRsets of a name as they are now, but those that are stored so. Points EditedNode::ahead at what will be there after settle().
  void add(EditedNode& node);
  /// Hands what was added to the helpers.
  void begin();
  /// What has not begun is left undone; nothing is under way any more. Once.
  void settle();
  /// RRSIGs made, after settle().
  [[nodiscard]] uint64_t signatures() const;

 private:
  struct Piece {
    dns::Name owner;
    zone::NodeView stored;
    std::vector<SignedAhead> rrsets;
  };
  void sign(size_t thread, const std::vector<Piece*>& pieces);
  void sign(sign::ZoneSigner::Worker& worker, Piece& piece) const;

  const sign::ZoneSigner& signer_;
  Parallel& parallel_;
  std::deque<Piece> pieces_;
  size_t begun_ = 0;
  std::atomic<bool> is_over_ = false;
  std::vector<std::optional<sign::ZoneSigner::Worker>> workers_;  // by thread
};

}  // namespace steward::change
