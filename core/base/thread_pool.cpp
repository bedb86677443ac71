// A phase stands in the threads' slots as ranges of tasks. Whoever moves a slot's bounds by
// compare-and-swap owns the tasks between: the phase then cannot end before they are done, so its
// other fields may be read after the swap, and a thread that was away for several phases does no
// harm. Nobody waits for a thread that holds no task.
#include "core/base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "core/base/assert.h"
#include "core/base/futex.h"

namespace nibble {
namespace {

constexpr auto kSpinTime = std::chrono::microseconds(20);
constexpr int kMinSpin = 16;  // pauses

// Pauses that take kSpinTime: 5 to 140 cycles each, by processor.
int pauses_to_spin() {
  constexpr int kTried = 512;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kTried; ++i) spin_pause();
  const auto took = std::chrono::steady_clock::now() - start;
  const auto n =
      kTried * kSpinTime / std::max<std::chrono::nanoseconds>(took, std::chrono::nanoseconds(1));
  return static_cast<int>(std::clamp<decltype(n)>(n, kMinSpin, 20000));
}

// How long one thread spins: half as long after each wait that ended in sleep (the peers may be
// without a core), twice as long after each that did not.
class Spin {
 public:
  Spin(int min, int max) : min_(min), max_(max), pauses_(max) {}
  template <class Ready>
  bool until(Ready ready) {
    for (int i = 0; i < pauses_; ++i) {
      if (ready()) {
        pauses_ = std::min(2 * pauses_, max_);
        return true;
      }
      spin_pause();
    }
    pauses_ = std::max(pauses_ / 2, min_);
    return false;
  }

 private:
  int min_, max_;
  int pauses_;
};

// Tasks [begin, end) that nobody has taken yet, in one word.
class alignas(64) TaskRange {
 public:
  void set(uint32_t begin, uint32_t end) {
    word_.store(pack(begin, end), std::memory_order_release);
  }
  uint32_t size() const { return size_of(word_.load(std::memory_order_relaxed)); }
  std::optional<uint32_t> take_first() {
    uint64_t seen = word_.load(std::memory_order_relaxed);
    while (size_of(seen)) {
      if (word_.compare_exchange_weak(seen, seen + 1, std::memory_order_acquire,
                                      std::memory_order_relaxed))
        return static_cast<uint32_t>(seen);
    }
    return std::nullopt;
  }

 private:
  static uint64_t pack(uint32_t begin, uint32_t end) { return uint64_t{end} << 32 | begin; }
  static uint32_t size_of(uint64_t word) {
    return static_cast<uint32_t>(word >> 32) - static_cast<uint32_t>(word);
  }
  std::atomic<uint64_t> word_{0};
};

}  // namespace

struct ThreadPool::State {
  using Task = FunctionRef<void(int, int)>;

  explicit State(int n) : n_threads(n), slots(n), caller_spin(min_spin, max_spin) {}

  const int n_threads;
  const int max_spin = pauses_to_spin();
  // Shorter spins give the processor to threads that wait for it. Where each thread can have its
  // own, they only add a sleep and a waking to hand-overs that would have taken some microseconds.
  const int min_spin = n_threads > static_cast<int>(std::thread::hardware_concurrency()) ? kMinSpin
                                                                                         : max_spin;
  const Task* task = nullptr;  // of the phase; read only by who holds one of its tasks
  std::vector<TaskRange> slots;
  alignas(64) std::atomic<uint32_t> phase{0};  // counts phases; the word that workers sleep on
  alignas(64) std::atomic<uint32_t> pending{
      0};  // tasks not yet done; the word that the caller sleeps on
  std::atomic<uint32_t> sleepers{0};
  std::atomic<bool> caller_sleeps{false};
  std::atomic<bool> stop{false};
  Spin caller_spin;
  std::vector<std::thread> threads;

  // The next task of the slot that has most left.
  std::optional<uint32_t> steal() {
    while (true) {
      const auto richest = std::ranges::max_element(slots, {}, &TaskRange::size);
      if (richest->size() == 0) return std::nullopt;
      if (const auto index = richest->take_first()) return index;
    }
  }

  // Tasks count as done all at once: one write to what all threads look at. The phase cannot end
  // before.
  void work(int thread) {
    uint32_t n_done = 0;
    const auto perform = [&](uint32_t index) {
      (*task)(static_cast<int>(index), thread);
      ++n_done;
    };
    while (const auto index = slots[thread].take_first()) perform(*index);
    while (const auto index = steal()) perform(*index);
    if (n_done > 0 && pending.fetch_sub(n_done, std::memory_order_seq_cst) == n_done &&
        caller_sleeps.load(std::memory_order_seq_cst))
      futex_wake(pending);
  }

  void worker(int thread) {
    Spin spin(min_spin, max_spin);
    uint32_t seen = 0;
    while (true) {
      const auto called = [&] { return phase.load(std::memory_order_acquire) != seen; };
      if (!spin.until(called)) {
        sleepers.fetch_add(1, std::memory_order_seq_cst);
        while (phase.load(std::memory_order_seq_cst) == seen) futex_wait(phase, seen);
        sleepers.fetch_sub(1, std::memory_order_relaxed);
      }
      seen = phase.load(std::memory_order_acquire);
      if (stop.load(std::memory_order_relaxed)) return;
      work(thread);
    }
  }

  void announce() {
    phase.fetch_add(1, std::memory_order_seq_cst);
    if (sleepers.load(std::memory_order_seq_cst)) futex_wake(phase);
  }

  void wait_until_done() {
    const auto done = [&] { return pending.load(std::memory_order_acquire) == 0; };
    if (caller_spin.until(done)) return;
    caller_sleeps.store(true, std::memory_order_seq_cst);
    while (const uint32_t left = pending.load(std::memory_order_seq_cst)) futex_wait(pending, left);
    caller_sleeps.store(false, std::memory_order_relaxed);
  }

  void run(int n_tasks, Task function) {
    NIBBLE_ASSERT(pending.load(std::memory_order_relaxed) == 0);
    if (n_tasks <= 0) return;
    if (n_threads == 1 || n_tasks == 1) {
      for (int i = 0; i < n_tasks; ++i) function(i, 0);
      return;
    }
    task = &function;
    pending.store(static_cast<uint32_t>(n_tasks), std::memory_order_relaxed);
    const auto first_of = [&](int thread) {
      return static_cast<uint32_t>(int64_t{n_tasks} * thread / n_threads);
    };
    for (int i = 0; i < n_threads; ++i) slots[i].set(first_of(i), first_of(i + 1));
    announce();
    work(0);
    wait_until_done();
  }
};

ThreadPool::ThreadPool(int n_threads) : state_(std::make_unique<State>(std::max(n_threads, 1))) {
  for (int i = 1; i < state_->n_threads; ++i)
    state_->threads.emplace_back([state = state_.get(), i] { state->worker(i); });
}

ThreadPool::~ThreadPool() {
  state_->stop.store(true, std::memory_order_relaxed);
  state_->announce();
  for (std::thread& thread : state_->threads) thread.join();
}

int ThreadPool::size() const { return state_->n_threads; }

void ThreadPool::run(int n_tasks, FunctionRef<void(int, int)> task) { state_->run(n_tasks, task); }

}  // namespace nibble
