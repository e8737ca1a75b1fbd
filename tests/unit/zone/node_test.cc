// Stored nodes: what goes in comes out, in a message at any place, and nothing damaged is taken for a node.

#include "zone/node.hh"

#include <doctest/doctest.h>

#include <random>

#include "dns/rdata.hh"

using namespace steward;
using namespace steward::zone;

namespace {

dns::Name name(std::string_view text) { return *dns::Name::from_text(text); }

Bytes rdata_of(RrType type, std::vector<std::string> words) {
  std::vector<dns::Token> tokens;
  for (const std::string& word : words) {
    dns::Token token;
    token.text = word;
    tokens.push_back(token);
  }
  Bytes rdata;
  REQUIRE(dns::rdata_from_tokens(type, tokens, name("example."), rdata));
  return rdata;
}

struct Rrset {
  RrType type;
  uint32_t ttl;
  std::vector<Bytes> rdatas;
  std::vector<Bytes> rrsigs;
};

Bytes rrsig_of(RrType covered, std::string_view until = "20300101000000") {
  return rdata_of(RrType::RRSIG,
                  {to_text(covered), "13", "2", "300", std::string(until), "20200101000000", "1", "example.", "AAAA"});
}

Result<Bytes> build(std::string_view owner, const std::vector<Rrset>& rrsets, uint16_t flags = 0,
                    ByteView provenance = {}) {
  std::vector<std::vector<ByteView>> views;
  for (const Rrset& rrset : rrsets) {
    views.emplace_back(rrset.rdatas.begin(), rrset.rdatas.end());
    views.emplace_back(rrset.rrsigs.begin(), rrset.rrsigs.end());
  }
  std::vector<RrsetInput> inputs;
  for (size_t i = 0; i < rrsets.size(); ++i)
    inputs.push_back({rrsets[i].type, rrsets[i].ttl, views[2 * i], views[2 * i + 1]});
  Bytes blob;
  const dns::Name full = name(owner);
  if (auto built = build_node({3, full, flags, inputs, 77, provenance}, blob); !built)
    return tl::unexpected<Error>(built.error());
  return blob;
}

// A message that is only its header and a question for `qname`, with room behind.
struct Message {
  explicit Message(const dns::Name& qname, size_t filling = 0) : octets(65535), out(octets) {
    out.bytes(Bytes(12));
    out.bytes(qname.view().wire());
    out.u32(0x00010001);
    out.bytes(Bytes(filling));
  }
  Bytes octets;
  ByteWriter out;
};

struct Read {
  std::string owner;
  uint32_t ttl;
  RrType type;
  Bytes rdata;
};

dns::Name name_at(ByteView message, size_t& at) {
  Bytes wire;
  size_t end = 0;
  for (size_t here = at;;) {
    REQUIRE(here < message.size());
    if (message[here] >= 0xc0) {
      const size_t target = load_u16(&message[here]) & 0x3fffU;
      REQUIRE(target < here);  // RFC 1035 §4.1.4: a prior occurrence
      if (end == 0) end = here + 2;
      here = target;
      continue;
    }
    append(wire, message.subspan(here, message[here] + size_t{1}));
    if (message[here] == 0) {
      if (end == 0) end = here + 1;
      break;
    }
    here += message[here] + size_t{1};
  }
  at = end;
  const auto view = NameView::from_wire(wire);
  REQUIRE(view);
  return *view;
}

std::vector<Read> read(const Message& message, size_t at) {
  std::vector<Read> records;
  const ByteView all = ByteView(message.octets).first(message.out.at());
  while (at < all.size()) {
    Read record;
    record.owner = name_at(all, at).to_text();
    record.type = static_cast<RrType>(load_u16(&all[at]));
    CHECK(load_u16(&all[at + 2]) == 1);
    record.ttl = load_u32(&all[at + 4]);
    const size_t size = load_u16(&all[at + 8]);
    REQUIRE(dns::rdata_from_message(record.type, all, at + 10, size, record.rdata));
    records.push_back(record);
    at += 10 + size;
  }
  return records;
}

const std::vector<Rrset>& named() {
  static const std::vector<Rrset> rrsets = {
      {RrType::NS,
       300,
       {rdata_of(RrType::NS, {"Ns.a.Example."}), rdata_of(RrType::NS, {"a.example."}),
        rdata_of(RrType::NS, {"x.org."})},
       {rrsig_of(RrType::NS)}},
      {RrType::MX,
       60,
       {rdata_of(RrType::MX, {"10", "example."}), rdata_of(RrType::MX, {"20", "mx.b.a.example."})},
       {rrsig_of(RrType::MX, "20290101000000")}},
      {RrType::TXT, 5, {rdata_of(RrType::TXT, {"a.example."})}, {}},
      {RrType::MINFO, 7, {rdata_of(RrType::MINFO, {"r.example.", "e.a.example."})}, {}},
  };
  return rrsets;
}

std::vector<Rrset> sorted() {
  auto rrsets = named();
  std::sort(rrsets.begin(), rrsets.end(), [](const Rrset& a, const Rrset& b) { return a.type < b.type; });
  return rrsets;
}

void check_written(const Bytes& blob, const Message& message, size_t at, const Rrset& wanted, const std::string& owner,
                   bool sigs) {
  const auto records = read(message, at);
  REQUIRE(records.size() == wanted.rdatas.size() + (sigs ? wanted.rrsigs.size() : 0));
  for (size_t i = 0; i < records.size(); ++i) {
    const bool is_sig = i >= wanted.rdatas.size();
    CHECK(records[i].owner == owner);
    CHECK(records[i].ttl == wanted.ttl);
    CHECK(records[i].type == (is_sig ? RrType::RRSIG : wanted.type));
    CHECK(records[i].rdata == (is_sig ? wanted.rrsigs[i - wanted.rdatas.size()] : wanted.rdatas[i]));
  }
  CHECK(NodeView::check(blob));
}

}  // namespace

TEST_CASE("node: what was built is read back, RDATA and case to the octet") {
  const Bytes provenance = {1, 2, 3};
  const auto rrsets = sorted();
  const auto blob = build("a.Example.", rrsets, node_children, provenance);
  REQUIRE(blob);
  const auto node = NodeView::check(*blob);
  REQUIRE(node);
  CHECK(node->size() == blob->size());
  CHECK(node->owner().to_text() == "a.Example.");
  CHECK(node->zone() == 3);
  CHECK(node->flags() == node_children);
  CHECK(node->file_digest() == 77);
  CHECK(Bytes(node->provenance().begin(), node->provenance().end()) == provenance);
  CHECK(node->earliest_expiration() == load_u32(rrsig_of(RrType::MX, "20290101000000").data() + 8));
  CHECK_FALSE(node->negative_soa());
  CHECK_FALSE(node->find(RrType::A));
  CHECK_FALSE(node->find(RrType::ANY));
  for (const Rrset& wanted : rrsets) {
    const auto rrset = node->find(wanted.type);
    REQUIRE(rrset);
    CHECK(rrset->ttl() == wanted.ttl);
    size_t i = 0;
    for (StoredRrReader reader(rrset->rrs); !reader.done(); ++i) {
      Bytes expanded;
      expand_rdata(wanted.type, reader.next().rdata, node->owner(), expanded);
      CHECK(expanded == wanted.rdatas[i]);
    }
    CHECK(i == wanted.rdatas.size());
  }
}

TEST_CASE("node: the SOA of a negative answer has the smaller of its TTL and MINIMUM [RFC 2308 §3]") {
  const Rrset soa{RrType::SOA,
                  300,
                  {rdata_of(RrType::SOA, {"ns.example.", "h.example.", "1", "2", "3", "4", "60"})},
                  {rrsig_of(RrType::SOA)}};
  const auto blob = build("example.", {soa}, node_apex);
  REQUIRE(blob);
  const auto node = NodeView::check(*blob);
  REQUIRE(node);
  CHECK(node->rrset_count() == 1);
  CHECK(node->find(RrType::SOA)->ttl() == 300);
  REQUIRE(node->negative_soa());
  CHECK(node->negative_soa()->ttl() == 60);
  CHECK(StoredRrReader(node->negative_soa()->sigs()).next().ttl == 60);
}

TEST_CASE("node: written at the question, whatever its case, with and without RRSIGs [RFC 1035 §4.1.4]") {
  for (const char* owner : {"a.example.", "A.eXample.", "deep.b.a.example.", "example.", "."}) {
    const auto rrsets = sorted();
    const auto blob = build(owner, rrsets);
    REQUIRE(blob);
    for (const Rrset& wanted : rrsets)
      for (const bool sigs : {false, true}) {
        Message message{name(owner)};
        const size_t at = message.out.at();
        REQUIRE(write_rrset(message.out, *NodeView(blob->data()).find(wanted.type), NodeView(blob->data()).owner(),
                            {12}, sigs));
        check_written(*blob, message, at, wanted, name(owner).to_text(), sigs);
      }
  }
}

TEST_CASE("node: written at an ancestor of the question, as in a referral or with a SOA") {
  const dns::Name qname = name("x.y.a.example.");
  const auto rrsets = sorted();
  const auto blob = build("a.example.", rrsets);
  for (const Rrset& wanted : rrsets) {
    Message message{qname};
    const size_t at = message.out.at();
    REQUIRE(write_rrset(message.out, *NodeView(blob->data()).find(wanted.type), NodeView(blob->data()).owner(),
                        {12 + 4}, true));
    check_written(*blob, message, at, wanted, "a.example.", true);
  }
}

TEST_CASE("node: a wildcard's records are written under the name that was asked [RFC 4592 §2.2]") {
  const dns::Name qname = name("x.Y.a.example.");
  const auto rrsets = sorted();
  const auto blob = build("*.a.example.", rrsets);
  for (const Rrset& wanted : rrsets) {
    Message message{qname};
    const size_t at = message.out.at();
    REQUIRE(write_rrset(message.out, *NodeView(blob->data()).find(wanted.type), NodeView(blob->data()).owner(), {12},
                        true));
    check_written(*blob, message, at, wanted, "x.Y.a.example.", true);
  }
}

TEST_CASE(
    "node: the owner may stand in RDATA, itself compressed, and past 16 KiB nothing points there [RFC 1035 §4.1.4]") {
  for (const size_t filling : {size_t{0}, size_t{16000}, size_t{16100}, size_t{16128}, size_t{16384}, size_t{40000}}) {
    for (const char* owner : {"target.a.example.", "*.a.example."}) {
      const auto rrsets = sorted();
      const auto blob = build(owner, rrsets);
      for (const Rrset& wanted : rrsets) {
        Message message(name("a.example."), filling);
        const auto place = static_cast<uint16_t>(message.out.at());
        message.out.bytes(as_bytes("\x06target"));
        message.out.u16(0xc00c);  // "target" and a pointer to the question
        const size_t at = message.out.at();
        REQUIRE(write_rrset(message.out, *NodeView(blob->data()).find(wanted.type), NodeView(blob->data()).owner(),
                            {place}, true));
        check_written(*blob, message, at, wanted, "target.a.example.", true);
      }
    }
  }
}

TEST_CASE("node: an RRset that does not fit the message is not written at all") {
  const auto rrsets = sorted();
  const auto blob = build("a.example.", rrsets);
  for (const size_t room : {size_t{0}, size_t{1}, size_t{11}, size_t{30}, size_t{80}}) {
    for (const size_t start : {size_t{16}, size_t{17000}}) {
      Message message(name("a.example."), start - 16);
      const size_t at = message.out.at();
      ByteWriter narrow(MutableByteView(message.octets).first(at + room), at);
      CHECK_FALSE(
          write_rrset(narrow, *NodeView(blob->data()).find(RrType::NS), NodeView(blob->data()).owner(), {12}, true));
      CHECK(narrow.at() == at);
      CHECK(narrow.ok());
    }
  }
}

TEST_CASE("node: an RRset over what a message carries is refused, and leaves what stood before it [RFC 1035 §4.2.2]") {
  Rrset big{RrType::TXT, 300, {}, {}};
  for (int i = 0; i < 260; ++i)
    big.rdatas.push_back(rdata_of(RrType::TXT, {std::to_string(1000 + i) + std::string(240, 'x')}));
  const auto blob = build("a.example.", {big});
  REQUIRE_FALSE(blob);
  CHECK(blob.error().code == Errc::Full);
  CHECK(blob.error().what.find("a.example. TXT") == 0);
}

TEST_CASE("node: every cut and every flipped bit is noticed") {
  const auto blob = build("a.example.", sorted(), 0, as_bytes("where from"));
  for (size_t size = 0; size < blob->size(); ++size)
    CHECK_FALSE(NodeView::check(Bytes(blob->begin(), blob->begin() + static_cast<long>(size))));
  for (size_t bit = 0; bit < blob->size() * 8; ++bit) {
    Bytes damaged = *blob;
    damaged[bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
    CHECK_FALSE(NodeView::check(damaged));
  }
}

TEST_CASE("node: other flags leave all else as it was") {
  const auto blob = build("a.example.", sorted(), node_children);
  const Bytes other = with_flags(NodeView(blob->data()), node_children | node_wildcard_child);
  const auto node = NodeView::check(other);
  REQUIRE(node);
  CHECK(node->flags() == (node_children | node_wildcard_child));
  CHECK(std::equal(blob->begin() + 40, blob->end(), other.begin() + 40, other.end()));
}
