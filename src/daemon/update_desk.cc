#include "daemon/update_desk.hh"

#include <utility>

#include "auth/sig0.hh"
#include "base/log.hh"
#include "crypto/digest.hh"

namespace steward::daemon {
namespace {

constexpr size_t most_waiting = 10'000;

crypto::SipHashKey random_key() {
  crypto::SipHashKey key{};
  crypto::random_octets({reinterpret_cast<uint8_t*>(&key), sizeof key});
  return key;
}

}  // namespace

UpdateDesk::UpdateDesk(std::unique_ptr<store::Reader> keys, const Clock& clock, std::function<void()> wake,
                       std::function<void(serve::UpdateRequest)> forward)
    : keys_(std::move(keys)), clock_(clock), wake_(std::move(wake)), forward_(std::move(forward)), budget_({}, random_key()) {}

void UpdateDesk::set_rights(std::shared_ptr<const UpdateRights> rights) {
  const std::lock_guard lock(mutex_);
  rights_ = std::move(rights);
}

void UpdateDesk::refuse(serve::DeferredResponse& response, dns::Rcode rcode, serve::ExtendedError error) {
  response.send(rcode, clock_.now(), error);
  count(0, 1);
}

std::vector<Bytes> UpdateDesk::key_records(const dns::Name& owner) {
  std::vector<Bytes> keys;
  const std::lock_guard lock(reader_mutex_);
  if (!keys_->acquire()) return keys;
  if (const zone::ZoneInfo* zone = keys_->find_zone(owner); zone != nullptr && zone->availability == zone::Availability::Serving) {
    const zone::NodeView node = keys_->find(*zone, owner);
    if (node && !node.is(zone::node_occluded))
      if (const auto rrset = node.find(dns::RrType::KEY))
        for (zone::StoredRrReader reader(rrset->rrs); !reader.done();) {
          const ByteView rdata = reader.next().rdata;
          keys.emplace_back(rdata.begin(), rdata.end());
        }
  }
  keys_->release();
  return keys;
}

// RFC 2931 §3: by a KEY record that stands in a zone of ours. On the worker's thread: the writer has no time for it.
bool UpdateDesk::check_sig0(serve::UpdateRequest& request, const UpdateRights::Zone& zone, change::UpdateSender& sender) {
  const auth::FoundSignature found = auth::find_signature(request.message);
  const auto sig0 = found.kind == auth::SignatureKind::Sig0 ? auth::read_sig0(request.message, found) : std::nullopt;
  if (!sig0) {
    refuse(request.response, dns::Rcode::FORMERR, serve::ExtendedError::Other);
    return false;
  }
  // Who could do nothing with a good signature costs no verification (CVE-2024-1975).
  sender.sig0_signer = sig0->signer;
  if (!zone.policy.admits(sender)) {
    refuse(request.response, dns::Rcode::REFUSED, serve::ExtendedError::Prohibited);
    return false;
  }
  const std::vector<Bytes> keys = key_records(sig0->signer);
  const std::vector<ByteView> views(keys.begin(), keys.end());
  const auto status =
      auth::verify_sig0(request.message, *sig0, views, clock_.now(), {&budget_, request.asker.client, clock_.monotonic_ns()});
  if (status == auth::Sig0Status::Good) return true;
  log::info("update.sig0", {{"zone", request.zone.to_text()}, {"client", request.asker.client.to_text()},
                            {"signer", sig0->signer.to_text()}, {"why", auth::to_text(status)}});
  refuse(request.response, auth::rcode_of(status), serve::ExtendedError::Prohibited);
  return false;
}

void UpdateDesk::take(serve::UpdateRequest request) {
  std::shared_ptr<const UpdateRights> rights;
  {
    const std::lock_guard lock(mutex_);
    rights = rights_;
    if (waiting_.size() >= most_waiting) {
      ++figures_.overload;
      rights.reset();
    }
  }
  // CVE-2022-3094: a flood of updates must not take all memory.
  if (!rights) return request.response.send(dns::Rcode::SERVFAIL, clock_.now(), serve::ExtendedError::NotReady);
  const auto zone = rights->zones.find(request.zone.to_text());
  if (zone == rights->zones.end()) return refuse(request.response, dns::Rcode::NOTAUTH, serve::ExtendedError::NotAuthoritative);

  change::UpdateSender sender;
  sender.address = request.asker.client;
  sender.tsig_key = request.asker.key;
  sender.over_tls = request.asker.transport == Transport::Tls;
  if (request.asker.peer) sender.peer_names = request.asker.peer->names;
  if (request.has_sig0) {
    if (!check_sig0(request, zone->second, sender)) return;
  } else if (!zone->second.policy.admits(sender)) {
    return refuse(request.response, dns::Rcode::REFUSED, serve::ExtendedError::Prohibited);
  }
  // RFC 2136 §6: a secondary hands on what it may not change itself.
  if (zone->second.is_secondary) return forward_(std::move(request));
  auto parsed = change::parse_update(request.message);
  if (!parsed) return refuse(request.response, parsed.error().rcode, serve::ExtendedError::Other);
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(*parsed), std::move(sender), std::move(request.response), std::move(rights), clock_.monotonic_ns()});
    wake = !std::exchange(woken_, true);
  }
  if (wake) wake_();
}

std::deque<UpdateDesk::Waiting> UpdateDesk::drain() {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  return std::exchange(waiting_, {});
}

void UpdateDesk::count(uint64_t done, uint64_t failed) {
  const std::lock_guard lock(mutex_);
  figures_.done += done;
  figures_.failed += failed;
}

UpdateDesk::Figures UpdateDesk::figures() const {
  const std::lock_guard lock(mutex_);
  Figures figures = figures_;
  figures.waiting = waiting_.size();
  return figures;
}

}  // namespace steward::daemon
