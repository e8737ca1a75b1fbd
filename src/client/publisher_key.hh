#pragma once
// Keys of a publisher's folder with their secrets: inside of the room; the public face is steward/keys.hh.

#include <string>
#include <vector>

#include "crypto/key_file.hh"
#include "steward/keys.hh"

namespace steward::client {

/// By the path of one of its two files, or of both without what stands behind the last dot.
Result<crypto::StoredKey> read_publisher_key(const std::string& path);
/// The keys of this owner in a folder, the newest first; none where there is no such folder.
Result<std::vector<crypto::StoredKey>> read_publisher_keys(const std::string& folder, const dns::Name& owner);
/// Those of the agent, the newest first, then those for any agent.
Result<std::vector<crypto::StoredKey>> read_keys_for(const std::string& folder, const dns::Name& agent);

}  // namespace steward::client
