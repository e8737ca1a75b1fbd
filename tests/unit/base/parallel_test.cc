// Work that is shared out: all of it is done once, what is taken is taken in order, and nothing is under way afterwards.

#include <doctest/doctest.h>

#include <atomic>
#include <semaphore>
#include <thread>
#include <vector>

#include "base/parallel.hh"

using namespace steward;

namespace {

constexpr size_t thread_counts[] = {1, 2, 5};
constexpr size_t counts[] = {0, 1, 7, 1000};

}  // namespace

TEST_CASE("parallel: each item is done once, by a thread that there is") {
  for (const size_t threads : thread_counts) {
    Parallel parallel(threads);
    for (const size_t count : counts) {
      std::vector<std::atomic<int>> done(count);
      parallel.run(count, 3, [&](size_t thread, size_t item) { done[item] += thread < threads ? 1 : 100; });
      for (const auto& times : done) CHECK(times == 1);
    }
  }
}

TEST_CASE("parallel: what is done is taken by the caller, in order, after its work") {
  for (const size_t threads : thread_counts) {
    Parallel parallel(threads);
    for (const size_t count : counts) {
      std::vector<size_t> squares(count);
      std::vector<size_t> taken;
      const auto caller = std::this_thread::get_id();
      parallel.run_in_order(
          count, 4, [&](size_t, size_t item) { squares[item] = item * item + 1; },
          [&](size_t item) {
            CHECK(squares[item] == item * item + 1);
            CHECK(std::this_thread::get_id() == caller);
            taken.push_back(item);
            return true;
          });
      REQUIRE(taken.size() == count);
      for (size_t item = 0; item < count; ++item) CHECK(taken[item] == item);
    }
  }
}

TEST_CASE("parallel: nothing is taken behind the item that was refused, and nothing is done after the call") {
  Parallel parallel(3);
  std::atomic<bool> is_over = false;
  std::atomic<int> late = 0;
  std::vector<size_t> taken;
  parallel.run_in_order(
      1000, 2, [&](size_t, size_t) { late += is_over ? 1 : 0; },
      [&](size_t item) {
        taken.push_back(item);
        return item < 10;
      });
  is_over = true;
  CHECK(taken.size() == 11);
  CHECK(late == 0);
}

TEST_CASE("parallel: what is posted is done by helpers, also while work is shared out") {
  Parallel parallel(3);
  std::counting_semaphore<1000> posted_done(0);
  std::atomic<bool> by_caller = false;
  for (int i = 0; i < 100; ++i) parallel.post([&](size_t thread) {
    by_caller = by_caller || thread == 0;
    posted_done.release();
  });
  std::atomic<size_t> shared = 0;
  parallel.run(500, 1, [&](size_t, size_t) { ++shared; });
  for (int i = 0; i < 100; ++i) posted_done.acquire();
  parallel.settle();
  CHECK(shared == 500);
  CHECK_FALSE(by_caller);
}

TEST_CASE("parallel: after settle() nothing that was posted is under way or begins") {
  Parallel parallel(2);
  std::binary_semaphore begun(0);
  std::binary_semaphore go(0);
  std::atomic<int> done = 0;
  std::atomic<bool> has_settled = false;
  parallel.post([&](size_t) {
    begun.release();
    go.acquire();
    if (!has_settled) ++done;
  });
  for (int i = 0; i < 10; ++i) parallel.post([&](size_t) { done += 100; });
  begun.acquire();
  go.release();
  parallel.settle();
  has_settled = true;
  CHECK(done % 100 == 1);
  const int seen = done;
  parallel.run(10, 1, [](size_t, size_t) {});
  CHECK(done == seen);
}

TEST_CASE("parallel: where there are no helpers nothing that is posted is done") {
  Parallel parallel(1);
  bool done = false;
  parallel.post([&](size_t) { done = true; });
  parallel.settle();
  CHECK_FALSE(done);
}
