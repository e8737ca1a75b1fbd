#include "net/loop.hh"

#include <csignal>

#include <algorithm>

#include "fixture.hh"

using namespace steward;
using namespace steward::net;
using namespace steward::net::testing;
using std::chrono::milliseconds;

TEST_CASE("loop: tasks of all threads run on the loop's thread, those of one thread in order") {
  Running running;
  running.start();
  std::vector<int> seen[2];
  bool on_thread = true;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i)
        running.loop().post([&, t, i] {
          seen[t].push_back(i);
          on_thread = on_thread && running.loop().mailbox()->in_loop_thread();
        });
    });
  for (auto& thread : threads) thread.join();
  running.stop();
  CHECK(on_thread);
  for (const auto& order : seen) {
    CHECK(order.size() == 1000);
    CHECK(std::is_sorted(order.begin(), order.end()));
  }
  CHECK_FALSE(running.loop().mailbox()->in_loop_thread());
}

TEST_CASE("loop: stop before run returns from it, and a loop runs again") {
  auto loop = std::move(*Loop::open());
  for (int i = 0; i < 3; ++i) {
    loop->stop();
    loop->run();
  }
}

TEST_CASE("loop: a mailbox outlives its loop and refuses") {
  std::shared_ptr<Mailbox> mailbox;
  auto token = std::make_shared<int>(1);
  {
    auto loop = std::move(*Loop::open());
    mailbox = loop->mailbox();
    CHECK(mailbox->post([token] {}));
    CHECK(token.use_count() == 2);
  }
  CHECK(token.use_count() == 1);
  CHECK_FALSE(mailbox->post([] {}));
}

TEST_CASE("loop: timers fire once or repeatedly, are replaced, cancelled, and may destroy themselves") {
  auto loop = std::move(*Loop::open());
  std::string order;
  Timer never(*loop);
  never.after(milliseconds(1), [&] { order += "never"; });
  never.cancel();
  CHECK_FALSE(never.is_set());
  Timer replaced(*loop);
  replaced.after(milliseconds(1), [&] { order += "old"; });
  replaced.after(milliseconds(2), [&] { order += "new "; });
  auto suicidal = std::make_unique<Timer>(*loop);
  suicidal->after(milliseconds(5), [&] {
    suicidal.reset();
    order += "gone ";
  });
  Timer repeated(*loop);
  int times = 0;
  repeated.every(milliseconds(10), [&] {
    order += "tick ";
    if (++times == 3) loop->stop();
  });
  loop->run();
  CHECK(order == "new gone tick tick tick ");
}

TEST_CASE("loop: signals are told on the loop") {
  auto loop = std::move(*Loop::open());
  std::string seen;
  auto hangup = SignalWatch::open(*loop, SIGHUP, [&] {
    seen += "hup ";
    kill(getpid(), SIGTERM);
  });
  auto terminate = SignalWatch::open(*loop, SIGTERM, [&] {
    seen += "term";
    loop->stop();
  });
  REQUIRE(hangup);
  REQUIRE(terminate);
  kill(getpid(), SIGHUP);
  loop->run();
  CHECK(seen == "hup term");
  CHECK_FALSE(SignalWatch::open(*loop, SIGKILL, [] {}));
}

TEST_CASE("loop: a reset behind unread octets is told again to who reads on") {
  // libuv ends a watch at its first error; the octets before a reset may take several turns.
  const FileDescriptor listening(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  SocketAddress at = address("127.0.0.1@0");
  REQUIRE(bind_socket(listening, at));
  REQUIRE(listen(listening.get(), 1) == 0);
  Client client(SOCK_STREAM, at);
  const FileDescriptor accepted(accept(listening.get(), nullptr, nullptr));
  REQUIRE(client.send(Bytes(5, 1)));
  client.reset();

  struct Reader final : FdHandler {
    void on_ready(Ready) override {
      uint8_t octet = 0;
      if (recv(fd, &octet, 1, MSG_DONTWAIT) == 1)
        watch->want(Ready::Read);
      else
        loop->stop();
    }
    int fd = -1;
    FdWatch* watch = nullptr;
    Loop* loop = nullptr;
  } reader;
  const auto loop = std::move(*Loop::open());
  const auto watch = std::move(*FdWatch::open(*loop, accepted.get(), reader));
  reader.fd = accepted.get();
  reader.watch = watch.get();
  reader.loop = loop.get();
  bool late = false;
  Timer patience(*loop);
  patience.after(std::chrono::seconds(20), [&] {
    late = true;
    loop->stop();
  });
  watch->want(Ready::Read);
  loop->run();
  CHECK_FALSE(late);
}
