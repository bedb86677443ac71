#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>

namespace nibble::cli {

const char* const kExitCodeHelp =
    "Exit codes:\n"
    "  0    done\n"
    "  1    the answer is no: a difference or mismatch was found\n"
    "  2    usage: unknown option, missing argument, contradictory options\n"
    "  3    model or input file: missing, damaged, unsupported, not finite numbers\n"
    "  4    the prompt does not fit the context, the context is full, or memory is short\n"
    "  5    output incomplete under a constraint\n"
    "  6    output could not be written\n"
    "  70   a fault of nibble's own\n"
    "  129  hung up (SIGHUP);  130  interrupted (SIGINT);  143  terminated (SIGTERM)\n";

namespace {
constexpr size_t kNameWidth = 30;
constexpr size_t kTextWidth = 68;

// name and text in two columns, the text wrapped at spaces.
std::string two_columns(const std::string& name, std::string text) {
  std::string out = fmt::format("  {:<{}}", name, kNameWidth - 2);
  if (name.size() > kNameWidth - 4) out += "\n" + std::string(kNameWidth, ' ');
  while (text.size() > kTextWidth) {
    const size_t space = text.rfind(' ', kTextWidth);
    if (space == std::string::npos || space == 0) break;
    out += text.substr(0, space) + "\n" + std::string(kNameWidth, ' ');
    text.erase(0, space + 1);
  }
  return out + text + "\n";
}
}  // namespace

HelpFormatter::HelpFormatter() { column_width(kNameWidth); }

std::string HelpFormatter::make_usage(const CLI::App* app, std::string) const {
  if (!app->get_parent()) return "\nUsage: nibble COMMAND [options]\n";
  std::string usage = "\nUsage: nibble " + app->get_name();
  for (const CLI::Option* option : app->get_options())
    if (option->get_positional()) usage += " " + make_option_usage(option);
  return usage + " [options]\n";
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name,
                                     CLI::AppFormatMode) const {
  std::string out = app->get_description() + "\n" + make_usage(app, name);
  const auto add = [&](const std::string& title, const std::string& rows) {
    if (!rows.empty()) out += "\n" + title + ":\n" + rows;
  };
  std::string rows;
  for (const CLI::Option* option : app->get_options())
    if (option->get_positional()) rows += make_option(option, true);
  add("Arguments", rows);
  rows.clear();
  for (const CLI::App* command : app->get_subcommands([](const CLI::App*) { return true; }))
    rows += make_subcommand(command);
  add("Commands", rows);
  std::vector<std::string> groups = app->get_groups();
  std::ranges::stable_partition(groups,
                                [](const std::string& group) { return group != kLastGroup; });
  for (const std::string& group : groups) {
    rows.clear();
    for (const CLI::Option* option : app->get_options())
      if (option->get_group() == group && !option->get_positional())
        rows += make_option(option, false);
    add(group, rows);
  }
  return out + "\n" + app->get_footer();
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string name = option->get_name(is_positional, !is_positional);
  for (size_t comma = name.find(','); comma != std::string::npos; comma = name.find(',', comma + 2))
    name.insert(comma + 1, " ");
  if (!is_positional && option->get_type_size() != 0 && !option->get_type_name().empty())
    name += " " + option->get_type_name();
  std::string text = option->get_description();
  if (option->get_type_size() != 0 && !option->get_default_str().empty())
    text += " (default " + option->get_default_str() + ")";
  return two_columns(name, text);
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return two_columns(command->get_name(), command->get_description());
}

}  // namespace nibble::cli
