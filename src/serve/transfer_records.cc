#include "serve/transfer_records.hh"

namespace steward::serve {

using dns::NameView;
using dns::RrType;
using zone::NodeView;
using zone::StoredRrset;

namespace {

// How far ahead of their turn nodes are brought into the cache.
constexpr size_t prefetch_distance = 8;
constexpr size_t rr_head = 12;

// As much as a node usually has; an address behind its end does no harm.
void prefetch(const ZoneContents& contents, size_t index) {
  constexpr size_t line = 64;
  constexpr size_t lines = 12;
  if (index >= contents.size()) return;
  const uint8_t* const node = contents.node(index).data();
  for (size_t i = 0; i < lines; ++i) __builtin_prefetch(node + i * line);
}

}  // namespace

std::optional<SoaRecord> SoaRecord::of(NodeView apex) {
  if (!apex) return std::nullopt;
  const auto rrset = apex.find(RrType::SOA);
  if (!rrset || rrset->rr_count == 0) return std::nullopt;
  const zone::StoredRr rr = zone::StoredRrReader(rrset->rrs).next();
  SoaRecord soa{apex.owner(), rr.ttl, {}};
  zone::expand_rdata(RrType::SOA, rr.rdata, apex.owner(), soa.rdata);
  if (soa.rdata.size() < 20) return std::nullopt;
  return soa;
}

AxfrRecords::Fill AxfrRecords::fill(TransferMessage& message) {
  const auto not_done = [](Put put) { return put == Put::Full ? Fill::More : Fill::Broken; };
  if (!first_soa_done_) {
    const NodeView apex = contents_->node(0);
    const auto soa = apex.find(RrType::SOA);
    if (!soa) return Fill::Broken;
    if (const Put put = put_rrset(message, *soa, apex.owner()); put != Put::Done) return not_done(put);
    first_soa_done_ = true;
  }
  for (const size_t count = contents_->size(); node_ < count; ++node_) {
    prefetch(*contents_, node_ + prefetch_distance);
    if (const Put put = put_node(message, contents_->node(node_)); put != Put::Done) return not_done(put);
    rrset_ = 0;
  }
  // RFC 5936 §2.2: the SOA again, and nothing after it.
  if (message.put_record(soa_.owner, RrType::SOA, soa_.ttl, soa_.rdata)) return Fill::End;
  return message.empty() ? Fill::Broken : Fill::More;
}

// All that the node has: glue and what a cut hides too (RFC 5936 §3.2, §3.3); an empty non-terminal has nothing.
AxfrRecords::Put AxfrRecords::put_node(TransferMessage& message, NodeView node) {
  for (const size_t count = node.rrset_count(); rrset_ < count; ++rrset_) {
    const StoredRrset rrset = node.rrset(rrset_);
    if (rrset.type == RrType::SOA && node.is(zone::node_apex)) continue;
    if (const Put put = put_rrset(message, rrset, node.owner()); put != Put::Done) return put;
  }
  return Put::Done;
}

AxfrRecords::Put AxfrRecords::put_rrset(TransferMessage& message, const StoredRrset& rrset, NameView owner) {
  if (octets_ == 0) {
    if (message.put_rrset(rrset, owner)) return Put::Done;
    if (!message.empty()) return Put::Full;
  }
  return put_records(message, rrset, owner);
}

// An RRset that is larger than a message usually is: its records one by one, in as many messages as that takes.
AxfrRecords::Put AxfrRecords::put_records(TransferMessage& message, const StoredRrset& rrset, NameView owner) {
  const ByteView rrs = rrset.rrs_with_sigs;
  while (octets_ < rrs.size()) {
    const ByteView rest = rrs.subspan(octets_);
    const zone::StoredRr rr = zone::StoredRrReader(rest).next();
    const auto type = static_cast<RrType>(load_u16(&rest[2]));
    rdata_.clear();
    zone::expand_rdata(type, rr.rdata, owner, rdata_);
    if (message.put_record(owner, type, rr.ttl, rdata_)) {
      octets_ += rr_head + rr.rdata.size();
    } else if (!message.empty()) {
      return Put::Full;
    } else if (!message.enlarge()) {
      return Put::Broken;
    }
  }
  octets_ = 0;
  return Put::Done;
}

IxfrRecords::Fill IxfrRecords::full(TransferMessage& message) const {
  return message.empty() ? Fill::Broken : Fill::More;
}

IxfrRecords::Fill IxfrRecords::fill(TransferMessage& message) {
  if (stage_ == Stage::FirstSoa) {
    if (!message.put_record(soa_.owner, RrType::SOA, soa_.ttl, soa_.rdata)) return full(message);
    stage_ = Stage::Records;
  }
  while (stage_ == Stage::Records) {
    if (!next_) next_ = reader_.next();
    if (next_) {
      if (!message.put_record(next_->owner, next_->type, next_->ttl, next_->rdata)) {
        if (!message.empty()) return Fill::More;
        if (!message.enlarge()) return Fill::Broken;
        continue;
      }
      next_.reset();
      continue;
    }
    if (!reader_.ok()) return Fill::Broken;
    Piece piece = feed_();
    if (piece.kind == Piece::Kind::Broken) return Fill::Broken;
    if (piece.kind == Piece::Kind::End) stage_ = Stage::LastSoa;
    records_ = std::move(piece.records);
    reader_ = zone::DifferenceReader(records_);
  }
  return message.put_record(soa_.owner, RrType::SOA, soa_.ttl, soa_.rdata) ? Fill::End : full(message);
}

}  // namespace steward::serve
