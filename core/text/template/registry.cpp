// Finds built-ins by name.
#include <unordered_map>

#include "core/text/template/call.h"

namespace nibble::jinja {
namespace {

using Table = std::unordered_map<std::string_view, const Function*>;

Table merge(std::initializer_list<std::pair<const Function*, size_t>> parts) {
  Table table;
  for (const auto& [rows, n] : parts)
    for (size_t i = 0; i < n; ++i) table.emplace(rows[i].name, &rows[i]);
  return table;
}

const Function* find(const Table& table, std::string_view name) {
  const auto it = table.find(name);
  return it == table.end() ? nullptr : it->second;
}

bool one_of(std::string_view words, std::string_view name) {
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(' '));
    if (word == name) return true;
    words.remove_prefix(std::min(words.size(), word.size() + 1));
  }
  return false;
}

struct MethodRow {
  std::string_view names;   // that templates may call
  std::string_view unsafe;  // that would change the receiver
  std::string_view other;   // that exist and have no meaning here
};

MethodRow methods_of(Kind kind) {
  switch (kind) {
    case Kind::kString:
      return {
          "capitalize casefold center count endswith expandtabs find format format_map index "
          "isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable "
          "isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix "
          "replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip "
          "swapcase title upper zfill",
          "", "encode maketrans translate"};
    case Kind::kList:
      return {"copy count index", "append clear pop reverse insert sort extend remove", ""};
    case Kind::kTuple:
    case Kind::kRange:
      return {"count index", "", ""};
    case Kind::kDict:
      return {"copy get items keys values", "clear pop popitem setdefault update", "fromkeys"};
    case Kind::kBool:
    case Kind::kInt:
      return {"bit_length bit_count", "", "conjugate to_bytes from_bytes as_integer_ratio"};
    case Kind::kFloat:
      return {"is_integer", "", "conjugate hex fromhex as_integer_ratio"};
    case Kind::kLoop:
      return {"cycle changed", "", ""};
    case Kind::kCycler:
      return {"next reset", "", ""};
    case Kind::kView:
      return {"", "", "isdisjoint mapping"};
    case Kind::kGenerator:
      return {"", "", "close send throw"};
    default:
      return {};
  }
}

}  // namespace

const Function* find_filter(std::string_view name) {
  static const Table table =
      merge({tables::text_filters(), tables::markup_filters(), tables::number_filters(),
             tables::sequence_filters(), tables::select_filters(), tables::order_filters()});
  return find(table, name);
}

const Function* find_test(std::string_view name) {
  static const Table table = merge({tables::tests()});
  return find(table, name);
}

const Function* find_global(std::string_view name) {
  static const Table table = merge({tables::globals()});
  return find(table, name);
}

MethodLookup find_method(const Value& receiver, std::string_view name) {
  static const Table strings = merge({tables::string_methods(), tables::string_searches()});
  static const Table others = merge({tables::container_methods()});
  const MethodRow row = methods_of(receiver.kind());
  MethodLookup found;
  found.unsafe = one_of(row.unsafe, name);
  const bool callable = one_of(row.names, name);
  found.exists = found.unsafe || callable || one_of(row.other, name);
  if (callable) found.function = find(receiver.is(Kind::kString) ? strings : others, name);
  return found;
}

}  // namespace nibble::jinja
