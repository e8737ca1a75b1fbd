#include <sys/stat.h>
#include <sys/un.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "fixture.hh"
#include "net/control_server.hh"

using namespace steward;
using namespace steward::net;
using namespace steward::net::testing;

namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/unit-net-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() { rmdir(path.c_str()); }
  std::string path;
};

struct ControlFixture {
  explicit ControlFixture(ControlServer::Handler handler, ControlConfig config = {}) {
    config.path = folder.path + "/control.sock";
    path = config.path;
    auto opened = ControlServer::open(running.loop(), config, std::move(handler));
    REQUIRE_MESSAGE(opened, opened.error().what);
    server = std::move(*opened);
    running.start();
  }
  ~ControlFixture() {
    running.stop();
    server.reset();
  }
  Folder folder;
  std::string path;
  Running running;
  std::unique_ptr<ControlServer> server;
};

class Tool {
 public:
  explicit Tool(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const timeval patience{20, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    REQUIRE(connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  void send(std::string_view text) { ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL); }
  void end() { shutdown(fd_.get(), SHUT_WR); }
  /// One line without its newline; "<end>" at the end.
  std::string line() {
    while (rest_.find('\n') == std::string::npos) {
      char buffer[65536];
      const auto got = recv(fd_.get(), buffer, sizeof buffer, 0);
      if (got <= 0) return "<end>";
      rest_.append(buffer, static_cast<size_t>(got));
    }
    const auto end = rest_.find('\n');
    std::string one = rest_.substr(0, end);
    rest_.erase(0, end + 1);
    return one;
  }

 private:
  FileDescriptor fd_;
  std::string rest_;
};

void echo(std::string request, const std::shared_ptr<ControlReply>& reply) { reply->write("got " + request); }

}  // namespace

TEST_CASE("control: a line gets its line, several in order, the last without newline at the end") {
  ControlFixture fixture(echo);
  Tool tool(fixture.path);
  tool.send("a\nb\r\n\n");
  CHECK(tool.line() == "got a");
  CHECK(tool.line() == "got b");
  tool.send("{\"x\":");
  tool.send("1}");
  tool.end();
  CHECK(tool.line() == "got {\"x\":1}");
  CHECK(tool.line() == "<end>");
}

TEST_CASE("control: an export of any size runs at its reader's pace from another thread") {
  std::thread exporter;
  ControlFixture fixture(
      [&](std::string, std::shared_ptr<ControlReply> reply) {
        exporter = std::thread([reply = std::move(reply)]() mutable {
          for (int i = 0; i < 50'000 && reply->write(std::to_string(i) + std::string(100, '.')); ++i) {
          }
          reply.reset();
        });
      },
      {.output = 65'536});
  SUBCASE("read to the end") {
    Tool tool(fixture.path);
    tool.send("export\n");
    tool.end();
    for (int i = 0; i < 50'000; ++i) REQUIRE(tool.line() == std::to_string(i) + std::string(100, '.'));
    CHECK(tool.line() == "<end>");
    exporter.join();
  }
  SUBCASE("broken off") {
    {
      Tool tool(fixture.path);
      tool.send("export\n");
      CHECK(tool.line() == "0" + std::string(100, '.'));
    }
    exporter.join();
  }
}

TEST_CASE("control: a request that is too long ends the connection unanswered") {
  ControlFixture fixture(echo, {.line = 100});
  Tool tool(fixture.path);
  tool.send("ok\n" + std::string(101, 'x'));
  CHECK(tool.line() == "got ok");
  CHECK(tool.line() == "<end>");
}

TEST_CASE("control: clients over the limit are closed") {
  ControlFixture fixture(echo, {.clients = 1});
  Tool first(fixture.path);
  first.send("1\n");
  CHECK(first.line() == "got 1");
  Tool second(fixture.path);
  CHECK(second.line() == "<end>");
}

TEST_CASE("control: the socket is for user and group, and gone at the end") {
  std::string path;
  {
    ControlFixture fixture(echo);
    path = fixture.path;
    struct stat state {};
    REQUIRE(stat(path.c_str(), &state) == 0);
    CHECK((state.st_mode & 0777) == 0660);
  }
  CHECK(access(path.c_str(), F_OK) != 0);
}

TEST_CASE("control: a stale socket is replaced, a live one and another file are not") {
  Folder folder;
  Running running;
  ControlConfig config;
  config.path = folder.path + "/c.sock";
  {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    config.path.copy(address.sun_path, sizeof address.sun_path - 1);
    const FileDescriptor dead(socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  {
    auto server = ControlServer::open(running.loop(), config, echo);
    REQUIRE_MESSAGE(server, server.error().what);
    auto second = ControlServer::open(running.loop(), config, echo);
    REQUIRE_FALSE(second);
    CHECK(second.error().what == "control socket " + config.path + ": another server listens there");
  }
  std::ofstream(config.path) << "a file";
  const auto third = ControlServer::open(running.loop(), config, echo);
  REQUIRE_FALSE(third);
  CHECK(third.error().what == "control socket " + config.path + ": a file that is no socket is there");
  unlink(config.path.c_str());
  config.path = std::string(200, 'x');
  CHECK_FALSE(ControlServer::open(running.loop(), config, echo));
}
