// -t of the commands that compute.
#pragma once

#include "cli/options.h"
#include "core/base/thread_pool.h"

namespace nibble::cli {

struct ThreadOptions {
  int n_threads = 0;  // 0: not given

  int threads() const { return n_threads ? n_threads : default_threads(); }
};

inline Option* add_threads(App& app, ThreadOptions& o) {
  return app
      .add_option("-t,--threads", o.n_threads, "Threads (default: this machine's usable cores)")
      ->type_name("N")
      ->check(in_range(1, 1024));
}

}  // namespace nibble::cli
