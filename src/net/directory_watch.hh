#pragma once
// DirectoryWatch: tells which files of watched directories changed, once they are quiet (inotify(7)).
//
// Watched are directories and not files, since editors and deployments replace a file by renaming another onto it.
// A file counts as changed when it was closed after writing, moved, linked, removed, or had its attributes set. One
// that is still being written is not told before it is closed. What changed before add() returned is not told: add
// first, then read. Loop's thread only.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.hh"
#include "net/file_descriptor.hh"
#include "net/loop.hh"

struct inotify_event;

namespace steward::net {

struct DirectoryChanges {
  std::vector<std::string> paths;  ///< directory as given to add(), "/", name; sorted, each once; may be gone now
  bool rescan = false;             ///< events were lost, or a directory went or came: anything may have changed
};

class DirectoryWatch final : private FdHandler {
 public:
  struct Delays {
    std::chrono::milliseconds quiet{200};  ///< told after that long without a further event, or ten times that at most
    std::chrono::milliseconds retry{1'000};  ///< how often a directory that is gone is looked for
  };

  static Result<std::unique_ptr<DirectoryWatch>> open(Loop& loop, Delays delays,
                                                      std::function<void(const DirectoryChanges&)> changed);

  /// A directory that does not exist (yet) is looked for until it does, then `rescan` is told. Fails on a path that is
  /// no directory, cannot be read, or is one watch too many (fs.inotify.max_user_watches).
  Result<void> add(const std::string& directory);
  void remove(const std::string& directory);

 private:
  DirectoryWatch(Loop& loop, Delays delays, std::function<void(const DirectoryChanges&)> changed);

  void on_ready(Ready ready) override;
  void take(const inotify_event& event);
  void lost(int watch);  ///< its directory was removed, moved away or unmounted
  void look_for_missing();
  bool watch(const std::string& directory);  ///< false with errno
  void note();                               ///< something is to be told
  void tell();

  Loop& loop_;
  const Delays delays_;
  std::function<void(const DirectoryChanges&)> changed_;
  FileDescriptor fd_;
  std::unique_ptr<FdWatch> fd_watch_;
  Timer quiet_timer_;
  Timer retry_timer_;
  std::map<int, std::set<std::string>> directories_;  ///< by inotify watch: two paths may lead to one directory
  std::set<std::string> missing_;
  std::set<std::string> paths_;
  bool rescan_ = false;
  uint64_t first_ms_ = 0;  ///< of the events that are not told yet
};

}  // namespace steward::net
