#include "zone_fixture.hh"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "crypto/nsec3_hash.hh"
#include "dns/rdata.hh"
#include "dns/type_bitmap.hh"
#include "sign/denial.hh"
#include "sign/rrsig.hh"
#include "zone/file_loader.hh"

namespace steward::change::test {
namespace {

RewriteRequest request_for(Mode mode, const sign::ZoneSigner* signer, const Keys& with, Zone& zone, bool recheck) {
  RewriteRequest request;
  request.zone = 7;
  request.apex = name("example.");
  request.attic = &zone.attic;
  request.stored_serial = zone.serial;
  request.zonemd = zone.zonemd;
  request.signing.was_signed = zone.is_signed;
  if (mode == Mode::Unsigned) return request;
  request.signing.signer = signer;
  request.signing.denial = mode == Mode::Nsec ? zone::Denial::Nsec : zone::Denial::Nsec3;
  request.signing.opt_out = mode == Mode::OptOut;
  request.signing.recheck = recheck;
  request.apex_records.push_back({RrType::DNSKEY, 3600, {with.dnskey}});
  if (mode == Mode::Nsec) return request;
  Bytes param;
  sign::append_nsec3param_rdata({}, param);
  request.apex_records.push_back({RrType::NSEC3PARAM, 0, {param}});
  return request;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(dns::fold(static_cast<uint8_t>(c)));
  return text;
}

std::string shape_of(zone::NodeView node) {
  std::string line = fmt::format("{} flags={}", lower(node.owner().to_text()), node.flags());
  for (size_t i = 0; i < node.rrset_count(); ++i) {
    const auto rrset = node.rrset(i);
    for (zone::StoredRrReader reader(rrset.rrs); !reader.done();) {
      Bytes rdata;
      zone::expand_rdata(rrset.type, reader.next().rdata, node.owner(), rdata);
      if (rrset.type == RrType::SOA) store_u32(&rdata[rdata.size() - 20], 0);
      line += fmt::format(" | {} {} {}", rrset.ttl(), dns::to_text(rrset.type), dns::rdata_to_text(rrset.type, rdata));
    }
    line += fmt::format(" sigs={}", rrset.sig_count);
  }
  for (const auto& entry : read_provenance(node.provenance()))
    line += fmt::format(" <{} {}>", static_cast<int>(entry.origin), dns::to_text(entry.type));
  return line + fmt::format(" digest={:x}", node.is(zone::node_apex) ? 0 : node.file_digest());
}

std::vector<RrType> types_in(ByteView bitmap) {
  std::vector<RrType> types;
  dns::for_each_type(bitmap, [&](RrType type) { types.push_back(type); });
  return types;
}

class Examination {
 public:
  Examination(Zone& zone, Mode mode, const Keys& with, UnixTime at)
      : zone_(zone), mode_(mode), key_(*sign::ZoneKey::from_dnskey(with.dnskey)), at_(at) {}

  std::vector<std::string> run() {
    for (const auto& [key, blob] : zone_.nodes.nodes()) {
      if (!zone::NodeView::check(*blob)) wrong(zone::NodeView(blob->data()), "does not hold together");
      look_at(zone::NodeView(blob->data()), key);
    }
    if (mode_ == Mode::Nsec) examine_nsec();
    if (mode_ == Mode::Nsec3 || mode_ == Mode::OptOut)
      examine_nsec3();
    else if (!zone_.nsec3.nodes().empty())
      faults_.push_back("NSEC3 nodes are left");
    return faults_;
  }

 private:
  void wrong(zone::NodeView node, std::string_view what) {
    faults_.push_back(node.owner().to_text() + " " + std::string(what));
  }

  void look_at(zone::NodeView node, const Bytes& key) {
    const NameView owner = node.owner();
    Bytes own(dns::max_canonical_key_size);
    own.resize(dns::canonical_key(owner, name("example."), own.data()));
    if (own != key) wrong(node, "stands under another key");
    uint16_t flags = 0;
    const bool apex = owner == NameView(name("example."));
    if (apex) flags |= zone::node_apex;
    if (!apex && node.find(RrType::NS)) flags |= zone::node_cut;
    if (node.find(RrType::CNAME)) flags |= zone::node_cname;
    if (node.find(RrType::DNAME)) flags |= zone::node_dname;
    if (!apex) {
      const zone::NodeView parent = find(owner.parent());
      if (!parent) return wrong(node, "has no parent");
      if (parent.is(zone::node_occluded) || parent.is(zone::node_cut) || parent.is(zone::node_dname))
        flags |= zone::node_occluded;
    }
    bool children = false;
    for (const auto& [other, blob] : zone_.nodes.nodes())
      children |= other.size() > key.size() && std::equal(key.begin(), key.end(), other.begin());
    if (children) flags |= zone::node_children;
    if (const auto wildcard = dns::Name(owner).child(as_bytes("*")); wildcard && find(*wildcard))
      flags |= zone::node_wildcard_child;
    if (flags != node.flags()) wrong(node, fmt::format("has flags {} for {}", node.flags(), flags));
    if (node.rrset_count() == 0 && !children) wrong(node, "is an empty terminal");
    examine_signatures(node);
  }

  void examine_signatures(zone::NodeView node) {
    for (size_t i = 0; i < node.rrset_count(); ++i) {
      const auto rrset = node.rrset(i);
      const bool authoritative = !node.is(zone::node_occluded) &&
                                 (!node.is(zone::node_cut) || rrset.type == RrType::DS || rrset.type == RrType::NSEC);
      const size_t wanted = mode_ != Mode::Unsigned && authoritative ? 1 : 0;
      if (rrset.sig_count != wanted) {
        wrong(node, fmt::format("{} has {} RRSIGs", dns::to_text(rrset.type), rrset.sig_count));
        continue;
      }
      if (wanted == 0) continue;
      std::vector<Bytes> expanded;
      for (zone::StoredRrReader reader(rrset.rrs); !reader.done();)
        zone::expand_rdata(rrset.type, reader.next().rdata, node.owner(), expanded.emplace_back());
      const std::vector<ByteView> rdatas(expanded.begin(), expanded.end());
      const auto verdict = sign::verify_rrset(key_, name("example."), {node.owner(), rrset.type, rrset.ttl(), rdatas},
                                              zone::StoredRrReader(rrset.sigs()).next().rdata, at_, scratch_);
      if (verdict != sign::Verdict::Valid) wrong(node, fmt::format("{} does not verify", dns::to_text(rrset.type)));
    }
  }

  std::vector<RrType> bitmap_of(zone::NodeView node, bool nsec) {
    const bool cut = node.is(zone::node_cut);
    std::set<RrType> wanted;
    for (size_t i = 0; i < node.rrset_count(); ++i) {
      const RrType type = node.rrset(i).type;
      if (!cut || type == RrType::NS || type == RrType::DS || type == RrType::NSEC) wanted.insert(type);
      if (node.rrset(i).sig_count > 0) wanted.insert(RrType::RRSIG);
    }
    if (!nsec) wanted.erase(RrType::NSEC);
    return {wanted.begin(), wanted.end()};
  }

  void examine_nsec() {
    std::vector<zone::NodeView> chain;
    for (const auto& [key, blob] : zone_.nodes.nodes()) {
      const zone::NodeView node(blob->data());
      const bool wants = !node.is(zone::node_occluded) && node.rrset_count() > 0;
      if (node.find(RrType::NSEC).has_value() != wants) wrong(node, "has an NSEC that it should not, or none");
      if (wants) chain.push_back(node);
    }
    for (size_t i = 0; i < chain.size(); ++i) {
      const auto nsec = chain[i].find(RrType::NSEC);
      if (!nsec) continue;
      const ByteView rdata = zone::StoredRrReader(nsec->rrs).next().rdata;
      const auto next = NameView::from_wire(rdata);
      if (!next || !(*next == chain[(i + 1) % chain.size()].owner()))
        wrong(chain[i], "has another next name in its NSEC");
      if (types_in(rdata.subspan(next->size())) != bitmap_of(chain[i], true))
        wrong(chain[i], "has other types in its NSEC");
      if (nsec->ttl() != 60) wrong(chain[i], "has another TTL on its NSEC");
    }
  }

  void examine_nsec3() {
    std::map<Bytes, zone::NodeView> wanted;
    for (const auto& [key, blob] : zone_.nodes.nodes()) {
      const zone::NodeView node(blob->data());
      if (node.is(zone::node_occluded)) continue;
      if (mode_ == Mode::OptOut && node.is(zone::node_cut) && !node.find(RrType::DS)) continue;
      const auto hash = crypto::nsec3_hash(node.owner());
      wanted.emplace(Bytes(hash.begin(), hash.end()), node);
    }
    if (wanted.size() != zone_.nsec3.nodes().size())
      faults_.push_back(fmt::format("{} NSEC3 for {} names", zone_.nsec3.nodes().size(), wanted.size()));
    for (auto at = wanted.begin(); at != wanted.end(); ++at) {
      const zone::NodeView node = zone_.nsec3.find(at->first);
      if (!node) {
        wrong(at->second, "has no NSEC3");
        continue;
      }
      const auto following = std::next(at) == wanted.end() ? wanted.begin() : std::next(at);
      const auto view = sign::Nsec3View::from_rdata(zone::StoredRrReader(node.rrset(0).rrs).next().rdata);
      if (!view || Bytes(view->next.begin(), view->next.end()) != following->first)
        wrong(at->second, "has another next hash");
      if (view->flags != (mode_ == Mode::OptOut ? 1 : 0)) wrong(at->second, "has other NSEC3 flags");
      if (types_in(view->bitmap) != bitmap_of(at->second, false)) wrong(at->second, "has other types in its NSEC3");
      if (node.flags() != zone::node_nsec3) wrong(node, "has other flags");
      examine_signatures(node);
    }
  }

  zone::NodeView find(NameView owner) {
    Bytes key(dns::max_canonical_key_size);
    key.resize(dns::canonical_key(owner, name("example."), key.data()));
    return zone_.nodes.find(key);
  }

  Zone& zone_;
  Mode mode_;
  sign::ZoneKey key_;
  UnixTime at_;
  sign::SignScratch scratch_;
  std::vector<std::string> faults_;
};

}  // namespace

Bytes rdata_of(RrType type, std::string_view text) {
  std::vector<dns::Token> tokens;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    dns::Token token;
    token.text = text.substr(at, end - at);
    tokens.push_back(token);
    at = end + 1;
  }
  Bytes rdata;
  REQUIRE(dns::rdata_from_tokens(type, tokens, name("example."), rdata));
  return rdata;
}

Bytes key_of(std::string_view text) {
  const dns::Name owner = *dns::Name::from_text(text, name("example."));
  Bytes key(dns::max_canonical_key_size);
  key.resize(dns::canonical_key(owner, name("example."), key.data()));
  return key;
}

Keys::Keys() {
  auto pair = crypto::KeyPair::generate(sign::Algorithm::ED25519);
  REQUIRE(pair);
  csk = {std::make_shared<const crypto::KeyPair>(std::move(*pair)), 257, true, true};
  dnskey = csk.key->public_key().dnskey_rdata(257);
}
sign::ZoneSigner Keys::signer(UnixTime at) const { return *sign::ZoneSigner::create(name("example."), {csk}, {}, at); }
const Keys& keys() {
  static const Keys made;
  return made;
}
const Keys& other_keys() {
  static const Keys made;
  return made;
}

Result<RewriteResult> Zone::try_rewrite(zone::ZoneImage* image, Mode mode, const Keys& with, bool recheck,
                                        UnixTime at) {
  static Parallel parallel(2);
  const auto signer = with.signer(at);
  RewriteRequest request = request_for(mode, &signer, with, *this, recheck);
  request.image = image;
  nodes.puts = nodes.erases = nsec3.puts = nsec3.erases = 0;
  Recorder recorder(nodes, nsec3, record_most);
  auto result = record ? rewrite_zone(request, recorder.nodes(), recorder.nsec3(), parallel) : rewrite_zone(request, nodes, nsec3, parallel);
  if (record) recorded = recorder.difference(parallel);
  nodes.end_transaction();
  nsec3.end_transaction();
  if (!result) return result;
  serial = result->serial;
  is_signed = mode != Mode::Unsigned;
  return last = *result;
}

RewriteResult Zone::load(std::string_view text, Mode mode, const Keys& with, bool recheck, UnixTime at) {
  zone::LoadOptions options;
  options.checks = false;
  auto loaded = zone::load_zone_text(text, "example.zone", name("example."), options);
  for (const auto& error : loaded.errors) FAIL(error.to_text());
  auto result = try_rewrite(loaded.image.get(), mode, with, recheck, at);
  if (!result) FAIL(result.error().what);
  return *result;
}

RewriteResult Zone::refresh(Mode mode, const Keys& with, bool recheck, UnixTime at) {
  auto result = try_rewrite(nullptr, mode, with, recheck, at);
  if (!result) FAIL(result.error().what);
  return *result;
}

ResignProgress Zone::resign(Mode mode, UnixTime at, size_t limit, ResignProgress progress, const Keys& with,
                            bool recheck) {
  Parallel parallel(1);
  const auto signer = with.signer(at);
  const RewriteRequest request = request_for(mode, &signer, with, *this, recheck);
  const auto done = resign_step(request, nodes, nsec3, parallel, limit, progress, serial);
  if (!done) FAIL(done.error().what);
  nodes.end_transaction();
  nsec3.end_transaction();
  return progress;
}

zone::NodeView Zone::node(std::string_view owner) { return nodes.find(key_of(owner)); }

namespace {
void rebuild(Zone& zone, std::string_view owner, NodeDraft& draft) {
  const zone::NodeView stored = zone.node(owner);
  Bytes blob;
  const dns::Name full = *dns::Name::from_text(owner, name("example."));
  REQUIRE(zone::build_node({7, full, stored ? stored.flags() : uint16_t{0}, draft.rrsets(),
                            stored ? stored.file_digest() : 0, draft.provenance()},
                           blob));
  REQUIRE(zone.nodes.put(key_of(owner), blob));
}
}  // namespace

void Zone::add_dynamic(std::string_view owner, RrType type, std::string_view rdata) {
  NodeDraft draft;
  if (const auto stored = node(owner)) draft_stored(stored, Keep::WithoutSigner, draft);
  const Bytes octets = rdata_of(type, rdata);
  draft.add_record(type, 300, octets);
  draft.note({Origin::Dynamic, type, 300, octets});
  rebuild(*this, owner, draft);
  nodes.end_transaction();
}

void Zone::withdraw(std::string_view owner, RrType type, std::string_view rdata) {
  NodeDraft draft;
  draft_stored(node(owner), Keep::WithoutSigner, draft);
  const Bytes octets = rdata_of(type, rdata);
  draft.remove_record(type, octets);
  draft.note({Origin::Withdrawn, type, 300, octets});
  rebuild(*this, owner, draft);
  nodes.end_transaction();
}

std::string text(uint32_t serial, std::string_view rest) {
  return fmt::format("$TTL 300\n@ SOA ns1 hostmaster {} 3600 600 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\n{}", serial,
                     rest);
}

std::vector<std::string> shape(Zone& zone) {
  std::vector<std::string> lines;
  for (const auto* table : {&zone.nodes, &zone.nsec3})
    for (const auto& [key, blob] : table->nodes()) lines.push_back(shape_of(zone::NodeView(blob->data())));
  return lines;
}

std::vector<std::string> faults(Zone& zone, Mode mode, const Keys& with, UnixTime at) {
  return Examination(zone, mode, with, at).run();
}

EditResult Zone::edit(Mode mode, const std::function<void(ZoneEdit&)>& edits, bool note_provenance, bool exact_serial) {
  const sign::ZoneSigner signer = keys().signer();
  const RewriteRequest like = request_for(mode, &signer, keys(), *this, false);
  EditRequest request;
  request.zone = like.zone;
  request.apex = like.apex;
  request.signing = like.signing;
  request.stored_serial = serial;
  request.zonemd = zonemd;
  request.note_provenance = note_provenance;
  request.exact_serial = exact_serial;
  static Parallel parallel(2);
  ZoneEdit edit(request, nodes, nsec3, &attic);
  edit.sign_ahead(parallel);
  edits(edit);
  const auto result = edit.finish(parallel);
  REQUIRE_MESSAGE(result, (result ? "" : result.error().what));
  serial = result->serial;
  nodes.end_transaction();
  nsec3.end_transaction();
  return *result;
}

}  // namespace steward::change::test
