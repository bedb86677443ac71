#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <optional>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/output.h"
#include "core/ops/kv_format.h"

namespace nibble::cli {

Option* Option::type_name(const std::string& name) {
  option_->type_name(name);
  return this;
}
Option* Option::group(const std::string& title) {
  option_->group(title);
  return this;
}
Option* Option::description(const std::string& text) {
  option_->description(text);
  return this;
}
Option* Option::required() {
  option_->required();
  return this;
}
Option* Option::capture_default_str() {
  option_->capture_default_str();
  return this;
}
Option* Option::check(Range range) {
  option_->check(CLI::Range(range.least, range.most).description(""));
  return this;
}
Option* Option::check(const OneOf& choice) {
  option_->check(CLI::IsMember(choice.values).description(""));
  return this;
}
Option* Option::check(TextCheck check) {
  option_->check(
      CLI::Validator([check](const std::string& text) { return check.fault(text); }, ""));
  return this;
}

Option* Option::excludes(const Option* other) {
  option_->excludes(other->option_);
  return this;
}

TextCheck whole_number() {
  return {[](const std::string& text) {
    int64_t value = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
    return end.ec == std::errc::result_out_of_range ? text + " does not fit 64 bits"
                                                    : std::string();
  }};
}

namespace {

// Where an empty text stands for an option that was not given, it cannot be given.
TextCheck not_empty() {
  return {[](const std::string& text) {
    return text.empty() ? std::string("wants a text that is not empty") : std::string();
  }};
}

}  // namespace

template <class T>
Option* App::add_option(const std::string& name, T& value, const std::string& description) {
  Option* option = keep(app_->add_option(name, value, description));
  return std::is_same_v<T, std::string> ? option->check(not_empty()) : option;
}
#define NIBBLE_OPTION_VALUE(T) \
  template Option* App::add_option<T>(const std::string&, T&, const std::string&)
NIBBLE_OPTION_VALUE(std::string);
NIBBLE_OPTION_VALUE(int);
NIBBLE_OPTION_VALUE(int64_t);
NIBBLE_OPTION_VALUE(std::optional<std::string>);
NIBBLE_OPTION_VALUE(std::optional<int>);
NIBBLE_OPTION_VALUE(std::optional<int64_t>);
NIBBLE_OPTION_VALUE(std::optional<double>);
#undef NIBBLE_OPTION_VALUE

Option* App::add_flag(const std::string& name, bool& value, const std::string& description) {
  return keep(app_->add_flag(name, value, description));
}
void App::footer(const std::string& text) { app_->footer(text); }
void App::footer(std::function<std::string()> text) {
  app_->footer(std::string());  // or the parent's stands behind it
  app_->footer(std::move(text));
}
bool App::parsed() const { return app_->parsed(); }
std::string App::name() const { return app_->get_name(); }

App* add_command(App& parent, const std::string& name, const std::string& description) {
  CLI::App* command = parent.app_->add_subcommand(name, description);
  command->group("Commands");
  command->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  command->get_help_ptr()->group(kLastGroup);
  command
      ->add_flag_callback(
          "--quiet", [] { set_quiet(true); }, "Nothing on standard error but errors")
      ->group(kLastGroup);
  return &parent.commands_.emplace_back(*command);
}

TextCheck kv_type_names() {
  return {[](const std::string& text) {
    const auto types = parse_kv_types(text);
    return types ? std::string() : types.error().message;
  }};
}

Option* add_list(App& app, const std::string& name, std::vector<std::string>& values,
                 const std::string& description) {
  return app
      .keep(app.app_->add_option(name, values, description)
                ->expected(1)
                ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
                ->allow_extra_args(false))
      ->check(not_empty());
}

}  // namespace nibble::cli
