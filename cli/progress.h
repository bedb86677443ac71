// The progress of work that Ctrl-C stops.
#pragma once

#include <cstdint>

#include "cli/output.h"
#include "cli/signals.h"

namespace nibble::cli {

// As long as it lives, signals are recorded instead of ending the program.
class Progress {
 public:
  // Shows the line as ProgressLine does. False: a signal asks to stop.
  bool show(std::string_view what, double done, double total, std::string_view unit) {
    line_.show(what, done, total, unit);
    return go_on();
  }
  bool show_bytes(std::string_view what, uint64_t done, uint64_t total) {
    return show(what, static_cast<double>(done) / 1e6, static_cast<double>(total) / 1e6, "MB");
  }
  bool go_on() const { return pending_signal() == 0; }
  void wipe() { line_.wipe(); }

 private:
  SignalWatch watch_;
  ProgressLine line_;
};

}  // namespace nibble::cli
