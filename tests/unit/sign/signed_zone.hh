#pragma once
// A small zone that is signed by our own parts, as a ZoneImage and as text.

#include <map>

#include "dns/record_text.hh"
#include "sign/denial.hh"
#include "sign/zone_signer.hh"
#include "texts.hh"
#include "zone/image.hh"

namespace steward::sign::test {

/// One RRset with its RRSIGs, owning its octets.
struct SignedRrset {
  uint32_t ttl = 300;
  std::vector<Bytes> rdatas;
  std::vector<Bytes> rrsigs;
  std::vector<ByteView> rdata_views;
  std::vector<ByteView> rrsig_views;
  void update_views() {
    std::sort(rdatas.begin(), rdatas.end());
    rdata_views.assign(rdatas.begin(), rdatas.end());
    rrsig_views.assign(rrsigs.begin(), rrsigs.end());
  }
};

struct CanonicalLess {
  bool operator()(const dns::Name& a, const dns::Name& b) const { return dns::canonical_compare(a, b) < 0; }
};

class SignedZone final : public zone::ZoneImage {
 public:
  using Rrsets = std::map<RrType, SignedRrset>;
  explicit SignedZone(std::string_view apex) : apex_(name(apex)) {}

  void add(std::string_view owner, RrType type, std::string_view text) {
    nodes[name(owner)][type].rdatas.push_back(rdata(type, text));
  }
  void add_octets(const dns::Name& owner, RrType type, Bytes octets) {
    nodes[owner][type].rdatas.push_back(std::move(octets));
  }
  [[nodiscard]] bool is_cut(const dns::Name& owner) const {
    return !(owner == apex_) && nodes.at(owner).contains(RrType::NS);
  }
  [[nodiscard]] bool is_hidden(const dns::Name& owner) const {
    for (dns::NameView above = owner.view().parent(); above.is_below(apex_); above = above.parent()) {
      const auto at = nodes.find(dns::Name(above));
      if (at != nodes.end() && (at->second.contains(RrType::NS) || at->second.contains(RrType::DNAME))) return true;
    }
    return false;
  }
  /// Every RRset that has to be signed.
  void sign(ZoneSigner::Worker& worker) {
    for (auto& [owner, rrsets] : nodes) {
      for (auto& [type, rrset] : rrsets) {
        rrset.update_views();
        rrset.rrsigs.clear();
        if (is_hidden(owner) || (is_cut(owner) && type != RrType::DS && type != RrType::NSEC)) continue;
        RrsigList list;
        REQUIRE(worker.sign({owner, type, rrset.ttl, rrset.rdata_views}, list));
        for (size_t i = 0; i < list.size(); ++i) rrset.rrsigs.emplace_back(list[i].begin(), list[i].end());
      }
    }
  }
  /// As a zone file that other implementations read.
  [[nodiscard]] std::string text() const {
    std::string out;
    for (const auto& [owner, rrsets] : nodes) {
      for (const auto& [type, rrset] : rrsets) {
        for (const auto& octets : rrset.rdatas) dns::append_record_text(out, owner, rrset.ttl, type, octets);
        for (const auto& octets : rrset.rrsigs) dns::append_record_text(out, owner, rrset.ttl, RrType::RRSIG, octets);
      }
    }
    return out;
  }

  [[nodiscard]] dns::NameView apex() const override { return apex_; }
  [[nodiscard]] size_t node_count() const override { return nodes.size(); }
  [[nodiscard]] size_t record_count() const override { return 0; }
  bool next(Node& node) override {
    if (at_ == 0) cursor_ = nodes.begin();
    if (at_++ >= nodes.size()) return false;
    inputs_.clear();
    for (auto& [type, rrset] : cursor_->second) {
      rrset.update_views();
      inputs_.push_back({type, rrset.ttl, rrset.rdata_views, rrset.rrsig_views});
    }
    node = {cursor_->first, inputs_, 1};
    ++cursor_;
    return true;
  }
  void rewind() override { at_ = 0; }
  [[nodiscard]] const std::vector<std::string>& files() const override { return files_; }

  std::map<dns::Name, Rrsets, CanonicalLess> nodes;

 private:
  dns::Name apex_;
  std::map<dns::Name, Rrsets, CanonicalLess>::iterator cursor_;
  size_t at_ = 0;
  std::vector<zone::RrsetInput> inputs_;
  std::vector<std::string> files_;
};

}  // namespace steward::sign::test
