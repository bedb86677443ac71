// What filters and string methods share.
#pragma once

#include <string>
#include <string_view>

#include "core/text/template/runtime.h"

namespace nibble::jinja {

std::string capitalized(std::string_view text);  // first character title case, the others lower
bool all_cased(std::string_view text,
               bool upper);  // there is a letter, and all are upper (lower) case
std::string centered(std::string_view text, size_t width, std::string_view fill);
// count < 0: all.
Result<std::string> replaced(Interpreter& in, std::string_view text, std::string_view old,
                             std::string_view other, Integer count);
Result<Value> wordwrap(Interpreter& in, const Value& self, const Params& p);
// item.a.b.0 for the path "a.b.0"; with `otherwise`, that in place of each undefined on the way.
Result<Value> attribute_path(Interpreter& in, Value item, const Value& path,
                             const Value* otherwise);

}  // namespace nibble::jinja
