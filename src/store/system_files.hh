#pragma once
// What the store asks of the file system, with errors that name the path. Inside of the room.

#include <string>

#include "base/result.hh"

namespace steward::store {

/// Full for what is out of room, else Io.
tl::unexpected<Error> system_error(const std::string& what, int error);
/// So that names in the folder outlast a crash.
Result<void> sync_folder(const std::string& folder);

}  // namespace steward::store
