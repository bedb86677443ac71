// How help reads: options in groups, names left, what they do and their default right, examples
// last.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace nibble::cli {

class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* command) const override;
};

extern const char* const kExitCodeHelp;
inline constexpr const char* kLastGroup = "Other";  // of options, shown last

}  // namespace nibble::cli
