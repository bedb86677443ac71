// a.b, a[b], a[i:j]: Python's attributes as the sandbox shows them, then items, then undefined.
#include <algorithm>

#include "core/text/template/characters.h"
#include "core/text/template/numbers.h"
#include "core/text/template/print.h"
#include "core/text/template/runtime.h"

namespace nibble::jinja {
namespace {

Value unsafe_attribute(const Value& owner, std::string_view name) {
  return make_undefined(fmt::format("access to attribute {} of {} object is unsafe.", quote(name),
                                    quote(type_name(owner))));
}

Result<Value> bound_method(const Value& owner, std::string_view name) {
  auto method = std::make_shared<Method>();
  Extent extent;
  extent.add(owner);
  NIBBLE_CHECK(extent.store(*method));
  method->receiver = owner;
  method->name = name;
  return Value::object(Kind::kMethod, std::move(method));
}

bool number_attribute(const Value& v, std::string_view name, Value& out) {
  const bool integral = v.is_integral();
  if (name == "real")
    out = integral ? Value::integer(v.to_integer()) : v;
  else if (name == "imag")
    out = integral ? Value::integer(0) : Value::number(0);
  else if (integral && name == "numerator")
    out = Value::integer(v.to_integer());
  else if (integral && name == "denominator")
    out = Value::integer(1);
  else
    return false;
  return true;
}

bool range_attribute(const Range& r, std::string_view name, Value& out) {
  if (name == "start")
    out = Value::integer(r.start);
  else if (name == "stop")
    out = Value::integer(r.stop);
  else if (name == "step")
    out = Value::integer(r.step);
  else
    return false;
  return true;
}

Result<bool> macro_attribute(const MacroNode& macro, std::string_view name, Value& out) {
  if (name == "name") {
    out = macro.name.empty() ? Value::none() : Value::text(macro.name);
  } else if (name == "arguments") {
    std::vector<Value> names;
    for (const std::string& param : macro.param_names) names.push_back(Value::text(param));
    NIBBLE_TRY(out, make_list(std::move(names), Kind::kTuple));
  } else if (name == "caller") {
    out = Value::boolean(macro.uses_caller);
  } else if (name == "catch_kwargs") {
    out = Value::boolean(macro.uses_kwargs);
  } else if (name == "catch_varargs") {
    out = Value::boolean(macro.uses_varargs);
  } else {
    return false;
  }
  return true;
}

// Python's rule for one end of a slice.
Integer clamp_index(Integer i, Integer n, Integer low, Integer high) {
  return std::clamp(i < 0 ? i + n : i, low, high);
}

struct SliceRange {
  Integer start, stop, count, step;
};
Result<SliceRange> slice_range(Integer n, const Value& start, const Value& stop,
                               const Value& step) {
  const Value* parts[] = {&start, &stop, &step};
  for (const Value* v : parts)
    if (!v->is_integral() && !v->is(Kind::kNone))
      return invalid_input("slice indices must be integers or None");
  const Integer by = step.is(Kind::kNone) ? 1 : step.to_integer();
  if (by == 0) return invalid_input("slice step cannot be zero");
  const Integer low = by > 0 ? 0 : -1, high = by > 0 ? n : n - 1;
  const Integer from =
      start.is(Kind::kNone) ? (by > 0 ? 0 : n - 1) : clamp_index(start.to_integer(), n, low, high);
  const Integer to =
      stop.is(Kind::kNone) ? (by > 0 ? n : -1) : clamp_index(stop.to_integer(), n, low, high);
  Range range;
  range.start = from, range.stop = to, range.step = std::clamp<Integer>(by, -n - 1, n + 1);
  return SliceRange{from, to, range.size(), by};
}

std::string slice_text(const Value& v, const SliceRange& r) {
  const String& s = v.as<String>();
  if (r.step == 1) {
    const size_t begin = char_offset_of(s, size_t(r.start));
    const size_t end = char_offset_of(s, size_t(r.start + r.count));
    return s.text.substr(begin, end - begin);
  }
  std::string out;
  if (s.n_chars == s.text.size()) {
    for (Integer i = 0; i < r.count; ++i) out += s.text[size_t(r.start + i * r.step)];
    return out;
  }
  const auto chars = split_chars(s.text);
  for (Integer i = 0; i < r.count; ++i) out += chars[size_t(r.start + i * r.step)];
  return out;
}

}  // namespace

size_t char_offset_of(const String& s, size_t n) {
  return s.n_chars == s.text.size() ? std::min(n, s.text.size()) : char_offset(s.text, n);
}

Result<Value> Interpreter::loop_attribute(const Value& value, std::string_view name, bool& found) {
  Loop& loop = value.as<Loop>();
  if (name == "index0") return Value::integer(loop.index0);
  if (name == "index") return Value::integer(loop.index0 + 1);
  if (name == "first") return Value::boolean(loop.index0 == 0);
  if (name == "depth") return Value::integer(loop.level + 1);
  if (name == "depth0") return Value::integer(loop.level);
  if (name == "last" || name == "nextitem") {
    NIBBLE_TRY(const bool more, loop.peek());
    if (name == "last") return Value::boolean(!more);
    return more ? loop.after : make_undefined("there is no next item");
  }
  if (name == "previtem")
    return loop.index0 > 0 ? loop.before : make_undefined("there is no previous item");
  if (name == "length" || name == "revindex" || name == "revindex0") {
    NIBBLE_TRY(const int64_t n, loop.length());
    if (name == "length") return Value::integer(n);
    return Value::integer(n - loop.index0 - (name == "revindex0"));
  }
  found = find_method(value, name).exists;
  return found ? bound_method(value, name) : Value();
}

// What Python's getattr finds. found: false when there is no such attribute.
Result<Value> Interpreter::plain_attribute(const Value& owner, std::string_view name, bool& found) {
  found = true;
  if (owner.is_undefined()) return invalid_input("{}", undefined_message(owner));
  Value out;
  switch (owner.kind()) {
    case Kind::kNamespace:
      NIBBLE_CHECK(spend(int64_t(owner.as<Namespace>().attributes.size() / 4)));
      for (const auto& [key, value] : owner.as<Namespace>().attributes)
        if (key == name) return name.starts_with('_') ? unsafe_attribute(owner, name) : value;
      found = false;
      return out;
    case Kind::kLoop:
      return loop_attribute(owner, name, found);
    case Kind::kMacro: {
      NIBBLE_TRY(found, macro_attribute(*owner.as<Macro>().node, name, out));
      return out;
    }
    case Kind::kCycler:
      if (name == "current") return owner.as<Cycler>().items[owner.as<Cycler>().at];
      break;
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kFloat:
      if (number_attribute(owner, name, out)) return out;
      break;
    case Kind::kTuple: {
      const auto& names = owner.as<Sequence>().names;
      const auto at = std::ranges::find(names, name);
      if (at != names.end()) return owner.items()[size_t(at - names.begin())];
      break;
    }
    case Kind::kRange:
      if (range_attribute(owner.as<Range>(), name, out)) return out;
      break;
    default:
      break;
  }
  const MethodLookup method = find_method(owner, name);
  found = method.exists;
  if (!found) return out;
  return method.unsafe ? unsafe_attribute(owner, name) : bound_method(owner, name);
}

Result<Value> Interpreter::attribute(const Value& owner, std::string_view name) {
  bool found = false;
  NIBBLE_TRY(Value v, plain_attribute(owner, name, found));
  if (found) return v;
  if (owner.is(Kind::kDict)) {
    if (const Value* value = owner.as<Dict>().find(name)) return *value;
  } else if (name.starts_with("__")) {
    return unsafe_attribute(owner, name);
  }
  return missing_attribute(owner, name);
}

// owner[key] as Python's __getitem__ gives it; null when it raises a type or lookup error.
Result<const Value*> Interpreter::subscript(const Value& owner, const Value& key, Value& made) {
  NIBBLE_CHECK(spend(key.weight()));
  if (owner.is(Kind::kDict)) {
    const auto found = owner.as<Dict>().find(key);
    return found ? *found : nullptr;
  }
  const bool indexed = owner.is_sequence() || owner.is(Kind::kString) || owner.is(Kind::kRange);
  if (!indexed || !key.is_integral()) return nullptr;
  NIBBLE_TRY(const int64_t n, length(owner));
  const Integer i = key.to_integer() < 0 ? key.to_integer() + n : key.to_integer();
  if (i < 0 || i >= n) return nullptr;
  if (owner.is_sequence()) return &owner.items()[size_t(i)];
  if (owner.is(Kind::kRange)) {
    made = Value::integer(owner.as<Range>().start + i * owner.as<Range>().step);
    return &made;
  }
  const String& s = owner.as<String>();
  if (s.n_chars != s.text.size()) NIBBLE_CHECK(spend_chars(s.text));
  const size_t at = char_offset_of(s, size_t(i));
  made = Value::text(s.text.substr(at, char_bytes(s.text, at)), s.safe);
  return &made;
}

Result<Value> Interpreter::item(const Value& owner, const Value& key) {
  if (owner.is_undefined()) return invalid_input("{}", undefined_message(owner));
  Value made;
  NIBBLE_TRY(const Value* v, subscript(owner, key, made));
  if (v) return *v;
  if (key.is(Kind::kString)) {
    bool found = false;
    NIBBLE_TRY(Value attribute, plain_attribute(owner, key.str(), found));
    if (found) return attribute;
    if (key.str().starts_with("__")) return unsafe_attribute(owner, key.str());
  }
  return missing_element(owner, key);
}

Result<Value> Interpreter::slice(const Value& owner, const Value& start, const Value& stop,
                                 const Value& step) {
  if (owner.is_undefined()) return invalid_input("{}", undefined_message(owner));
  if (owner.is(Kind::kDict)) return invalid_input("unhashable type: 'slice'");
  const bool sliceable = owner.is_sequence() || owner.is(Kind::kString) || owner.is(Kind::kRange);
  if (!sliceable) return invalid_input("'{}' object is not subscriptable", type_name(owner));
  NIBBLE_TRY(const int64_t n, length(owner));
  NIBBLE_TRY(const SliceRange range, slice_range(n, start, stop, step));
  if (owner.is(Kind::kString)) {
    const bool bytes = owner.as<String>().n_chars == owner.str().size() && range.step == 1;
    NIBBLE_CHECK(bytes ? spend(1) : spend_chars(owner.str()));
    return text(slice_text(owner, range), owner.is_safe());
  }
  NIBBLE_CHECK(spend(int64_t(range.count)));
  if (owner.is(Kind::kRange)) {
    auto out = std::make_shared<Range>(owner.as<Range>());
    const Range& r = owner.as<Range>();
    out->start = r.start + range.start * r.step;
    out->stop = r.start + range.stop * r.step;
    if (__builtin_mul_overflow(r.step, range.step, &out->step) || is_far(out->step))
      return too_large();
    return Value::object(Kind::kRange, std::move(out));
  }
  std::vector<Value> items;
  for (Integer i = 0; i < range.count; ++i)
    items.push_back(owner.items()[size_t(range.start + i * range.step)]);
  return make_list(std::move(items), owner.kind());
}

}  // namespace nibble::jinja
