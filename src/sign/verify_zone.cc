#include "sign/verify_zone.hh"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "dns/serial.hh"
#include "sign/zone_chains.hh"

namespace steward::sign {

namespace {

/// RFC 9276 §3.2: more are not worth anybody's time; validators treat such a zone as insecure.
constexpr uint16_t max_iterations = 500;

class ZoneCheck {
 public:
  ZoneCheck(zone::ZoneImage& image, UnixTime now, const VerifyOptions& options)
      : image_(image), now_(now), options_(options), apex_(image.apex()) {}

  ZoneVerification run() {
    image_.rewind();
    zone::ZoneImage::Node node;
    bool first = true;
    while (image_.next(node)) {
      if (std::exchange(first, false)) open(node);
      if (!out_.is_signed) break;
      check(node);
    }
    if (nsec_) nsec_->finish();
    if (nsec3_) nsec3_->finish();
    image_.rewind();
    return std::move(out_);
  }

 private:
  void open(const zone::ZoneImage::Node& apex);
  void take_keys(const zone::RrsetInput& rrset);
  void open_chain(const zone::ZoneImage::Node& apex);
  void check(const zone::ZoneImage::Node& node);
  void check_unsigned(const zone::ZoneImage::Node& node);
  void check_rrset(NameView owner, const zone::RrsetInput& rrset);
  Verdict check_rrsig(const Rrset& rrset, ByteView rdata, Depth depth, std::set<Algorithm>& good);
  void report(NameView owner, RrType type, std::string what) {
    ++out_.fault_count;
    if (out_.faults.size() < options_.max_faults) out_.faults.push_back({owner, type, std::move(what)});
  }
  static const zone::RrsetInput* find(const zone::ZoneImage::Node& node, RrType type) {
    const auto at =
        std::find_if(node.rrsets.begin(), node.rrsets.end(), [type](const auto& r) { return r.type == type; });
    return at == node.rrsets.end() ? nullptr : &*at;
  }

  zone::ZoneImage& image_;
  UnixTime now_;
  const VerifyOptions& options_;
  dns::Name apex_;
  ZoneVerification out_;
  std::vector<ZoneKey> keys_;
  std::set<Algorithm> algorithms_;
  const Report reporter_ = [this](NameView owner, RrType type, std::string what) {
    report(owner, type, std::move(what));
  };
  std::optional<NsecChain> nsec_;
  std::optional<Nsec3Chain> nsec3_;
  dns::Name hidden_below_;  // a cut or a DNAME
  bool is_hiding_ = false;
  SignScratch scratch_;
};

void ZoneCheck::open(const zone::ZoneImage::Node& apex) {
  if (!(apex.owner == apex_.view())) {
    report(apex_, RrType::SOA, "the zone has no records at its apex (RFC 1035 §5.2)");
    return;
  }
  const auto* dnskey = find(apex, RrType::DNSKEY);
  const bool any_rrsig =
      std::any_of(apex.rrsets.begin(), apex.rrsets.end(), [](const auto& r) { return !r.rrsigs.empty(); });
  out_.is_signed = dnskey != nullptr || any_rrsig;
  if (!out_.is_signed) return;
  if (dnskey == nullptr) {
    report(apex_, RrType::DNSKEY, "RRSIGs, but no DNSKEY at the apex (RFC 4035 §2.1)");
  } else {
    take_keys(*dnskey);
  }
  open_chain(apex);
}

void ZoneCheck::take_keys(const zone::RrsetInput& rrset) {
  for (const ByteView rdata : rrset.rdatas) {
    auto key = ZoneKey::from_dnskey(rdata);
    if (key) {
      algorithms_.insert(key->algorithm());
      keys_.push_back(std::move(*key));
    } else if (key.error().code == Errc::Invalid) {
      report(apex_, RrType::DNSKEY, key.error().what);
    }
  }
  if (keys_.empty()) report(apex_, RrType::DNSKEY, "no key of an algorithm that we can verify");
}

void ZoneCheck::open_chain(const zone::ZoneImage::Node& apex) {
  const auto* param = find(apex, RrType::NSEC3PARAM);
  if (param == nullptr) {
    nsec_.emplace(apex_, reporter_);
    return;
  }
  auto params = nsec3param_from_rdata(param->rdatas[0]);
  if (!params) {
    report(apex_, RrType::NSEC3PARAM, params.error().what);
  } else if (params->iterations > max_iterations) {
    report(apex_, RrType::NSEC3PARAM, fmt::format("{} iterations (RFC 9276 §3.2)", params->iterations));
  } else {
    nsec3_.emplace(apex_, std::move(*params), reporter_);
  }
}

void ZoneCheck::check(const zone::ZoneImage::Node& node) {
  if (!node.owner.is_at_or_below(apex_)) {
    report(node.owner, RrType::NULL_, "is out of zone");
    return;
  }
  if (is_hiding_ && node.owner.is_below(hidden_below_)) {
    check_unsigned(node);
    return;
  }
  const bool is_apex = node.owner == apex_.view();
  const bool cut = !is_apex && find(node, RrType::NS) != nullptr;
  is_hiding_ = cut || find(node, RrType::DNAME) != nullptr;
  if (is_hiding_) hidden_below_ = node.owner;
  const auto* nsec3 = find(node, RrType::NSEC3);
  const bool has_other =
      std::any_of(node.rrsets.begin(), node.rrsets.end(), [](const auto& r) { return r.type != RrType::NSEC3; });
  if (nsec_ && has_other) nsec_->add({node.owner, node.rrsets, cut});
  if (nsec3_ && has_other) nsec3_->add({node.owner, node.rrsets, cut});
  if (nsec3_ && nsec3 != nullptr) nsec3_->add_nsec3(node.owner, *nsec3);
  for (const auto& rrset : node.rrsets) {
    // RFC 4035 §2.2: of what stands at a cut the parent's side signs DS and NSEC only.
    if (rrset.type == RrType::RRSIG) {
      report(node.owner, RrType::RRSIG, "covers no RRset that stands here (RFC 4035 §2.2)");
    } else if (!cut || rrset.type == RrType::DS || rrset.type == RrType::NSEC) {
      check_rrset(node.owner, rrset);
    } else if (!rrset.rrsigs.empty()) {
      report(node.owner, rrset.type, "is signed, though it belongs to the child (RFC 4035 §2.2)");
    }
  }
}

void ZoneCheck::check_unsigned(const zone::ZoneImage::Node& node) {
  for (const auto& rrset : node.rrsets) {
    if (!rrset.rrsigs.empty() || rrset.type == RrType::NSEC) {
      report(node.owner, rrset.type, "is signed, though it is below a delegation or DNAME (RFC 4035 §2.2)");
    }
  }
}

void ZoneCheck::check_rrset(NameView owner, const zone::RrsetInput& rrset) {
  const Rrset signed_set{owner, rrset.type, rrset.ttl, rrset.rdatas};
  const Depth depth = out_.rrsets++ % std::max(options_.check_one_in, 1U) == 0 ? Depth::Signature : Depth::Fields;
  std::set<Algorithm> good;
  Verdict bad = Verdict::Valid;
  for (const ByteView rdata : rrset.rrsigs) {
    const Verdict verdict = check_rrsig(signed_set, rdata, depth, good);
    if (verdict != Verdict::Valid) bad = verdict;
  }
  // RFC 4035 §2.2: by at least one key of each algorithm in the DNSKEY RRset.
  for (const Algorithm algorithm : algorithms_) {
    if (good.contains(algorithm)) continue;
    const std::string_view why = rrset.rrsigs.empty()    ? "no RRSIG"
                                 : bad == Verdict::Valid ? "no RRSIG of this algorithm"
                                                         : to_text(bad);
    report(owner, rrset.type, fmt::format("no valid signature with {} (RFC 4035 §2.2): {}", to_text(algorithm), why));
  }
}

Verdict ZoneCheck::check_rrsig(const Rrset& rrset, ByteView rdata, Depth depth, std::set<Algorithm>& good) {
  const auto rrsig = RrsigView::from_rdata(rdata);
  if (!rrsig) return Verdict::Malformed;
  Verdict verdict = Verdict::KeyMismatch;
  for (ZoneKey& key : keys_) {
    if (key.tag() != rrsig->key_tag || crypto::value(key.algorithm()) != rrsig->algorithm) continue;
    verdict = verify_rrset(key, apex_, rrset, rdata, now_, scratch_, depth);
    if (verdict != Verdict::Valid) continue;
    good.insert(key.algorithm());
    if (depth == Depth::Signature) ++out_.signatures;
    const auto ahead = static_cast<int32_t>(rrsig->expiration - static_cast<uint32_t>(seconds_of(now_)));
    const UnixTime expiration = now_ + Seconds(ahead);
    if (!out_.first_expiration || expiration < *out_.first_expiration) out_.first_expiration = expiration;
    return verdict;
  }
  return verdict;
}

}  // namespace

ZoneVerification verify_zone(zone::ZoneImage& image, UnixTime now, const VerifyOptions& options) {
  return ZoneCheck(image, now, options).run();
}

std::vector<std::string> warnings_of(const ZoneVerification& verification, UnixTime now, Seconds soon) {
  std::vector<std::string> lines;
  constexpr size_t shown = 10;
  for (const ZoneFault& fault : verification.faults) {
    if (lines.size() == shown) break;
    lines.push_back(fault.owner.to_text() + " " + to_text(fault.type) + ": " + fault.what);
  }
  if (verification.fault_count > lines.size())
    lines.push_back("and " + std::to_string(verification.fault_count - lines.size()) + " more faults of DNSSEC");
  if (verification.is_signed && verification.first_expiration && *verification.first_expiration - now < soon)
    lines.push_back("signatures begin to expire in " +
                    std::to_string((*verification.first_expiration - now) / std::chrono::hours(1)) +
                    " hours; the zone is not signed here");
  return lines;
}

}  // namespace steward::sign
