#pragma once
// The files of an import: what is named, and in folders all *.json, in the order of their names, however deep. A
// million names are kept in some 40 octets each.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hh"

namespace steward::cli {

class ImportSources {
 public:
  /// A file, whatever its name, or a folder. NotFound, Io; Invalid for a folder without any.
  Result<void> add(const std::filesystem::path& path);

  [[nodiscard]] size_t size() const { return files_.size(); }
  [[nodiscard]] std::string path(size_t file) const;
  /// Octets of one, as of when it was added.
  [[nodiscard]] uint64_t octets(size_t file) const { return files_[file].octets; }
  [[nodiscard]] uint64_t octets() const { return octets_; }

 private:
  struct File {
    uint64_t octets = 0;
    uint64_t name_at = 0;
    uint32_t name_size = 0;
    uint32_t folder = 0;
  };
  Result<void> add_folder(const std::filesystem::path& folder);
  Result<void> add_file(const std::filesystem::path& path, uint64_t octets);

  std::vector<std::string> folders_;
  std::string names_;
  std::vector<File> files_;
  uint64_t octets_ = 0;
};

}  // namespace steward::cli
