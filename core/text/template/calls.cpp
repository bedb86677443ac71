// Calls: built-ins, macros and recursive loops, and how arguments find their parameters.
#include <algorithm>

#include "core/text/template/print.h"
#include "core/text/template/runtime.h"

namespace nibble::jinja {
namespace {

// The n-th of the names in a row's `params`; empty past the last.
std::string_view param_name(std::string_view params, size_t n) {
  for (; n > 0 && !params.empty(); --n)
    params.remove_prefix(std::min(
        params.size(), params.find(' ') == params.npos ? params.size() : params.find(' ') + 1));
  return params.substr(0, params.find(' '));
}

size_t count_params(std::string_view params) {
  return params.empty() ? 0 : size_t(std::ranges::count(params, ' ')) + 1;
}

const Value* find_named(const Args& args, std::string_view name) {
  for (const auto& [key, value] : args.named)
    if (key == name) return &value;
  return nullptr;
}

}  // namespace

Result<Integer> Params::integer(size_t i, Integer otherwise) const {
  if (!has(i) || at[i]->is(Kind::kNone)) return otherwise;
  if (!at[i]->is_integral())
    return invalid_input("'{}' object cannot be interpreted as an integer", type_name(*at[i]));
  return at[i]->to_integer();
}

Result<std::string_view> Params::text(size_t i, std::string_view otherwise) const {
  if (!has(i) || at[i]->is(Kind::kNone)) return otherwise;
  if (!at[i]->is(Kind::kString))
    return invalid_input("argument must be str, not {}", type_name(*at[i]));
  return at[i]->str();
}

Result<Params> bind(const Function& function, const Args& args) {
  Params p;
  p.all = &args;
  if (function.params == "*") return p;
  const size_t n = count_params(function.params);
  if (args.positional.size() > n)
    return invalid_input("{}: takes at most {} arguments ({} given)", function.name, n,
                         args.positional.size());
  for (size_t i = 0; i < args.positional.size(); ++i) p.at[i] = &args.positional[i];
  for (const auto& [name, value] : args.named) {
    size_t i = 0;
    while (i < n && param_name(function.params, i) != name) ++i;
    if (i == n) return invalid_input("{}: unexpected keyword argument '{}'", function.name, name);
    if (p.at[i]) return invalid_input("{}: multiple values for argument '{}'", function.name, name);
    p.at[i] = &value;
  }
  for (size_t i = 0; i < size_t(function.n_required); ++i)
    if (!p.at[i])
      return invalid_input("{}: missing argument '{}'", function.name,
                           param_name(function.params, i));
  return p;
}

Result<Value> Interpreter::call(const Function& function, const Value& self, const Args& args) {
  NIBBLE_CHECK(spend(int64_t(1 + args.positional.size() + args.named.size())));
  NIBBLE_TRY(const Params params, bind(function, args));
  return function.run(*this, self, params);
}

Result<Value> Interpreter::call_filter(std::string_view name, const Value& self, const Args& args) {
  const Function* function = find_filter(name);
  if (!function) return invalid_input("No filter named '{}'.", name);
  return call(*function, self, args);
}

Result<bool> Interpreter::call_test(std::string_view name, const Value& self, const Args& args) {
  const Function* function = find_test(name);
  if (!function) return invalid_input("No test named '{}'.", name);
  NIBBLE_TRY(const Value v, call(*function, self, args));
  return truth(v);
}

Result<Value> Interpreter::call(const Value& callee, const Args& args) {
  const Deeper deeper(*this, kLevels / 2);
  if (deeper.too_deep()) return too_deep();
  switch (callee.kind()) {
    case Kind::kUndefined:
      return invalid_input("{}", undefined_message(callee));
    case Kind::kMacro:
      return call_macro(callee.as<Macro>(), args);
    case Kind::kLoop:
      return call_loop(callee.as<Loop>(), args);
    case Kind::kBuiltin:
      return call(*callee.as<Builtin>().function, callee, args);
    case Kind::kMethod: {
      const Method& method = callee.as<Method>();
      const MethodLookup found = find_method(method.receiver, method.name);
      if (!found.function)
        return invalid_input("the method {} of {} is not available in templates", method.name,
                             type_name(method.receiver));
      return call(*found.function, method.receiver, args);
    }
    case Kind::kJoiner: {
      Joiner& joiner = callee.as<Joiner>();
      return std::exchange(joiner.used, true) ? joiner.separator : Value::text("");
    }
    default:
      return invalid_input("'{}' object is not callable", type_name(callee));
  }
}

Result<Value> Interpreter::make_macro(const MacroNode& node) {
  auto macro = std::make_shared<Macro>();
  macro->node = &node;
  macro->scope = scope_;
  if (scope_) keep(scope_);  // the macro's name usually stands in the very scope it holds
  return Value::object(Kind::kMacro, std::move(macro));
}

Result<Value> Interpreter::call_macro(const Macro& macro, const Args& args) {
  const Deeper deeper(*this, kLevels / 2);
  if (deeper.too_deep()) return too_deep();
  const auto held = macro.scope;
  NIBBLE_TRY(auto inner, scope_of(macro.node->body, held));
  std::string text;
  auto saved_out = std::exchange(out_, &text);
  auto saved_scope = std::exchange(scope_, inner);
  auto bound = bind_macro(macro, args, *inner);
  auto flow = bound ? run(macro.node->body) : std::unexpected(bound.error());
  out_ = saved_out;
  scope_ = std::move(saved_scope);
  if (!flow) return std::unexpected(std::move(flow).error());
  return Value::text(std::move(text));
}

Result<void> Interpreter::bind_macro(const Macro& macro, const Args& args, Scope& scope) {
  const MacroNode& node = *macro.node;
  const size_t n = node.params.size(), n_given = std::min(n, args.positional.size());
  NIBBLE_CHECK(spend(int64_t(n + args.positional.size() + (n + 1) * args.named.size())));
  std::vector<bool> used(args.named.size());
  std::vector<size_t> missing;
  for (size_t i = 0; i < n; ++i) {
    if (i < n_given) {
      scope.set(node.params[i], args.positional[i]);
      continue;
    }
    const Value* named = find_named(args, node.param_names[i]);
    if (named)
      scope.set(node.params[i], *named);
    else
      scope.set(node.params[i], Value()), missing.push_back(i);
    for (size_t k = 0; k < used.size(); ++k)
      used[k] = used[k] || args.named[k].first == node.param_names[i];
  }
  NIBBLE_CHECK(bind_special(node, args, used, scope));
  const size_t first_default = n - node.defaults.size();
  for (const size_t i : missing) {
    Value v = make_undefined("parameter " + quote(node.param_names[i]) + " was not provided");
    if (i >= first_default) {
      NIBBLE_TRY(v, eval(*node.defaults[i - first_default]));
    }
    scope.set(node.params[i], std::move(v));
  }
  return {};
}

// caller, kwargs and varargs, which a macro has when it names them.
Result<void> Interpreter::bind_special(const MacroNode& node, const Args& args,
                                       const std::vector<bool>& used, Scope& scope) {
  const size_t n = node.params.size();
  const bool takes_caller = node.uses_caller && !node.explicit_caller;
  if (takes_caller) {
    const Value* caller = find_named(args, "caller");
    scope.set(tree_.caller, caller ? *caller : make_undefined("No caller defined"));
  }
  auto kwargs = std::make_shared<Dict>();
  for (size_t k = 0; k < args.named.size(); ++k) {
    const auto& [name, value] = args.named[k];
    if (used[k] || (takes_caller && name == "caller")) continue;
    if (!node.uses_kwargs)
      return invalid_input("macro {} takes no keyword argument {}", quote(node.name), quote(name));
    NIBBLE_CHECK(kwargs->set(Value::text(name), value));
  }
  if (node.uses_kwargs) {
    NIBBLE_TRY(Value v, make_dict(std::move(kwargs)));
    scope.set(tree_.kwargs, std::move(v));
  }
  const size_t n_given = std::min(n, args.positional.size());
  if (node.uses_varargs) {
    NIBBLE_TRY(Value v,
               make_list({args.positional.begin() + ptrdiff_t(n_given), args.positional.end()},
                         Kind::kTuple));
    scope.set(tree_.varargs, std::move(v));
  } else if (args.positional.size() > n) {
    return invalid_input("macro {} takes not more than {} argument(s)", quote(node.name), n);
  }
  return {};
}

// loop(items) inside {% for ... recursive %}.
Result<Value> Interpreter::call_loop(const Loop& loop, const Args& args) {
  if (!loop.node)
    return invalid_input("The loop must have the 'recursive' marker to be called recursively.");
  if (args.positional.size() != 1 || !args.named.empty())
    return invalid_input("loop() takes one argument, what to loop over");
  const Deeper deeper(*this, kLevels / 2);
  if (deeper.too_deep()) return too_deep();
  std::string text;
  auto saved_out = std::exchange(out_, &text);
  const auto outer = loop.scope;
  const Stmt& node = *loop.node;
  auto ran = run_loop(node, args.positional[0], outer, loop.level + 1);
  out_ = saved_out;
  if (!ran) return std::unexpected(std::move(ran).error());
  return Value::text(std::move(text));
}

}  // namespace nibble::jinja
