// Oniguruma's character classes in PCRE2's words, for use inside of brackets. Part of
// regex_translate.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"

namespace nibble::text {

// Unicode's White_Space, and all the rest: PCRE2's own \s takes U+180E for a space as well.
inline constexpr std::string_view kSpaceItems =
    R"(\t-\r\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
inline constexpr std::string_view kNotSpaceItems =
    R"(\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff})"
    R"(\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff})";
inline constexpr std::string_view kWordItems = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
// Outside of brackets, Oniguruma counts the other numbers of Latin-1 in.
inline constexpr std::string_view kWordEscapeItems =
    R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{b2}\x{b3}\x{b9}\x{bc}-\x{be})";
inline constexpr std::string_view kHexItems = "0-9A-Fa-f";

// Items of \p{NAME} (negated: of \P{NAME}). Fails (kUnsupported) on a name that is not known to
// mean the same in both.
Result<std::string> property_items(std::string_view name, bool negated);
// Items of [:NAME:].
Result<std::string> posix_items(std::string_view name, bool negated);

}  // namespace nibble::text
