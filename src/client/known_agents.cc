#include "client/known_agents.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>

#include "agent/text_fields.hh"
#include "client/text_file.hh"

namespace steward::client {
namespace {

constexpr size_t max_size = size_t{64} << 20;
using Entries = std::map<std::string, std::string, std::less<>>;

Result<Entries> read_entries(const std::string& path) {
  const auto text = read_text_file(path, max_size);
  if (!text && text.error().code == Errc::NotFound) return Entries{};
  if (!text) return tl::unexpected(text.error());
  Entries entries;
  std::string_view left = *text;
  for (size_t line = 1; !left.empty(); ++line) {
    const std::string_view entry = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(left.size(), entry.size() + 1));
    if (entry.empty() || entry[0] == '#') continue;
    const size_t blank = entry.find(' ');
    if (blank == std::string_view::npos || !agent::is_sha256_text(entry.substr(blank + 1)))
      return fail(Errc::Invalid, fmt::format("{}:{}: expected an agent's name and its fingerprint", path, line));
    entries.insert_or_assign(std::string(entry.substr(0, blank)), std::string(entry.substr(blank + 1)));
  }
  return entries;
}

/// Held while the file is read and replaced. The folder is locked, since the file itself is another one afterwards.
class FolderLock {
 public:
  static Result<FolderLock> take(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return fail(Errc::Io, fmt::format("{}: {}", folder.string(), std::strerror(errno)));
    FolderLock lock(descriptor);
    while (::flock(descriptor, LOCK_EX) != 0)
      if (errno != EINTR) return fail(Errc::Io, fmt::format("{}: {}", folder.string(), std::strerror(errno)));
    return lock;
  }
  FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace

Result<std::optional<std::string>> KnownAgents::find(std::string_view name) const {
  const auto entries = read_entries(path_);
  if (!entries) return tl::unexpected(entries.error());
  const auto at = entries->find(name);
  return at == entries->end() ? std::nullopt : std::optional(at->second);
}

Result<void> KnownAgents::remember(std::string_view name, std::string_view fingerprint) const {
  const auto lock = FolderLock::take(std::filesystem::absolute(path_).parent_path());
  if (!lock) return tl::unexpected(lock.error());
  auto entries = read_entries(path_);
  if (!entries) return tl::unexpected(entries.error());
  entries->insert_or_assign(std::string(name), std::string(fingerprint));
  std::string text = "# Agents that were verified before, and their keys: steward(1).\n";
  for (const auto& [agent, print] : *entries) text += fmt::format("{} {}\n", agent, print);
  return replace_text_file(path_, text);
}

}  // namespace steward::client
