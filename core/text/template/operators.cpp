// + - * / // % ** on values, `in`, equality and order.
#include <algorithm>
#include <cmath>

#include "core/text/template/characters.h"
#include "core/text/template/format.h"
#include "core/text/template/markup.h"
#include "core/text/template/numbers.h"
#include "core/text/template/runtime.h"
#include "core/text/template/search.h"

namespace nibble::jinja {
namespace {

constexpr std::string_view kOpNames[] = {"+", "-", "*", "/", "//", "%", "** or pow()"};

std::unexpected<Error> unsupported_operands(Op op, const Value& a, const Value& b) {
  return invalid_input("unsupported operand type(s) for {}: '{}' and '{}'", kOpNames[int(op)],
                       type_name(a), type_name(b));
}

Result<Value> integer_power(Integer base, Integer exponent) {
  Integer result = 1;
  bool overflow = false;
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1) overflow = __builtin_mul_overflow(result, base, &result) || overflow;
    if (exponent > 1) overflow = __builtin_mul_overflow(base, base, &base) || overflow;
    if (overflow) return too_large();
  }
  return Value::integer(result);
}

Integer floor_div(Integer a, Integer b) {
  const Integer q = a / b;
  return q * b != a && (a < 0) != (b < 0) ? q - 1 : q;
}

Integer floor_mod(Integer a, Integer b) {
  const Integer m = a % b;
  return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}

Result<Value> integers(Op op, Integer a, Integer b) {
  Integer out = 0;
  bool overflow = false;
  switch (op) {
    case Op::kAdd:
      overflow = __builtin_add_overflow(a, b, &out);
      break;
    case Op::kSub:
      overflow = __builtin_sub_overflow(a, b, &out);
      break;
    case Op::kMul:
      overflow = __builtin_mul_overflow(a, b, &out);
      break;
    case Op::kDiv:
      if (b == 0) return invalid_input("division by zero");
      return Value::number(divide(a, b));
    case Op::kFloorDiv:
    case Op::kMod:
      if (b == 0) return invalid_input("integer division or modulo by zero");
      if (b == -1)
        return op == Op::kMod ? Result<Value>(Value::integer(0)) : integers(Op::kSub, 0, a);
      out = op == Op::kMod ? floor_mod(a, b) : floor_div(a, b);
      break;
    default:
      if (b >= 0) return integer_power(a, b);
      if (a == 0) return invalid_input("0.0 cannot be raised to a negative power");
      return Value::number(std::pow(double(a), double(b)));
  }
  if (overflow) return too_large();
  return Value::integer(out);
}

double float_mod(double a, double b) {
  const double m = std::fmod(a, b);
  if (m == 0) return std::copysign(0.0, b);
  return (m < 0) != (b < 0) ? m + b : m;
}

double float_floor_div(double a, double b) {
  const double m = std::fmod(a, b);
  const double quotient = (a - m) / b - (m != 0 && (m < 0) != (b < 0) ? 1 : 0);
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floor = std::floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

Result<Value> floats(Op op, double a, double b) {
  switch (op) {
    case Op::kAdd:
      return Value::number(a + b);
    case Op::kSub:
      return Value::number(a - b);
    case Op::kMul:
      return Value::number(a * b);
    case Op::kDiv:
    case Op::kFloorDiv:
    case Op::kMod:
      if (b == 0) return invalid_input("float division by zero");
      if (op == Op::kDiv) return Value::number(a / b);
      return Value::number(op == Op::kMod ? float_mod(a, b) : float_floor_div(a, b));
    default:
      break;
  }
  if (a == 0 && b < 0) return invalid_input("0.0 cannot be raised to a negative power");
  if (a < 0 && std::isfinite(b) && b != std::floor(b))
    return invalid_input("a negative number cannot be raised to a fractional power");
  const double power = std::pow(a, b);
  if (std::isinf(power) && std::isfinite(a) && std::isfinite(b))
    return invalid_input("Numerical result out of range");
  return Value::number(power);
}

}  // namespace

Result<Value> Interpreter::concatenate(const Value& a, const Value& b) {
  if (a.is(Kind::kString) && b.is(Kind::kString)) {
    const bool safe = a.is_safe() || b.is_safe();
    const auto part = [&](const Value& v) {
      return safe && !v.is_safe() ? escape(v.str()) : v.str();
    };
    NIBBLE_CHECK(spend_bytes(a.str().size() + b.str().size()));
    return text(safe ? part(a) + part(b) : a.str() + b.str(), safe);
  }
  if (a.is_sequence() && a.kind() == b.kind()) {
    std::vector<Value> items;
    NIBBLE_CHECK(spend(int64_t(a.items().size() + b.items().size())));
    items.reserve(a.items().size() + b.items().size());
    items.insert(items.end(), a.items().begin(), a.items().end());
    items.insert(items.end(), b.items().begin(), b.items().end());
    return make_list(std::move(items), a.kind());
  }
  if (a.is(Kind::kString) || a.is_sequence())
    return invalid_input("can only concatenate {0} (not \"{1}\") to {0}", type_name(a),
                         type_name(b));
  return unsupported_operands(Op::kAdd, a, b);
}

Result<Value> Interpreter::repeat(const Value& v, Integer times) {
  const Integer n = times < 0 ? 0 : times;
  const auto size =
      Integer(v.is(Kind::kString) ? v.str().size() : v.items().size() * sizeof(Value));
  if (size > 0 && n > Integer(max_bytes()) / size)
    return invalid_input("the template makes a value larger than {} bytes", max_bytes());
  if (v.is(Kind::kString)) {
    NIBBLE_CHECK(spend_bytes(size_t(size * n)));
    std::string out;
    out.reserve(size_t(size * n));
    for (Integer i = 0; size > 0 && i < n; ++i) out += v.str();
    return text(std::move(out), v.is_safe());
  }
  std::vector<Value> items;
  NIBBLE_CHECK(spend(int64_t(v.items().size()) * (size > 0 ? int64_t(n) : 0)));
  for (Integer i = 0; size > 0 && i < n; ++i)
    items.insert(items.end(), v.items().begin(), v.items().end());
  return make_list(std::move(items), v.kind());
}

Result<Value> Interpreter::arithmetic(Op op, const Value& a, const Value& b) {
  for (const Value* v : {&a, &b})
    if (v->is_undefined() && !(v == &b && op == Op::kMod && a.is(Kind::kString)))
      return invalid_input("{}", undefined_message(*v));
  if (a.is_numeric() && b.is_numeric()) {
    if (a.is_integral() && b.is_integral()) return integers(op, a.to_integer(), b.to_integer());
    return floats(op, a.to_number(), b.to_number());
  }
  const auto repeatable = [](const Value& v) { return v.is(Kind::kString) || v.is_sequence(); };
  switch (op) {
    case Op::kAdd:
      return concatenate(a, b);
    case Op::kMul:
      if (repeatable(a) && b.is_integral()) return repeat(a, b.to_integer());
      if (repeatable(b) && a.is_integral()) return repeat(b, a.to_integer());
      break;
    case Op::kMod:
      if (a.is(Kind::kString)) return percent_format(*this, a, b);
      break;
    default:
      break;
  }
  return unsupported_operands(op, a, b);
}

Result<bool> Interpreter::equals(const Value& a, const Value& b) {
  NIBBLE_CHECK(spend(std::min(a.weight(), b.weight())));
  return equal(a, b);
}

Result<int> Interpreter::order(const Value& a, const Value& b, std::string_view op) {
  NIBBLE_CHECK(spend(std::min(a.weight(), b.weight())));
  return compare(a, b, op);
}

Result<bool> Interpreter::contains(const Value& container, const Value& v) {
  if (container.is(Kind::kString)) {
    if (!v.is(Kind::kString))
      return invalid_input("'in <string>' requires string as left operand, not {}", type_name(v));
    NIBBLE_CHECK(spend(container.weight() + v.weight()));
    return find_first(container.str(), v.str()) != std::string::npos;
  }
  const bool keys = container.is(Kind::kDict) ||
                    (container.is(Kind::kView) && container.as<View>().what == View::kKeys);
  if (keys) {
    NIBBLE_CHECK(spend(v.weight()));
    const Value& dict = container.is(Kind::kDict) ? container : container.as<View>().dict;
    NIBBLE_TRY(const Value* found, dict.as<Dict>().find(v));
    return found != nullptr;
  }
  if (!is_iterable(container))
    return invalid_input("argument of type '{}' is not iterable", type_name(container));
  NIBBLE_TRY(Iterator it, Iterator::over(*this, container));
  Value item;
  while (true) {
    NIBBLE_TRY(const bool more, it.next(item));
    if (!more) return false;
    NIBBLE_TRY(const bool eq, equals(item, v));
    if (eq) return true;
  }
}

}  // namespace nibble::jinja
