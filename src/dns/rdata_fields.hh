#pragma once
// The fields of RDATA in wire form: how long each is, and whether it keeps its rule. Inside of the room; pure
// functions.

#include <span>

#include "base/bytes.hh"
#include "base/result.hh"
#include "dns/rdata.hh"
#include "dns/rdata_layout.hh"

namespace steward::dns {

/// The size in octets of the field of this kind that starts at `at` (at most rdata.size()) in `rdata`; Invalid, saying
/// the rule, where it is cut short or malformed. Fields before it may be looked at, and must be sound.
Result<size_t> measure_field(FieldKind kind, ByteView rdata, size_t at);

/// The same for the kinds that few types have (rdata_rare.cc); `field` is all from its start to the end of the RDATA.
Result<size_t> measure_rare_field(FieldKind kind, ByteView field);
/// Gateway of an IPSECKEY or relay of an AMTRELAY, of type 0 to 3: none, IPv4, IPv6, name.
Result<size_t> measure_gateway(unsigned type, ByteView field);

/// SvcParams: ascending keys, known values well-formed, the rules between them (RFC 9460 §2.2, §7, §8; RFC 9461 §5; RFC
/// 9540 §4).
Result<void> check_svc_params(ByteView params);
/// Windows of types as in an NSEC (RFC 4034 §4.1.2).
Result<void> check_bitmap(ByteView bitmap);

/// Whether sound RDATA has a text form of its own type. Not so: a LOC, APL, ATMA or AMTRELAY of a version or family
/// that is unknown.
bool has_text_form(RrType type, ByteView rdata);

}  // namespace steward::dns
