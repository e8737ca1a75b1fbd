#pragma once
// The records of a zone in master-file text, for fixtures: no $INCLUDE, no $GENERATE, no mercy.

#include <string_view>
#include <vector>

#include "dns/name.hh"
#include "dns/rr_type.hh"

namespace steward::test {

struct Record {
  dns::Name owner;
  dns::RrType type{};
  uint32_t ttl = 0;
  Bytes rdata;  ///< uncompressed
};

/// Throws std::runtime_error with the line where `text` is wrong.
std::vector<Record> parse_zone_text(std::string_view text, dns::NameView origin);

}  // namespace steward::test
