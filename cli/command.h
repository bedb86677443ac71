// A subcommand: what the parser knows of it, and what runs when it is chosen. Each stands in a file
// of its own, as struct Options + setup_x(App&) + run_x(Options).
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "core/base/error.h"

namespace nibble::cli {

struct Command {
  CLI::App* app = nullptr;
  std::function<Result<void>()> run;
};

Command setup_run(CLI::App& app);
Command setup_inspect(CLI::App& app);
Command setup_eval(CLI::App& app);
Command setup_bench(CLI::App& app);
Command setup_quantize(CLI::App& app);
Command setup_convert(CLI::App& app);

// A new subcommand with the house's manners: the last of a repeated option counts, help shows
// defaults.
CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description);
// Numbers from least to most; help does not repeat the bounds.
CLI::Validator in_range(double least, double most);
// An option that may be repeated, one value each time.
CLI::Option* add_list(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                      const std::string& description);
// --kv-type, into a string or an optional one.
CLI::Validator kv_type_names();
template <class Value>
CLI::Option* add_kv_type(CLI::App& app, Value& value) {
  return app
      .add_option("--kv-type", value,
                  "Type of the key-value cache: f32, f16, bf16, q8_0 or q4_0; two with a comma are "
                  "of keys and of values")
      ->type_name("TYPE[,TYPE]")
      ->check(kv_type_names());
}

}  // namespace nibble::cli
