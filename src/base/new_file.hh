#pragma once
// A file that appears under its name when all of it is on the disk, and before that not at all.

#include <string>

#include "base/bytes.hh"
#include "base/result.hh"

namespace steward {

class NewFile {
 public:
  explicit NewFile(std::string path) : path_(std::move(path)) {}
  /// Without commit() nothing is left, and what stood under the name stays.
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  /// Beside its place, under a name of its own, mode 0600. Refused where something stands there that is no regular
  /// file.
  [[nodiscard]] Result<void> open();
  [[nodiscard]] Result<void> write(ByteView octets);
  /// Synced, then renamed over what stood there.
  [[nodiscard]] Result<void> commit();

 private:
  [[nodiscard]] tl::unexpected<Error> io(const std::string& path) const;

  std::string path_;
  std::string part_;
  int fd_ = -1;
};

}  // namespace steward
