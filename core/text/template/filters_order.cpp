// Filters that compare: sorting, extremes, groups, duplicates.
#include <algorithm>

#include "core/text/template/characters.h"
#include "core/text/template/runtime.h"
#include "core/text/template/text_methods.h"
#include "core/text/unicode_case.h"

namespace nibble::jinja {
namespace {

Result<Value> folded(Interpreter& in, Value v, bool case_sensitive) {
  if (case_sensitive || !v.is(Kind::kString)) return v;
  return in.text(to_lower(v.str()), v.is_safe());
}

struct Keyed {
  std::vector<Value> keys;
  Value value;
  bool listed = false;
};

// One key compares as it is; several as a list does, by the first two that are not equal.
Result<int> compare_keys(Interpreter& in, const Keyed& a, const Keyed& b) {
  if (!a.listed) return in.order(a.keys[0], b.keys[0]);
  for (size_t i = 0; i < a.keys.size(); ++i) {
    NIBBLE_TRY(const bool eq, in.equals(a.keys[i], b.keys[i]));
    if (!eq) return in.order(a.keys[i], b.keys[i]);
  }
  return 0;
}

// A stable merge sort whose comparisons may fail.
Result<void> sort(Interpreter& in, std::vector<Keyed>& rows, bool reverse) {
  std::vector<Keyed> merged(rows.size());
  for (size_t width = 1; width < rows.size(); width *= 2) {
    for (size_t begin = 0; begin < rows.size(); begin += 2 * width) {
      const size_t middle = std::min(begin + width, rows.size());
      const size_t end = std::min(begin + 2 * width, rows.size());
      size_t a = begin, b = middle;
      for (size_t i = begin; i < end; ++i) {
        bool take_b = a == middle;
        if (a < middle && b < end) {
          NIBBLE_CHECK(in.spend(1));
          NIBBLE_TRY(const int order, reverse ? compare_keys(in, rows[a], rows[b])
                                              : compare_keys(in, rows[b], rows[a]));
          take_b = order == -1;
        }
        merged[i] = std::move(rows[take_b ? b++ : a++]);
      }
    }
    rows.swap(merged);
  }
  return {};
}

Result<Value> values_of(std::vector<Keyed> rows) {
  std::vector<Value> out;
  for (Keyed& row : rows) out.push_back(std::move(row.value));
  return make_list(std::move(out));
}

// The paths of "a,b.c", each as attribute_path takes it.
std::vector<Value> paths_of(const Value* attribute) {
  if (!attribute || !attribute->is(Kind::kString)) return {attribute ? *attribute : Value::none()};
  std::vector<Value> paths;
  std::string_view rest = attribute->str();
  while (true) {
    const std::string_view path = rest.substr(0, rest.find(','));
    paths.push_back(Value::text(std::string(path)));
    if (path.size() == rest.size()) return paths;
    rest.remove_prefix(path.size() + 1);
  }
}

Result<std::vector<Keyed>> keyed(Interpreter& in, const Value& v, const std::vector<Value>& paths,
                                 bool case_sensitive, const Value* otherwise = nullptr) {
  NIBBLE_TRY(std::vector<Value> items, in.collect(v));
  std::vector<Keyed> rows;
  for (Value& item : items) {
    Keyed row;
    for (const Value& path : paths) {
      NIBBLE_TRY(Value key, attribute_path(in, item, path, otherwise));
      NIBBLE_TRY(key, folded(in, std::move(key), case_sensitive));
      row.keys.push_back(std::move(key));
    }
    row.value = std::move(item);
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<Value> sort_filter(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(std::vector<Keyed> rows, keyed(in, self, paths_of(p.at[2]), p.flag(1)));
  for (Keyed& row : rows) row.listed = true;
  NIBBLE_CHECK(sort(in, rows, p.flag(0)));
  return values_of(std::move(rows));
}

Result<Value> dictsort(Interpreter& in, const Value& self, const Params& p) {
  if (self.is_undefined()) return invalid_input("{}", undefined_message(self));
  if (!self.is(Kind::kDict))
    return invalid_input("'{}' object has no attribute 'items'", type_name(self));
  NIBBLE_TRY(const std::string_view by, p.text(1, "key"));
  if (by != "key" && by != "value")
    return invalid_input("You can only sort by either \"key\" or \"value\"");
  View view;
  view.what = View::kItems;
  view.dict = self;
  NIBBLE_CHECK(in.spend(self.weight()));
  NIBBLE_TRY(const Value pairs, make_list(view_items(view)));
  NIBBLE_TRY(std::vector<Keyed> rows, keyed(in, pairs, {Value::integer(by == "value")}, p.flag(0)));
  NIBBLE_CHECK(sort(in, rows, p.flag(2)));
  return values_of(std::move(rows));
}

template <bool largest>
Result<Value> extreme(Interpreter& in, const Value& self, const Params& p) {
  const Value path = p.has(1) ? p[1] : Value::none();
  NIBBLE_TRY(std::vector<Keyed> rows, keyed(in, self, {path}, p.flag(0)));
  if (rows.empty()) return make_undefined("No aggregated item, sequence was empty.");
  size_t best = 0;
  for (size_t i = 1; i < rows.size(); ++i) {
    NIBBLE_TRY(const int order, in.order(rows[i].keys[0], rows[best].keys[0], largest ? ">" : "<"));
    if (order == (largest ? 1 : -1)) best = i;
  }
  return rows[best].value;
}

Result<Value> unique(Interpreter& in, const Value& self, const Params& p) {
  NIBBLE_TRY(Iterator source, Iterator::over(in, self));
  const bool case_sensitive = p.flag(0);
  const Value path = p.has(1) ? p[1] : Value::none();
  auto seen = std::make_shared<Dict>();
  return make_generator(
      self, [&in, source, case_sensitive, path, seen](Value& out) mutable -> Result<bool> {
        while (true) {
          NIBBLE_TRY(const bool more, source.next(out));
          if (!more) return false;
          NIBBLE_TRY(Value key, attribute_path(in, out, path, nullptr));
          NIBBLE_TRY(key, folded(in, std::move(key), case_sensitive));
          NIBBLE_CHECK(in.spend(4 + key.weight()));
          NIBBLE_TRY(const Value* old, seen->find(key));
          if (old) continue;
          NIBBLE_CHECK(seen->set(std::move(key), Value::none()));
          return true;
        }
      });
}

Result<Value> groupby(Interpreter& in, const Value& self, const Params& p) {
  const Value* otherwise = p.has(1) && !p[1].is(Kind::kNone) ? p.at[1] : nullptr;
  const bool case_sensitive = p.flag(2);
  NIBBLE_TRY(std::vector<Keyed> rows, keyed(in, self, {p[0]}, case_sensitive, otherwise));
  NIBBLE_CHECK(sort(in, rows, false));
  std::vector<Value> groups;
  for (size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
    std::vector<Value> members;
    for (bool same = true; end < rows.size(); ++end) {
      NIBBLE_TRY(same, in.equals(rows[begin].keys[0], rows[end].keys[0]));
      if (!same) break;
      members.push_back(rows[end].value);
    }
    Value key = rows[begin].keys[0];
    if (!case_sensitive) {
      NIBBLE_TRY(key, attribute_path(in, members[0], p[0], otherwise));
    }
    NIBBLE_TRY(Value list, make_list(std::move(members)));
    NIBBLE_TRY(Value group, make_list({std::move(key), std::move(list)}, Kind::kTuple));
    group.as<Sequence>().names = {"grouper", "list"};
    groups.push_back(std::move(group));
  }
  return make_list(std::move(groups));
}

constexpr Function kFilters[] = {
    {"sort", "reverse case_sensitive attribute", 0, sort_filter},
    {"dictsort", "case_sensitive by reverse", 0, dictsort},
    {"min", "case_sensitive attribute", 0, extreme<false>},
    {"max", "case_sensitive attribute", 0, extreme<true>},
    {"unique", "case_sensitive attribute", 0, unique},
    {"groupby", "attribute default case_sensitive", 1, groupby},
};

}  // namespace

std::pair<const Function*, size_t> tables::order_filters() {
  return {kFilters, std::size(kFilters)};
}

}  // namespace nibble::jinja
