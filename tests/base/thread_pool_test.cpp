#include "core/base/thread_pool.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using nibble::ThreadPool;

TEST_CASE("thread pool: each task is called once, in many phases of changing size") {
  for (const int n_threads : {1, 2, 3, 8}) {
    ThreadPool pool(n_threads);
    CHECK(pool.size() == n_threads);
    for (int phase = 0; phase < 300; ++phase) {
      const int n_tasks = phase * 7 % 50;
      std::vector<std::atomic<int>> calls(n_tasks);
      std::atomic<int> wrong_thread = 0;
      pool.run(n_tasks, [&](int i, int thread) {
        calls[i].fetch_add(1, std::memory_order_relaxed);
        if (thread < 0 || thread >= n_threads) wrong_thread = 1;
      });
      for (const auto& n : calls) REQUIRE(n == 1);
      REQUIRE(wrong_thread == 0);
    }
  }
}

TEST_CASE("thread pool: one phase sees without locks what the last one wrote") {
  ThreadPool pool(4);
  std::vector<int> values(1000, 0), sums(1000, 0);
  for (int phase = 1; phase <= 200; ++phase) {
    pool.run(1000, [&](int i, int) { values[i] += i; });
    pool.run(1000, [&](int i, int) { sums[i] = values[999 - i]; });
    for (int i = 0; i < 1000; ++i) REQUIRE(sums[i] == phase * (999 - i));
  }
}

TEST_CASE(
    "thread pool: a thread that is stuck in one task does not keep the others from the rest") {
  ThreadPool pool(2);
  std::atomic<int> others = 0;
  pool.run(100, [&](int i, int) {
    if (i == 0)
      while (others < 99) std::this_thread::yield();
    else
      ++others;
  });
  CHECK(others == 99);
}

TEST_CASE("thread pool: more than one phase may be waited for asleep") {
  ThreadPool pool(3);
  for (int phase = 0; phase < 20; ++phase) {
    std::atomic<int> arrived = 0;
    // Long enough that who waits falls asleep.
    pool.run(3, [&](int, int) {
      for (std::atomic<int> turns = 0; turns < 20000; ++turns) {
      }
      ++arrived;
    });
    REQUIRE(arrived == 3);
  }
}
