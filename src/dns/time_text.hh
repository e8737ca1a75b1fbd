#pragma once
// Points in time as YYYYMMDDHHmmSS in UTC: the RRSIG's fields (RFC 4034 §3.2), key files, logs. Pure functions, any
// thread.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hh"
#include "base/result.hh"

namespace steward::dns {

/// Fourteen digits, years 1970 to 9999; Invalid where a field is out of range or the day does not exist.
Result<UnixTime> time_from_text(std::string_view text);
/// Fourteen digits; `time` from 1970 to 9999.
void append_time_text(std::string& out, UnixTime time);
std::string time_to_text(UnixTime time);

/// An RRSIG's time: fourteen digits, or decimal seconds since 1970 below 2^32 (RFC 4034 §3.2). Times after
/// 2106-02-07T06:28:15Z are taken modulo 2^32, which RFC 4034 §3.1.5 compares by RFC 1982.
Result<uint32_t> rrsig_time_from_text(std::string_view text);
/// As the moment between 1970 and 2106 that it stands for.
inline void append_rrsig_time_text(std::string& out, uint32_t time) { append_time_text(out, unix_time(time)); }

}  // namespace steward::dns
