// Simple mappings come from utf8proc; the ones that lengthen the text, which it lacks, from
// unicode_special_case.h.
#include "core/text/unicode_case.h"

#include <utf8proc.h>

#include <algorithm>

#include "core/text/template/characters.h"
#include "core/text/unicode_special_case.h"
#include "core/text/utf8.h"

namespace nibble {
namespace {

using jinja::char_at;
using jinja::char_bytes;
using text::append_utf8;

const text::SpecialCase* find_special(char32_t c) {
  const auto row = std::ranges::lower_bound(text::kSpecialCases, c, {}, &text::SpecialCase::c);
  return row != std::end(text::kSpecialCases) && row->c == c ? row : nullptr;
}

// Greek vowels with a subscript iota, which stands alone in upper case: eight a row, small and
// capital ones alike.
bool has_iota(char32_t c) { return c >= 0x1F80 && c <= 0x1FAF; }
char32_t without_iota(char32_t c) {  // a capital
  constexpr char32_t kRows[] = {0x1F08, 0x1F28, 0x1F68};
  return kRows[(c - 0x1F80) / 16] + c % 8;
}

void append_all(std::string& out, std::u32string_view text) {
  for (const char32_t c : text) append_utf8(out, c);
}

utf8proc_category_t category(char32_t c) { return utf8proc_category(utf8proc_int32_t(c)); }

bool is_case_ignorable(char32_t c) {
  constexpr std::u32string_view kMarks =
      U"'.:^`\u00A8\u00AD\u00AF\u00B4\u00B7\u00B8\u0387\u055F"
      U"\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07"
      U"\uFF0E\uFF1A";
  if (c < 0x80 || kMarks.contains(c)) return kMarks.contains(c);
  switch (category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return false;
  }
}

// Whether no letter follows in the same word: sigma at the end of a word is written otherwise.
bool ends_word(std::string_view text, size_t at) {
  for (; at < text.size(); at += char_bytes(text, at)) {
    const char32_t c = char_at(text, at);
    if (!is_case_ignorable(c)) return !is_cased(c);
  }
  return true;
}

void append_title(std::string& out, char32_t c) {
  const text::SpecialCase* special = find_special(c);
  if (special && !special->title.empty())
    append_all(out, special->title);
  else
    append_utf8(out, char32_t(utf8proc_totitle(utf8proc_int32_t(c))));
}

}  // namespace

void append_upper(std::string& out, char32_t c) {
  if (has_iota(c)) {
    append_utf8(out, without_iota(c));
    append_utf8(out, 0x399);
  } else if (const text::SpecialCase* special = find_special(c)) {
    append_all(out, special->upper);
  } else {
    append_utf8(out, char32_t(utf8proc_toupper(utf8proc_int32_t(c))));
  }
}
void append_lower(std::string& out, char32_t c) {
  if (c == 0x130)  // the one code point whose lower case is two
    append_all(out, U"i\u0307");
  else
    append_utf8(out, char32_t(utf8proc_tolower(utf8proc_int32_t(c))));
}
void append_folded(std::string& out, char32_t c) {
  utf8proc_int32_t folded[8];
  const auto n = utf8proc_decompose_char(utf8proc_int32_t(c), folded, std::size(folded),
                                         UTF8PROC_CASEFOLD, nullptr);
  for (utf8proc_ssize_t i = 0; i < n; ++i) append_utf8(out, char32_t(folded[i]));
}

std::string change_case(std::string_view text, FunctionRef<Case(char32_t)> choose) {
  std::string out;
  bool in_word = false;  // a letter with case stands before, nothing but marks between
  for (size_t at = 0; at < text.size();) {
    const char32_t c = char_at(text, at);
    at += char_bytes(text, at);
    switch (choose(c)) {
      case Case::kSame:
        append_utf8(out, c);
        break;
      case Case::kUpper:
        append_upper(out, c);
        break;
      case Case::kTitle:
        append_title(out, c);
        break;
      case Case::kLower:
        if (c == 0x3A3)
          append_utf8(out, in_word && ends_word(text, at) ? 0x3C2 : 0x3C3);
        else
          append_lower(out, c);
    }
    if (!is_case_ignorable(c)) in_word = is_cased(c);
  }
  return out;
}

std::string to_upper(std::string_view text) {
  return change_case(text, [](char32_t) { return Case::kUpper; });
}
std::string to_lower(std::string_view text) {
  return change_case(text, [](char32_t) { return Case::kLower; });
}

bool is_letter(char32_t c) {
  const auto k = category(c);
  return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}
bool is_decimal(char32_t c) { return category(c) == UTF8PROC_CATEGORY_ND; }
bool is_upper(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_LU || text::in_ranges(text::kOtherUpper, c);
}
bool is_lower(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_LL || text::in_ranges(text::kOtherLower, c);
}
bool is_title(char32_t c) { return category(c) == UTF8PROC_CATEGORY_LT; }
bool is_cased(char32_t c) { return is_upper(c) || is_lower(c) || is_title(c); }
bool is_alnum(char32_t c) {
  const auto k = category(c);
  return is_letter(c) || k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_NL ||
         (k == UTF8PROC_CATEGORY_NO);
}
bool is_printable(char32_t c) {
  if (c == ' ') return true;
  const auto k = category(c);
  return k != UTF8PROC_CATEGORY_CN && !(k >= UTF8PROC_CATEGORY_ZS && k <= UTF8PROC_CATEGORY_CO);
}

}  // namespace nibble
