#pragma once
// Writes a zone as master file text (RFC 1035 §5), record by record, for export.
//
// What named-checkzone, Knot and our own loader read back is what was written, to the octet and the case. Used by one
// thread; text goes out in blocks, so that a zone of any size takes little memory.

#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.hh"
#include "base/result.hh"
#include "dns/name.hh"
#include "dns/rr_type.hh"
#include "zone/node.hh"

namespace steward::zone {

class ZoneWriter {
 public:
  /// Takes the text as it comes, in blocks of some 64 KiB.
  using Sink = std::function<Result<void>(std::string_view)>;

  /// Begins with `$ORIGIN apex` and `$TTL default_ttl`; records with that TTL are written without one.
  ZoneWriter(NameView apex, uint32_t default_ttl, Sink sink);

  /// `rdata` valid for `type` (dns::check_rdata), uncompressed. Owners need not be in order; the SOA should come first.
  Result<void> write(NameView owner, uint32_t ttl, RrType type, ByteView rdata);
  /// All RRs of an RRset, then the RRSIGs that cover it.
  Result<void> write(NameView owner, const RrsetInput& rrset);
  /// Hands what is left to the sink. Nothing may be written after it.
  Result<void> finish();

 private:
  std::string owner_text(NameView owner) const;

  dns::Name apex_;
  uint32_t default_ttl_;
  Sink sink_;
  std::string text_;
};

}  // namespace steward::zone
