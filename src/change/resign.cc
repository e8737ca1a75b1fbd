// Re-signing: signatures that come near their end are made anew, a bounded number of nodes at a time.

#include "change/batch.hh"
#include "change/rewrite.hh"
#include "change/zone_digest.hh"

namespace steward::change {
namespace {

// Whether a node has anything to be made anew, told by its header alone.
bool is_due(zone::NodeView node, const Signing& signing) {
  const uint32_t earliest = node.earliest_expiration();
  if (earliest == 0) return false;
  if (signing.recheck) return true;
  const auto left = static_cast<int32_t>(earliest - static_cast<uint32_t>(seconds_of(signing.signer->now())));
  return left <= signing.signer->policy().refresh.count();
}

// The node as it is, to be signed again: its NSEC is kept by giving it the same next name.
void fill(Task& task, zone::NodeView node, const Bytes& key) {
  task.key = key;
  task.stored = node;
  task.flags = node.flags();
  task.content = Task::Content::Stored;
  if (const auto nsec = node.find(RrType::NSEC)) {
    const zone::StoredRr rr = zone::StoredRrReader(nsec->rrs).next();
    task.wants_nsec = true;
    task.nsec_ttl = rr.ttl;
    if (const auto next = NameView::from_wire(rr.rdata)) task.next = dns::Name(*next);
  }
}

// An NSEC3 node is the signer's own, so that draft_stored() would leave it empty.
void fill_nsec3(Task& task, zone::NodeView node, const Bytes& key) {
  task.key = key;
  task.stored = node;
  task.flags = node.flags();
  const zone::StoredRrset rrset = node.rrset(0);
  const ByteView rdata[] = {zone::StoredRrReader(rrset.rrs).next().rdata};
  task.draft.add(RrType::NSEC3, rrset.ttl(), rdata);
}

Result<void> scan(zone::NodeTable& table, const Signing& signing, size_t limit, Batch& batch, ResignProgress& progress) {
  const size_t written_before = progress.written;
  const auto seen = [&](const Task& task) { progress.written += task.changed ? 1 : 0; };
  // Looking is cheap, but the writer has others to serve.
  const uint64_t look_at_most = progress.looked_at + 50 * limit;
  while (progress.written - written_before + batch.size() < limit && progress.looked_at < look_at_most) {
    const zone::NodeView node = table.at_or_after(progress.key);
    if (!node) {
      progress.done = true;
      break;
    }
    ++progress.looked_at;
    // The apex has its own turn, with the serial.
    if (!node.is(zone::node_apex) && is_due(node, signing)) {
      Task& task = batch.add(node.owner());
      progress.in_nsec3 ? fill_nsec3(task, node, progress.key) : fill(task, node, progress.key);
    }
    progress.key.push_back(0);
    if (batch.is_full())
      if (auto written = batch.write(batch.size(), table, seen); !written) return written;
  }
  return batch.write(batch.size(), table, seen);
}

}  // namespace

Result<void> resign_step(const RewriteRequest& request, zone::NodeTable& nodes, zone::NodeTable& nsec3, Parallel& parallel, size_t limit,
                         ResignProgress& progress, uint32_t& serial) {
  auto made = Batch::create(request.zone, request.signing, parallel);
  if (!made) return tl::unexpected<Error>(made.error());
  Batch& batch = **made;
  const size_t before = progress.written;
  if (auto scanned = scan(progress.in_nsec3 ? nsec3 : nodes, request.signing, limit, batch, progress); !scanned) return scanned;
  if (progress.done && !progress.in_nsec3) {
    progress.done = false;
    progress.in_nsec3 = true;
    progress.key.clear();
  }

  const zone::NodeView apex = nodes.find({});
  if (!apex) return fail(Errc::Corrupt, request.apex.to_text() + ": no apex");
  if (progress.written > before || is_due(apex, request.signing)) {
    Task task;
    task.reset(apex.owner());
    fill(task, apex, {});
    // The signer's records stay as they are: keys change by rewrite_zone only.
    task.content = Task::Content::Drafted;
    draft_stored(apex, Keep::All, task.draft);
    task.file_digest = apex.file_digest();
    // What looked due may come out as it was (recheck): then the serial stays too.
    if (progress.written == before) batch.finish_one(task);
    if (task.error) return tl::unexpected<Error>(*task.error);
    if (progress.written == before && !task.changed) return {};
    serial = next_serial(request.stored_serial, request.stored_serial);
    task.serial = serial;
    batch.finish_one(task);
    if (task.error) return tl::unexpected<Error>(*task.error);
    if (auto digested = digest_zone(batch.finisher(), task, request.zonemd, nodes, nsec3); !digested) return digested;
    if (auto put = nodes.put({}, task.node); !put) return put;
    ++progress.written;
  }
  progress.signatures += batch.signatures();
  return {};
}

}  // namespace steward::change
