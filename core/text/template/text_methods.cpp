#include "core/text/template/text_methods.h"

#include "core/text/template/characters.h"
#include "core/text/template/numbers.h"
#include "core/text/template/search.h"
#include "core/text/unicode_case.h"

namespace nibble::jinja {

std::string capitalized(std::string_view text) {
  Case next = Case::kTitle;
  return change_case(text, [&](char32_t) { return std::exchange(next, Case::kLower); });
}

// CPython puts the odd space left when the width is odd, else right.
std::string centered(std::string_view text, size_t width, std::string_view fill) {
  const size_t n = count_chars(text);
  if (n >= width) return std::string(text);
  const size_t gap = width - n;
  const size_t left = gap / 2 + (gap & width & 1);
  std::string out;
  for (size_t i = 0; i < left; ++i) out += fill;
  out += text;
  for (size_t i = left; i < gap; ++i) out += fill;
  return out;
}

Result<std::string> replaced(Interpreter& in, std::string_view text, std::string_view old,
                             std::string_view other, Integer count) {
  NIBBLE_CHECK(in.spend_bytes(text.size() + old.size()));
  std::string out;
  size_t at = 0;
  const auto put = [&](std::string_view part) -> Result<void> {
    out += part;
    return in.spend_bytes(out.size() > in.max_bytes() ? out.size() : part.size());
  };
  for (; count != 0; --count) {
    if (old.empty()) {
      NIBBLE_CHECK(put(other));
      if (at >= text.size()) return out;
      const size_t n = char_bytes(text, at);
      NIBBLE_CHECK(put(text.substr(at, n)));
      NIBBLE_CHECK(in.spend(1));
      at += n;
      continue;
    }
    const size_t found = find_first(text, old, at);
    if (found == text.npos) break;
    NIBBLE_CHECK(put(text.substr(at, found - at)));
    NIBBLE_CHECK(put(other));
    NIBBLE_CHECK(in.spend(1));
    at = found + old.size();
  }
  NIBBLE_CHECK(put(text.substr(at)));
  return out;
}

Result<Value> attribute_path(Interpreter& in, Value item, const Value& path,
                             const Value* otherwise) {
  if (path.is(Kind::kNone)) return item;
  NIBBLE_CHECK(in.spend(path.weight()));
  const auto step = [&](const Value& key) -> Result<void> {
    NIBBLE_CHECK(in.spend(1));
    NIBBLE_TRY(item, in.item(item, key));
    if (otherwise && item.is_undefined()) item = *otherwise;
    return {};
  };
  if (!path.is(Kind::kString)) {
    NIBBLE_CHECK(step(path));
    return item;
  }
  std::string_view rest = path.str();
  while (true) {
    const std::string_view part = rest.substr(0, rest.find('.'));
    const auto index = parse_integer(part, 10);
    NIBBLE_CHECK(step(index ? Value::integer(*index) : Value::text(std::string(part))));
    if (part.size() == rest.size()) return item;
    rest.remove_prefix(part.size() + 1);
  }
}

}  // namespace nibble::jinja
