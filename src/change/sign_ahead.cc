#include "change/sign_ahead.hh"

#include "change/edit.hh"

namespace steward::change {

SignAhead::SignAhead(const sign::ZoneSigner& signer, Parallel& parallel)
    : signer_(signer), parallel_(parallel), workers_(parallel.threads()) {}

SignAhead::~SignAhead() {
  settle();
  for (auto& worker : workers_)
    if (worker) signer_.give_back(std::move(*worker));
}

void SignAhead::add(EditedNode& node) {
  Piece& piece = pieces_.emplace_back();
  piece.owner = node.owner;
  piece.stored = node.stored;
  for (const EditedRrset& rrset : node.rrsets)
    if (!rrset.rdatas.empty()) piece.rrsets.push_back({rrset.type, rrset.ttl, rrset.rdatas, {}});
  node.ahead = &piece.rrsets;
}

void SignAhead::begin() {
  constexpr size_t names = 8;  // for one helper at once
  while (begun_ < pieces_.size()) {
    std::vector<Piece*> pieces;
    for (; pieces.size() < names && begun_ < pieces_.size(); ++begun_) pieces.push_back(&pieces_[begun_]);
    parallel_.post([this, pieces = std::move(pieces)](size_t thread) {
      if (!is_over_.load(std::memory_order_relaxed)) sign(thread, pieces);
    });
  }
}

void SignAhead::settle() {
  is_over_.store(true, std::memory_order_relaxed);
  parallel_.settle();
}

void SignAhead::sign(size_t thread, const std::vector<Piece*>& pieces) {
  std::optional<sign::ZoneSigner::Worker>& worker = workers_[thread];
  if (!worker) {
    auto made = signer_.make_worker();
    if (!made) return;  // whoever finishes the node says so
    worker.emplace(std::move(*made));
  }
  worker->postpone();
  for (Piece* piece : pieces) sign(*worker, *piece);
  if (worker->settle()) return;
  for (Piece* piece : pieces)
    for (SignedAhead& rrset : piece->rrsets) rrset.rrsigs.clear();
}

void SignAhead::sign(sign::ZoneSigner::Worker& worker, Piece& piece) const {
  std::vector<ByteView> rdatas;
  for (SignedAhead& rrset : piece.rrsets) {
    rdatas.assign(rrset.rdatas.begin(), rrset.rdatas.end());
    const auto before = piece.stored ? piece.stored.find(rrset.type) : std::nullopt;
    if (before && has_records(*before, piece.stored.owner(), rrset.ttl, rdatas)) continue;
    // What cannot be signed has fewer RRSIGs than there are keys: whoever finishes the node says why.
    static_cast<void>(worker.sign({piece.owner, rrset.type, rrset.ttl, rdatas}, rrset.rrsigs));
  }
}

uint64_t SignAhead::signatures() const {
  uint64_t sum = 0;
  for (const auto& worker : workers_) sum += worker ? worker->made() : 0;
  return sum;
}

}  // namespace steward::change
