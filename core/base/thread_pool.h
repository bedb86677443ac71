// The program's own threads. Each works through a contiguous part of a phase's tasks, for reading
// memory in long runs, and then takes tasks from others, so that a slow or busy core does fewer;
// waiting threads spin for some 20 us, then sleep on a futex.
#pragma once

#include <memory>

#include "core/base/function_ref.h"

namespace nibble {

class ThreadPool {
 public:
  // n_threads >= 1, the calling thread included. Starts n_threads - 1 threads.
  explicit ThreadPool(int n_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;
  // Calls task(i, thread) once for each i in [0, n_tasks), thread in [0, size()), and returns when
  // all calls have returned. What one phase wrote is visible to the next. Not reentrant; nothing is
  // allocated.
  void run(int n_tasks, FunctionRef<void(int task, int thread)> task);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Threads worth starting on this machine: physical cores that this process may use (affinity,
// cgroup quota).
int default_threads();

}  // namespace nibble
