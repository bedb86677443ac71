// The terminal's modes. While a TerminalMode lives, keys come one by one and are not echoed; the
// terminal is put back when it dies, and when a signal ends the program.
#pragma once

namespace nibble::cli {

class TerminalMode {
 public:
  TerminalMode();
  ~TerminalMode();
  TerminalMode(const TerminalMode&) = delete;
  TerminalMode& operator=(const TerminalMode&) = delete;

  void editing();    // Ctrl-C is a key; pasted text comes bracketed
  void answering();  // Ctrl-C is a signal; what is typed waits
  void leave();      // as it was before, for another program; editing() takes it back
  void suspend();    // Ctrl-Z: puts the terminal back, stops, and goes on editing when woken
};

}  // namespace nibble::cli
