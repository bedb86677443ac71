// JSON values that keep the order of keys. Behind this file so that only it names the library.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "core/base/error.h"
#include "core/base/json_fwd.h"

namespace nibble {

inline constexpr int kMaxJsonDepth = 128;

// Text to a value. Fails (kCorrupt) with line and column on a syntax error, on nesting deeper than
// kMaxJsonDepth and on a key that stands twice in one object.
Result<Json> parse_json(std::string_view text);
// A value as text; invalid UTF-8 in strings becomes U+FFFD. indent < 0: one line.
std::string dump_json(const Json& value, int indent = -1);

}  // namespace nibble
