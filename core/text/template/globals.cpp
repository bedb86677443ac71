// Functions that every template can call.
#include <ctime>

#include "core/text/template/print.h"
#include "core/text/template/runtime.h"
#include "core/text/template/strftime.h"

namespace nibble::jinja {
namespace {

constexpr Integer kMaxRange = 100'000;  // as jinja2's sandbox has it

Result<Value> range(Interpreter&, const Value&, const Params& p) {
  auto out = std::make_shared<Range>();
  for (size_t i = 0; i < 3; ++i)
    if (p.has(i) && !p[i].is_integral())
      return invalid_input("'{}' object cannot be interpreted as an integer", type_name(p[i]));
  if (p.has(1)) out->start = p[0].to_integer();
  out->stop = p[p.has(1) ? 1 : 0].to_integer();
  if (p.has(2)) out->step = p[2].to_integer();
  if (out->step == 0) return invalid_input("range() arg 3 must not be zero");
  if (is_far(out->start) || is_far(out->stop) || is_far(out->step) || out->size() > kMaxRange)
    return invalid_input("Range too big. The sandbox blocks ranges larger than MAX_RANGE ({}).",
                         int64_t(kMaxRange));
  out->weight = int64_t(out->size()) + 1;
  return Value::object(Kind::kRange, std::move(out));
}

// The pairs that dict() and namespace() are made of: a mapping or pairs, then keywords.
Result<std::shared_ptr<Dict>> pairs(Interpreter& in, const Args& args) {
  auto out = std::make_shared<Dict>();
  if (args.positional.size() > 1)
    return invalid_input("dict expected at most 1 argument, got {}", args.positional.size());
  if (!args.positional.empty() && args.positional[0].is_undefined())
    return invalid_input("{}", undefined_message(args.positional[0]));
  if (!args.positional.empty() && args.positional[0].is(Kind::kDict)) {
    for (const auto& [key, value] : args.positional[0].as<Dict>().entries()) {
      NIBBLE_CHECK(in.spend(key.weight()));
      NIBBLE_CHECK(out->set(key, value));
    }
  } else if (!args.positional.empty()) {
    NIBBLE_TRY(const std::vector<Value> items, in.collect(args.positional[0]));
    for (const Value& item : items) {
      NIBBLE_TRY(const std::vector<Value> both, in.collect(item));
      if (both.size() != 2) return invalid_input("dict: pairs of key and value wanted");
      NIBBLE_CHECK(in.spend(both[0].weight()));
      NIBBLE_CHECK(out->set(both[0], both[1]));
    }
  }
  for (const auto& [name, value] : args.named) NIBBLE_CHECK(out->set(Value::text(name), value));
  return out;
}

Result<Value> dict(Interpreter& in, const Value&, const Params& p) {
  NIBBLE_TRY(auto out, pairs(in, *p.all));
  return make_dict(std::move(out));
}

Result<Value> name_space(Interpreter& in, const Value&, const Params& p) {
  NIBBLE_TRY(const auto values, pairs(in, *p.all));
  auto out = std::make_shared<Namespace>();
  for (const auto& [key, value] : values->entries())
    if (key.is(Kind::kString)) out->attributes.emplace_back(key.str(), value);
  in.keep(out);
  return Value::object(Kind::kNamespace, std::move(out));
}

Result<Value> cycler(Interpreter&, const Value&, const Params& p) {
  if (p.all->positional.empty()) return invalid_input("at least one item has to be provided");
  auto out = std::make_shared<Cycler>();
  Extent extent;
  for (const Value& v : p.all->positional) extent.add(v);
  NIBBLE_CHECK(extent.store(*out));
  out->items = p.all->positional;
  return Value::object(Kind::kCycler, std::move(out));
}

Result<Value> joiner(Interpreter&, const Value&, const Params& p) {
  auto out = std::make_shared<Joiner>();
  out->separator = p.has(0) ? p[0] : Value::text(", ");
  Extent extent;
  extent.add(out->separator);
  NIBBLE_CHECK(extent.store(*out));
  return Value::object(Kind::kJoiner, std::move(out));
}

Result<Value> raise_exception(Interpreter& in, const Value&, const Params& p) {
  NIBBLE_TRY(const std::string message, in.str(p[0]));
  return invalid_input("{}", message);
}

Result<Value> strftime_now(Interpreter& in, const Value&, const Params& p) {
  NIBBLE_TRY(const std::string_view format, p.text(0));
  NIBBLE_CHECK(in.spend_bytes(format.size() * 32));
  return in.text(format_time(format, in.now()));
}

constexpr Function kGlobals[] = {
    {"range", "start stop step", 1, range},
    {"dict", "*", 0, dict},
    {"namespace", "*", 0, name_space},
    {"cycler", "*", 0, cycler},
    {"joiner", "sep", 0, joiner},
    {"raise_exception", "message", 1, raise_exception},
    {"strftime_now", "format", 1, strftime_now},
};

}  // namespace

std::pair<const Function*, size_t> tables::globals() { return {kGlobals, std::size(kGlobals)}; }

}  // namespace nibble::jinja
