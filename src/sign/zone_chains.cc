#include "sign/zone_chains.hh"

#include <algorithm>

#include "crypto/nsec3_hash.hh"
#include "crypto/siphash.hh"
#include "dns/type_bitmap.hh"

namespace steward::sign {

namespace {

std::vector<RrType> present_types(const ChainNode& node) {
  std::vector<RrType> types;
  for (const auto& rrset : node.rrsets) {
    if (rrset.type != RrType::NSEC && rrset.type != RrType::NSEC3 && rrset.type != RrType::RRSIG)
      types.push_back(rrset.type);
  }
  return types;
}

Bytes bitmap_of(std::span<const RrType> types) {
  Bytes bitmap;
  append_type_bitmap(types, bitmap);
  return bitmap;
}

uint64_t digest_of(ByteView bitmap) { return crypto::siphash24({}, bitmap); }

}  // namespace

void NsecChain::add(const ChainNode& node) {
  check_next(node.owner);
  const auto nsec =
      std::find_if(node.rrsets.begin(), node.rrsets.end(), [](const auto& r) { return r.type == RrType::NSEC; });
  has_last_ = true;
  last_owner_ = node.owner;
  last_next_ = dns::Name(node.owner);
  if (nsec == node.rrsets.end() || nsec->rdatas.size() != 1) {
    report_(node.owner, RrType::NSEC, "one NSEC record wanted (RFC 4035 §2.3)");
    has_last_ = false;
    return;
  }
  const ByteView rdata = nsec->rdatas[0];
  const auto next = NameView::from_wire(rdata);
  if (!next) {
    report_(node.owner, RrType::NSEC, "malformed (RFC 4034 §4.1)");
    has_last_ = false;
    return;
  }
  last_next_ = *next;
  std::vector<RrType> types;
  denial_types(DenialKind::Nsec, present_types(node), node.cut, types);
  if (!std::ranges::equal(bitmap_of(types), rdata.subspan(next->size()))) {
    report_(node.owner, RrType::NSEC, "bitmap does not show the types that stand here (RFC 4034 §4.1.2)");
  }
}

void NsecChain::check_next(NameView owner) {
  if (has_last_ && !(last_next_.view() == owner)) {
    report_(last_owner_, RrType::NSEC,
            "next name is " + last_next_.to_text() + ", not " + owner.to_text() + " (RFC 4034 §4.1.1)");
  }
}

void NsecChain::finish() { check_next(apex_); }

void Nsec3Chain::expect(NameView owner, std::span<const RrType> types, bool optional) {
  expected_.push_back({crypto::nsec3_hash(owner, params_.salt, params_.iterations), digest_of(bitmap_of(types)),
                       optional, static_cast<uint32_t>(names_.size()), static_cast<uint8_t>(owner.size())});
  append(names_, owner.wire());
}

void Nsec3Chain::add(const ChainNode& node) {
  const auto present = present_types(node);
  const bool has_ds = std::find(present.begin(), present.end(), RrType::DS) != present.end();
  const bool optional = node.cut && !has_ds;
  add_empty_non_terminals(node.owner, optional);
  std::vector<RrType> types;
  denial_types(DenialKind::Nsec3, present, node.cut, types);
  expect(node.owner, types, optional);
  previous_ = node.owner;
  has_previous_ = true;
}

void Nsec3Chain::add_empty_non_terminals(NameView owner, bool optional) {
  std::erase_if(open_empty_, [&](size_t index) { return !owner.is_below(name_of(expected_[index])); });
  if (!optional) {
    for (const size_t index : open_empty_) expected_[index].optional = false;
  }
  // Names come in canonical order: an ancestor that the previous name is at or below has been seen.
  for (NameView above = owner.parent(); above.is_below(apex_); above = above.parent()) {
    if (has_previous_ && previous_.view().is_at_or_below(above)) break;
    open_empty_.push_back(expected_.size());
    expect(above, {}, optional);
  }
}

void Nsec3Chain::add_nsec3(NameView owner, const zone::RrsetInput& rrset) {
  const auto hash = nsec3_hash_of_owner(owner);
  if (!hash || !(owner.parent() == apex_.view())) {
    report_(owner, RrType::NSEC3, "owner is no hash directly below the apex (RFC 5155 §3)");
    return;
  }
  for (const ByteView rdata : rrset.rdatas) {
    const auto view = Nsec3View::from_rdata(rdata);
    if (!view || view->next.size() != hash->size()) {
      report_(owner, RrType::NSEC3, "malformed (RFC 5155 §3.2)");
      continue;
    }
    // RFC 5155 §7.3: another chain may be there while parameters change.
    if (view->algorithm != nsec3_sha1 || view->iterations != params_.iterations ||
        !std::ranges::equal(view->salt, params_.salt))
      continue;
    Link link{*hash, {}, digest_of(view->bitmap), (view->flags & nsec3_flag_opt_out) != 0};
    std::copy(view->next.begin(), view->next.end(), link.next.begin());
    links_.push_back(link);
  }
}

void Nsec3Chain::finish() {
  std::sort(links_.begin(), links_.end(), [](const Link& a, const Link& b) { return a.hash < b.hash; });
  std::sort(expected_.begin(), expected_.end(), [](const Expected& a, const Expected& b) { return a.hash < b.hash; });
  if (links_.empty()) {
    report_(apex_, RrType::NSEC3, "no NSEC3 with the parameters of NSEC3PARAM (RFC 5155 §4)");
    return;
  }
  check_circle();
  check_names();
}

void Nsec3Chain::check_circle() {
  for (size_t i = 0; i < links_.size(); ++i) {
    const Link& following = links_[(i + 1) % links_.size()];
    if (links_[i].next == following.hash) continue;
    const auto owner = nsec3_owner(links_[i].hash, apex_);
    report_(owner ? *owner : apex_, RrType::NSEC3, "next hashed owner is not the next in the zone (RFC 5155 §3.1.7)");
  }
}

void Nsec3Chain::check_names() {
  size_t at = 0;
  for (const Expected& expected : expected_) {
    for (; at < links_.size() && links_[at].hash < expected.hash; ++at) {
      const bool known = at > 0 && links_[at - 1].hash == links_[at].hash;
      const auto owner = nsec3_owner(links_[at].hash, apex_);
      report_(owner ? *owner : apex_, RrType::NSEC3,
              known ? "stands twice" : "stands for no name of the zone (RFC 5155 §7.1)");
    }
    if (at < links_.size() && links_[at].hash == expected.hash) {
      if (links_[at].types != expected.types) {
        report_(name_of(expected), RrType::NSEC3, "bitmap does not show the types that stand here (RFC 5155 §3.1.8)");
      }
      ++at;
      continue;
    }
    const Link& covering = links_[at == 0 ? links_.size() - 1 : at - 1];
    if (!expected.optional || !covering.opt_out)
      report_(name_of(expected), RrType::NSEC3, "has no NSEC3 (RFC 5155 §7.1)");
  }
  for (; at < links_.size(); ++at) {
    const auto owner = nsec3_owner(links_[at].hash, apex_);
    report_(owner ? *owner : apex_, RrType::NSEC3, "stands for no name of the zone (RFC 5155 §7.1)");
  }
}

}  // namespace steward::sign
