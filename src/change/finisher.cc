#include "change/finisher.hh"

#include <algorithm>
#include <array>

#include "sign/validity.hh"

namespace steward::change {
namespace {

bool has_records(const SignedAhead& rrset, uint32_t ttl, std::span<const ByteView> rdatas) {
  return rrset.ttl == ttl && std::equal(rrset.rdatas.begin(), rrset.rdatas.end(), rdatas.begin(), rdatas.end(),
                                        [](const Bytes& a, ByteView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); });
}

// RFC 4035 §2.2: at a delegation only DS and NSEC are the zone's own; below it nothing is.
bool is_authoritative(uint16_t flags, RrType type) {
  if ((flags & zone::node_occluded) != 0) return false;
  return (flags & zone::node_cut) == 0 || type == RrType::DS || type == RrType::NSEC;
}

// The next name in the NSEC of a stored node.
bool has_next(zone::NodeView node, NameView next) {
  const auto nsec = node.find(RrType::NSEC);
  if (!nsec) return false;
  const auto stored = NameView::from_wire(zone::StoredRrReader(nsec->rrs).next().rdata);
  return stored && *stored == next;
}

}  // namespace

bool has_records(const zone::StoredRrset& stored, NameView owner, uint32_t ttl, std::span<const ByteView> rdatas) {
  if (stored.rr_count != rdatas.size() || stored.ttl() != ttl) return false;
  Bytes expanded;
  size_t i = 0;
  for (zone::StoredRrReader reader(stored.rrs); !reader.done(); ++i) {
    expanded.clear();
    zone::expand_rdata(stored.type, reader.next().rdata, owner, expanded);
    if (!std::equal(expanded.begin(), expanded.end(), rdatas[i].begin(), rdatas[i].end())) return false;
  }
  return true;
}

void Task::reset(NameView name) {
  key.clear();
  owner = dns::Name(name);
  flags = 0;
  content = Content::Drafted;
  stored = {};
  draft.clear();
  ahead = nullptr;
  file_digest = 0;
  wants_nsec = false;
  nsec_ttl = 0;
  serial.reset();
  changed = false;
  node.clear();
  error.reset();
}

Result<Finisher> Finisher::create(uint32_t zone, const Signing& signing) {
  Finisher finisher(zone, signing);
  if (signing.signer != nullptr) {
    auto worker = signing.signer->make_worker();
    if (!worker) return tl::unexpected<Error>(worker.error());
    finisher.worker_.emplace(std::move(*worker));
  }
  return finisher;
}

Finisher::~Finisher() {
  if (worker_ && worker_->is_whole()) signing_.signer->give_back(std::move(*worker_));
}

bool Finisher::is_unchanged(const Task& task) const {
  if (task.content != Task::Content::Stored || task.serial) return false;
  if (task.stored.flags() != task.flags) return false;
  if (signing_.recheck || signing_.renew || signing_.is_turned()) return false;
  if (signing_.signer == nullptr) return true;
  if (task.wants_nsec ? !has_next(task.stored, task.next) : task.stored.find(RrType::NSEC).has_value()) return false;
  if (task.wants_nsec && task.stored.find(RrType::NSEC)->ttl() != task.nsec_ttl) return false;
  const uint32_t earliest = task.stored.earliest_expiration();
  if (earliest == 0) return (task.flags & zone::node_occluded) != 0 || task.stored.rrset_count() == 0;
  const auto left = static_cast<int32_t>(earliest - static_cast<uint32_t>(seconds_of(signing_.signer->now())));
  return left > signing_.signer->policy().refresh.count();
}

void Finisher::finish(std::span<const std::unique_ptr<Task>> tasks) {
  if (worker_) worker_->postpone();
  for (const auto& task : tasks) begin(*task);
  end();
}

void Finisher::finish(Task& task) {
  if (worker_) worker_->postpone();
  begin(task);
  end();
}

void Finisher::begin(Task& task) {
  if (is_unchanged(task)) return;
  if (task.content == Task::Content::Stored) {
    task.draft.clear();
    draft_stored(task.stored, signing_.keep(), task.draft);
    task.file_digest = task.stored.file_digest();
  }
  if (task.wants_nsec) add_nsec(task);
  if (task.serial) task.draft.set_soa_serial(*task.serial);
  const Begun& begun = begun_.emplace_back(Begun{&task, task.draft.rrsets(), rrsigs_used_});
  if (auto is_signed = sign(begun); !is_signed) task.error = is_signed.error();
}

void Finisher::end() {
  const auto settled = worker_ ? worker_->settle() : Result<void>{};
  for (const Begun& begun : begun_) {
    if (!settled) begun.task->error = settled.error();
    if (!begun.task->error) build(begun);
  }
  begun_.clear();
  rrsigs_used_ = 0;
}

void Finisher::build(const Begun& begun) {
  Task& task = *begun.task;
  if (worker_)
    for (size_t i = 0; i < begun.rrsets.size(); ++i) {
      rrsigs_[begun.first + i].views(rrsig_views_[i]);
      begun.rrsets[i].rrsigs = rrsig_views_[i];
    }
  task.node.clear();
  const auto built = zone::build_node({zone_, task.owner, task.flags, begun.rrsets, task.file_digest, task.draft.provenance()}, task.node);
  if (!built) {
    task.error = built.error();
    return;
  }
  task.changed = !task.stored || task.stored.size() != task.node.size() ||
                 std::memcmp(task.stored.data(), task.node.data(), task.node.size()) != 0;
}

void Finisher::add_nsec(Task& task) {
  present_.clear();
  for (const zone::RrsetInput& rrset : task.draft.rrsets()) present_.push_back(rrset.type);
  sign::denial_types(sign::DenialKind::Nsec, present_, (task.flags & zone::node_cut) != 0, shown_);
  task.draft.remove_type(RrType::NSEC);
  Bytes rdata;
  sign::append_nsec_rdata(task.next, shown_, rdata);
  const ByteView held[] = {task.draft.hold(std::move(rdata))};
  task.draft.add(RrType::NSEC, task.nsec_ttl, held);
}

// RRSIGs of these very records: stored, or made a moment ago.
void Finisher::find_existing(const Task& task, const zone::RrsetInput& rrset) {
  existing_.clear();
  if (task.stored && !signing_.renew)
    if (const auto before = task.stored.find(rrset.type); before && has_records(*before, task.stored.owner(), rrset.ttl, rrset.rdatas))
      for (zone::StoredRrReader reader(before->sigs()); !reader.done();) existing_.push_back(reader.next().rdata);
  if (!existing_.empty() || task.ahead == nullptr) return;
  for (const SignedAhead& made : *task.ahead)
    if (made.type == rrset.type && has_records(made, rrset.ttl, rrset.rdatas)) made.rrsigs.views(existing_);
}

Result<void> Finisher::sign(const Begun& begun) {
  if (!worker_) return {};
  const Task& task = *begun.task;
  rrsigs_used_ += begun.rrsets.size();
  while (rrsigs_.size() < rrsigs_used_) rrsigs_.emplace_back();
  if (rrsig_views_.size() < begun.rrsets.size()) rrsig_views_.resize(begun.rrsets.size());
  for (size_t i = 0; i < begun.rrsets.size(); ++i) {
    const zone::RrsetInput& rrset = begun.rrsets[i];
    sign::RrsigList& rrsigs = rrsigs_[begun.first + i];
    rrsigs.clear();
    if (!is_authoritative(task.flags, rrset.type)) continue;
    const sign::Rrset signable{task.owner, rrset.type, rrset.ttl, rrset.rdatas};
    find_existing(task, rrset);
    if (existing_.empty()) {
      if (auto made = worker_->sign(signable, rrsigs); !made) return made;
    } else if (auto made = worker_->refresh(signable, existing_, rrsigs); !made) {
      return tl::unexpected<Error>(made.error());
    }
  }
  return {};
}

Result<Bytes> Finisher::replace_made(zone::NodeView node, RrType type, ByteView rdata) {
  NodeDraft draft;
  draft_stored(node, Keep::All, draft);
  const auto before = node.find(type);
  const uint32_t ttl = before ? before->ttl() : 0;
  draft.remove_type(type);
  draft.forget(Origin::Signer, type);
  draft.add(type, ttl, std::array{rdata});
  draft.note({Origin::Signer, type, ttl, rdata});
  const auto rrsets = draft.rrsets();
  sign::RrsigList made;
  std::vector<ByteView> views;
  if (worker_ && is_authoritative(node.flags(), type))
    for (zone::RrsetInput& rrset : rrsets) {
      if (rrset.type != type) continue;
      if (auto is_signed = worker_->sign({node.owner(), type, ttl, rrset.rdatas}, made); !is_signed)
        return tl::unexpected<Error>(is_signed.error());
      made.views(views);
      rrset.rrsigs = views;
    }
  Bytes blob;
  if (auto built = zone::build_node({zone_, node.owner(), node.flags(), rrsets, node.file_digest(), draft.provenance()}, blob); !built)
    return tl::unexpected<Error>(built.error());
  return blob;
}

}  // namespace steward::change
