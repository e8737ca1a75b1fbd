// The writer's two queues.

#include "daemon/writer.hh"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <future>
#include <string>

using namespace steward::daemon;

TEST_CASE("writer: work of the idle has its turn though changes never end") {
  std::promise<void> had_turn;
  std::atomic<bool> stop{false};
  std::function<void()> again;
  Writer writer;
  again = [&] {
    if (!stop) writer.post(again);
  };
  writer.post_idle([&] {
    stop = true;
    had_turn.set_value();
  });
  writer.post(again);
  writer.start();
  had_turn.get_future().wait();
  writer.stop();
}

TEST_CASE("writer: work of the idle waits while a change does, and both queues keep their order") {
  std::string order;
  std::promise<void> done;
  Writer writer;
  writer.post_idle([&] { order += 'i'; });
  writer.post_idle([&] {
    order += 'j';
    done.set_value();
  });
  writer.post([&] { order += 'a'; });
  writer.post([&] { order += 'b'; });
  writer.start();
  done.get_future().wait();
  writer.stop();
  CHECK(order == "abij");
}
