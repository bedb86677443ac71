// map, select, reject and their kin: generators, so that nothing is computed before it is asked
// for.
#include "core/text/template/print.h"
#include "core/text/template/runtime.h"
#include "core/text/template/text_methods.h"

namespace nibble::jinja {
namespace {

// The generator's depth covers what its step gives: items of the source and arguments.
Result<Value> held_values(const Value& self, const Args& args) {
  std::vector<Value> held = args.positional;
  for (const auto& [name, value] : args.named) held.push_back(value);
  held.push_back(self);
  return make_list(std::move(held));
}

Result<Value> empty_generator() {
  return make_generator(Value(), [](Value&) -> Result<bool> { return false; });
}

using Change = std::function<Result<Value>(const Value&)>;

Result<Change> attribute_change(Interpreter& in, const Args& args) {
  Value path, otherwise;
  for (const auto& [name, value] : args.named) {
    if (name == "attribute")
      path = value;
    else if (name == "default")
      otherwise = value;
    else
      return invalid_input("map: Unexpected keyword argument {}", quote(name));
  }
  const bool has_default = !otherwise.is_undefined() && !otherwise.is(Kind::kNone);
  return [&in, path, otherwise, has_default](const Value& v) {
    return attribute_path(in, v, path, has_default ? &otherwise : nullptr);
  };
}

Result<Change> map_change(Interpreter& in, const Args& args) {
  if (args.positional.empty()) {
    for (const auto& [name, value] : args.named)
      if (name == "attribute") return attribute_change(in, args);
    return invalid_input("map requires a filter argument");
  }
  if (!args.positional[0].is(Kind::kString))
    return invalid_input("map: the name of a filter wanted");
  Args rest = args;
  rest.positional.erase(rest.positional.begin());
  const Value name = args.positional[0];
  return [&in, name, rest](const Value& v) { return in.call_filter(name.str(), v, rest); };
}

Result<Value> map(Interpreter& in, const Value& self, const Params& p) {
  if (!truth(self)) return empty_generator();
  NIBBLE_TRY(const Value held, held_values(self, *p.all));
  return make_generator(held,
                        [&in, self, args = *p.all, source = Iterator(),
                         change = Change()](Value& out) mutable -> Result<bool> {
                          if (!change) {
                            NIBBLE_TRY(change, map_change(in, args));
                            NIBBLE_TRY(source, Iterator::over(in, self));
                          }
                          Value v;
                          NIBBLE_TRY(const bool more, source.next(v));
                          if (!more) return false;
                          NIBBLE_TRY(out, change(v));
                          return true;
                        });
}

struct Selection {
  bool wanted;        // what the test must give
  bool by_attribute;  // the first argument names an attribute
};

Result<bool> holds(Interpreter& in, const Selection& how, const Args& args, const Value& v) {
  Value tested = v;
  if (how.by_attribute) {
    if (args.positional.empty()) return invalid_input("Missing parameter for attribute name");
    NIBBLE_TRY(tested, attribute_path(in, v, args.positional[0], nullptr));
  }
  const size_t at = how.by_attribute;
  if (args.positional.size() <= at) return truth(tested);
  if (!args.positional[at].is(Kind::kString)) return invalid_input("the name of a test wanted");
  Args rest = args;
  rest.positional.erase(rest.positional.begin(), rest.positional.begin() + ptrdiff_t(at) + 1);
  return in.call_test(args.positional[at].str(), tested, rest);
}

template <bool wanted, bool by_attribute>
Result<Value> select(Interpreter& in, const Value& self, const Params& p) {
  if (!truth(self)) return empty_generator();
  NIBBLE_TRY(const Value held, held_values(self, *p.all));
  return make_generator(
      held,
      [&in, self, args = *p.all, source = Iterator(),
       begun = false](Value& out) mutable -> Result<bool> {
        if (!begun) {
          NIBBLE_TRY(source, Iterator::over(in, self));
          begun = true;
        }
        while (true) {
          NIBBLE_TRY(const bool more, source.next(out));
          if (!more) return false;
          NIBBLE_TRY(const bool yes, holds(in, {wanted, by_attribute}, args, out));
          if (yes == wanted) return true;
        }
      });
}

constexpr Function kFilters[] = {
    {"map", "*", 0, map},
    {"select", "*", 0, select<true, false>},
    {"reject", "*", 0, select<false, false>},
    {"selectattr", "*", 0, select<true, true>},
    {"rejectattr", "*", 0, select<false, true>},
};

}  // namespace

std::pair<const Function*, size_t> tables::select_filters() {
  return {kFilters, std::size(kFilters)};
}

}  // namespace nibble::jinja
