#include "zone/file_checks.hh"

#include <fmt/format.h>

#include <algorithm>

#include "dns/rdata.hh"
#include "zone/file_targets.hh"

namespace steward::zone {
namespace {

class ZoneCheck {
 public:
  ZoneCheck(FileImage& image, FileReport& report) : image_(image), report_(report), targets_(image) {}

  void run();

 private:
  // The first record of each type that a rule is about, and what else there is; null where there is none.
  struct Kinds {
    const FileRecord* soa = nullptr;
    const FileRecord* ns = nullptr;
    const FileRecord* cname = nullptr;
    const FileRecord* dname = nullptr;
    const FileRecord* ds = nullptr;
    const FileRecord* beside_cname = nullptr;
    bool only_nsec3 = true;
  };
  void check_apex();
  void check_node(NodeIndex node);
  void check_singles(NodeIndex node, const Kinds& kinds);
  void check_place(NodeIndex node, NameView owner, const Kinds& kinds);
  void check_hidden(NodeIndex node, bool at_cut);
  void check_records(NodeIndex node, NameView owner);
  void check_target(const FileRecord& record, NodeIndex node, NameView owner);
  void check_nsec3(const FileRecord& record, NodeIndex node);
  void check_sizes(NodeIndex node, NameView owner);
  void broken(ZoneRule rule, const FileRecord& record, NodeIndex node, std::string_view detail = {}) {
    report_.broken(rule, image_.place_of(record, node), detail);
  }
  Kinds kinds_of(NodeIndex node) const;

  FileImage& image_;
  FileReport& report_;
  TargetFinder targets_;
  std::vector<ByteView> nsec3_params_;  // algorithm, flags, iterations, salt
  // The cut or DNAME below which the walk is; names in canonical order follow their ancestors.
  std::optional<dns::Name> cut_;
  std::optional<dns::Name> dname_;
};

void ZoneCheck::run() {
  check_apex();
  for (size_t place = 0; place < image_.node_count() && !report_.full(); ++place) {
    image_.prefetch(place + FileImage::prefetch_distance);
    check_node(image_.node_at(place));
  }
}

void ZoneCheck::check_apex() {
  FileMessage zone;
  if (!image_.files().empty()) zone.file = image_.files().front();
  zone.text = image_.apex().to_text();
  const bool exists = image_.node_count() > 0 && image_.owners().labels(image_.node_at(0)).empty();
  const Kinds kinds = exists ? kinds_of(image_.node_at(0)) : Kinds{};
  if (kinds.soa == nullptr) report_.broken(ZoneRule::NoSoa, zone);
  if (kinds.ns == nullptr) report_.broken(ZoneRule::NoApexNs, zone);
  if (!exists) return;
  for (const FileRecord* one = image_.first(image_.node_at(0)); one != nullptr; one = image_.after(one))
    if (one->type() == RrType::NSEC3PARAM) nsec3_params_.push_back(one->rdata());
}

ZoneCheck::Kinds ZoneCheck::kinds_of(NodeIndex node) const {
  Kinds kinds;
  for (const FileRecord* one = image_.first(node); one != nullptr; one = image_.after(one)) {
    const auto first = [&](const FileRecord*& which) {
      if (which == nullptr) which = one;
    };
    if (one->group() != RrType::NSEC3) kinds.only_nsec3 = false;
    switch (one->type()) {
      case RrType::SOA: first(kinds.soa); break;
      case RrType::NS: first(kinds.ns); break;
      case RrType::CNAME: first(kinds.cname); break;
      case RrType::DNAME: first(kinds.dname); break;
      case RrType::DS: first(kinds.ds); break;
      default: break;
    }
    // RFC 4034 §3, §4; RFC 3007 §3 with RFC 3755 for KEY, SIG and NXT.
    const bool beside = one->type() != RrType::CNAME && one->type() != RrType::RRSIG && one->type() != RrType::NSEC &&
                        one->type() != RrType::KEY && one->type() != RrType::SIG && one->type() != RrType::NXT;
    if (beside) first(kinds.beside_cname);
  }
  return kinds;
}

void ZoneCheck::check_node(NodeIndex node) {
  const dns::Name owner = image_.owners().name(node);
  const Kinds kinds = kinds_of(node);
  check_singles(node, kinds);
  // RFC 6672 §5.3.4.1 and RFC 5155 §3: NSEC3 stands beside the tree of names, also below a DNAME at the apex.
  if (!kinds.only_nsec3) check_place(node, owner, kinds);
  check_records(node, owner);
  check_sizes(node, owner);
}

void ZoneCheck::check_singles(NodeIndex node, const Kinds& kinds) {
  const bool apex = image_.owners().labels(node).empty();
  const auto second = [&](const FileRecord* one) -> const FileRecord* {
    const FileRecord* after = one == nullptr ? nullptr : image_.after(one);
    return after != nullptr && after->type() == one->type() ? after : nullptr;
  };
  // The one that stands later in the file is the one too many.
  const auto check_second = [&](ZoneRule rule, const FileRecord* one) {
    if (const FileRecord* other = second(one)) broken(rule, one->line > other->line ? *one : *other, node);
  };
  if (kinds.soa != nullptr && !apex) broken(ZoneRule::SoaNotAtApex, *kinds.soa, node);
  if (apex) check_second(ZoneRule::SecondSoa, kinds.soa);
  check_second(ZoneRule::SecondCname, kinds.cname);
  check_second(ZoneRule::SecondDname, kinds.dname);
  if (kinds.cname != nullptr && kinds.beside_cname != nullptr) {
    const bool cname_later = kinds.cname->line > kinds.beside_cname->line;
    broken(ZoneRule::CnameAndOther, cname_later ? *kinds.cname : *kinds.beside_cname, node);
  }
  if (kinds.dname != nullptr && kinds.ns != nullptr && !apex) broken(ZoneRule::DnameAndNs, *kinds.dname, node);
  if (kinds.ds != nullptr && apex) broken(ZoneRule::DsAtApex, *kinds.ds, node);
  if (kinds.ds != nullptr && !apex && kinds.ns == nullptr) broken(ZoneRule::DsWithoutNs, *kinds.ds, node);
}

void ZoneCheck::check_place(NodeIndex node, NameView owner, const Kinds& kinds) {
  if (cut_ && !owner.is_below(*cut_)) cut_.reset();
  if (dname_ && !owner.is_below(*dname_)) dname_.reset();
  if (cut_) return check_hidden(node, false);
  if (dname_) broken(ZoneRule::BelowDname, *image_.first(node), node, dname_->to_text());

  const bool apex = image_.owners().labels(node).empty();
  if (owner.is_wildcard() && !apex && (kinds.ns != nullptr || kinds.dname != nullptr))
    broken(ZoneRule::WildcardDelegation, kinds.ns != nullptr ? *kinds.ns : *kinds.dname, node);
  if (kinds.ns != nullptr && !apex) {
    cut_ = owner;
    check_hidden(node, true);
  }
  if (kinds.dname != nullptr && !dname_) dname_ = owner;
}

// At a cut only NS, DS and their DNSSEC records are answered (RFC 4035 §2), below it nothing; addresses are glue where
// an NS points at them.
void ZoneCheck::check_hidden(NodeIndex node, bool at_cut) {
  const FileRecord* before = nullptr;
  for (const FileRecord* one = image_.first(node); one != nullptr; before = one, one = image_.after(one)) {
    if (one->type() == RrType::RRSIG || (before != nullptr && before->type() == one->type())) continue;
    if (at_cut && (one->type() == RrType::NS || one->type() == RrType::DS || one->type() == RrType::NSEC)) continue;
    const bool address = one->type() == RrType::A || one->type() == RrType::AAAA;
    if (!address || !targets_.is_glue(node)) broken(ZoneRule::HiddenByDelegation, *one, node, cut_->to_text());
  }
}

void ZoneCheck::check_records(NodeIndex node, NameView owner) {
  const bool hidden = cut_ && owner.is_below(*cut_);
  const bool apex = image_.owners().labels(node).empty();
  for (const FileRecord* one = image_.first(node); one != nullptr; one = image_.after(one)) {
    switch (one->type()) {
      case RrType::NS:
      case RrType::MX:
      case RrType::SRV:
        if (!hidden) check_target(*one, node, owner);
        break;
      case RrType::NSEC3PARAM:
        if (!apex) broken(ZoneRule::Nsec3ParamNotAtApex, *one, node);
        check_nsec3(*one, node);
        break;
      case RrType::NSEC3: check_nsec3(*one, node); break;
      default: break;
    }
  }
}

void ZoneCheck::check_target(const FileRecord& record, NodeIndex node, NameView owner) {
  const NameView target = target_of(record);
  const auto by_type = [&](ZoneRule ns, ZoneRule mx, ZoneRule srv) {
    broken(record.type() == RrType::NS ? ns : record.type() == RrType::MX ? mx : srv, record, node, target.to_text());
  };
  const bool ns = record.type() == RrType::NS;
  switch (targets_.state(owner, target)) {
    case TargetState::Elsewhere:
    case TargetState::Address: break;
    case TargetState::Cname: by_type(ZoneRule::NsTargetCname, ZoneRule::MxTargetCname, ZoneRule::SrvTargetCname); break;
    case TargetState::NoAddress:
      by_type(ZoneRule::NsTargetNoAddress, ZoneRule::MxTargetNoAddress, ZoneRule::SrvTargetNoAddress);
      break;
    // Where mail or a service is in a delegated zone, that zone answers for the address.
    case TargetState::NoGlue:
      if (ns) broken(ZoneRule::MissingGlue, record, node, target.to_text());
      break;
    case TargetState::NoSiblingGlue:
      if (ns) broken(ZoneRule::MissingSiblingGlue, record, node, target.to_text());
      break;
  }
}

// NSEC3 and NSEC3PARAM begin alike: algorithm, flags, iterations, salt (RFC 5155 §3.2, §4.2).
void ZoneCheck::check_nsec3(const FileRecord& record, NodeIndex node) {
  const ByteView rdata = record.rdata();
  if (rdata[0] != 1) broken(ZoneRule::Nsec3Algorithm, record, node);
  if (record.type() == RrType::NSEC3PARAM) {
    if (const unsigned iterations = load_u16(&rdata[2]); iterations != 0)
      broken(ZoneRule::Nsec3Iterations, record, node, fmt::format("{} iterations", iterations));
    return;
  }
  const ByteView labels = image_.owners().labels(node);
  constexpr size_t hash_label = 32;
  const auto is_digit = [](uint8_t octet) {
    const uint8_t folded = dns::fold(octet);
    return (folded >= '0' && folded <= '9') || (folded >= 'a' && folded <= 'v');
  };
  if (labels.size() != hash_label + 1 || labels[0] != hash_label ||
      !std::all_of(labels.begin() + 1, labels.end(), is_digit))
    broken(ZoneRule::Nsec3Owner, record, node);
  const size_t salted = size_t{5} + rdata[4];
  const auto same = [&](ByteView param) {
    return param.size() == salted && param[0] == rdata[0] &&
           std::equal(param.begin() + 2, param.end(), rdata.begin() + 2);
  };
  if (std::none_of(nsec3_params_.begin(), nsec3_params_.end(), same)) broken(ZoneRule::Nsec3ParamMissing, record, node);
}

// Octets that a stored node (zone/node.hh) saves with pointers into its owner's name: tails of names in compressible
// RDATA that are the owner's to the octet; of a wildcard's what is behind the asterisk.
size_t compression_gain(const FileRecord& record, NameView owner) {
  const NameView usable = owner.is_wildcard() ? owner.parent() : owner;
  std::array<dns::RdataName, 8> names;
  const size_t count = dns::rdata_names(record.type(), record.rdata(), names);
  size_t gain = 0;
  for (const dns::RdataName& place : std::span(names).first(count)) {
    if (!place.compressible) continue;
    NameView tail(record.rdata().data() + place.offset, place.size);
    const auto shared = [&] {
      if (!usable.is_at_or_below(tail)) return false;
      return std::memcmp(usable.data() + (usable.size() - tail.size()), tail.data(), tail.size()) == 0;
    };
    while (!tail.is_root() && !shared()) tail = tail.parent();
    if (!tail.is_root()) gain += tail.size() - size_t{2};
  }
  return gain;
}

// RFC 1035 §4.2.2: a message on a stream has at most 65,535 octets: header, the largest question, OPT, then the RRset
// with its RRSIGs.
void ZoneCheck::check_sizes(NodeIndex node, NameView owner) {
  constexpr size_t most = 65535 - 12 - (dns::max_name_size + 4) - 11;
  constexpr size_t rr_head = 12;
  for (const FileRecord* one = image_.first(node); one != nullptr;) {
    const FileRecord* const from = one;
    size_t size = 0;
    for (; one != nullptr && one->group() == from->group(); one = image_.after(one)) size += rr_head + one->size;
    if (size <= most) continue;
    for (const FileRecord* each = from; each != one; each = image_.after(each)) size -= compression_gain(*each, owner);
    if (size > most) broken(ZoneRule::RrsetTooLarge, *from, node, fmt::format("{} octets", size));
  }
}

}  // namespace

void check_zone_file(FileImage& image, FileReport& report) { ZoneCheck(image, report).run(); }

}  // namespace steward::zone
