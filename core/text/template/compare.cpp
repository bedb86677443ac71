// Equality, order and dict keys: numbers compare across types, sequences element by element.
#include <cmath>
#include <tuple>

#include "core/text/template/value.h"

namespace nibble::jinja {
namespace {

// Exact: a double compares to an integer by value, not after rounding one to the other.
int compare_numbers(const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) {
    const Integer x = a.to_integer(), y = b.to_integer();
    return x < y ? -1 : x > y;
  }
  const double x = a.to_number(), y = b.to_number();
  if (std::isnan(x) || std::isnan(y)) return 2;
  if (x != y || a.kind() == b.kind() || std::abs(x) >= 0x1p127) return x < y ? -1 : x > y;
  const Integer i = a.is_integral() ? a.to_integer() : Integer(x);
  const Integer j = b.is_integral() ? b.to_integer() : Integer(y);
  return i < j ? -1 : i > j;
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

// Kinds whose equal values are one key stand under one number.
int key_rank(const Value& v) { return v.is_numeric() ? int(Kind::kInt) : int(v.kind()); }

int three_way(auto a, auto b) { return a < b ? -1 : b < a; }

int order_keys(const Value& a, const Value& b);

int order_number_keys(const Value& a, const Value& b) {
  const auto is_nan = [](const Value& v) { return std::isnan(v.to_number()); };
  if (is_nan(a) || is_nan(b)) return three_way(is_nan(a), is_nan(b));
  return compare_numbers(a, b);
}

int order_tuple_keys(const std::vector<Value>& a, const std::vector<Value>& b) {
  for (size_t i = 0; i < a.size() && i < b.size(); ++i)
    if (const int order = order_keys(a[i], b[i])) return order;
  return three_way(a.size(), b.size());
}

int order_range_keys(const Range& a, const Range& b) {
  if (equal_ranges(a, b)) return 0;
  return three_way(std::tuple(a.size(), a.start, a.step), std::tuple(b.size(), b.start, b.step));
}

int order_keys(const Value& a, const Value& b) {
  if (const int order = three_way(key_rank(a), key_rank(b))) return order;
  switch (a.kind()) {
    case Kind::kUndefined:
    case Kind::kNone:
      return 0;
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kFloat:
      return order_number_keys(a, b);
    case Kind::kString:
      return three_way(a.str().compare(b.str()), 0);
    case Kind::kTuple:
      return order_tuple_keys(a.items(), b.items());
    case Kind::kRange:
      return order_range_keys(a.as<Range>(), b.as<Range>());
    default:
      return three_way(a.identity(), b.identity());
  }
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

Result<void> check_hashable(const Value& v) {
  switch (v.kind()) {
    case Kind::kTuple:
      for (const Value& item : v.items()) NIBBLE_CHECK(check_hashable(item));
      return {};
    case Kind::kView:
      if (v.as<View>().what == View::kValues) return {};
      [[fallthrough]];
    case Kind::kList:
    case Kind::kDict:
      return invalid_input("unhashable type: '{}'", type_name(v));
    default:
      return {};
  }
}

bool KeyOrder::operator()(const Value& a, const Value& b) const { return order_keys(a, b) < 0; }
bool KeyOrder::operator()(const Value& a, std::string_view b) const {
  return a.is(Kind::kString) ? a.str() < b : key_rank(a) < int(Kind::kString);
}
bool KeyOrder::operator()(std::string_view a, const Value& b) const {
  return b.is(Kind::kString) ? a < b.str() : int(Kind::kString) < key_rank(b);
}

}  // namespace nibble::jinja
