#pragma once
// DS, CDS and CDNSKEY: how a child tells its parent which key to trust (RFC 4034 §5, RFC 4509, RFC 6605 §2, RFC 7344,
// RFC 8078).

#include <cstdint>

#include "base/bytes.hh"
#include "base/result.hh"
#include "dns/name.hh"

namespace steward::sign {

using dns::NameView;

enum class DsDigest : uint8_t {
  SHA1 = 1,    ///< only compared, never made (RFC 8624 §3.3)
  SHA256 = 2,  ///< the one that everybody takes
  SHA384 = 4,
};

/// Appends DS RDATA (which is also CDS RDATA) for the DNSKEY of `owner`: digest over the canonical owner name and the
/// RDATA (RFC 4034 §5.1.4).
void append_ds_rdata(NameView owner, ByteView dnskey_rdata, DsDigest digest, Bytes& out);

/// Whether this DS RDATA stands for this DNSKEY; Unsupported for a digest type that we do not know.
Result<bool> ds_matches(NameView owner, ByteView dnskey_rdata, ByteView ds_rdata);

/// "0 0 0 00" and "0 3 0 AA==": the request to remove the DS (RFC 8078 §4), for a zone that is going unsigned.
Bytes cds_delete_rdata();
Bytes cdnskey_delete_rdata();

}  // namespace steward::sign
