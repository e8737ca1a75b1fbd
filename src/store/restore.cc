#include "store/restore.hh"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>


#include "store/system_files.hh"

namespace steward::store {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

Result<Descriptor> lock(const std::string& path, int flags, const std::string& busy) {
  Descriptor fd(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  if (fd.get() < 0) return system_error(path, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
    return errno == EWOULDBLOCK ? fail(Errc::Refused, busy) : system_error(path, errno);
  return fd;
}

/// Root restores what the server's user must be able to open: all belongs to whom the folder of the data belongs.
Result<void> hand_over(const std::string& data, const std::string& store) {
  struct stat owner {};
  if (::geteuid() != 0) return {};
  if (::stat(data.c_str(), &owner) != 0) return system_error(data, errno);
  const auto give = [&](const std::string& path) -> Result<void> {
    return ::lchown(path.c_str(), owner.st_uid, owner.st_gid) == 0 ? Result<void>{} : system_error(path, errno);
  };
  std::error_code error;
  for (fs::recursive_directory_iterator at(store, error), end; !error && at != end; at.increment(error))
    if (auto given = give(at->path().string()); !given) return given;
  if (error) return fail(Errc::Io, store + ": " + error.message());
  return give(store);
}

int rename_at_once(const std::string& from, const std::string& to, unsigned how) {
  return ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), how) == 0 ? 0 : errno;
}

Result<Census> fill(const std::string& folder, const BackupSource& source, const Progress& reading,
                    const Progress& checking) {
  StoreOptions options;
  options.folder = folder;
  auto store = Store::open(options);
  if (!store) return tl::unexpected<Error>(store.error());
  const auto census = read_backup(**store, source, reading);
  if (!census) return census;
  auto reader = (*store)->make_reader();
  if (!reader) return tl::unexpected<Error>(reader.error());
  if (auto acquired = (*reader)->acquire(); !acquired) return tl::unexpected<Error>(acquired.error());
  const auto checked = verify(**reader, checking);
  (*reader)->release();
  if (!checked) return fail("what was imported", checked.error());
  if (checked->zones != census->zones || checked->names != census->names || checked->hashes != census->hashes ||
      checked->records != census->records || checked->entries != census->entries)
    return fail(Errc::Corrupt, "what was imported: not all of it is there");
  return checked;
}

/// Where the old store goes: "<store>.before-restore-20260131T120000Z", with a number behind it where that is taken.
/// There is a folder with that name when it returns: `fresh`, which then changes places with the old one. So no moment
/// is without a store, and nothing that a later restore would clear away was ever in use.
Result<std::string> put_aside(const std::string& fresh, const std::string& store, UnixTime now) {
  const std::string name = fmt::format("{}.before-restore-{:%Y%m%dT%H%M%SZ}", store, fmt::gmtime(seconds_of(now)));
  for (int number = 1;; ++number) {
    const std::string kept = number == 1 ? name : fmt::format("{}-{}", name, number);
    const int error = rename_at_once(fresh, kept, RENAME_NOREPLACE);
    if (error == 0) return kept;
    if (error != EEXIST) return system_error(kept, error);
  }
}

Result<void> put_in_place(const RestorePlan& plan, const std::string& fresh, bool there, Restored& restored) {
  if (!there) {
    if (const int error = rename_at_once(fresh, restored.store, RENAME_NOREPLACE); error != 0)
      return error == EEXIST ? fail(Errc::Refused, restored.store + ": appeared meanwhile; is a server running?")
                             : system_error(restored.store, error);
    return sync_folder(plan.data);
  }
  const auto kept = put_aside(fresh, restored.store, plan.now);
  if (!kept) return tl::unexpected<Error>(kept.error());
  if (const int error = rename_at_once(*kept, restored.store, RENAME_EXCHANGE); error != 0) {
    (void)rename_at_once(*kept, fresh, RENAME_NOREPLACE);
    return error == EINVAL || error == ENOSYS
               ? fail(Errc::Unsupported,
                      restored.store +
                          ": this file system cannot exchange two folders at once; move the old store away "
                          "and restore again")
               : system_error(restored.store, error);
  }
  restored.kept = *kept;
  return sync_folder(plan.data);
}

}  // namespace

Result<Restored> restore(const RestorePlan& plan, const BackupSource& source, const Progress& reading,
                         const Progress& checking) {
  std::error_code error;
  fs::create_directories(plan.data, error);
  if (error) return fail(Errc::Io, plan.data + ": " + error.message());
  Restored restored;
  restored.store = plan.data + "/store";
  // On the folder itself: two restores at once would work in the same place.
  const auto alone = lock(plan.data, O_RDONLY | O_DIRECTORY, plan.data + ": another restore is at work");
  if (!alone) return tl::unexpected<Error>(alone.error());
  const bool there = fs::exists(restored.store, error);
  if (there && !plan.replace)
    return fail(Errc::Exists,
                restored.store + ": there is a store; with --replace it is put aside, and the backup takes its place");
  // Held until the end: a server that starts meanwhile says that the store is in use.
  std::optional<Descriptor> store_lock;
  if (there) {
    auto locked = lock(restored.store + "/lock", O_RDWR | O_CREAT,
                       restored.store + ": in use by another process; stop the server first");
    if (!locked) return tl::unexpected<Error>(locked.error());
    store_lock.emplace(std::move(*locked));
  }
  const std::string fresh = plan.data + "/store.restoring";
  fs::remove_all(fresh, error);  // of a restore that was killed; never in use
  if (error) return fail(Errc::Io, fresh + ": " + error.message());
  const auto filled = [&]() -> Result<void> {
    const auto census = fill(fresh, source, reading, checking);
    if (!census) return tl::unexpected<Error>(census.error());
    restored.census = *census;
    if (auto given = hand_over(plan.data, fresh); !given) return given;
    if (auto synced = sync_folder(fresh); !synced) return synced;
    return put_in_place(plan, fresh, there, restored);
  }();
  if (filled) return restored;
  fs::remove_all(fresh, error);
  return tl::unexpected<Error>(filled.error());
}

}  // namespace steward::store
