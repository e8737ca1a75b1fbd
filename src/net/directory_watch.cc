#include "net/directory_watch.hh"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace steward::net {
namespace {

constexpr uint32_t mask = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
                          IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr int longest_wait = 10;  ///< times `quiet`: files that change without end are told all the same

/// A file that was just made is told when it is closed; a link, symbolic or hard, is whole at once and never closed.
bool is_link(const std::string& path) {
  struct stat state {};
  return lstat(path.c_str(), &state) == 0 && (S_ISLNK(state.st_mode) || (S_ISREG(state.st_mode) && state.st_nlink > 1));
}

}  // namespace

DirectoryWatch::DirectoryWatch(Loop& loop, Delays delays, std::function<void(const DirectoryChanges&)> changed)
    : loop_(loop),
      delays_(delays),
      changed_(std::move(changed)),
      fd_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      quiet_timer_(loop),
      retry_timer_(loop) {}

Result<std::unique_ptr<DirectoryWatch>> DirectoryWatch::open(Loop& loop, Delays delays,
                                                             std::function<void(const DirectoryChanges&)> changed) {
  std::unique_ptr<DirectoryWatch> watch(new DirectoryWatch(loop, delays, std::move(changed)));
  if (!watch->fd_) return fail(Errc::Io, std::string("inotify: ") + std::strerror(errno));
  auto fd_watch = FdWatch::open(loop, watch->fd_.get(), *watch);
  if (!fd_watch) return fail("inotify", fd_watch.error());
  watch->fd_watch_ = std::move(*fd_watch);
  watch->fd_watch_->want(Ready::Read);
  return watch;
}

bool DirectoryWatch::watch(const std::string& directory) {
  const int watch = inotify_add_watch(fd_.get(), directory.c_str(), mask);
  if (watch < 0) return false;
  directories_[watch].insert(directory);
  return true;
}

Result<void> DirectoryWatch::add(const std::string& directory) {
  if (watch(directory)) return {};
  const int error = errno;
  if (error == ENOSPC)
    return fail(Errc::Full, directory + ": cannot be watched: the limit fs.inotify.max_user_watches is reached");
  if (error != ENOENT) return fail(Errc::Io, directory + ": cannot be watched: " + std::strerror(error));
  missing_.insert(directory);
  if (!retry_timer_.is_set()) retry_timer_.every(delays_.retry, [this] { look_for_missing(); });
  return {};
}

void DirectoryWatch::remove(const std::string& directory) {
  missing_.erase(directory);
  if (missing_.empty()) retry_timer_.cancel();
  for (auto& [watch, names] : directories_) {
    if (names.erase(directory) == 0 || !names.empty()) continue;
    inotify_rm_watch(fd_.get(), watch);
    directories_.erase(watch);
    return;
  }
}

void DirectoryWatch::on_ready(Ready) {
  alignas(inotify_event) std::array<char, 16384> buffer;
  const ssize_t size = read(fd_.get(), buffer.data(), buffer.size());
  for (ssize_t at = 0; at < size;) {
    const auto* event = reinterpret_cast<const inotify_event*>(&buffer[static_cast<size_t>(at)]);
    take(*event);
    at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
  }
}

void DirectoryWatch::take(const inotify_event& event) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) {
    rescan_ = true;
    return note();
  }
  if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0) return lost(event.wd);
  const auto found = directories_.find(event.wd);
  if (found == directories_.end() || event.len == 0 || (event.mask & IN_ISDIR) != 0) return;
  for (const std::string& directory : found->second) {
    std::string path = directory + "/" + event.name;
    if ((event.mask & IN_CREATE) != 0 && !is_link(path)) continue;
    paths_.insert(std::move(path));
    note();
  }
}

void DirectoryWatch::lost(int watch) {
  const auto found = directories_.find(watch);
  if (found == directories_.end()) return;  // a second event of the same loss
  inotify_rm_watch(fd_.get(), watch);       // a directory that was moved away is still watched under its old name
  missing_.merge(found->second);
  directories_.erase(found);
  rescan_ = true;
  note();
  // One that was replaced is back already.
  look_for_missing();
}

void DirectoryWatch::look_for_missing() {
  for (auto at = missing_.begin(); at != missing_.end();) {
    if (!watch(*at)) {
      ++at;
      continue;
    }
    at = missing_.erase(at);
    rescan_ = true;
    note();
  }
  if (missing_.empty())
    retry_timer_.cancel();
  else if (!retry_timer_.is_set())
    retry_timer_.every(delays_.retry, [this] { look_for_missing(); });
}

void DirectoryWatch::note() {
  const uint64_t now = loop_.now_ms();
  if (!quiet_timer_.is_set()) first_ms_ = now;
  const auto latest = first_ms_ + static_cast<uint64_t>(delays_.quiet.count()) * longest_wait;
  const auto left = std::chrono::milliseconds(latest > now ? latest - now : 0);
  quiet_timer_.after(std::min(delays_.quiet, left), [this] { tell(); });
}

void DirectoryWatch::tell() {
  const DirectoryChanges changes{{paths_.begin(), paths_.end()}, rescan_};
  paths_.clear();
  rescan_ = false;
  changed_(changes);
}

}  // namespace steward::net
