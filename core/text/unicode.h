// Properties and normal forms of code points, by utf8proc, as the `tokenizers` package has them
// (unicode_differences.h).
#pragma once

#include <string>
#include <string_view>

namespace nibble::text {

bool is_space(char32_t c);            // Unicode White_Space
bool is_number(char32_t c);           // general category N
bool is_mark(char32_t c);             // M
bool is_nonspacing_mark(char32_t c);  // Mn
bool is_punctuation(char32_t c);      // P, and all ASCII that is no letter, digit, space or control
bool is_control(char32_t c);          // Cc, Cf, Co
bool is_word(char32_t c);  // letters, marks, decimal digits, connectors: a regular expression's \w
bool is_ideograph(char32_t c);  // CJK unified and compatibility ideographs

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };
// text (valid UTF-8) in the form, as the `tokenizers` package gives it: what Unicode 9 does not
// know stays as it is.
std::string normal_form(NormalForm form, std::string_view text);

}  // namespace nibble::text
