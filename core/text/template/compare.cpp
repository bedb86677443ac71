// Equality, order and hashes of values: numbers compare across types, sequences element by element.
#include <cmath>

#include "core/text/template/value.h"

namespace nibble::jinja {
namespace {

// Exact: a double compares to an integer by value, not after rounding one to the other.
int compare_numbers(const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) {
    const Integer x = a.to_integer(), y = b.to_integer();
    return x < y ? -1 : x > y;
  }
  const long double x = a.is_integral() ? static_cast<long double>(a.to_integer()) : a.to_number();
  const long double y = b.is_integral() ? static_cast<long double>(b.to_integer()) : b.to_number();
  if (std::isnan(x) || std::isnan(y)) return 2;
  return x < y ? -1 : x > y;
}

bool equal_dicts(const Dict& a, const Dict& b) {
  if (a.entries().size() != b.entries().size()) return false;
  for (const auto& [key, value] : a.entries()) {
    const auto other = b.find(key);
    if (!other || !*other || !equal(value, **other)) return false;
  }
  return true;
}

bool equal_sequences(const std::vector<Value>& a, const std::vector<Value>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (!equal(a[i], b[i])) return false;
  return true;
}

bool equal_ranges(const Range& a, const Range& b) {
  const Integer n = a.size();
  if (n != b.size()) return false;
  return n == 0 || (a.start == b.start && (n == 1 || a.step == b.step));
}

Result<int> compare_sequences(const Value& a, const Value& b, std::string_view op) {
  const auto &x = a.items(), &y = b.items();
  for (size_t i = 0; i < x.size() && i < y.size(); ++i)
    if (!equal(x[i], y[i])) return compare(x[i], y[i], op);
  return x.size() < y.size() ? -1 : x.size() > y.size();
}

size_t hash_number(const Value& v) {
  if (v.is_integral()) {
    const Integer i = v.to_integer();
    return std::hash<int64_t>{}(int64_t(i)) ^ size_t(i >> 64 == 0 || i >> 64 == -1 ? 0 : i >> 64);
  }
  const double f = v.to_number();
  if (std::abs(f) < 1e38 && f == std::floor(f)) return hash_number(Value::integer(Integer(f)));
  return std::hash<double>{}(f);
}

}  // namespace

bool equal(const Value& a, const Value& b) {
  if (a.is_numeric() && b.is_numeric()) return compare_numbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  if (a.identity() == b.identity()) return true;
  switch (a.kind()) {
    case Kind::kUndefined:
      return true;
    case Kind::kString:
      return a.str() == b.str();
    case Kind::kList:
    case Kind::kTuple:
      return equal_sequences(a.items(), b.items());
    case Kind::kDict:
      return equal_dicts(a.as<Dict>(), b.as<Dict>());
    case Kind::kRange:
      return equal_ranges(a.as<Range>(), b.as<Range>());
    default:
      return false;
  }
}

Result<int> compare(const Value& a, const Value& b, std::string_view op) {
  for (const Value* v : {&a, &b})
    if (v->is_undefined()) return invalid_input("{}", undefined_message(*v));
  if (a.is_numeric() && b.is_numeric()) return compare_numbers(a, b);
  if (a.is(Kind::kString) && b.is(Kind::kString)) {
    const int order = a.str().compare(b.str());
    return order < 0 ? -1 : order > 0;
  }
  if (a.is_sequence() && a.kind() == b.kind()) return compare_sequences(a, b, op);
  return invalid_input("'{}' not supported between instances of '{}' and '{}'", op, type_name(a),
                       type_name(b));
}

Result<size_t> hash(const Value& v) {
  switch (v.kind()) {
    case Kind::kString:
      return std::hash<std::string_view>{}(v.str());
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kFloat:
      return hash_number(v);
    case Kind::kUndefined:
    case Kind::kNone:
      return size_t(v.kind()) + 1;
    case Kind::kTuple: {
      size_t h = 0x345678;
      for (const Value& item : v.items()) {
        NIBBLE_TRY(const size_t one, hash(item));
        h = (h ^ one) * 1000003;
      }
      return h;
    }
    case Kind::kView:
      if (v.as<View>().what == View::kValues) return std::hash<const void*>{}(v.identity());
      [[fallthrough]];
    case Kind::kList:
    case Kind::kDict:
      return invalid_input("unhashable type: '{}'", type_name(v));
    case Kind::kRange:
      return size_t(v.as<Range>().size());
    default:
      return std::hash<const void*>{}(v.identity());
  }
}

}  // namespace nibble::jinja
