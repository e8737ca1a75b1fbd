// Octets taken as a bundle: what is read is written again to the octet, a refusal is one line, and of what is proved no
// octet can be changed unseen. The anchors are the keys of the bundle's last zone, so that checks get as far as they can.

#include <algorithm>
#include <string>

#include "client/bundle.hh"
#include "require.hh"

using namespace steward;
using namespace steward::client;
using fuzz::is_plain;
using fuzz::require;

namespace {

const UnixTime now = unix_time(1'800'000'000);  // as the corpus is signed

std::vector<dns::Record> anchors_of(const Bundle& bundle) {
  std::vector<dns::Record> anchors;
  const SignedRrset& last = bundle.rrsets.back();
  if (last.type != dns::RrType::DNSKEY) return anchors;
  for (const Bytes& rdata : last.rdatas) {
    dns::Record anchor{.owner = last.owner, .rdata = rdata};
    anchor.type = last.type;
    anchor.klass = dns::RrClass::IN;
    anchor.ttl = last.ttl;
    anchors.push_back(std::move(anchor));
  }
  return anchors;
}

void check_changed(ByteView octets, std::span<const dns::Record> anchors) {
  Bytes changed(octets.begin(), octets.end());
  const size_t at = (octets.back() * size_t{257} + octets.size()) % octets.size();
  changed[at] = static_cast<uint8_t>(changed[at] ^ 1U << (octets.back() & 7U));
  const auto bundle = Bundle::from_octets(changed);
  require(!bundle || !check_bundle(*bundle, anchors, now), "a bundle with another bit is no proof");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView octets(data, size);
  const auto bundle = Bundle::from_octets(octets);
  if (!bundle) {
    require(is_plain(bundle.error().what), "a refusal is one line");
    return 0;
  }
  require(std::ranges::equal(bundle->to_octets(), octets), "a bundle is written as it was read");
  require(!check_bundle(*bundle, {}, now), "without an anchor nothing is proved");
  const auto anchors = anchors_of(*bundle);
  const auto proof = check_bundle(*bundle, anchors, now);
  require(proof || is_plain(proof.error().what), "a refusal is one line");
  if (proof) check_changed(octets, anchors);
  return 0;
}
