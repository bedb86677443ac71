// Ctrl-C and its kin. While nobody watches, SIGINT, SIGTERM and SIGHUP end the program at once
// (exit 130, 143, 129; SIGHUP not where it was ignored from the start). SIGPIPE and SIGXFSZ are
// ignored, so that a closed pipe and a limit on files are errors of write(). Inside a SignalWatch
// the first one only sets a flag.
#pragma once

namespace nibble::cli {

void install_signal_handlers();

// As long as it lives, signals are recorded instead of ending the program; a second one of them
// ends it all the same.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
};

int pending_signal();         // 0, SIGINT, SIGTERM or SIGHUP
void clear_pending_signal();  // what was asked has been done
bool window_resized();        // since the last question
// Called before the program ends inside of a signal handler, to put the terminal back.
// Async-signal-safe functions only.
void on_sudden_end(void (*restore)());

}  // namespace nibble::cli
