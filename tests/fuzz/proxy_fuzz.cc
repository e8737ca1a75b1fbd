// Octets taken as a PROXY header: parsing is safe, a header ends within the octets, and what it says of the beginning
// does not depend on what follows.

#include "net/proxy_protocol.hh"
#include "require.hh"

using namespace steward;
using namespace steward::net;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using Outcome = ProxyHeader::Outcome;
  const ByteView all(data, size);
  const ProxyHeader header = parse_proxy_header(all);
  switch (header.outcome) {
    case Outcome::Proxied:
      require(header.source.family() == header.destination.family(), "both ends are of one family");
      require(header.source.octets().size() == 4 || header.source.octets().size() == 16, "the client has an address");
      [[fallthrough]];
    case Outcome::Local: {
      require(header.size >= proxy_fixed_size && header.size <= size, "the header ends within the octets");
      const ProxyHeader alone = parse_proxy_header(all.first(header.size));
      require(alone.outcome == header.outcome && alone.source == header.source, "what follows changes nothing");
      const ProxyHeader cut = parse_proxy_header(all.first(header.size - 1));
      require(cut.outcome == Outcome::Incomplete, "a header that lacks an octet is incomplete");
      break;
    }
    case Outcome::Incomplete:
      require(header.size > size && header.size <= proxy_most_size, "more is asked for, and not without bounds");
      break;
    case Outcome::Broken: break;
  }
  return 0;
}
