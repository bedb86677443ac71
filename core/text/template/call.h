// Built-in functions: a table row each. Filters, tests, methods and globals share one shape: a
// receiver and arguments bound to the parameters that the row names.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text/template/value.h"

namespace nibble::jinja {

class Interpreter;

struct Args {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

// Arguments in the order of the parameters; null where not given.
struct Params {
  static constexpr size_t kMax = 6;
  std::array<const Value*, kMax> at{};
  const Args* all = nullptr;

  bool has(size_t i) const { return at[i] != nullptr; }
  const Value& operator[](size_t i) const { return *at[i]; }
  bool flag(size_t i, bool otherwise = false) const { return at[i] ? truth(*at[i]) : otherwise; }
  // Fail when the argument is of another type. none counts as not given.
  Result<Integer> integer(size_t i, Integer otherwise) const;
  Result<std::string_view> text(size_t i, std::string_view otherwise = {}) const;
};

struct Function {
  std::string_view name;
  std::string_view params;  // names, a space between; "*": any arguments, unbound
  int n_required;
  Result<Value> (*run)(Interpreter& in, const Value& self, const Params& p);
};

Result<Params> bind(const Function& function, const Args& args);

// null: there is none of that name.
const Function* find_filter(std::string_view name);
const Function* find_test(std::string_view name);
const Function* find_global(std::string_view name);
// A method of the type of the receiver. unsafe: it would change the receiver, and is refused.
struct MethodLookup {
  const Function* function = nullptr;
  bool exists = false, unsafe = false;
};
MethodLookup find_method(const Value& receiver, std::string_view name);

namespace tables {  // each defined where the functions are
std::pair<const Function*, size_t> text_filters();
std::pair<const Function*, size_t> markup_filters();
std::pair<const Function*, size_t> number_filters();
std::pair<const Function*, size_t> sequence_filters();
std::pair<const Function*, size_t> select_filters();
std::pair<const Function*, size_t> order_filters();
std::pair<const Function*, size_t> tests();
std::pair<const Function*, size_t> globals();
std::pair<const Function*, size_t> string_methods();
std::pair<const Function*, size_t> string_searches();
std::pair<const Function*, size_t> container_methods();
}  // namespace tables

}  // namespace nibble::jinja
