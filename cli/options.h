// The options of a command, in front of CLI11: its headers cost each file that includes them
// seconds of compile time, so that only options.cpp, help and main know them.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace nibble::cli {

// What values an option takes.
struct Range {
  double least, most;
};
inline Range in_range(double least, double most) { return {least, most}; }
struct OneOf {
  std::vector<std::string> values;
};
inline OneOf one_of(std::vector<std::string> values) { return {std::move(values)}; }
struct TextCheck {
  std::string (*fault)(const std::string& text);  // what is wrong with it; empty: nothing
};
TextCheck whole_number();  // that 64 bits hold: CLI11 takes the nearest one instead

// One option or argument. Each call gives back the same one.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option* type_name(const std::string& name);
  Option* group(const std::string& title);
  Option* description(const std::string& text);
  Option* required();
  Option* capture_default_str();  // help shows the value that the variable has now
  Option* check(Range range);     // help does not repeat the bounds
  Option* check(const OneOf& choice);
  Option* check(TextCheck check);
  Option* excludes(const Option* other);

 private:
  CLI::Option* option_;
};

// A command. What it is given to write to must outlive the parsing.
class App {
 public:
  explicit App(CLI::App& app) : app_(&app) {}

  // T: std::string, which takes no empty text, int, int64_t, or an optional int, int64_t, double or
  // std::string; options.cpp lists them.
  template <class T>
  Option* add_option(const std::string& name, T& value, const std::string& description);
  Option* add_flag(const std::string& name, bool& value, const std::string& description);
  void footer(const std::string& text);
  void footer(std::function<std::string()> text);  // made when help is asked for
  bool parsed() const;
  std::string name() const;

 private:
  friend App* add_command(App& parent, const std::string& name, const std::string& description);
  friend Option* add_list(App& app, const std::string& name, std::vector<std::string>& values,
                          const std::string& description);
  Option* keep(CLI::Option* option) { return &options_.emplace_back(option); }

  CLI::App* app_;
  std::deque<Option> options_;
  std::deque<App> commands_;
};

// A new subcommand with the house's manners: the last of a repeated option counts, help shows
// defaults.
App* add_command(App& parent, const std::string& name, const std::string& description);
// An option that may be repeated, one value each time, none of them empty.
Option* add_list(App& app, const std::string& name, std::vector<std::string>& values,
                 const std::string& description);

}  // namespace nibble::cli
