// Expressions.
#include "core/text/template/print.h"
#include "core/text/template/runtime.h"

namespace nibble::jinja {

Result<Value> Interpreter::eval(const Expr& e) {
  const Deeper deeper(*this, 1);
  if (deeper.too_deep()) return located(too_deep().error(), e.line);
  if (--steps_ < 0) return located(out_of_steps().error(), e.line);
  auto v = eval_kind(e);
  if (!v) return located(std::move(v).error(), e.line);
  return v;
}

Result<Value> Interpreter::eval_kind(const Expr& e) {
  switch (e.kind) {
    case ExprKind::kLiteral:
      return e.value;
    case ExprKind::kName:
      return eval_name(e);
    case ExprKind::kTuple:
      return eval_items(e, Kind::kTuple);
    case ExprKind::kList:
      return eval_items(e, Kind::kList);
    case ExprKind::kDict:
      return eval_dict(e);
    case ExprKind::kNegative:
    case ExprKind::kPositive:
      return eval_sign(e);
    case ExprKind::kNot: {
      NIBBLE_TRY(const Value v, eval(*e.items[0]));
      return Value::boolean(!truth(v));
    }
    case ExprKind::kAnd:
    case ExprKind::kOr: {
      NIBBLE_TRY(Value v, eval(*e.items[0]));
      if (truth(v) == (e.kind == ExprKind::kOr)) return v;
      return eval(*e.items[1]);
    }
    case ExprKind::kArithmetic: {
      NIBBLE_TRY(const Value a, eval(*e.items[0]));
      NIBBLE_TRY(const Value b, eval(*e.items[1]));
      return arithmetic(e.op, a, b);
    }
    case ExprKind::kConcat:
      return eval_concat(e);
    case ExprKind::kCompare:
      return eval_compare(e);
    case ExprKind::kConditional:
      return eval_conditional(e);
    case ExprKind::kAttribute: {
      NIBBLE_TRY(const Value owner, eval(*e.items[0]));
      return attribute(owner, e.name);
    }
    case ExprKind::kItem:
      return eval_item(e);
    case ExprKind::kSlice:
      return invalid_input("a slice stands for itself only inside [ ]");
    case ExprKind::kCall:
      return eval_call(e);
    case ExprKind::kFilter:
      return eval_filter(e);
    case ExprKind::kTest:
      return eval_test(e);
    case ExprKind::kMember:
      break;
  }
  return invalid_input("not a value");
}

static Value undefined_name(std::string_view name) {
  return make_undefined(quote(name) + " is undefined");
}

Result<Value> Interpreter::eval_name(const Expr& e) {
  size_t n_seen = 0;
  for (Scope* s = scope_.get(); s; s = s->parent.get()) {
    n_seen += 1 + s->names.size();
    if (const Value* v = s->find(e.symbol)) {
      NIBBLE_CHECK(spend(int64_t(n_seen / 16)));
      if (v->is_undefined() && !v->identity()) return undefined_name(e.name);
      return *v;
    }
  }
  NIBBLE_CHECK(spend(int64_t(n_seen / 16)));
  if (const auto& v = globals_[size_t(e.symbol)]) return *v;
  return undefined_name(e.name);
}

Result<Value> Interpreter::eval_items(const Expr& e, Kind kind) {
  std::vector<Value> items;
  items.reserve(e.items.size());
  for (const ExprPtr& item : e.items) {
    NIBBLE_TRY(Value v, eval(*item));
    items.push_back(std::move(v));
  }
  return make_list(std::move(items), kind);
}

Result<Value> Interpreter::eval_dict(const Expr& e) {
  auto dict = std::make_shared<Dict>();
  for (size_t i = 0; i < e.items.size(); i += 2) {
    NIBBLE_TRY(Value key, eval(*e.items[i]));
    NIBBLE_TRY(Value value, eval(*e.items[i + 1]));
    NIBBLE_CHECK(spend(key.weight()));
    NIBBLE_CHECK(dict->set(std::move(key), std::move(value)));
  }
  return make_dict(std::move(dict));
}

Result<Value> Interpreter::eval_sign(const Expr& e) {
  NIBBLE_TRY(const Value v, eval(*e.items[0]));
  if (v.is_undefined()) return invalid_input("{}", undefined_message(v));
  const bool minus = e.kind == ExprKind::kNegative;
  if (v.is(Kind::kFloat)) return Value::number(minus ? -v.to_number() : v.to_number());
  if (!v.is_integral())
    return invalid_input("bad operand type for unary {}: '{}'", minus ? '-' : '+', type_name(v));
  return minus ? arithmetic(Op::kSub, Value::integer(0), v) : Value::integer(v.to_integer());
}

Result<Value> Interpreter::eval_concat(const Expr& e) {
  std::string out;
  for (const ExprPtr& item : e.items) {
    NIBBLE_TRY(const Value v, eval(*item));
    NIBBLE_TRY(const std::string text, str(v));
    out += text;
    if (out.size() > max_bytes()) NIBBLE_CHECK(spend_bytes(out.size()));
  }
  return Value::text(std::move(out));
}

Result<bool> Interpreter::compare_one(Op op, const Value& a, const Value& b) {
  switch (op) {
    case Op::kEq:
      return equals(a, b);
    case Op::kNe: {
      NIBBLE_TRY(const bool eq, equals(a, b));
      return !eq;
    }
    case Op::kIn:
      return contains(b, a);
    case Op::kNotIn: {
      NIBBLE_TRY(const bool in, contains(b, a));
      return !in;
    }
    default:
      break;
  }
  static constexpr std::string_view kNames[] = {"<", "<=", ">", ">="};
  NIBBLE_TRY(const int o, order(a, b, kNames[int(op) - int(Op::kLt)]));
  if (o == 2) return false;
  if (op == Op::kLt) return o < 0;
  if (op == Op::kLe) return o <= 0;
  return op == Op::kGt ? o > 0 : o >= 0;
}

Result<Value> Interpreter::eval_compare(const Expr& e) {
  NIBBLE_TRY(Value left, eval(*e.items[0]));
  for (size_t i = 0; i < e.ops.size(); ++i) {
    NIBBLE_TRY(Value right, eval(*e.items[i + 1]));
    NIBBLE_TRY(const bool holds, compare_one(e.ops[i], left, right));
    if (!holds) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

Result<Value> Interpreter::eval_conditional(const Expr& e) {
  NIBBLE_TRY(const Value test, eval(*e.items[0]));
  if (truth(test)) return eval(*e.items[1]);
  if (e.items[2]) return eval(*e.items[2]);
  return make_undefined(
      "the inline if-expression evaluated to false and no else section was defined.");
}

Result<Value> Interpreter::eval_item(const Expr& e) {
  NIBBLE_TRY(const Value owner, eval(*e.items[0]));
  const Expr& key = *e.items[1];
  if (key.kind != ExprKind::kSlice) {
    NIBBLE_TRY(const Value k, eval(key));
    return item(owner, k);
  }
  Value parts[3] = {Value::none(), Value::none(), Value::none()};
  for (int i = 0; i < 3; ++i) {
    if (!key.items[size_t(i)]) continue;
    NIBBLE_TRY(parts[i], eval(*key.items[size_t(i)]));
  }
  return slice(owner, parts[0], parts[1], parts[2]);
}

Result<Args> Interpreter::eval_args(const Arguments& arguments) {
  Args out;
  for (const ExprPtr& e : arguments.positional) {
    NIBBLE_TRY(Value v, eval(*e));
    out.positional.push_back(std::move(v));
  }
  for (const auto& [name, e] : arguments.named) {
    NIBBLE_TRY(Value v, eval(*e));
    out.named.emplace_back(name, std::move(v));
  }
  if (arguments.star) {
    NIBBLE_TRY(const Value v, eval(*arguments.star));
    NIBBLE_TRY(std::vector<Value> more, collect(v));
    for (Value& item : more) out.positional.push_back(std::move(item));
  }
  if (!arguments.double_star) return out;
  NIBBLE_TRY(const Value v, eval(*arguments.double_star));
  if (!v.is(Kind::kDict))
    return invalid_input("argument after ** must be a mapping, not {}", type_name(v));
  NIBBLE_CHECK(spend(int64_t(v.as<Dict>().entries().size())));
  for (const auto& [key, value] : v.as<Dict>().entries()) {
    if (!key.is(Kind::kString)) return invalid_input("keywords must be strings");
    out.named.emplace_back(key.str(), value);
  }
  return out;
}

Result<Value> Interpreter::eval_call(const Expr& e, const Value* caller) {
  NIBBLE_TRY(const Value callee, eval(*e.items[0]));
  NIBBLE_TRY(Args args, eval_args(e.args));
  if (caller) args.named.emplace_back("caller", *caller);
  return call(callee, args);
}

Result<Value> Interpreter::eval_filter(const Expr& e) {
  Value self;
  if (e.items[0]) {
    NIBBLE_TRY(self, eval(*e.items[0]));
  } else if (block_text_) {
    self = *block_text_;
  }
  if (!e.function) return invalid_input("No filter named '{}'.", e.name);
  NIBBLE_TRY(const Args args, eval_args(e.args));
  return call(*e.function, self, args);
}

Result<Value> Interpreter::eval_test(const Expr& e) {
  if (!e.function) return invalid_input("No test named '{}'.", e.name);
  NIBBLE_TRY(const Value self, eval(*e.items[0]));
  NIBBLE_TRY(const Args args, eval_args(e.args));
  return call(*e.function, self, args);
}

}  // namespace nibble::jinja
