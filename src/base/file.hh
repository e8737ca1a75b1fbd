#pragma once
// Reading a regular file block by block, and noticing that it changed meanwhile.
//
// With read(2), not mmap: a mapping of a file that is truncated while we read it raises SIGBUS, and an editor or a zone
// generator that rewrites a file in place does truncate it. Reading in blocks also keeps the file's pages out of our
// own memory. One thread at a time.

#include <sys/stat.h>

#include <string>

#include "base/bytes.hh"
#include "base/result.hh"

namespace steward {

class FileReader {
 public:
  /// NotFound where there is none, Io where it cannot be opened or is no regular file (a FIFO would block us).
  static Result<FileReader> open(const std::string& path);

  FileReader(FileReader&& other) noexcept;
  FileReader& operator=(FileReader&& other) noexcept;
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;
  ~FileReader();

  /// Octets read into `into`, as many as fit unless the file ends; 0 at the end. At the end it is Io where the file is
  /// no longer what was opened: size or time of modification differ, so what was read may be half old, half new.
  Result<size_t> read(MutableByteView into);

 private:
  FileReader(int descriptor, const struct stat& opened, std::string path)
      : descriptor_(descriptor), opened_(opened), path_(std::move(path)) {}
  Result<void> check_unchanged() const;

  int descriptor_ = -1;
  struct stat opened_ = {};
  std::string path_;
};

}  // namespace steward
