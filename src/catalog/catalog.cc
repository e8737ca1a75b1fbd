#include "catalog/catalog.hh"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace steward::catalog {
namespace {

using dns::NameView;
using dns::RrType;
using zone::RecordSource;
using zone::RrsetInput;

Bytes folded(ByteView octets) {
  Bytes out(octets.begin(), octets.end());
  std::transform(out.begin(), out.end(), out.begin(), dns::fold);
  return out;
}

bool is_label(ByteView label, std::string_view word) { return as_text(folded(label)) == word; }

const RrsetInput* find_rrset(const RecordSource::Node& node, RrType type) {
  const auto at =
      std::find_if(node.rrsets.begin(), node.rrsets.end(), [type](const RrsetInput& r) { return r.type == type; });
  return at == node.rrsets.end() ? nullptr : &*at;
}

// The one string of a TXT record; nothing where it has none or several.
std::optional<std::string> only_string(ByteView txt) {
  if (txt.empty() || txt.size() != size_t{txt[0]} + 1) return std::nullopt;
  return std::string(as_text(txt.subspan(1)));
}

class Reader {
 public:
  explicit Reader(NameView apex) : apex_(dns::Name(apex).folded()), labels_(apex.label_count()) { out_.name = apex_; }

  Result<void> take(const RecordSource::Node& node) {
    if (!node.owner.is_below(apex_)) return {};
    const size_t depth = node.owner.label_count() - labels_;
    const ByteView top = node.owner.suffix(labels_ + 1).first_label();
    if (depth == 1 && is_label(top, "version")) return take_version(node);
    if (!is_label(top, "zones")) return {};
    if (depth == 2) return take_member(node);
    // §4.2, §4.4: anything else below a member node is a property that we do not know.
    if (depth != 3) return {};
    if (is_label(node.owner.first_label(), "coo")) return take_coo(node);
    if (is_label(node.owner.first_label(), "group")) take_group(node);
    return {};
  }

  Result<Catalog> finish() {
    if (!version_seen_)
      return fail(Errc::Invalid, fmt::format("no TXT record at version.{} (RFC 9432 section 4.2.1)", apex_.to_text()));
    for (auto& [label, node] : nodes_) {
      // Properties without a member: the PTR that would make them meaningful is not there.
      if (!node.has_zone) continue;
      node.member.label = label;
      out_.members.push_back(std::move(node.member));
    }
    return sort_members();
  }

 private:
  struct Node {
    Member member;
    bool has_zone = false;
  };

  Result<void> take_version(const RecordSource::Node& node) {
    const RrsetInput* txt = find_rrset(node, RrType::TXT);
    if (txt == nullptr) return {};
    if (txt->rdatas.size() != 1)
      return fail(Errc::Invalid, fmt::format("{} TXT records at {}, expected one (RFC 9432 section 4.2.1)",
                                             txt->rdatas.size(), node.owner.to_text()));
    const auto version = only_string(txt->rdatas[0]);
    if (!version || *version != schema_version)
      return fail(Errc::Invalid, fmt::format("schema version '{}' at {}, expected '{}' (RFC 9432 section 4.2.1)",
                                             version ? label_text(as_bytes(*version)) : "of several strings",
                                             node.owner.to_text(), schema_version));
    version_seen_ = true;
    return {};
  }

  Result<void> take_member(const RecordSource::Node& node) {
    const RrsetInput* ptr = find_rrset(node, RrType::PTR);
    if (ptr == nullptr) return {};
    const auto zone = only_name(node, *ptr, "4.1");
    if (!zone) return tl::unexpected<Error>(zone.error());
    Node& to = nodes_[folded(node.owner.first_label())];
    to.member.zone = *zone;
    to.has_zone = true;
    return {};
  }

  Result<void> take_coo(const RecordSource::Node& node) {
    const RrsetInput* ptr = find_rrset(node, RrType::PTR);
    if (ptr == nullptr) return {};
    const auto catalog = only_name(node, *ptr, "4.3.1");
    if (!catalog) return tl::unexpected<Error>(catalog.error());
    if (*catalog == apex_)
      out_.warnings.push_back(fmt::format("{}: hands the zone to the catalog that has it", node.owner.to_text()));
    else
      nodes_[folded(node.owner.parent().first_label())].member.coo = *catalog;
    return {};
  }

  void take_group(const RecordSource::Node& node) {
    const RrsetInput* txt = find_rrset(node, RrType::TXT);
    if (txt == nullptr) return;
    Node& to = nodes_[folded(node.owner.parent().first_label())];
    for (const ByteView rdata : txt->rdatas) {
      const auto group = only_string(rdata);
      // §4.3.2: values that we do not understand are ignored.
      if (group && !group->empty())
        to.member.groups.push_back(*group);
      else
        out_.warnings.push_back(fmt::format("{}: a value that is not one string is ignored (RFC 9432 section 4.3.2)",
                                            node.owner.to_text()));
    }
  }

  // §4.1, §4.3.1: the PTR record is the only one of its RRset, or the catalog is broken.
  static Result<dns::Name> only_name(const RecordSource::Node& node, const RrsetInput& ptr, std::string_view section) {
    if (ptr.rdatas.size() != 1)
      return fail(Errc::Invalid, fmt::format("{} PTR records at {}, expected one (RFC 9432 section {})",
                                             ptr.rdatas.size(), node.owner.to_text(), section));
    const auto name = NameView::from_wire(ptr.rdatas[0]);
    if (!name) return tl::unexpected<Error>(name.error());
    return dns::Name(*name).folded();
  }

  Result<Catalog> sort_members() {
    std::sort(out_.members.begin(), out_.members.end(),
              [](const Member& a, const Member& b) { return dns::canonical_compare(a.zone, b.zone) < 0; });
    const auto twice = std::adjacent_find(out_.members.begin(), out_.members.end(),
                                          [](const Member& a, const Member& b) { return a.zone == b.zone; });
    if (twice != out_.members.end())
      return fail(Errc::Invalid,
                  fmt::format("{} is listed twice, under the labels {} and {} (RFC 9432 section 4.1)",
                              twice->zone.to_text(), label_text(twice->label), label_text(std::next(twice)->label)));
    return std::move(out_);
  }

  dns::Name apex_;
  size_t labels_;
  Catalog out_;
  bool version_seen_ = false;
  std::map<Bytes, Node> nodes_;  // by label
};

}  // namespace

const Member* Catalog::find(dns::NameView zone) const {
  const auto at = std::lower_bound(
      members.begin(), members.end(), zone,
      [](const Member& member, dns::NameView wanted) { return dns::canonical_compare(member.zone, wanted) < 0; });
  return at != members.end() && at->zone == zone ? &*at : nullptr;
}

Result<Catalog> read_catalog(RecordSource& records) {
  Reader reader(records.apex());
  records.rewind();
  RecordSource::Node node;
  while (records.next(node))
    if (auto taken = reader.take(node); !taken)
      return fail(Errc::Invalid,
                  dns::Name(records.apex()).folded().to_text() + " is a broken catalog: " + taken.error().what);
  auto catalog = reader.finish();
  if (!catalog)
    return fail(Errc::Invalid,
                dns::Name(records.apex()).folded().to_text() + " is a broken catalog: " + catalog.error().what);
  return catalog;
}

std::string label_text(ByteView label) {
  constexpr size_t shown = 63;
  std::string out;
  for (const uint8_t octet : label.subspan(0, std::min(label.size(), shown))) {
    if (octet > ' ' && octet < 127)
      out += static_cast<char>(octet);
    else
      out += fmt::format("\\{:03}", octet);
  }
  return label.size() > shown ? out + "..." : out;
}

}  // namespace steward::catalog
