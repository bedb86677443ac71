// Regular expressions as tokenizer files write them (Oniguruma, Ruby syntax, UTF-8) in PCRE2's
// words. Whatever the two read differently is rewritten or refused; nothing passes that is not
// known to mean the same. Source: Oniguruma's doc/RE and doc/SYNTAX.md, pcre2pattern(3).
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"

namespace nibble::text {

inline constexpr size_t kMaxPattern = 65'536;  // bytes
inline constexpr int kMaxPatternDepth = 64;    // nested groups and classes

// Fails with kUnsupported, naming the construct and its byte offset.
Result<std::string> oniguruma_to_pcre2(std::string_view pattern);

// PCRE2 pattern of one code point out of text, taken literally.
std::string quote_pattern(std::string_view text);

}  // namespace nibble::text
