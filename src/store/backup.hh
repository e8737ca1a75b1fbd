#pragma once
// A backup: the whole database in one stream of octets that does not depend on how the store lays it out, and back.
// src/store/FORMAT.md, "Backup", has the format. Memory is bounded in both directions, whatever the size.

#include "store/walk.hh"

namespace steward::store {

/// The version of the format of backups, apart from the store's own: what is written, and the only one that is read.
constexpr uint32_t backup_version = 1;

/// Takes octets in order, in blocks of some 256 KiB.
using BackupSink = std::function<Result<void>(ByteView)>;
/// Reads into the view, as much as there is; 0 at the end.
using BackupSource = std::function<Result<size_t>(MutableByteView)>;

/// Writes the snapshot that `reader` has acquired: all zones, also those that are not served. Checks what it reads as
/// walk() does. The same content gives the same octets.
Result<Census> write_backup(const Reader& reader, const BackupSink& sink, const Progress& progress = {});

/// Fills `fresh`, a store without a zone, in several transactions; after a failure what it holds is of no use. Corrupt
/// where the backup is cut off or damaged, Invalid where it is none or holds what no store may hold, Unsupported for
/// another version; the errors say at which octet. `progress` counts octets.
Result<Census> read_backup(Store& fresh, const BackupSource& source, const Progress& progress = {});

}  // namespace steward::store
