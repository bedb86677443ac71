#include "cli/signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "core/base/output_file.h"

namespace nibble::cli {
namespace {

std::atomic<int> g_pending{0};
std::atomic<int> g_watchers{0};
std::atomic<bool> g_resized{false};
std::atomic<void (*)()> g_restore{nullptr};
static_assert(std::atomic<int>::is_always_lock_free &&
              std::atomic<void (*)()>::is_always_lock_free);

void handle(int signal) {
  if (signal == SIGWINCH) {
    g_resized = true;
    return;
  }
  const bool first = g_pending.exchange(signal) == 0;
  if (g_watchers > 0 && first) return;
  if (void (*restore)() = g_restore) restore();
  discard_unfinished_outputs();
  _exit(128 + signal);
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = handle;  // without SA_RESTART: a blocked read() returns
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  struct sigaction before {};
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)  // as nohup does
    sigaction(SIGHUP, &action, nullptr);
  sigaction(SIGWINCH, &action, nullptr);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
  sigaction(SIGXFSZ, &action, nullptr);
}

SignalWatch::SignalWatch() { ++g_watchers; }
SignalWatch::~SignalWatch() { --g_watchers; }

int pending_signal() { return g_pending; }
void clear_pending_signal() { g_pending = 0; }
bool window_resized() { return g_resized.exchange(false); }
void on_sudden_end(void (*restore)()) { g_restore = restore; }

}  // namespace nibble::cli
