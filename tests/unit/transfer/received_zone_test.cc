// A transferred zone as an image: the same as its file makes, in bounded memory.

#include "transfer/received_zone.hh"

#include <unistd.h>

#include <array>
#include <filesystem>

#include "transfer_fixture.hh"
#include "zone/file_loader.hh"

using namespace steward;
using namespace steward::transfer;
using namespace steward::transfer::test;

namespace {

Lines lines_of(zone::ZoneImage& image) {
  Lines lines;
  zone::ZoneImage::Node node;
  image.rewind();
  while (image.next(node))
    for (const auto& rrset : node.rrsets) {
      for (const ByteView rdata : rrset.rdatas)
        lines.push_back(fmt::format("{} {} {} {}", node.owner.to_text(), rrset.ttl, dns::to_text(rrset.type),
                                    dns::rdata_to_text(rrset.type, rdata)));
      for (const ByteView rdata : rrset.rrsigs)
        lines.push_back(fmt::format("{} RRSIG {}", node.owner.to_text(), dns::rdata_to_text(RrType::RRSIG, rdata)));
    }
  return lines;
}

ReceivedImage receive(const std::vector<dns::Record>& records, ReceiveOptions options = {}) {
  ReceivedZone sink(name("example."), std::move(options));
  IncomingTransfer transfer(axfr(), sink);
  const Step step = transfer.take(wire(axfr(), records));
  INFO(transfer.error().what);
  REQUIRE(step == Step::Done);
  return sink.finish();
}

// A folder that is gone at the end.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "received-zone.XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

std::vector<dns::Record> zone_records() {
  return {soa(5),
          rr("example. NS ns.example."),
          rr("www.example. A 192.0.2.3"),
          rr("ns.example. A 192.0.2.1"),
          rr("www.example. A 192.0.2.2"),
          rr("WWW.example. TXT \"later\"", 60),
          rr("a.b.example. MX 10 Mail.Example."),
          rr("www.example. RRSIG A 13 2 300 20300101000000 20200101000000 1 example. AAAA"),
          soa(5)};
}

bool warns(const ReceivedImage& result, std::string_view words) {
  for (const auto& warning : result.warnings)
    if (warning.to_text().find(words) != std::string::npos) return true;
  return false;
}
bool errs(const ReceivedImage& result, std::string_view words) {
  for (const auto& error : result.errors)
    if (error.to_text().find(words) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("received zone: nodes in canonical order, RRsets sorted, as from a file") {
  const Folder folder;
  for (const std::string& where : {std::string(), folder.path()}) {
    ReceiveOptions options;
    options.folder = where;
    const ReceivedImage result = receive(zone_records(), options);
    REQUIRE(result.image);
    CHECK(lines_of(*result.image) ==
          Lines{"example. 300 NS ns.example.", "example. 300 SOA ns.example. admin.example. 5 3600 600 86400 300",
                "a.b.example. 300 MX 10 Mail.Example.", "ns.example. 300 A 192.0.2.1", "www.example. 300 A 192.0.2.2",
                "www.example. 300 A 192.0.2.3",
                "www.example. RRSIG A 13 2 300 20300101000000 20200101000000 1 example. AAAA",
                "www.example. 60 TXT \"later\""});
    CHECK(result.image->node_count() == 4);
    CHECK(result.image->record_count() == 8);
    CHECK(result.image->max_ttl() == 300);
    CHECK(result.image->files().empty());
    CHECK(result.image->apex() == name("example."));
    CHECK(std::filesystem::is_empty(folder.path()));
  }
}

TEST_CASE("received zone: the image has the digests of the file's") {
  const auto loaded = zone::load_zone_text("@ 300 SOA ns admin 5 3600 600 86400 300\n@ 300 NS ns\nns 300 A 192.0.2.1\n",
                                           "z", name("example."));
  REQUIRE(loaded.image);
  const ReceivedImage received =
      receive({soa(5), rr("example. NS ns.example."), rr("ns.example. A 192.0.2.1"), soa(5)});
  REQUIRE(received.image);
  zone::ZoneImage::Node ours;
  zone::ZoneImage::Node theirs;
  while (loaded.image->next(theirs)) {
    REQUIRE(received.image->next(ours));
    CHECK(ours.owner == theirs.owner);
    CHECK(ours.digest == theirs.digest);
  }
  CHECK(!received.image->next(ours));
}

TEST_CASE("received zone: repeated records are merged, one RRset has one TTL [RFC 5936 §3.4, RFC 2181 §5.2]") {
  const ReceivedImage result = receive({soa(5), rr("example. NS ns.example."), rr("a.example. A 192.0.2.1", 300),
                                        rr("A.example. A 192.0.2.1", 60), rr("ns.example. A 192.0.2.1"),
                                        rr("a.example. A 192.0.2.1", 300), soa(5)});
  REQUIRE(result.image);
  CHECK(lines_of(*result.image)[2] == "a.example. 60 A 192.0.2.1");
  CHECK(result.image->record_count() == 4);
  CHECK(warns(result, "RFC 2181 §5.2"));
}

TEST_CASE("received zone: what can be served is taken, with a warning that says where") {
  ReceiveOptions options;
  options.source = "transfer from 192.0.2.53@53";
  const ReceivedImage result = receive({soa(5), rr("c.example. CNAME a.example."), rr("c.example. A 192.0.2.1"),
                                        rr("c.example. CNAME b.example."), rr("d.example. DNAME e.example."),
                                        rr("x.d.example. A 192.0.2.1"), rr("m.example. MX 1 nowhere.example."), soa(5)},
                                       options);
  REQUIRE(result.image);
  CHECK(result.errors.empty());
  CHECK(warns(result, "CNAME and other data"));
  CHECK(warns(result, "more than one CNAME"));
  CHECK(warns(result, "below a DNAME"));
  CHECK(warns(result, "transfer from 192.0.2.53@53: zone has no NS records"));
  CHECK(warns(result, "transfer from 192.0.2.53@53:3: "));
}

TEST_CASE("received zone: an RRset that no message can carry is refused [RFC 1035 §4.2.2]") {
  std::vector<dns::Record> records{soa(5), rr("example. NS ns.example."), rr("ns.example. A 192.0.2.1")};
  ReceivedZone sink(name("example."), {});
  IncomingTransfer transfer(axfr(), sink);
  REQUIRE(transfer.take(wire(axfr(), records)) == Step::More);
  for (int i = 0; i < 300; ++i)
    REQUIRE(transfer.take(wire(axfr(), {rr(fmt::format("big.example. TXT \"{:0250}\"", i))})) == Step::More);
  REQUIRE(transfer.take(wire(axfr(), {soa(5)})) == Step::Done);
  const ReceivedImage result = sink.finish();
  CHECK(!result.image);
  CHECK(errs(result, "larger than a message can carry"));
}

TEST_CASE("received zone: an NSEC3 whose owner is no hash, or is hashed otherwise, is refused [RFC 5155 §3, §11]") {
  const std::string rdata = " 0 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A";
  const std::string hash = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.";
  const auto with = [](const std::string& record) {
    return receive({soa(5), rr("example. NS ns.elsewhere."), rr("example. NSEC3PARAM 1 0 0 -"), rr(record), soa(5)});
  };
  CHECK(with(hash + "example. NSEC3 1" + rdata).image);
  CHECK(errs(with("short.example. NSEC3 1" + rdata), "owner of NSEC3"));
  CHECK(errs(with(hash + "sub.example. NSEC3 1" + rdata), "owner of NSEC3"));
  CHECK(errs(with(hash + "example. NSEC3 2" + rdata), "hash algorithm"));
}

TEST_CASE("received zone: severities are those of files, with fewer errors") {
  const auto severities = transfer_severities();
  for (const auto& row : zone::zone_rules()) {
    const auto ours = severities[static_cast<size_t>(row.rule)];
    CHECK((ours == row.severity || (row.severity == zone::Severity::Error && ours == zone::Severity::Warning)));
  }
}

TEST_CASE("received zone: the limit of octets, and a folder that is not there") {
  ReceiveOptions options;
  options.max_octets = 4096;
  ReceivedZone small(name("example."), options);
  IncomingTransfer transfer(axfr(), small);
  Step step = transfer.take(wire(axfr(), {soa(5)}));
  for (int i = 0; i < 100 && step == Step::More; ++i)
    step = transfer.take(wire(axfr(), {rr(fmt::format("big.example. TXT \"{:0250}\"", i))}));
  CHECK(step == Step::Refused);
  CHECK(transfer.error().code == Errc::Full);

  options.folder = "/nonexistent/folder";
  ReceivedZone nowhere(name("example."), options);
  IncomingTransfer other(axfr(), nowhere);
  CHECK(other.take(wire(axfr(), {soa(5)})) == Step::Refused);
  CHECK(other.error().code == Errc::Io);
  CHECK(other.error().what.find("/nonexistent/folder") != std::string::npos);
}

TEST_CASE("received zone: many records of many names, out of order, in files") {
  const Folder folder;
  ReceiveOptions options;
  options.folder = folder.path();
  ReceivedZone sink(name("example."), options);
  IncomingTransfer transfer(axfr(), sink);
  REQUIRE(transfer.take(wire(axfr(), {soa(5), rr("example. NS ns.elsewhere.")})) == Step::More);
  constexpr int names = 20000;
  for (int i = 0; i < names; i += 100) {
    std::vector<dns::Record> records;
    for (int n = i; n < i + 100; ++n)
      records.push_back(rr(fmt::format("n{:05}.example. TXT \"{:0100}\"", n * 7919 % names, n)));
    REQUIRE(transfer.take(wire(axfr(), records)) == Step::More);
  }
  REQUIRE(transfer.take(wire(axfr(), {soa(5)})) == Step::Done);
  const ReceivedImage result = sink.finish();
  REQUIRE(result.image);
  CHECK(result.image->node_count() == names + 1);
  dns::Name before;
  zone::ZoneImage::Node node;
  bool ordered = true;
  while (result.image->next(node)) {
    ordered = ordered && dns::canonical_compare(before, node.owner) < 0;
    before = node.owner;
  }
  CHECK(ordered);
}

TEST_CASE("receiver: takes whichever comes [RFC 1995 §4]") {
  TransferReceiver whole(name("example."), {});
  IncomingTransfer first(ixfr(1), whole);
  REQUIRE(first.take(wire(ixfr(1), {soa(2), rr("example. NS ns.elsewhere."), soa(2)})) == Step::Done);
  CHECK(whole.kind() == TransferKind::Axfr);
  CHECK(whole.zone().finish().image);

  TransferReceiver changes(name("example."), {});
  IncomingTransfer second(ixfr(1), changes);
  REQUIRE(second.take(wire(ixfr(1), {soa(2), soa(1), soa(2), soa(2)})) == Step::Done);
  CHECK(changes.kind() == TransferKind::Ixfr);
  CHECK(changes.changes().size() == 1);
}
