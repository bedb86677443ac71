// Filters over sequences: ends, slices, sums, lists of pairs.
#include <algorithm>

#include "core/text/template/characters.h"
#include "core/text/template/print.h"
#include "core/text/template/runtime.h"
#include "core/text/template/text_methods.h"

namespace nibble::jinja {
namespace {

Result<Value> list(Interpreter& in, const Value& self, const Params&) {
  NIBBLE_TRY(std::vector<Value> items, in.collect(self));
  return make_list(std::move(items));
}

Result<Value> items(Interpreter& in, const Value& self, const Params&) {
  if (!self.is(Kind::kDict) && !self.is_undefined()) {
    return make_generator(self, [](Value&) -> Result<bool> {
      return invalid_input("Can only get item pairs from a mapping.");
    });
  }
  Value source = self;
  if (self.is(Kind::kDict)) {
    auto view = std::make_shared<View>();
    Extent extent;
    extent.add(self);
    NIBBLE_CHECK(extent.store(*view));
    view->what = View::kItems;
    view->dict = self;
    source = Value::object(Kind::kView, std::move(view));
  }
  NIBBLE_TRY(Iterator it, Iterator::over(in, source));
  return make_generator(source, [it](Value& out) mutable { return it.next(out); });
}

Result<Value> first(Interpreter& in, const Value& self, const Params&) {
  NIBBLE_TRY(Iterator it, Iterator::over(in, self));
  Value v;
  NIBBLE_TRY(const bool more, it.next(v));
  return more ? v : make_undefined("No first item, sequence was empty.");
}

// What reversed() takes, as a list from the end to the start.
Result<std::vector<Value>> reversed_items(Interpreter& in, const Value& v) {
  const bool reversible = is_iterable(v) && !v.is(Kind::kGenerator) && !v.is(Kind::kLoop);
  if (!reversible) return invalid_input("'{}' object is not reversible", type_name(v));
  NIBBLE_TRY(std::vector<Value> out, in.collect(v));
  std::ranges::reverse(out);
  return out;
}

Result<Value> last(Interpreter& in, const Value& self, const Params&) {
  if (self.is_sequence() && !self.items().empty()) return self.items().back();
  NIBBLE_TRY(std::vector<Value> items, reversed_items(in, self));
  return items.empty() ? make_undefined("No last item, sequence was empty.") : items.front();
}

Result<Value> reverse(Interpreter& in, const Value& self, const Params&) {
  if (self.is(Kind::kString))
    return in.slice(self, Value::none(), Value::none(), Value::integer(-1));
  if (self.is(Kind::kGenerator) || self.is(Kind::kLoop)) {
    NIBBLE_TRY(std::vector<Value> all, in.collect(self));
    std::ranges::reverse(all);
    return make_list(std::move(all));
  }
  NIBBLE_TRY(std::vector<Value> all, reversed_items(in, self));
  NIBBLE_TRY(const Value source, make_list(std::move(all)));
  NIBBLE_TRY(Iterator it, Iterator::over(in, source));
  return make_generator(source, [it](Value& out) mutable { return it.next(out); });
}

Result<Value> sum(Interpreter& in, const Value& self, const Params& p) {
  Value total = p.has(1) ? p[1] : Value::integer(0);
  if (total.is(Kind::kString))
    return invalid_input("sum() can't sum strings [use ''.join(seq) instead]");
  NIBBLE_TRY(Iterator it, Iterator::over(in, self));
  Value v;
  while (true) {
    NIBBLE_TRY(const bool more, it.next(v));
    if (!more) return total;
    if (p.has(0)) {
      NIBBLE_TRY(v, attribute_path(in, v, p[0], nullptr));
    }
    NIBBLE_TRY(total, in.arithmetic(Op::kAdd, total, v));
  }
}

Result<int64_t> number_of(const Params& p, std::string_view what) {
  NIBBLE_TRY(const Integer n, p.integer(0, 0));
  if (n > INT32_MAX) return invalid_input("{}: a number above {}", what, INT32_MAX);
  return int64_t(std::max<Integer>(n, -1));
}

// As jinja2's batch does it: rows of 0 give an empty one and then all items, as those below 0 do.
Result<Value> batch(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const int64_t size, number_of(p, "batch"));
  NIBBLE_TRY(Iterator source, Iterator::over(in, self));
  const Value fill = p.has(1) ? p[1] : Value::none();
  NIBBLE_TRY(const Value held, make_list({self, fill}));
  return make_generator(
      held,
      [&in, source, size, fill, row = std::vector<Value>()](Value& out) mutable -> Result<bool> {
        while (true) {
          Value v;
          NIBBLE_TRY(const bool more, source.next(v));
          if (!more) break;
          const bool full = int64_t(row.size()) == size;
          if (full) {
            NIBBLE_TRY(out, make_list(std::exchange(row, {})));
          }
          row.push_back(std::move(v));
          if (full) return true;
        }
        if (row.empty()) return false;
        const int64_t missing = size - int64_t(row.size());
        if (!fill.is(Kind::kNone) && missing > 0) {
          NIBBLE_CHECK(in.spend(missing));
          row.resize(size_t(size), fill);
        }
        NIBBLE_TRY(out, make_list(std::exchange(row, {})));
        return true;
      });
}

Result<Value> slice(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const int64_t slices, number_of(p, "slice"));
  NIBBLE_TRY(const std::vector<Value> items, in.collect(self));
  if (slices == 0) return invalid_input("integer division or modulo by zero");
  NIBBLE_CHECK(in.spend(std::max<int64_t>(slices, 0)));
  const auto n = int64_t(items.size());
  std::vector<Value> rows;
  int64_t at = 0;
  for (int64_t i = 0; i < slices; ++i) {
    const bool extra = i < n % slices;
    const int64_t size = n / slices + extra;
    std::vector<Value> row(items.begin() + at, items.begin() + at + size);
    at += size;
    if (!extra && p.has(1) && !p[1].is(Kind::kNone)) row.push_back(p[1]);
    NIBBLE_TRY(Value v, make_list(std::move(row)));
    rows.push_back(std::move(v));
  }
  NIBBLE_TRY(const Value source, make_list(std::move(rows)));
  NIBBLE_TRY(Iterator it, Iterator::over(in, source));
  return make_generator(source, [it](Value& out) mutable { return it.next(out); });
}

// attr finds attributes only, never items.
Result<Value> attr(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(const std::string_view name, p.text(0));
  if (self.is(Kind::kDict) && !find_method(self, name).exists) return missing_attribute(self, name);
  return in.attribute(self, name);
}

// No template may depend on chance: the first item stands for a random one.
Result<Value> random(Interpreter& in, const Value& self, const Params&) {
  NIBBLE_TRY(const int64_t n, length(self));
  if (n == 0) return make_undefined("No random item, sequence was empty.");
  return in.item(self, Value::integer(0));
}

constexpr Function kFilters[] = {
    {"list", "", 0, list},
    {"items", "", 0, items},
    {"first", "", 0, first},
    {"last", "", 0, last},
    {"reverse", "", 0, reverse},
    {"sum", "attribute start", 0, sum},
    {"batch", "linecount fill_with", 1, batch},
    {"slice", "slices fill_with", 1, slice},
    {"attr", "name", 1, attr},
    {"random", "", 0, random},
};

}  // namespace

std::pair<const Function*, size_t> tables::sequence_filters() {
  return {kFilters, std::size(kFilters)};
}

}  // namespace nibble::jinja
