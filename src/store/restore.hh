#pragma once
// Putting a backup in the place of a store: beside it, checked wholly, then at once. `kill -9` at any moment leaves the
// old or the new.
//
// For a program of its own, while no server has the store: the store's lock is taken, and held until it is done.

#include "base/clock.hh"
#include "store/backup.hh"

namespace steward::store {

struct RestorePlan {
  std::string data;      ///< the folder that `store` stands in; made where it is not there
  bool replace = false;  ///< an existing store may be replaced; it is kept under another name
  UnixTime now{};        ///< for that name
};

struct Restored {
  Census census;
  std::string store;  ///< the folder
  std::string kept;   ///< where the old one is now; empty where there was none
};

/// Refused where a server, or another restore, is at it; Exists without `replace` where there is a store; Unsupported
/// where the file system cannot exchange two folders at once; the errors of read_backup and verify. `progress` is for
/// reading, then for checking.
Result<Restored> restore(const RestorePlan& plan, const BackupSource& source, const Progress& reading = {},
                         const Progress& checking = {});

}  // namespace steward::store
