#include "base/new_file.hh"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace steward {

NewFile::~NewFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!part_.empty()) ::unlink(part_.c_str());
}

tl::unexpected<Error> NewFile::io(const std::string& path) const {
  const Errc code = errno == ENOSPC || errno == EDQUOT ? Errc::Full : Errc::Io;
  return fail(code, path + ": " + std::strerror(errno));
}

Result<void> NewFile::open() {
  // A rename would put a file in the place of /dev/null.
  struct stat there {};
  if (::stat(path_.c_str(), &there) == 0 && !S_ISREG(there.st_mode))
    return fail(Errc::Refused, path_ + ": not a regular file");
  std::string part = path_ + ".XXXXXX";
  fd_ = ::mkostemp(part.data(), O_CLOEXEC);
  if (fd_ < 0) return io(path_);
  part_ = part;
  return {};
}

Result<void> NewFile::write(ByteView octets) {
  while (!octets.empty()) {
    const ssize_t written = ::write(fd_, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io(part_);
    octets = octets.subspan(static_cast<size_t>(written));
  }
  return {};
}

Result<void> NewFile::commit() {
  if (::fsync(fd_) != 0) return io(part_);
  if (std::rename(part_.c_str(), path_.c_str()) != 0) return io(path_);
  part_.clear();
  const std::filesystem::path folder = std::filesystem::absolute(path_).parent_path();
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  return synced ? Result<void>{} : io(folder.string());
}

}  // namespace steward
