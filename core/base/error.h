// The one error type. A function that can fail returns Result<T>; nothing below cli/ prints, exits
// or throws. A message says what was seen, what was expected and where (tensor or key, byte
// offset); the opener of a file prefixes its path; cli/ adds what to do about it.
#pragma once

#include <fmt/core.h>

#include <expected>
#include <string>
#include <utility>

namespace nibble {

enum class ErrorKind {  // the exit code that cli/ maps it to
  kUsage,               // 2: contradictory or unusable options
  kNotFound,            // 3: a file that is not there
  kCorrupt,             // 3: a file that breaks its own format
  kUnsupported,         // 3: well formed, but not something nibble reads
  kInvalidInput,        // 3: a template that raises, numbers not finite, an impossible request
  kContextFull,         // 4: the prompt does not fit, or the context fills before the answer ends
  kOutOfMemory,         // 4: the model does not fit the memory
  kIncomplete,          // 5: output cut off under a constraint
  kOutput,              // 6: output could not be written
  kInternal,            // 70: a fault of nibble's own
  kInterrupted,         // 130
};

struct Error {
  ErrorKind kind;
  std::string message;
};

template <class T>
using Result = std::expected<T, Error>;

// fail(kind, "tensor '{}': ...", name): the unexpected value of any Result<T>.
template <class... Args>
std::unexpected<Error> fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{kind, fmt::format(format, std::forward<Args>(args)...)});
}
template <class... Args>
std::unexpected<Error> corrupt(fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorKind::kCorrupt, format, std::forward<Args>(args)...);
}
template <class... Args>
std::unexpected<Error> unsupported(fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorKind::kUnsupported, format, std::forward<Args>(args)...);
}
template <class... Args>
std::unexpected<Error> invalid_input(fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorKind::kInvalidInput, format, std::forward<Args>(args)...);
}

}  // namespace nibble

#define NIBBLE_CONCAT_(a, b) a##b
#define NIBBLE_CONCAT(a, b) NIBBLE_CONCAT_(a, b)
#define NIBBLE_TRY_(result, target, ...)                          \
  auto result = (__VA_ARGS__);                                    \
  if (!result) return std::unexpected(std::move(result).error()); \
  target = std::move(*result)
// NIBBLE_TRY(const auto n, in.u32()): the value of a Result, or return its error.
#define NIBBLE_TRY(target, ...) \
  NIBBLE_TRY_(NIBBLE_CONCAT(nibble_try_, __LINE__), target, __VA_ARGS__)
// NIBBLE_CHECK(in.skip(4)): return the error of a Result<void>, if any.
#define NIBBLE_CHECK(...)                                        \
  do {                                                           \
    if (auto nibble_checked = (__VA_ARGS__); !nibble_checked)    \
      return std::unexpected(std::move(nibble_checked).error()); \
  } while (false)
