#include "store/system_files.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace steward::store {

tl::unexpected<Error> system_error(const std::string& what, int error) {
  const Errc code = error == ENOSPC || error == EDQUOT || error == EFBIG ? Errc::Full : Errc::Io;
  return fail(code, what + ": " + std::string(std::strerror(error)));
}

Result<void> sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return system_error(folder, errno);
  const int failed = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (failed != 0) return system_error(folder, failed);
  return {};
}

}  // namespace steward::store
