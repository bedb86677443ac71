// What may stand after `is`.
#include "core/text/template/characters.h"
#include "core/text/template/print.h"
#include "core/text/template/runtime.h"
#include "core/text/template/text_methods.h"

namespace nibble::jinja {
namespace {

bool is_number(const Value& v) { return v.is_numeric(); }
bool is_sequence(const Value& v) {
  switch (v.kind()) {
    case Kind::kUndefined:
    case Kind::kString:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
    case Kind::kRange:
      return true;
    default:
      return false;
  }
}
bool is_callable(const Value& v) {
  switch (v.kind()) {
    case Kind::kUndefined:
    case Kind::kLoop:
    case Kind::kMacro:
    case Kind::kBuiltin:
    case Kind::kMethod:
    case Kind::kJoiner:
      return true;
    default:
      return false;
  }
}
bool is_defined(const Value& v) { return !v.is_undefined(); }
bool is_true(const Value& v) { return v.is(Kind::kBool) && truth(v); }
bool is_false(const Value& v) { return v.is(Kind::kBool) && !truth(v); }
bool is_escaped(const Value& v) { return v.is(Kind::kString) && v.is_safe(); }
bool is_undefined(const Value& v) { return v.is_undefined(); }
template <Kind kind>
bool is_kind(const Value& v) {
  return v.is(kind);
}

template <bool (*check)(const Value&)>
Result<Value> plain(Interpreter&, const Value& self, const Params&) {
  return Value::boolean(check(self));
}

Result<Value> remainder(Interpreter& in, const Value& v, const Value& by, Integer wanted) {
  NIBBLE_TRY(const Value rest, in.arithmetic(Op::kMod, v, by));
  return Value::boolean(equal(rest, Value::integer(wanted)));
}
Result<Value> odd(Interpreter& in, const Value& self, const Params&) {
  return remainder(in, self, Value::integer(2), 1);
}
Result<Value> even(Interpreter& in, const Value& self, const Params&) {
  return remainder(in, self, Value::integer(2), 0);
}
Result<Value> divisible_by(Interpreter& in, const Value& self, const Params& p) {
  return remainder(in, self, p[0], 0);
}

Result<Value> eq(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const bool holds, in.equals(self, p[0]));
  return Value::boolean(holds);
}
Result<Value> ne(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const bool holds, in.equals(self, p[0]));
  return Value::boolean(!holds);
}
Result<Value> lt(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const int order, in.order(self, p[0], "<"));
  return Value::boolean(order == -1);
}
Result<Value> le(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const int order, in.order(self, p[0], "<="));
  return Value::boolean(order == -1 || order == 0);
}
Result<Value> gt(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const int order, in.order(self, p[0], ">"));
  return Value::boolean(order == 1);
}
Result<Value> ge(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const int order, in.order(self, p[0], ">="));
  return Value::boolean(order == 0 || order == 1);
}
Result<Value> in_(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const bool holds, in.contains(p[0], self));
  return Value::boolean(holds);
}
Result<Value> same_as(Interpreter&, const Value& self, const Params& p) {
  return Value::boolean(same(self, p[0]));
}

template <bool upper>
Result<Value> cased(Interpreter& in, const Value& self, const Params&) {
  NIBBLE_TRY(const std::string s, in.str(self));
  NIBBLE_CHECK(in.spend_chars(s));
  return Value::boolean(all_cased(s, upper));
}

Result<Value> filter(Interpreter& in, const Value& self, const Params&) {
  NIBBLE_CHECK(in.spend(self.weight()));
  NIBBLE_CHECK(check_hashable(self));
  return Value::boolean(self.is(Kind::kString) && find_filter(self.str()));
}
Result<Value> test(Interpreter& in, const Value& self, const Params&) {
  NIBBLE_CHECK(in.spend(self.weight()));
  NIBBLE_CHECK(check_hashable(self));
  return Value::boolean(self.is(Kind::kString) && find_test(self.str()));
}

constexpr Function kTests[] = {
    {"defined", "", 0, plain<is_defined>},
    {"undefined", "", 0, plain<is_undefined>},
    {"none", "", 0, plain<is_kind<Kind::kNone>>},
    {"boolean", "", 0, plain<is_kind<Kind::kBool>>},
    {"true", "", 0, plain<is_true>},
    {"false", "", 0, plain<is_false>},
    {"integer", "", 0, plain<is_kind<Kind::kInt>>},
    {"float", "", 0, plain<is_kind<Kind::kFloat>>},
    {"number", "", 0, plain<is_number>},
    {"string", "", 0, plain<is_kind<Kind::kString>>},
    {"mapping", "", 0, plain<is_kind<Kind::kDict>>},
    {"sequence", "", 0, plain<is_sequence>},
    {"iterable", "", 0, plain<is_iterable>},
    {"callable", "", 0, plain<is_callable>},
    {"escaped", "", 0, plain<is_escaped>},
    {"odd", "", 0, odd},
    {"even", "", 0, even},
    {"divisibleby", "num", 1, divisible_by},
    {"eq", "other", 1, eq},
    {"equalto", "other", 1, eq},
    {"==", "other", 1, eq},
    {"ne", "other", 1, ne},
    {"!=", "other", 1, ne},
    {"lt", "other", 1, lt},
    {"lessthan", "other", 1, lt},
    {"<", "other", 1, lt},
    {"le", "other", 1, le},
    {"<=", "other", 1, le},
    {"gt", "other", 1, gt},
    {"greaterthan", "other", 1, gt},
    {">", "other", 1, gt},
    {"ge", "other", 1, ge},
    {">=", "other", 1, ge},
    {"in", "seq", 1, in_},
    {"sameas", "other", 1, same_as},
    {"lower", "", 0, cased<false>},
    {"upper", "", 0, cased<true>},
    {"filter", "", 0, filter},
    {"test", "", 0, test},
};

}  // namespace

std::pair<const Function*, size_t> tables::tests() { return {kTests, std::size(kTests)}; }

}  // namespace nibble::jinja
