// Upper, lower and title case, and which characters are letters, digits or printable, by Unicode.
#pragma once

#include <string>
#include <string_view>

#include "core/base/function_ref.h"

namespace nibble {

std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
enum class Case { kSame, kUpper, kTitle, kLower };
// Each character, from first to last, in the case that choose gives for it.
std::string change_case(std::string_view text, FunctionRef<Case(char32_t)> choose);
void append_upper(std::string& out, char32_t c);  // one character may become several
void append_lower(std::string& out, char32_t c);
void append_folded(std::string& out, char32_t c);  // for comparing without case

bool is_letter(char32_t c);
bool is_decimal(char32_t c);
bool is_upper(char32_t c);
bool is_lower(char32_t c);
bool is_title(char32_t c);
bool is_cased(char32_t c);
bool is_alnum(char32_t c);      // letters and every kind of number
bool is_printable(char32_t c);  // not a control, format, unassigned or separator character

}  // namespace nibble
