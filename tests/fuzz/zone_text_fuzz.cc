// Octets taken as a zone file: where a block of the scanner ends makes no difference, an image is in order and
// well-formed, and what is written of it is read back the same.

#include <string>
#include <vector>

#include "dns/rdata.hh"
#include "require.hh"
#include "zone/file_loader.hh"
#include "zone/zone_writer.hh"

using namespace steward;
using namespace steward::zone;
using fuzz::require;

namespace {

LoadResult load(std::string_view text, size_t block, bool checks) {
  LoadOptions options;
  options.block = block;
  options.checks = checks;
  options.max_octets = size_t{8} << 20;  // little to map and unmap each time
  options.max_include_depth = 3;
  options.max_includes = 4;
  options.max_generate = 20;
  // Any $INCLUDE gives the second half of the text.
  return load_zone_text(text, "z", *dns::Name::from_text("example."), options,
                        [&](const std::string& name) -> Result<OpenedText> {
                          return OpenedText{std::make_unique<MemorySource>(text.substr(text.size() / 2)), name};
                        });
}

void check_rrset(const RrsetInput& rrset) {
  require(!rrset.rdatas.empty(), "an RRset has records");
  Bytes before;
  for (const ByteView rdata : rrset.rdatas) {
    require(dns::check_rdata(rrset.type, rdata).has_value(), "RDATA is well-formed");
    Bytes canonical(rdata.begin(), rdata.end());
    dns::canonicalize_rdata(rrset.type, canonical);
    require(&rdata == rrset.rdatas.data() || dns::compare_rdata(before, canonical) < 0, "RDATA is in canonical order");
    before = canonical;
  }
  for (const ByteView rdata : rrset.rrsigs)
    require(dns::check_rdata(RrType::RRSIG, rdata).has_value() && load_u16(rdata.data()) == dns::value(rrset.type),
            "an RRSIG is with what it covers");
}

std::vector<uint64_t> check_image(ZoneImage& image, std::string& text) {
  ZoneWriter writer(image.apex(), 60, [&](std::string_view block) -> Result<void> {
    text += block;
    return {};
  });
  std::vector<uint64_t> digests;
  size_t records = 0;
  dns::Name before;
  ZoneImage::Node node;
  image.rewind();
  while (image.next(node)) {
    require(node.owner.is_at_or_below(image.apex()), "nodes are in the zone");
    require(digests.empty() || canonical_compare(before, node.owner) < 0, "nodes are in canonical order");
    before = node.owner;
    digests.push_back(node.digest);
    const RrsetInput* last = nullptr;
    for (const auto& rrset : node.rrsets) {
      require(last == nullptr || last->type < rrset.type, "RRsets are in the order of their types");
      last = &rrset;
      check_rrset(rrset);
      records += rrset.rdatas.size() + rrset.rrsigs.size();
      require(writer.write(node.owner, rrset).has_value(), "an RRset is written");
    }
  }
  require(writer.finish().has_value(), "the rest is written");
  require(digests.size() == image.node_count() && records == image.record_count(), "the counts are right");
  return digests;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto whole = load(text, 4096, true);
  const auto pieces = load(text, 3, true);
  require(whole.errors.size() == pieces.errors.size() && whole.warnings.size() == pieces.warnings.size(),
          "the block makes no difference to what is found");
  for (size_t i = 0; i < whole.errors.size(); ++i)
    require(whole.errors[i].to_text() == pieces.errors[i].to_text(), "the block makes no difference to an error");
  require((whole.image == nullptr) == !whole.errors.empty(), "an image or errors");

  const auto unchecked = load(text, 4096, false);
  if (unchecked.image == nullptr) return 0;
  std::string written;
  const auto digests = check_image(*unchecked.image, written);
  const auto again = load(written, 4096, false);
  require(again.image != nullptr, "what was written is read");
  std::string unused;
  require(check_image(*again.image, unused) == digests, "what was written is the same");
  return 0;
}
