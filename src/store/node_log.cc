#include "store/node_log.hh"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>

#include "store/system_files.hh"

namespace steward::store {
namespace {

constexpr size_t flush_size = size_t{1} << 20;
constexpr size_t page_size = 4096;

// "0000002a.nodes"; nothing for any other name.
std::optional<uint64_t> segment_of_file(const std::string& name) {
  uint64_t segment = 0;
  if (name.size() != 14 || !name.ends_with(".nodes")) return std::nullopt;
  const auto [end, error] = std::from_chars(name.data(), name.data() + 8, segment, 16);
  if (error != std::errc() || end != name.data() + 8) return std::nullopt;
  return segment;
}

}  // namespace

Result<std::unique_ptr<NodeLog>> NodeLog::open(std::string folder, NodePosition end, uint64_t reserve) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(Errc::Io, folder + ": " + error.message());

  // Only addresses, but a limit (RLIMIT_AS) or a simulated machine may have fewer: then less is room enough for long.
  constexpr uint64_t least_reserve = uint64_t{16} << 30;
  const auto reserve_addresses = [&] { return ::mmap(nullptr, reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0); };
  void* base = reserve_addresses();
  while (base == MAP_FAILED && reserve > least_reserve) {
    reserve /= 2;
    base = reserve_addresses();
  }
  if (base == MAP_FAILED) return system_error(fmt::format("reserving {} octets of addresses", reserve), errno);
  std::unique_ptr<NodeLog> log(new NodeLog(std::move(folder), end, static_cast<uint8_t*>(base), reserve));

  for (const auto& entry : std::filesystem::directory_iterator(log->folder_, error)) {
    const auto segment = segment_of_file(entry.path().filename().string());
    if (!segment) continue;
    if (*segment >= reserve / segment_size) return fail(Errc::Full, entry.path().string() + ": past the reserved addresses");
    if (entry.file_size(error) < segment_size) log->short_.insert(*segment);
    if (auto opened = log->open_segment(*segment); !opened) return tl::unexpected<Error>(opened.error());
  }
  if (error) return fail(Errc::Io, log->folder_ + ": " + error.message());
  return log;
}

NodeLog::~NodeLog() {
  for (const int fd : files_)
    if (fd >= 0) ::close(fd);
  ::munmap(base_, reserve_);
}

std::string NodeLog::path_of(uint64_t segment) const { return fmt::format("{}/{:08x}.nodes", folder_, segment); }

Result<void> NodeLog::open_segment(uint64_t segment) {
  if (segment < files_.size() && files_[segment] >= 0) return {};
  if ((segment + 1) * segment_size > reserve_)
    return fail(Errc::Full, fmt::format("{}: the node log has reached its {} octets", folder_, reserve_));
  const std::string path = path_of(segment);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return system_error(path, errno);
  // The whole segment is mapped from the start, so its file has the whole size from the start, as a hole.
  if (::ftruncate(fd, static_cast<off_t>(segment_size)) != 0) {
    const int error = errno;
    ::close(fd);
    return system_error(path, error);
  }
  void* mapped = ::mmap(base_ + segment * segment_size, segment_size, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
  if (mapped == MAP_FAILED) {
    const int error = errno;
    ::close(fd);
    return system_error(path, error);
  }
  // Nodes are read here and there, never in a row.
  ::madvise(mapped, segment_size, MADV_RANDOM);
  if (files_.size() <= segment) files_.resize(segment + 1, -1);
  files_[segment] = fd;
  folder_dirty_ = true;
  return {};
}

// What is written goes to the disk while the next is made, so that sync() has little left to wait for.
void NodeLog::start_writing_back(NodePosition from, NodePosition to) {
  constexpr uint64_t step = uint64_t{8} << 20;
  const uint64_t border = to / step * step;
  if (from >= border) return;
  const uint64_t start = (border - 1) / step * step;
  ::sync_file_range(files_[segment_of(start)], static_cast<off_t>(start % segment_size), static_cast<off_t>(border - start), SYNC_FILE_RANGE_WRITE);
}

Result<NodePosition> NodeLog::append(ByteView node) {
  if (node.size() > segment_size) return fail(Errc::Full, fmt::format("a node of {} octets is over the {} of a segment", node.size(), segment_size));
  const uint64_t left = segment_size - end_ % segment_size;
  if (node.size() > left) {
    // Zeros to the border: whoever walks a segment sees that nothing follows.
    pending_.resize(pending_.size() + left);
    end_ += left;
  }
  const NodePosition position = end_;
  steward::append(pending_, node);
  end_ += node.size();
  if (pending_.size() >= flush_size)
    if (auto flushed = flush(); !flushed) return tl::unexpected<Error>(flushed.error());
  return position;
}

Result<void> NodeLog::flush() {
  NodePosition at = flushed_end();
  size_t done = 0;
  while (done < pending_.size()) {
    const uint64_t segment = segment_of(at);
    if (auto opened = open_segment(segment); !opened) return opened;
    const uint64_t in_segment = at % segment_size;
    const size_t size = std::min<size_t>(pending_.size() - done, segment_size - in_segment);
    const ssize_t written = ::pwrite(files_[segment], &pending_[done], size, static_cast<off_t>(in_segment));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int error = written < 0 ? errno : ENOSPC;
      pending_.erase(pending_.begin(), pending_.begin() + static_cast<long>(done));
      return system_error(path_of(segment), error);
    }
    dirty_.insert(segment);
    start_writing_back(at, at + static_cast<size_t>(written));
    done += static_cast<size_t>(written);
    at += static_cast<size_t>(written);
  }
  pending_.clear();
  return {};
}

// A sync of octets that went into a hole waits for the file's own records of its blocks as well. So a short change is preceded by zeros for the
// next ones, a hundred at a time; long ones have enough to wait for. Without room on the disk the change itself will say so.
void NodeLog::make_room_ahead(NodePosition from) {
  constexpr size_t room = size_t{256} << 10;
  constexpr size_t long_change = size_t{64} << 10;
  const uint64_t segment = segment_of(from);
  const NodePosition until = from + pending_.size();
  if (pending_.empty() || pending_.size() >= long_change || until <= room_end_) return;
  if (segment_of(until) != segment || segment >= files_.size() || files_[segment] < 0) return;
  const NodePosition end = std::min((from + room) / page_size * page_size, (segment + 1) * segment_size);
  static const Bytes zeros(room);
  if (end <= until) return;
  const ssize_t written = ::pwrite(files_[segment], zeros.data(), end - from, static_cast<off_t>(from % segment_size));
  if (written > 0) room_end_ = from + static_cast<uint64_t>(written);
}

Result<void> NodeLog::sync() {
  make_room_ahead(flushed_end());
  if (auto flushed = flush(); !flushed) return flushed;
  for (const uint64_t segment : dirty_)
    if (files_[segment] >= 0 && ::fdatasync(files_[segment]) != 0) return system_error(path_of(segment), errno);
  dirty_.clear();
  if (folder_dirty_)
    if (auto synced = sync_folder(folder_); !synced) return synced;
  folder_dirty_ = false;
  return {};
}

void NodeLog::warm(NodePosition end) const {
  const auto memory = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  if (end > memory / 4) return;
  // Linux 5.14; elsewhere, and for a segment that was dropped meanwhile, an error that means nothing.
  constexpr int populate_read = 22;  // MADV_POPULATE_READ, which glibc 2.36 names and older ones do not
  for (NodePosition at = 0; at < end; at += segment_size)
    ::madvise(base_ + at, std::min(segment_size, end - at), populate_read);
}

void NodeLog::rewind(NodePosition end) {
  pending_.clear();
  end_ = end;
  for (uint64_t segment = segment_of(end) + 1; segment < files_.size(); ++segment) drop(segment);
}

Result<void> NodeLog::check_segment(uint64_t segment) const {
  if (segment >= files_.size() || files_[segment] < 0) return fail(Errc::Corrupt, path_of(segment) + ": not there");
  if (short_.contains(segment)) return fail(Errc::Corrupt, path_of(segment) + ": shorter than a segment");
  return {};
}

void NodeLog::drop(uint64_t segment) {
  if (segment >= files_.size() || files_[segment] < 0) return;
  ::mmap(base_ + segment * segment_size, segment_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  ::close(files_[segment]);
  files_[segment] = -1;
  dirty_.erase(segment);
  ::unlink(path_of(segment).c_str());
}

}  // namespace steward::store
