#pragma once
// Text of the fields that few types have: LOC, WKS, ATMA, A6, APL, HIP, NSAP. Inside of the room; see rdata_layout.hh.

#include <string>

#include "base/bytes.hh"

namespace steward::dns {

class RdataReader;

// Each appends a sound field.
void append_loc(std::string& out, ByteView field);   ///< RFC 1876 §3
void append_wks(std::string& out, ByteView field);   ///< RFC 1035 §3.4.2, protocol and ports as numbers
void append_atma(std::string& out, ByteView field);  ///< `+digits` or hex
void append_a6(std::string& out, ByteView field);    ///< RFC 2874 §3.2
void append_apl(std::string& out, ByteView field);   ///< RFC 3123 §5
void append_hip(std::string& out, ByteView field);   ///< RFC 8005 §6

// Each takes all tokens that are left. False: the reader has the error.
bool read_loc(RdataReader& reader);
bool read_wks(RdataReader& reader);
bool read_nsap(RdataReader& reader);  ///< RFC 1706 §7: 0x, hex, dots anywhere
bool read_atma(RdataReader& reader);
bool read_a6(RdataReader& reader);
bool read_apl(RdataReader& reader);
bool read_hip(RdataReader& reader);

}  // namespace steward::dns
