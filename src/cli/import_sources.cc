#include "cli/import_sources.hh"

#include <algorithm>
#include <limits>

namespace steward::cli {

namespace fs = std::filesystem;

namespace {

tl::unexpected<Error> io(const fs::path& path, const std::error_code& error) {
  const bool missing = error == std::errc::no_such_file_or_directory;
  return fail(missing ? Errc::NotFound : Errc::Io, path.string() + ": " + error.message());
}

}  // namespace

std::string ImportSources::path(size_t file) const {
  const File& entry = files_[file];
  return (fs::path(folders_[entry.folder]) / names_.substr(entry.name_at, entry.name_size)).string();
}

Result<void> ImportSources::add(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error || !fs::exists(status))
    return io(path, error ? error : std::make_error_code(std::errc::no_such_file_or_directory));
  if (!fs::is_directory(status)) {
    const uint64_t octets = fs::is_regular_file(status) ? fs::file_size(path, error) : 0;
    folders_.push_back(path.parent_path().string());
    return add_file(path, error ? 0 : octets);
  }
  const size_t before = files_.size();
  if (auto added = add_folder(path); !added) return added;
  if (files_.size() == before) return fail(Errc::Invalid, path.string() + ": no *.json in this folder nor below it");
  return {};
}

Result<void> ImportSources::add_file(const fs::path& path, uint64_t octets) {
  if (files_.size() == std::numeric_limits<uint32_t>::max())
    return fail(Errc::Full, path.string() + ": over four thousand million files");
  const std::string name = path.filename().string();
  files_.push_back(
      {octets, names_.size(), static_cast<uint32_t>(name.size()), static_cast<uint32_t>(folders_.size() - 1)});
  names_ += name;
  octets_ += octets;
  return {};
}

Result<void> ImportSources::add_folder(const fs::path& folder) {
  struct Entry {
    std::string name;
    uint64_t octets = 0;
  };
  std::vector<Entry> files;
  std::vector<std::string> folders;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;  // a file that goes meanwhile is told of when it is opened
    // A link to a folder may lead in a circle.
    if (at->is_directory(gone) && !at->is_symlink(gone))
      folders.push_back(at->path().filename().string());
    else if (at->path().extension() == ".json")
      files.push_back({at->path().filename().string(), at->is_regular_file(gone) ? at->file_size(gone) : 0});
  }
  if (error) return io(folder, error);
  std::sort(files.begin(), files.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
  std::sort(folders.begin(), folders.end());
  if (!files.empty()) folders_.push_back(folder.string());
  for (const Entry& file : files)
    if (auto added = add_file(folder / file.name, file.octets); !added) return added;
  files = {};
  for (const std::string& name : folders)
    if (auto added = add_folder(folder / name); !added) return added;
  return {};
}

}  // namespace steward::cli
