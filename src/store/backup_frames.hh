#pragma once
// The frames of a backup (FORMAT.md, "Backup"). Private to this room.

#include <optional>
#include <string_view>

#include "base/checksum.hh"
#include "store/backup.hh"

namespace steward::store {

constexpr std::string_view backup_magic = "steward-registry backup ";

enum class FrameKind : uint8_t {
  Zone = 'Z',    ///< JSON, as in the database `zones`
  Names = 'N',   ///< nodes of the zone before
  Hashes = 'H',  ///< NSEC3 nodes of the zone before
  Withdrawn = 'W',  ///< names of the zone before that updates withdrew
  Table = 'T',      ///< entries of one table of the zone before
  State = 'S',   ///< what is kept with the zone before beside its records
  End = 'E',     ///< JSON: how much there was
};

constexpr size_t frame_head = 5;                  // kind, size
constexpr size_t frame_full = size_t{256} << 10;  // nodes are gathered until there are so many octets
constexpr size_t frame_most = size_t{256} << 20;  // no node comes near it
constexpr size_t node_head = 1 + 2 + 8 + 4 + 2;   // owner's size, flags, digest, provenance's size, RRsets

class FrameWriter {
 public:
  explicit FrameWriter(const BackupSink& sink) : sink_(sink) {}

  Result<void> begin();
  Result<void> frame(FrameKind kind, ByteView body);

 private:
  const BackupSink& sink_;
  uint32_t checksum_ = 0;
  Bytes out_;
};

struct Frame {
  FrameKind kind;
  uint64_t at;    ///< octet of the backup at which it begins
  ByteView body;  ///< until the next frame is read
};

class FrameReader {
 public:
  FrameReader(const BackupSource& source, const Progress& progress) : source_(source), progress_(progress) {}

  /// Reads the first line.
  Result<void> begin();
  Result<Frame> frame();
  /// Corrupt where something follows.
  Result<void> end();

 private:
  Result<void> exactly(size_t size, Bytes& into);
  [[nodiscard]] tl::unexpected<Error> cut_off() const;

  const BackupSource& source_;
  const Progress& progress_;
  uint64_t at_ = 0;
  uint32_t checksum_ = 0;
  Bytes body_;
};

/// What the end says, and what it is held against.
std::string end_text(const Census& census);

}  // namespace steward::store
