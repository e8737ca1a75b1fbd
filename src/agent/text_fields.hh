#pragma once
// `key=value` strings of a TXT record, as statements and rotations use them (records: "The publisher's statement").
//
// A key is 1 to 63 octets of a-z, 0-9 and `-`. A value that does not fit in a string of 255 octets goes on in the next
// under the same key; values of adjacent equal keys are joined octet for octet; any other repeated key is an error.
// Pure functions, any thread.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hh"
#include "base/clock.hh"
#include "base/result.hh"
#include "dns/name.hh"

namespace steward::agent {

using dns::NameView;

struct TextField {
  std::string key;
  std::string value;
  friend bool operator==(const TextField&, const TextField&) = default;
};

/// The fields of TXT RDATA in order. Invalid names the string (from 1) and the rule.
Result<std::vector<TextField>> fields_from_txt(ByteView txt_rdata);

/// Appends a field as one or more strings; the key must be a sound one.
void append_field(Bytes& txt_rdata, std::string_view key, std::string_view value);

/// Nothing where there is no such key.
std::optional<std::string_view> find_field(std::span<const TextField> fields, std::string_view key);

/// What a signature covers: `label` in ASCII, a zero octet, `agent` in lower-case uncompressed wire form, then every
/// string of the RDATA with its length octet but those whose key is in `left_out`. The RDATA has been through
/// fields_from_txt().
Bytes signed_octets(std::string_view label, NameView agent, ByteView txt_rdata,
                    std::span<const std::string_view> left_out);

/// "2025-11-21T13:00:00Z", exactly so (RFC 3339 with UTC and no fraction); Invalid otherwise, also for a day that does
/// not exist.
Result<UnixTime> modified_from_text(std::string_view text);
std::string modified_to_text(UnixTime time);

/// Whether this is "sha256:" and 64 hex digits in lower case.
bool is_sha256_text(std::string_view text);
std::string sha256_text(ByteView data);

}  // namespace steward::agent
