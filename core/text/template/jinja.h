// A Jinja interpreter for chat templates: the language that jinja2 gives templates in an immutable
// sandbox, as transformers sets it up (trim_blocks, lstrip_blocks, loop controls, raise_exception,
// strftime_now, tojson). A template is data: no attribute that begins with an underscore, nothing
// executed, budgets on all that it can drive.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/json_fwd.h"

namespace nibble::jinja {

struct Budget {
  // Nodes evaluated, and what built-ins read and write: some 50 to 150 ns each. The longest of a
  // hundred published templates takes 5,243 over its recorded conversations.
  int64_t steps = 5'000'000;
  int depth = 200;                  // of nesting, calls and recursion
  size_t output_bytes = 64u << 20;  // of the output and of any one value
};

class Template {
 public:
  // Fails (kInvalidInput) with line and column on a syntax error or a construct that is not part of
  // the language.
  static Result<Template> parse(std::string_view source, Budget budget = {});
  // variables: a JSON object, the template's globals. now: seconds since 1970 that strftime_now
  // formats (UTC). Fails (kInvalidInput) with the line on raise_exception, a type error, or an
  // exceeded budget.
  Result<std::string> render(const Json& variables, int64_t now) const;

  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

 private:
  struct Impl;
  explicit Template(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nibble::jinja
