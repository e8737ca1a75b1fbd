#pragma once
// What all workers share beside limits and counts.

#include <memory>
#include <vector>

#include "base/address.hh"

namespace steward::crypto {
class TlsServerContext;
}

namespace steward::net {

struct WorkerOptions {
  std::shared_ptr<const crypto::TlsServerContext> tls;  ///< of listeners with Transport::Tls; may be reloaded meanwhile
  std::vector<AddressBlock> proxies;                    ///< who puts a PROXY header before all (net/proxy_protocol.hh)
};

}  // namespace steward::net
