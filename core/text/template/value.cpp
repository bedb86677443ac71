#include "core/text/template/value.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/base/json.h"
#include "core/text/template/characters.h"
#include "core/text/template/print.h"

namespace nibble::jinja {

Value Value::none() {
  Value v;
  v.kind_ = Kind::kNone;
  return v;
}
Value Value::boolean(bool b) {
  Value v;
  v.kind_ = Kind::kBool;
  v.b_ = b;
  return v;
}
Value Value::integer(Integer i) {
  Value v;
  v.kind_ = Kind::kInt;
  v.i_ = i;
  return v;
}
Value Value::number(double f) {
  Value v;
  v.kind_ = Kind::kFloat;
  v.f_ = f;
  return v;
}
Value Value::text(std::string s, bool safe) {
  auto string = std::make_shared<String>();
  string->n_chars = count_chars(s);
  string->weight = 1 + int64_t(s.size() / 16);
  string->text = std::move(s);
  string->safe = safe;
  return object(Kind::kString, std::move(string));
}
Value Value::object(Kind kind, std::shared_ptr<Object> object) {
  Value v;
  v.kind_ = kind;
  v.object_ = std::move(object);
  return v;
}

const std::string& Value::str() const { return as<String>().text; }
bool Value::is_safe() const { return as<String>().safe; }
const std::vector<Value>& Value::items() const { return as<Sequence>().items; }

Integer Range::size() const {
  if (step > 0) return stop > start ? (stop - start + step - 1) / step : 0;
  return start > stop ? (start - stop - step - 1) / -step : 0;
}

void Extent::add(const Value& v) {
  depth = std::max(depth, v.depth());
  weight = std::min(weight + v.weight(), kMaxValueWeight + 1);
}
Result<void> Extent::store(Object& object) const {
  if (depth >= kMaxValueDepth)
    return invalid_input("a value is nested deeper than {} levels", kMaxValueDepth);
  if (weight > kMaxValueWeight)
    return invalid_input("a value holds more than {} elements", kMaxValueWeight);
  object.depth = depth + 1;
  object.weight = weight;
  return {};
}

Result<Value> make_list(std::vector<Value> items, Kind kind) {
  Extent extent;
  for (const Value& v : items) extent.add(v);
  auto sequence = std::make_shared<Sequence>();
  NIBBLE_CHECK(extent.store(*sequence));
  sequence->items = std::move(items);
  return Value::object(kind, std::move(sequence));
}

Result<Value> make_dict(std::shared_ptr<Dict> dict) {
  Extent extent;
  for (const auto& [key, value] : dict->entries()) {
    extent.add(key);
    extent.add(value);
  }
  NIBBLE_CHECK(extent.store(*dict));
  return Value::object(Kind::kDict, std::move(dict));
}

Result<Value> make_generator(const Value& source, std::function<Result<bool>(Value&)> step) {
  auto generator = std::make_shared<Generator>();
  Extent extent;
  extent.add(source);
  NIBBLE_CHECK(extent.store(*generator));
  generator->step = std::move(step);
  return Value::object(Kind::kGenerator, std::move(generator));
}

Value make_undefined(std::string message) {
  auto undefined = std::make_shared<Undefined>();
  undefined->message = std::move(message);
  return Value::object(Kind::kUndefined, std::move(undefined));
}
std::string_view undefined_message(const Value& v) {
  return v.identity() ? std::string_view(v.as<Undefined>().message) : "value is undefined";
}
Value missing_attribute(const Value& owner, std::string_view name) {
  return make_undefined(
      fmt::format("{} has no attribute {}", quote(type_repr(owner)), quote(name)));
}
Value missing_element(const Value& owner, const Value& key) {
  if (key.is(Kind::kString)) return missing_attribute(owner, key.str());
  return make_undefined(fmt::format("{} has no element {}", type_repr(owner), short_repr(key)));
}

Result<void> Dict::set(Value key, Value value) {
  NIBBLE_CHECK(check_hashable(key));
  const auto [it, added] = index_.try_emplace(key, entries_.size());
  if (added)
    entries_.emplace_back(std::move(key), std::move(value));
  else
    entries_[it->second].second = std::move(value);
  return {};
}

Result<const Value*> Dict::find(const Value& key) const {
  NIBBLE_CHECK(check_hashable(key));
  const auto it = index_.find(key);
  return it == index_.end() ? nullptr : &entries_[it->second].second;
}

const Value* Dict::find(std::string_view key) const {
  const auto it = index_.find(key);
  return it == index_.end() ? nullptr : &entries_[it->second].second;
}

Result<Value> from_json(const Json& json) {
  switch (json.type()) {
    case Json::value_t::boolean:
      return Value::boolean(json.get<bool>());
    case Json::value_t::number_integer:
      return Value::integer(json.get<int64_t>());
    case Json::value_t::number_unsigned:
      return Value::integer(json.get<uint64_t>());
    case Json::value_t::number_float:
      return Value::number(json.get<double>());
    case Json::value_t::string:
      return Value::text(json.get_ref<const std::string&>());
    case Json::value_t::array: {
      std::vector<Value> items;
      items.reserve(json.size());
      for (const Json& element : json) {
        NIBBLE_TRY(Value v, from_json(element));
        items.push_back(std::move(v));
      }
      return make_list(std::move(items));
    }
    case Json::value_t::object: {
      auto dict = std::make_shared<Dict>();
      for (const auto& [key, element] : json.items()) {
        NIBBLE_TRY(Value v, from_json(element));
        NIBBLE_CHECK(dict->set(Value::text(key), std::move(v)));
      }
      return make_dict(std::move(dict));
    }
    default:
      return Value::none();
  }
}

bool truth(const Value& v) {
  switch (v.kind()) {
    case Kind::kUndefined:
    case Kind::kNone:
      return false;
    case Kind::kBool:
    case Kind::kInt:
      return v.to_integer() != 0;
    case Kind::kFloat:
      return v.to_number() != 0;
    default: {
      const auto n = length(v);
      return !n || *n != 0;
    }
  }
}

Result<int64_t> length(const Value& v) {
  switch (v.kind()) {
    case Kind::kUndefined:
      return 0;
    case Kind::kString:
      return int64_t(v.as<String>().n_chars);
    case Kind::kList:
    case Kind::kTuple:
      return int64_t(v.items().size());
    case Kind::kDict:
      return int64_t(v.as<Dict>().entries().size());
    case Kind::kRange:
      return int64_t(v.as<Range>().size());
    case Kind::kView:
      return length(v.as<View>().dict);
    default:
      return invalid_input("object of type '{}' has no len()", type_name(v));
  }
}

bool same(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  if (a.identity() || b.identity()) return a.identity() == b.identity();
  return a.is(Kind::kNone) || equal(a, b);
}

std::string_view type_name(const Value& v) {
  switch (v.kind()) {
    case Kind::kUndefined:
      return "Undefined";
    case Kind::kNone:
      return "NoneType";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kString:
      return v.is_safe() ? "Markup" : "str";
    case Kind::kList:
      return "list";
    case Kind::kTuple:
      return "tuple";
    case Kind::kDict:
      return "dict";
    case Kind::kRange:
      return "range";
    case Kind::kView: {
      constexpr std::string_view names[] = {"dict_keys", "dict_values", "dict_items"};
      return names[v.as<View>().what];
    }
    case Kind::kGenerator:
      return v.as<Generator>().type;
    case Kind::kNamespace:
      return "Namespace";
    case Kind::kLoop:
      return "LoopContext";
    case Kind::kMacro:
      return "Macro";
    case Kind::kBuiltin:
      return "function";
    case Kind::kMethod:
      return "builtin_function_or_method";
    case Kind::kCycler:
      return "Cycler";
    case Kind::kJoiner:
      return "Joiner";
  }
  return "object";
}

std::string type_repr(const Value& v) {
  switch (v.kind()) {
    case Kind::kNone:
      return "None";
    case Kind::kString:
      return v.is_safe() ? "markupsafe.Markup object" : "str object";
    case Kind::kNamespace:
    case Kind::kCycler:
    case Kind::kJoiner:
      return fmt::format("jinja2.utils.{} object", type_name(v));
    case Kind::kLoop:
    case Kind::kMacro:
      return fmt::format("jinja2.runtime.{} object", type_name(v));
    default:
      return fmt::format("{} object", type_name(v));
  }
}

}  // namespace nibble::jinja
