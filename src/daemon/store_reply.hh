#pragma once
// What is told of the whole database, by the running server and by a command that opened the store itself.

#include <nlohmann/json.hpp>

#include "store/walk.hh"

namespace steward::daemon {

inline nlohmann::json json_of(const store::Census& census) {
  return {{"zones", census.zones},
          {"names", census.names},
          {"hashes", census.hashes},
          {"records", census.records},
          {"octets", census.octets}};
}

/// Corrupt is an answer, not a failure of the command.
inline nlohmann::json json_of_verified(const Result<store::Census>& verified) {
  if (!verified) return {{"sound", false}, {"error", verified.error().what}};
  nlohmann::json json = json_of(*verified);
  json["sound"] = true;
  return json;
}

inline nlohmann::json json_of(const store::SnapshotFigures& figures) {
  const double share = figures.log_octets == 0
                           ? 1.0
                           : static_cast<double>(figures.live_octets) / static_cast<double>(figures.log_octets);
  return {{"format", figures.format},
          {"zones", figures.zones},
          {"zones_served", figures.zones_served},
          {"names", figures.names},
          {"hashes", figures.hashes},
          {"tree_pages", figures.tree_pages},
          {"tree_octets", figures.tree_pages * 4096},
          {"map_size", figures.map_size},
          {"segments", figures.segments},
          {"log_octets", figures.log_octets},
          {"live_octets", figures.live_octets},
          {"live_share", share}};
}

}  // namespace steward::daemon
