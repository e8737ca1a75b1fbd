// Octets taken as a stored node: what check() accepts can be read and written to a message whole.
//
// The checksum is made right first, so that what stands behind it is tried.

#include <cstring>

#include "base/checksum.hh"
#include "require.hh"
#include "zone/node.hh"

using namespace steward;
using namespace steward::zone;
using fuzz::require;

namespace {

void write_everywhere(NodeView node, const StoredRrset& rrset) {
  Bytes octets(65535);
  // The owner at the question, and a copy of it in another place.
  for (const size_t place : {size_t{12}, size_t{300}, size_t{0x3fff}}) {
    std::memcpy(&octets[12], node.owner().data(), node.owner().size());
    std::memcpy(&octets[place], node.owner().data(), node.owner().size());
    for (const bool sigs : {false, true}) {
      ByteWriter out(octets, 0x5000);
      if (!write_rrset(out, rrset, node.owner(), {static_cast<uint16_t>(place)}, sigs))
        require(out.at() == 0x5000, "an RRset is written whole or not at all");
    }
  }
}

void read_all(NodeView node) {
  (void)node.owner().to_text();
  (void)node.earliest_expiration();
  Bytes sum(node.provenance().begin(), node.provenance().end());
  for (size_t i = 0; i < node.rrset_count(); ++i) {
    const StoredRrset rrset = node.rrset(i);
    require(node.find(rrset.type).has_value(), "an RRset is found by its type");
    for (StoredRrReader reader(rrset.rrs); !reader.done();)
      expand_rdata(rrset.type, reader.next().rdata, node.owner(), sum);
    for (StoredRrReader reader(rrset.sigs()); !reader.done();) append(sum, reader.next().rdata);
    write_everywhere(node, rrset);
  }
  if (const auto soa = node.negative_soa()) write_everywhere(node, *soa);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 8) return 0;
  Bytes blob(data, data + size);
  uint32_t claimed = 0;
  std::memcpy(&claimed, blob.data(), sizeof claimed);
  if (claimed >= 8 && claimed <= size) {
    const uint32_t checksum = crc32c(ByteView(blob).subspan(8, claimed - 8));
    std::memcpy(&blob[4], &checksum, sizeof checksum);
  }
  if (const auto node = NodeView::check(blob)) read_all(*node);
  return 0;
}
