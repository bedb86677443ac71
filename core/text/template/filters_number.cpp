// Filters that give numbers, and the default filter.
#include <cmath>

#include "core/text/template/numbers.h"
#include "core/text/template/print.h"
#include "core/text/template/runtime.h"

namespace nibble::jinja {
namespace {

Result<Value> default_(Interpreter&, const Value& self, const Params& p) {
  const bool replace = self.is_undefined() || (p.flag(1) && !truth(self));
  if (!replace) return self;
  return p.has(0) ? p[0] : Value::text("");
}

Result<Value> length_filter(Interpreter&, const Value& self, const Params&) {
  if (self.is(Kind::kLoop)) {
    NIBBLE_TRY(const int64_t n, self.as<Loop>().length());
    return Value::integer(n);
  }
  NIBBLE_TRY(const int64_t n, length(self));
  return Value::integer(n);
}

// The integer that int() gives, or nothing where the default counts.
Result<std::optional<Integer>> as_int(const Value& v, int base) {
  if (v.is_integral()) return v.to_integer();
  std::optional<double> f;
  if (v.is(Kind::kString)) {
    NIBBLE_TRY(const auto i, int_of(v.str(), base));
    if (i) return i;
    f = float_of(v.str());  // so that "42.5" gives 42
    if (f && std::isinf(*f)) return std::nullopt;
  } else if (v.is(Kind::kFloat)) {
    f = v.to_number();
  }
  if (!f || std::isnan(*f)) return std::nullopt;
  return truncate(*f);
}

Result<Value> int_(Interpreter& in, const Value& self, const Params& p) {
  if (self.is(Kind::kString)) NIBBLE_CHECK(in.spend_chars(self.str()));
  if (self.is_undefined()) return invalid_input("{}", undefined_message(self));
  NIBBLE_TRY(const Integer base, p.integer(1, 10));
  const bool valid = base == 0 || (base >= 2 && base <= 36);
  NIBBLE_TRY(const auto i, as_int(self, valid ? int(base) : 10));
  if (i) return Value::integer(*i);
  return p.has(0) ? p[0] : Value::integer(0);
}

Result<Value> float_(Interpreter& in, const Value& self, const Params& p) {
  if (self.is(Kind::kString)) NIBBLE_CHECK(in.spend_chars(self.str()));
  if (self.is_undefined()) return invalid_input("{}", undefined_message(self));
  if (self.is_numeric()) return Value::number(self.to_number());
  if (self.is(Kind::kString))
    if (const auto f = float_of(self.str())) return Value::number(*f);
  return p.has(0) ? p[0] : Value::number(0);
}

Result<Value> abs_(Interpreter& in, const Value& self, const Params&) {
  if (self.is(Kind::kFloat)) return Value::number(std::abs(self.to_number()));
  if (!self.is_integral())
    return invalid_input("bad operand type for abs(): '{}'", type_name(self));
  if (self.to_integer() >= 0) return Value::integer(self.to_integer());
  return in.arithmetic(Op::kSub, Value::integer(0), self);
}

// To a multiple of 10^n, half to even.
Result<Value> round_integer(Integer i, Integer n) {
  if (n < 0) return Value::integer(i);
  Integer unit = 1;
  for (; n > 0; --n)
    if (__builtin_mul_overflow(unit, Integer(10), &unit)) return Value::integer(0);
  Integer rest = i % unit;
  if (rest < 0) rest += unit;
  Integer down = i - rest;
  const bool odd = (down / unit) % 2 != 0;
  const bool up = rest > unit - rest || (rest == unit - rest && odd);
  if (up && __builtin_add_overflow(down, unit, &down)) return too_large();
  return Value::integer(down);
}

Result<Value> round_(Interpreter&, const Value& self, const Params& p) {
  NIBBLE_TRY(const Integer precision, p.integer(0, 0));
  NIBBLE_TRY(const std::string_view method, p.text(1, "common"));
  if (method != "common" && method != "ceil" && method != "floor")
    return invalid_input("round: method must be common, ceil or floor");
  if (!self.is_numeric())
    return invalid_input("type {} doesn't define __round__ method", type_name(self));
  if (precision > 400 || precision < -400) return self;
  if (method == "common") {
    if (self.is_integral())
      return precision >= 0 ? Result<Value>(Value::integer(self.to_integer()))
                            : round_integer(self.to_integer(), -precision);
    return Value::number(round_to(self.to_number(), int(precision)));
  }
  if (self.is_integral() && precision >= 0) return Value::number(self.to_number());
  const double scale = std::pow(10.0, double(precision));
  const double scaled = self.to_number() * scale;
  const double rounded = method == "ceil" ? std::ceil(scaled) : std::floor(scaled);
  if (!std::isfinite(rounded))
    return invalid_input("cannot convert float {} to integer", number_repr(scaled));
  return Value::number((rounded == 0 ? 0.0 : rounded) / scale);
}

Result<Value> filesizeformat(Interpreter& in, const Value& self, const Params& p) {
  if (self.is(Kind::kString)) NIBBLE_CHECK(in.spend_chars(self.str()));
  double bytes = 0;
  if (self.is_numeric()) {
    bytes = self.to_number();
  } else {
    const auto parsed = self.is(Kind::kString) ? float_of(self.str()) : std::nullopt;
    if (!parsed) return invalid_input("could not convert {} to float", short_repr(self));
    bytes = *parsed;
  }
  const bool binary = p.flag(0);
  const double base = binary ? 1024 : 1000;
  if (bytes == 1) return Value::text("1 Byte");
  if (bytes < base) return Value::text(fmt::format("{} Bytes", int64_t(bytes)));
  static constexpr std::string_view kPrefixes = "kMGTPEZY";
  double unit = base;
  size_t i = 0;
  while (i + 1 < kPrefixes.size() && bytes >= unit * base) unit *= base, ++i;
  const char prefix = binary && i == 0 ? 'K' : kPrefixes[i];
  return Value::text(fmt::format("{:.1f} {}{}B", bytes / unit, prefix, binary ? "i" : ""));
}

constexpr Function kFilters[] = {
    {"default", "default_value boolean", 0, default_},
    {"d", "default_value boolean", 0, default_},
    {"length", "", 0, length_filter},
    {"count", "", 0, length_filter},
    {"int", "default base", 0, int_},
    {"float", "default", 0, float_},
    {"abs", "", 0, abs_},
    {"round", "precision method", 0, round_},
    {"filesizeformat", "binary", 0, filesizeformat},
};

}  // namespace

std::pair<const Function*, size_t> tables::number_filters() {
  return {kFilters, std::size(kFilters)};
}

}  // namespace nibble::jinja
