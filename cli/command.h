// A subcommand: what the parser knows of it, and what runs when it is chosen. Each stands in a file
// of its own, as struct Options + setup_x(App&) + run_x(Options).
#pragma once

#include <functional>

#include "cli/options.h"
#include "core/base/error.h"

namespace nibble::cli {

struct Command {
  App* app = nullptr;
  std::function<Result<void>()> run;
};

Command setup_run(App& app);
Command setup_inspect(App& app);
Command setup_eval(App& app);
Command setup_bench(App& app);
Command setup_quantize(App& app);
Command setup_convert(App& app);

// --kv-type, into a string or an optional one.
TextCheck kv_type_names();
template <class Value>
Option* add_kv_type(App& app, Value& value) {
  return app
      .add_option("--kv-type", value,
                  "Type of the key-value cache: f32, f16, bf16, q8_0 or q4_0; two with a comma are "
                  "of keys and of values; q4_0 costs quality (perplexity +15 % on a 135M model)")
      ->type_name("TYPE[,TYPE]")
      ->check(kv_type_names());
}

}  // namespace nibble::cli
