#include "base/file.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace steward {
namespace {

tl::unexpected<Error> system_error(Errc code, const std::string& path, int error) {
  return fail(code, fmt::format("{}: {}", path, std::strerror(error)));
}

}  // namespace

Result<FileReader> FileReader::open(const std::string& path) {
  if (path.find('\0') != std::string::npos) return fail(Errc::Invalid, "file name with a zero octet");
  // O_NONBLOCK: the open of a FIFO without a writer returns at once, and is then refused below.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return system_error(errno == ENOENT ? Errc::NotFound : Errc::Io, path, errno);
  struct stat opened = {};
  FileReader reader(descriptor, opened, path);
  if (fstat(descriptor, &reader.opened_) != 0) return system_error(Errc::Io, path, errno);
  if (!S_ISREG(reader.opened_.st_mode)) return fail(Errc::Io, path + ": not a regular file");
  // Only advice: a kernel that does not take it reads ahead less.
  (void)posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  return reader;
}

FileReader::FileReader(FileReader&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), opened_(other.opened_), path_(std::move(other.path_)) {}

FileReader& FileReader::operator=(FileReader&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(opened_, other.opened_);
  std::swap(path_, other.path_);
  return *this;
}

FileReader::~FileReader() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<size_t> FileReader::read(MutableByteView into) {
  size_t size = 0;
  while (size < into.size()) {
    const ssize_t got = ::read(descriptor_, into.data() + size, into.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(Errc::Io, path_, errno);
    if (got == 0) {
      if (auto unchanged = check_unchanged(); !unchanged) return tl::unexpected(unchanged.error());
      break;
    }
    size += static_cast<size_t>(got);
  }
  return size;
}

Result<void> FileReader::check_unchanged() const {
  struct stat now = {};
  if (fstat(descriptor_, &now) != 0) return system_error(Errc::Io, path_, errno);
  if (now.st_size != opened_.st_size || now.st_mtim.tv_sec != opened_.st_mtim.tv_sec ||
      now.st_mtim.tv_nsec != opened_.st_mtim.tv_nsec)
    return fail(Errc::Io, path_ + ": changed while it was read");
  return {};
}

}  // namespace steward
