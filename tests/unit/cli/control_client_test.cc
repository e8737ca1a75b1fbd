#include "cli/control_client.hh"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "folder.hh"

using namespace steward;
using namespace steward::cli;

namespace {

/// Takes one connection, reads one line, says what it was told to, and closes.
class FakeServer {
 public:
  FakeServer(const std::string& path, std::string reply)
      : reply_(std::move(reply)), fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd_, 1) == 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeServer() {
    if (thread_.joinable()) thread_.join();
    ::close(fd_);
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  Json request() {
    thread_.join();
    return Json::parse(request_);
  }

 private:
  void serve() {
    const int peer = ::accept(fd_, nullptr, nullptr);
    char octet = 0;
    while (::read(peer, &octet, 1) == 1 && octet != '\n') request_ += octet;
    // In pieces, so that a line comes over several reads.
    for (size_t at = 0; at < reply_.size(); at += 7) {
      const std::string piece = reply_.substr(at, 7);
      if (::send(peer, piece.data(), piece.size(), MSG_NOSIGNAL) < 0) break;
    }
    ::close(peer);
  }

  std::string reply_;
  std::string request_;
  int fd_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("control: lists zones as a table, or the server's own JSON") {
  const TestFolder folder;
  const std::string row =
      R"({"zones":[{"zone":"example.com.","state":"serving","serial":7,"signed":true,"denial":"nsec","nodes":3,"records":9,)"
      R"("file":"/z","catalog":"c.","loaded_at":0,"next_event":{"at":60,"what":"re-sign"}}]})";
  const std::string reply =
      "{\"progress\":{\"done\":1,\"total\":2,\"what\":\"x\"}}\n" + row + "\n{\"done\":true,\"ok\":true}\n";
  {
    FakeServer server(folder / "a", reply);
    const Ran ran = run({"zone", "list", "--control", folder / "a"});
    CHECK(server.request() == Json{{"command", "zone.list"}});
    CHECK(ran.code == 0);
    CHECK(ran.out ==
          "ZONE          STATE    SERIAL  SIGNED  NODES  RECORDS  LOADED                   NEXT                        "
          "     CATALOG  SOURCE\n"
          "example.com.  serving       7  nsec        3        9  1970-01-01 00:00:00 UTC  re-sign 1970-01-01 00:01:00 "
          "UTC  c.       /z\n");
  }
  FakeServer server(folder / "b", reply);
  CHECK(run({"zone", "list", "--json", "--control", folder / "b"}).out == row + "\n");
}

TEST_CASE("control: the server's refusal is the command's") {
  const TestFolder folder;
  FakeServer server(folder / "s", "{\"done\":true,\"ok\":false,\"error\":\"no zone e.\"}\n");
  const Ran ran = run({"zone", "keys", "rollover", "e.", "--role", "ksk", "--dry-run", "--control", folder / "s"});
  CHECK(server.request() ==
        Json{{"command", "zone.keys.rollover"}, {"zone", "e."}, {"role", "ksk"}, {"dry_run", true}});
  CHECK(ran.code == 1);
  CHECK(ran.err == "steward-registry: no zone e.\n");
}

TEST_CASE("control: every command sends what the protocol says") {
  const TestFolder folder;
  int count = 0;
  const auto sent = [&](std::vector<std::string> words) {
    const std::string path = folder / std::to_string(++count);
    FakeServer server(path, "{}\n{\"done\":true,\"ok\":true}\n");
    words.insert(words.end(), {"--control", path});
    std::vector<const char*> argv{"steward-registry"};
    for (const std::string& word : words) argv.push_back(word.c_str());
    std::ostringstream out;
    Console console(out, out, false, false);
    run_registry(static_cast<int>(argv.size()), argv.data(), console, nullptr);
    return server.request();
  };
  CHECK(sent({"status"}) == Json{{"command", "status"}});
  CHECK(sent({"health"}) == Json{{"command", "health"}});
  CHECK(sent({"reload"}) == Json{{"command", "reload"}});
  CHECK(sent({"stop"}) == Json{{"command", "stop"}});
  CHECK(sent({"zone", "show", "e.com"}) == Json{{"command", "zone.show"}, {"zone", "e.com"}});
  CHECK(sent({"zone", "show", "e.com", "a.e.com", "A"}) ==
        Json{{"command", "zone.show"}, {"zone", "e.com"}, {"name", "a.e.com"}, {"type", "A"}});
  CHECK(sent({"zone", "reload"}) == Json{{"command", "zone.reload"}});
  CHECK(sent({"zone", "reload", "a.", "b."}) == Json{{"command", "zone.reload"}, {"zones", {"a.", "b."}}});
  CHECK(sent({"zone", "sign", "a.", "--all"}) == Json{{"command", "zone.sign"}, {"zone", "a."}, {"all", true}});
  CHECK(sent({"zone", "keys", "a."}) == Json{{"command", "zone.keys"}, {"zone", "a."}});
  CHECK(sent({"zone", "keys", "ds-seen", "a.", "--tag", "7"}) ==
        Json{{"command", "zone.keys.ds-seen"}, {"zone", "a."}, {"dry_run", false}, {"tag", 7}});
}

TEST_CASE("control: export streams to standard output, or to a file that is whole or not there") {
  const TestFolder folder;
  const std::string reply = "{\"text\":\"@ 60 SOA\\n\"}\n{\"text\":\"a 60 A\\n\"}\n{\"done\":true,\"ok\":true}\n";
  {
    FakeServer server(folder / "a", reply);
    CHECK(run({"zone", "export", "e.", "--control", folder / "a"}).out == "@ 60 SOA\na 60 A\n");
  }
  {
    FakeServer server(folder / "b", reply);
    CHECK(run({"zone", "export", "e.", "--control", folder / "b", "--out", folder / "z"}).code == 0);
    CHECK(folder.read("z") == "@ 60 SOA\na 60 A\n");
  }
  FakeServer server(folder / "c", "{\"text\":\"half\"}\n");
  const Ran cut = run({"zone", "export", "e.", "--control", folder / "c", "--out", folder / "y"});
  CHECK(cut.code == 1);
  has(cut.err, "closed the connection before it had answered");
  CHECK(!std::filesystem::exists(folder / "y"));
  CHECK(!std::filesystem::exists(folder / "y.part"));
}

TEST_CASE("control: health is the exit status") {
  const TestFolder folder;
  {
    FakeServer server(folder / "a", "{\"healthy\":true,\"checks\":[]}\n{\"done\":true,\"ok\":true}\n");
    CHECK(run({"health", "--control", folder / "a"}).code == 0);
  }
  FakeServer server(folder / "b",
                    "{\"healthy\":false,\"checks\":[{\"check\":\"disk\",\"ok\":false,\"detail\":\"full\"}]}\n{\"done\":"
                    "true,\"ok\":true}\n");
  const Ran ill = run({"health", "--control", folder / "b"});
  CHECK(ill.code == 1);
  has(ill.out, "failed  disk: full");
}

TEST_CASE("control: no server, no JSON and a reply of other types end in an error or in dashes") {
  const TestFolder folder;
  has(run({"status", "--control", folder / "none"}).err, "is the server running");
  folder.write("file", "");
  has(run({"status", "--control", folder / "file"}).err, "is the server running");
  {
    FakeServer server(folder / "a", "hello\n");
    has(run({"status", "--control", folder / "a"}).err, "not an object of JSON");
  }
  {
    FakeServer server(
        folder / "b",
        "{\"zones\":7,\"queries\":[],\"answers\":[1],\"pid\":\"x\",\"memory\":-1}\n{\"done\":true,\"ok\":true}\n");
    CHECK(run({"status", "--control", folder / "b"}).code == 0);
  }
  {
    FakeServer server(folder / "c", "{\"done\":true,\"ok\":\"yes\",\"error\":7}\n");
    has(run({"status", "--control", folder / "c"}).err, "gave no reason");
  }
  has(run({"status", "--control", std::string(200, 'x')}).err, "too long");
  FakeServer server(folder / "d", "{\"done\":true,\"ok\":true}\n");
  CHECK(run({"zone", "show", "\xff", "--control", folder / "d"}).code == 0);
}
