#include "client/denial.hh"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "client/names.hh"
#include "crypto/nsec3_hash.hh"
#include "dns/type_bitmap.hh"
#include "sign/denial.hh"

namespace steward::client {
namespace {

using dns::Name;
using dns::NameView;
using dns::RrType;

/// RFC 9276 §3.2: more is work for the validator and no gain for anybody.
constexpr uint16_t max_iterations = 100;

tl::unexpected<Error> unproved(std::string what) { return fail(Errc::Corrupt, std::move(what)); }

/// RFC 6840 §4.1: what stands at a delegation, seen from above, says nothing about the names at and below it. §4.1
/// also: nor does what stands at a DNAME about the names below it.
bool hides_below(ByteView bitmap) {
  return (dns::bitmap_has(bitmap, RrType::NS) && !dns::bitmap_has(bitmap, RrType::SOA)) ||
         dns::bitmap_has(bitmap, RrType::DNAME);
}

bool is_cut(ByteView bitmap) { return dns::bitmap_has(bitmap, RrType::NS) && !dns::bitmap_has(bitmap, RrType::SOA); }

bool lacks(ByteView bitmap, RrType type) {
  return !dns::bitmap_has(bitmap, type) && !dns::bitmap_has(bitmap, RrType::CNAME);
}

Result<Name> wildcard_of(NameView encloser) { return Name(encloser).child(as_bytes("*")); }

struct Nsec {
  NameView owner;
  NameView next;
  ByteView bitmap;

  [[nodiscard]] bool covers(NameView name) const {
    const bool after = dns::canonical_compare(owner, name) < 0;
    const bool before = dns::canonical_compare(name, next) < 0;
    // The last one leads back to the apex.
    return dns::canonical_compare(owner, next) < 0 ? after && before : after || before;
  }
};

std::vector<Nsec> nsecs_of(NameView zone, std::span<const SignedRrset> rrsets) {
  std::vector<Nsec> all;
  for (const SignedRrset& rrset : rrsets) {
    if (rrset.type != RrType::NSEC || rrset.rdatas.size() != 1 || !rrset.owner.view().is_at_or_below(zone)) continue;
    const ByteView rdata = rrset.rdatas[0];
    const auto next = NameView::from_wire(rdata);
    if (next && next->is_at_or_below(zone)) all.push_back({rrset.owner, *next, rdata.subspan(next->size())});
  }
  return all;
}

size_t common_labels(NameView a, NameView b) {
  size_t labels = std::min(a.label_count(), b.label_count());
  while (a.suffix(labels) != b.suffix(labels)) --labels;
  return labels;
}

/// Whether `name` itself is there without the type, or is an empty non-terminal.
bool nsec_matches_without(const Nsec& nsec, NameView name, RrType type) {
  if (nsec.owner == name) return lacks(nsec.bitmap, type) && !is_cut(nsec.bitmap);
  return nsec.covers(name) && nsec.next.is_below(name) && !(name.is_below(nsec.owner) && hides_below(nsec.bitmap));
}

Result<std::string> check_nsec(NameView name, RrType type, std::span<const Nsec> all) {
  for (const Nsec& nsec : all)
    if (nsec_matches_without(nsec, name, type))
      return fmt::format("NSEC: {} has no {}", plain_text(name), dns::to_text(type));
  const auto covering = [&](NameView covered) {
    return std::find_if(all.begin(), all.end(), [&](const Nsec& nsec) {
      return nsec.covers(covered) && !(covered.is_below(nsec.owner) && hides_below(nsec.bitmap));
    });
  };
  const auto cover = covering(name);
  if (cover == all.end()) return unproved(fmt::format("no NSEC record denies {}", plain_text(name)));
  const size_t labels = std::max(common_labels(name, cover->owner), common_labels(name, cover->next));
  const auto wildcard = wildcard_of(name.suffix(labels));
  if (!wildcard) return tl::unexpected(wildcard.error());
  const bool none = covering(*wildcard) != all.end() || std::any_of(all.begin(), all.end(), [&](const Nsec& nsec) {
                      return nsec_matches_without(nsec, *wildcard, type);
                    });
  if (!none) return unproved(fmt::format("no NSEC record denies {}", plain_text(*wildcard)));
  return fmt::format("NSEC: {} does not exist", plain_text(name));
}

struct Nsec3 {
  sign::Nsec3Hash owner;
  sign::Nsec3View view;

  [[nodiscard]] bool covers(const sign::Nsec3Hash& hash) const {
    const auto compare = [](ByteView a, ByteView b) {
      return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
    };
    const bool after = compare(owner, hash);
    const bool before = compare(hash, view.next);
    return compare(owner, view.next) ? after && before : after || before;
  }
};

std::vector<Nsec3> nsec3s_of(NameView zone, std::span<const SignedRrset> rrsets) {
  std::vector<Nsec3> all;
  for (const SignedRrset& rrset : rrsets) {
    if (rrset.type != RrType::NSEC3 || rrset.rdatas.size() != 1 || rrset.owner.view().parent() != zone) continue;
    const auto view = sign::Nsec3View::from_rdata(rrset.rdatas[0]);
    const auto owner = sign::nsec3_hash_of_owner(rrset.owner);
    // RFC 5155 §8.1, §8.2: unknown hashes and flags are passed over; all of one set have the same parameters.
    if (!view || !owner || view->algorithm != sign::nsec3_sha1 || (view->flags & ~sign::nsec3_flag_opt_out) != 0)
      continue;
    if (view->next.size() != owner->size() || view->iterations > max_iterations) continue;
    const bool same = all.empty() || (view->iterations == all[0].view.iterations &&
                                      std::equal(view->salt.begin(), view->salt.end(), all[0].view.salt.begin(),
                                                 all[0].view.salt.end()));
    if (same) all.push_back({*owner, *view});
  }
  return all;
}

class Nsec3Proof {
 public:
  Nsec3Proof(std::span<const Nsec3> all, NameView zone) : all_(all), zone_(zone) {}

  Result<std::string> check(NameView name, RrType type) const {
    if (const Nsec3* match = matching(name)) {
      if (lacks(match->view.bitmap, type) && !is_cut(match->view.bitmap))
        return fmt::format("NSEC3: {} has no {}", plain_text(name), dns::to_text(type));
      return unproved(fmt::format("{} exists", plain_text(name)));
    }
    // RFC 5155 §8.3: the closest ancestor that is there, and that the name below it is not.
    NameView next_closer = name;
    const Nsec3* encloser = nullptr;
    while (next_closer != zone_ && (encloser = matching(next_closer.parent())) == nullptr)
      next_closer = next_closer.parent();
    if (encloser == nullptr) return unproved("no NSEC3 record proves which name above it exists (RFC 5155 §8.3)");
    if (hides_below(encloser->view.bitmap)) return unproved("the NSEC3 record above it is a delegation's");
    if (!covered(next_closer)) return unproved(fmt::format("no NSEC3 record denies {}", plain_text(next_closer)));
    const auto wildcard = wildcard_of(next_closer.parent());
    if (!wildcard) return tl::unexpected(wildcard.error());
    const Nsec3* made = matching(*wildcard);
    const bool none = made != nullptr ? lacks(made->view.bitmap, type) : covered(*wildcard);
    if (!none) return unproved(fmt::format("no NSEC3 record denies {}", plain_text(*wildcard)));
    return fmt::format("NSEC3: {} does not exist", plain_text(name));
  }

 private:
  [[nodiscard]] sign::Nsec3Hash hash_of(NameView name) const {
    return crypto::nsec3_hash(name, all_[0].view.salt, all_[0].view.iterations);
  }
  [[nodiscard]] const Nsec3* matching(NameView name) const {
    const auto hash = hash_of(name);
    const auto at = std::find_if(all_.begin(), all_.end(), [&](const Nsec3& n) { return n.owner == hash; });
    return at == all_.end() ? nullptr : &*at;
  }
  /// RFC 5155 §6: below an opt-out span there may be unsigned delegations.
  [[nodiscard]] bool covered(NameView name) const {
    const auto hash = hash_of(name);
    return std::any_of(all_.begin(), all_.end(), [&](const Nsec3& n) {
      return n.covers(hash) && (n.view.flags & sign::nsec3_flag_opt_out) == 0;
    });
  }

  std::span<const Nsec3> all_;
  NameView zone_;
};

}  // namespace

Result<std::string> check_denial(NameView name, RrType type, NameView zone, std::span<const SignedRrset> rrsets) {
  if (!name.is_at_or_below(zone)) return unproved(fmt::format("{} is not in {}", plain_text(name), plain_text(zone)));
  if (const auto nsecs = nsecs_of(zone, rrsets); !nsecs.empty()) return check_nsec(name, type, nsecs);
  if (const auto nsec3s = nsec3s_of(zone, rrsets); !nsec3s.empty()) return Nsec3Proof(nsec3s, zone).check(name, type);
  return unproved("no NSEC and no NSEC3 record is there");
}

}  // namespace steward::client
