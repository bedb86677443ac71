// Walking over values.
#include "core/text/template/characters.h"
#include "core/text/template/runtime.h"

namespace nibble::jinja {

bool is_iterable(const Value& v) {
  switch (v.kind()) {
    case Kind::kUndefined:
    case Kind::kString:
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
    case Kind::kRange:
    case Kind::kView:
    case Kind::kGenerator:
    case Kind::kLoop:
      return true;
    default:
      return false;
  }
}

Result<Iterator> Iterator::over(Interpreter& in, const Value& v) {
  if (!is_iterable(v)) return invalid_input("'{}' object is not iterable", type_name(v));
  Iterator it;
  it.in_ = &in;
  it.source_ = v;
  return it;
}

namespace {

Result<Value> entry_value(const Dict::Entry& entry, View::What what) {
  if (what == View::kKeys) return entry.first;
  if (what == View::kValues) return entry.second;
  return make_list({entry.first, entry.second}, Kind::kTuple);
}

Result<bool> generate(Interpreter& in, Generator& generator, Value& out) {
  if (generator.done) return false;
  const Interpreter::Deeper deeper(in, Interpreter::kLevels / 2);
  if (deeper.too_deep()) return invalid_input("generators are nested too deeply");
  auto more = generator.step(out);
  if (!more || !*more) generator.done = true;
  return more;
}

}  // namespace

std::vector<Value> view_items(const View& view) {
  std::vector<Value> items;
  for (const auto& entry : view.dict.as<Dict>().entries())
    if (auto v = entry_value(entry, view.what)) items.push_back(std::move(*v));
  return items;
}

Result<bool> Iterator::next(Value& out) {
  NIBBLE_CHECK(in_->spend(1));
  switch (source_.kind()) {
    case Kind::kString: {
      const std::string& text = source_.str();
      if (at_ >= text.size()) return false;
      const size_t n = char_bytes(text, at_);
      out = Value::text(text.substr(at_, n));
      at_ += n;
      return true;
    }
    case Kind::kList:
    case Kind::kTuple: {
      const auto& items = source_.items();
      if (at_ >= items.size()) return false;
      out = items[at_++];
      return true;
    }
    case Kind::kDict:
    case Kind::kView: {
      const bool view = source_.is(Kind::kView);
      const auto& entries = (view ? source_.as<View>().dict : source_).as<Dict>().entries();
      if (at_ >= entries.size()) return false;
      NIBBLE_TRY(out, entry_value(entries[at_++], view ? source_.as<View>().what : View::kKeys));
      return true;
    }
    case Kind::kRange: {
      const Range& range = source_.as<Range>();
      if (Integer(at_) >= range.size()) return false;
      out = Value::integer(range.start + range.step * Integer(at_++));
      return true;
    }
    case Kind::kGenerator:
      return generate(*in_, source_.as<Generator>(), out);
    case Kind::kLoop: {
      Loop& loop = source_.as<Loop>();
      NIBBLE_TRY(const bool more, loop.advance());
      if (more) {
        NIBBLE_TRY(out, make_list({loop.current, source_}, Kind::kTuple));
      }
      return more;
    }
    default:
      return false;
  }
}

Result<std::vector<Value>> Interpreter::collect(const Value& v) {
  NIBBLE_TRY(Iterator it, Iterator::over(*this, v));
  std::vector<Value> items;
  Value item;
  while (true) {
    NIBBLE_TRY(const bool more, it.next(item));
    if (!more) return items;
    items.push_back(std::move(item));
  }
}

Result<bool> Loop::advance() {
  bool more = has_after;
  Value item;
  if (has_after) {
    item = std::move(after);
    has_after = false;
  } else {
    NIBBLE_TRY(more, iterator.next(item));
  }
  if (!more) return false;
  ++index0;
  before = std::exchange(current, std::move(item));
  return true;
}

Result<bool> Loop::peek() {
  if (has_after) return true;
  NIBBLE_TRY(has_after, iterator.next(after));
  return has_after;
}

// Of a generator: what is left is taken out of it, and walked from the list instead.
Result<int64_t> Loop::length() {
  if (n_items) return *n_items;
  if (auto n = jinja::length(iterable)) return *(n_items = *n);
  std::vector<Value> left;
  Value item;
  while (true) {
    NIBBLE_TRY(const bool more, iterator.next(item));
    if (!more) break;
    left.push_back(std::move(item));
  }
  n_items = int64_t(left.size()) + index0 + 1 + has_after;
  NIBBLE_TRY(iterable, make_list(std::move(left)));
  iterator.restart(iterable);
  return *n_items;
}

void Loop::release() {
  iterable = current = before = after = Value();
  iterator = Iterator();
  has_after = false;
  changed.reset();
  scope.reset();
}

}  // namespace nibble::jinja
