#include "net/control_server.hh"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "net/control_client.hh"

namespace steward::net {
namespace {

auto system_error(const std::string& path, std::string_view step) {
  return fail(Errc::Io, "control socket " + path + ": " + std::string(step) + ": " + std::strerror(errno));
}

FileDescriptor stream_socket() {
  return FileDescriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/// Removes the socket file of a server that ended without doing so.
Result<void> clear_stale(const std::string& path, const sockaddr_un& address) {
  struct stat state {};
  if (lstat(path.c_str(), &state) != 0) {
    if (errno == ENOENT) return {};
    return system_error(path, "stat");
  }
  if (!S_ISSOCK(state.st_mode))
    return fail(Errc::Exists, "control socket " + path + ": a file that is no socket is there");
  const FileDescriptor probe = stream_socket();
  if (!probe) return system_error(path, "socket");
  const int connected = connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  // EAGAIN: it listens, and its queue is full.
  if (connected == 0 || errno == EAGAIN)
    return fail(Errc::Exists, "control socket " + path + ": another server listens there");
  if (errno != ECONNREFUSED) return system_error(path, "connect");
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return system_error(path, "unlink");
  return {};
}

Result<FileDescriptor> bind_socket(const ControlConfig& config) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (config.path.empty() || config.path.size() >= sizeof address.sun_path)
    return fail(Errc::Invalid, "control socket " + config.path + ": the path must have 1 to " +
                                   std::to_string(sizeof address.sun_path - 1) + " octets");
  std::copy(config.path.begin(), config.path.end(), address.sun_path);
  if (auto cleared = clear_stale(config.path, address); !cleared) return tl::unexpected(cleared.error());
  FileDescriptor fd = stream_socket();
  if (!fd) return system_error(config.path, "socket");
  // The file takes its mode from the socket, less the umask: it is at no moment open to more than it shall be.
  if (fchmod(fd.get(), 0660) != 0) return system_error(config.path, "fchmod");
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return system_error(config.path, "bind");
  if (config.group && lchown(config.path.c_str(), static_cast<uid_t>(-1), *config.group) != 0)
    return system_error(config.path, "chown to the group");
  if (chmod(config.path.c_str(), 0660) != 0) return system_error(config.path, "chmod");
  if (listen(fd.get(), 64) != 0) return system_error(config.path, "listen");
  return fd;
}

bool in_group(int fd, const ucred& peer, gid_t group) {
  if (peer.gid == group) return true;
  std::vector<gid_t> groups(64);
  auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) {
    if (errno != ERANGE) return false;
    groups.resize(size / sizeof(gid_t));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) return false;
  }
  groups.resize(size / sizeof(gid_t));
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

}  // namespace

ControlServer::ControlServer(Loop& loop, const ControlConfig& config, Handler handler)
    : loop_(loop), config_(config), handler_(std::move(handler)), sweep_timer_(loop), pause_timer_(loop) {}

Result<std::unique_ptr<ControlServer>> ControlServer::open(Loop& loop, const ControlConfig& config, Handler handler) {
  std::unique_ptr<ControlServer> server(new ControlServer(loop, config, std::move(handler)));
  auto fd = bind_socket(config);
  if (!fd) return tl::unexpected(fd.error());
  server->fd_ = std::move(*fd);
  struct stat state {};
  if (lstat(config.path.c_str(), &state) == 0) {
    server->device_ = state.st_dev;
    server->inode_ = state.st_ino;
  }
  auto watch = FdWatch::open(loop, server->fd_.get(), *server);
  if (!watch) return fail("control socket " + config.path, watch.error());
  server->watch_ = std::move(*watch);
  server->watch_->want(Ready::Read);
  return server;
}

ControlServer::~ControlServer() {
  while (!clients_.empty()) clients_.front()->close();
  struct stat state {};
  if (fd_ && lstat(config_.path.c_str(), &state) == 0 && state.st_dev == device_ && state.st_ino == inode_)
    unlink(config_.path.c_str());
}

bool ControlServer::allowed(int fd) const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == geteuid() || (config_.group && in_group(fd, peer, *config_.group));
}

void ControlServer::on_ready(Ready) {
  FileDescriptor fd(accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd) {
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) return;
    watch_->want(Ready::None);
    pause_timer_.after(std::chrono::milliseconds(100), [this] { watch_->want(Ready::Read); });
    return;
  }
  if (clients_.size() >= config_.clients || !allowed(fd.get())) return;
  auto client = ControlClient::open(*this, std::move(fd));
  if (!client) return;
  (*client)->place(clients_.insert(clients_.end(), *client));
  if (!sweep_timer_.is_set())
    sweep_timer_.every(std::clamp(config_.write / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(1000)),
                       [this] { sweep(); });
}

void ControlServer::sweep() {
  const std::vector<std::shared_ptr<ControlClient>> all(clients_.begin(), clients_.end());
  for (const auto& client : all) client->check_time(loop_.now_ms());
}

}  // namespace steward::net
