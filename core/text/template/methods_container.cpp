// Methods of lists, tuples, dicts, ranges, numbers, loops and cyclers.
#include <bit>
#include <cmath>

#include "core/text/template/print.h"
#include "core/text/template/runtime.h"

namespace nibble::jinja {
namespace {

Result<Value> view(const Value& self, View::What what) {
  auto out = std::make_shared<View>();
  Extent extent;
  extent.add(self);
  NIBBLE_CHECK(extent.store(*out));
  out->what = what;
  out->dict = self;
  return Value::object(Kind::kView, std::move(out));
}
Result<Value> keys(Interpreter&, const Value& self, const Params&) {
  return view(self, View::kKeys);
}
Result<Value> values(Interpreter&, const Value& self, const Params&) {
  return view(self, View::kValues);
}
Result<Value> items(Interpreter&, const Value& self, const Params&) {
  return view(self, View::kItems);
}

Result<Value> get(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_CHECK(in.spend(p[0].weight()));
  NIBBLE_TRY(const Value* found, self.as<Dict>().find(p[0]));
  if (found) return *found;
  return p.has(1) ? p[1] : Value::none();
}

Result<Value> copy(Interpreter&, const Value& self, const Params&) {
  // Nothing can change either of the two, so they may be one.
  return self;
}

Result<Value> count(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(Iterator it, Iterator::over(in, self));
  Value v;
  for (int64_t n = 0;;) {
    NIBBLE_TRY(const bool more, it.next(v));
    if (!more) return Value::integer(n);
    NIBBLE_TRY(const bool eq, in.equals(v, p[0]));
    n += eq;
  }
}

Result<Value> index(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const int64_t n, length(self));
  NIBBLE_TRY(Integer start, p.integer(1, 0));
  NIBBLE_TRY(Integer stop, p.integer(2, n));
  if (start < 0) start = std::max<Integer>(0, start + n);
  if (stop < 0) stop += n;
  for (Integer i = start; i < std::min<Integer>(stop, n); ++i) {
    NIBBLE_TRY(const Value v, in.item(self, Value::integer(i)));
    NIBBLE_TRY(const bool eq, in.equals(v, p[0]));
    if (eq) return Value::integer(i);
  }
  return invalid_input("{} is not in {}", short_repr(p[0]), type_name(self));
}

Result<Value> bit_length(Interpreter&, const Value& self, const Params&) {
  Integer i = self.to_integer();
  int bits = 0;
  for (; i != 0; i /= 2) ++bits;
  return Value::integer(bits);
}
Result<Value> bit_count(Interpreter&, const Value& self, const Params&) {
  int bits = 0;
  for (Integer i = self.to_integer(); i != 0; i /= 2) bits += i % 2 != 0;
  return Value::integer(bits);
}
Result<Value> is_integer(Interpreter&, const Value& self, const Params&) {
  const double f = self.to_number();
  return Value::boolean(std::isfinite(f) && f == std::floor(f));
}

Result<Value> cycle(Interpreter&, const Value& self, const Params& p) {
  const auto& choices = p.all->positional;
  if (choices.empty()) return invalid_input("no items for cycling given");
  return choices[size_t(self.as<Loop>().index0) % choices.size()];
}

Result<Value> changed(Interpreter& in, const Value& self, const Params& p) {
  Loop& loop = self.as<Loop>();
  NIBBLE_TRY(const Value now, make_list(p.all->positional, Kind::kTuple));
  if (loop.changed) {
    NIBBLE_TRY(const bool eq, in.equals(*loop.changed, now));
    if (eq) return Value::boolean(false);
  } else {
    in.keep(self.shared());
  }
  loop.changed = now;
  return Value::boolean(true);
}

Result<Value> next(Interpreter&, const Value& self, const Params&) {
  Cycler& cycler = self.as<Cycler>();
  const size_t at = std::exchange(cycler.at, (cycler.at + 1) % cycler.items.size());
  return cycler.items[at];
}
Result<Value> reset(Interpreter&, const Value& self, const Params&) {
  self.as<Cycler>().at = 0;
  return Value::none();
}

constexpr Function kMethods[] = {
    {"keys", "", 0, keys},
    {"values", "", 0, values},
    {"items", "", 0, items},
    {"get", "key default", 1, get},
    {"copy", "", 0, copy},
    {"count", "value", 1, count},
    {"index", "value start stop", 1, index},
    {"bit_length", "", 0, bit_length},
    {"bit_count", "", 0, bit_count},
    {"is_integer", "", 0, is_integer},
    {"cycle", "*", 0, cycle},
    {"changed", "*", 0, changed},
    {"next", "", 0, next},
    {"reset", "", 0, reset},
};

}  // namespace

std::pair<const Function*, size_t> tables::container_methods() {
  return {kMethods, std::size(kMethods)};
}

}  // namespace nibble::jinja
