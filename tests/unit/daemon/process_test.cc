#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <functional>
#include <string>

#include "daemon/notify_socket.hh"
#include "daemon/privileges.hh"

using namespace steward;
using namespace steward::daemon;

namespace {

/// Runs `what` in a child process and returns its result: identities and environment are the process's.
int in_child(const std::function<int()>& what) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(what());
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// A manager that listens on an abstract socket of its own name.
struct Manager {
  Manager() : name("@unit-daemon-" + std::to_string(getpid())), fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, name.size());
    address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  }
  ~Manager() { close(fd); }
  std::string next() const {
    char buffer[512];
    const auto got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    return got < 0 ? "<none>" : std::string(buffer, static_cast<size_t>(got));
  }
  std::string name;
  int fd;
};

bool can_bind_low_port() {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(987);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return bound;
}

/// The order of the daemon; the number of the step that failed, or 0.
int give_up_root() {
  const auto account = find_account("nobody");
  if (!account || !become(*account)) return 1;
  if (geteuid() != account->uid || getegid() != account->gid) return 2;
  if (setuid(0) == 0) return 3;
  if (!harden(false) || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
    return 4;
  if (!can_bind_low_port()) return 5;
  if (access("/etc/shadow", R_OK) == 0) return 6;
  if (!drop_capabilities()) return 7;
  if (can_bind_low_port()) return 8;
  if (become(*account)) return 9;  // no root any more to become another from
  return drop_capabilities() ? 0 : 10;
}

}  // namespace

TEST_CASE("privileges: accounts are found by name and number, and root is none to become") {
  const auto nobody = find_account("nobody");
  REQUIRE(nobody);
  CHECK(nobody->uid != 0);
  CHECK(find_account(std::to_string(nobody->uid))->user == "nobody");
  const auto daemon = find_account("nobody:daemon");
  REQUIRE(daemon);
  CHECK(daemon->gid != nobody->gid);
  CHECK(find_account("no-such-user").error().what == "user 'no-such-user': no such user on this machine");
  CHECK(find_account("nobody:no-such-group").error().what ==
        "user 'nobody:no-such-group': no such group on this machine");
  for (const char* root : {"root", "0", "nobody:root", "nobody:0"})
    CHECK(find_account(root).error().code == Errc::Invalid);
  for (const char* bad : {"", ":", "nobody:", ":daemon"}) CHECK_FALSE(find_account(bad));
}

TEST_CASE("privileges: the user keeps the right to bind low ports until that is dropped, and nothing else") {
  if (!is_root()) {
    MESSAGE("skipped: only root has privileges to give up");
    return;
  }
  CHECK(in_child(give_up_root) == 0);
}

TEST_CASE("notify: each state is one datagram to the manager [sd_notify(3)]") {
  const Manager manager;
  setenv("NOTIFY_SOCKET", manager.name.c_str(), 1);
  setenv("WATCHDOG_USEC", "30000000", 1);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  auto notify = NotifySocket::from_environment();
  REQUIRE_MESSAGE(notify, notify.error().what);
  CHECK(std::getenv("NOTIFY_SOCKET") == nullptr);
  CHECK(notify->watchdog_period() == std::chrono::seconds(30));
  const NotifySocket moved = std::move(*notify);
  moved.ready();
  CHECK(manager.next() == "READY=1");
  moved.reloading();
  const std::string reloading = manager.next();
  CHECK(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="));
  moved.stopping();
  CHECK(manager.next() == "STOPPING=1");
  moved.watchdog();
  CHECK(manager.next() == "WATCHDOG=1");
  moved.status("3 zones\nREADY=1");
  CHECK(manager.next() == "STATUS=3 zones");
  CHECK(manager.next() == "<none>");
}

TEST_CASE("notify: without a manager nothing is sent, and a broken address is an error") {
  auto silent = NotifySocket::from_environment();
  REQUIRE(silent);
  CHECK_FALSE(silent->connected());
  CHECK_FALSE(silent->watchdog_period());
  silent->ready();
  for (const char* bad : {"relative", "@", "/nowhere/notify", "vsock:2:1"}) {
    CAPTURE(bad);
    setenv("NOTIFY_SOCKET", bad, 1);
    CHECK_FALSE(NotifySocket::from_environment());
  }
  setenv("WATCHDOG_USEC", "5", 1);
  setenv("WATCHDOG_PID", "1", 1);
  CHECK_FALSE(NotifySocket::from_environment()->watchdog_period());
}
