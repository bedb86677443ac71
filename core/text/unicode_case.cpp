// Simple mappings come from utf8proc; the ones that lengthen the text, which it lacks, from
// Unicode's SpecialCasing.txt.
#include "core/text/unicode_case.h"

#include <utf8proc.h>

#include "core/text/template/characters.h"

namespace nibble {
namespace {

using jinja::append_char;
using jinja::char_at;
using jinja::char_bytes;

struct Special {
  char32_t c;
  std::u32string_view upper, title;
};
constexpr Special kSpecial[] = {
    {0xDF, U"SS", U"Ss"},
    {0x149, U"\u02BCN", U"\u02BCN"},
    {0x1F0, U"J\u030C", U"J\u030C"},
    {0x390, U"\u0399\u0308\u0301", U"\u0399\u0308\u0301"},
    {0x3B0, U"\u03A5\u0308\u0301", U"\u03A5\u0308\u0301"},
    {0x587, U"\u0535\u0552", U"\u0535\u0582"},
    {0x1E96, U"H\u0331", U"H\u0331"},
    {0x1E97, U"T\u0308", U"T\u0308"},
    {0x1E98, U"W\u030A", U"W\u030A"},
    {0x1E99, U"Y\u030A", U"Y\u030A"},
    {0x1E9A, U"A\u02BE", U"A\u02BE"},
    {0xFB00, U"FF", U"Ff"},
    {0xFB01, U"FI", U"Fi"},
    {0xFB02, U"FL", U"Fl"},
    {0xFB03, U"FFI", U"Ffi"},
    {0xFB04, U"FFL", U"Ffl"},
    {0xFB05, U"ST", U"St"},
    {0xFB06, U"ST", U"St"},
};

const Special* find_special(char32_t c) {
  if (c < 0xDF) return nullptr;
  for (const Special& row : kSpecial)
    if (row.c == c) return &row;
  return nullptr;
}

void append_all(std::string& out, std::u32string_view text) {
  for (const char32_t c : text) append_char(out, c);
}

utf8proc_category_t category(char32_t c) { return utf8proc_category(utf8proc_int32_t(c)); }

bool is_case_ignorable(char32_t c) {
  switch (category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return c == '\'' || c == '.' || c == ':' || c == 0xB7 || c == 0x2019;
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

}  // namespace

void append_upper(std::string& out, char32_t c) {
  if (const Special* special = find_special(c))
    append_all(out, special->upper);
  else
    append_char(out, char32_t(utf8proc_toupper(utf8proc_int32_t(c))));
}
void append_title(std::string& out, char32_t c) {
  if (const Special* special = find_special(c))
    append_all(out, special->title);
  else
    append_char(out, char32_t(utf8proc_totitle(utf8proc_int32_t(c))));
}
void append_lower(std::string& out, char32_t c) {
  if (c == 0x130)
    append_all(out, U"i\u0307");
  else
    append_char(out, char32_t(utf8proc_tolower(utf8proc_int32_t(c))));
}
void append_folded(std::string& out, char32_t c) {
  if (const Special* special = find_special(c)) {
    std::string upper;
    append_all(upper, special->upper);
    out += to_lower(upper);
  } else {
    append_lower(out, c == 0x3C2 ? 0x3C3 : c);
  }
}

std::string to_upper(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); at += char_bytes(text, at))
    append_upper(out, char_at(text, at));
  return out;
}

std::string to_lower(std::string_view text) {
  std::string out;
  bool in_word = false;  // a letter with case stands before, nothing but marks between
  for (size_t at = 0; at < text.size();) {
    const char32_t c = char_at(text, at);
    at += char_bytes(text, at);
    if (c == 0x3A3)
      append_char(out, in_word && ends_word(text, at) ? 0x3C2 : 0x3C3);
    else
      append_lower(out, c);
    if (c < 0x80 ? c != '\'' && c != '.' && c != ':' : !is_case_ignorable(c)) in_word = is_cased(c);
  }
  return out;
}

bool is_letter(char32_t c) {
  const auto k = category(c);
  return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}
bool is_decimal(char32_t c) { return category(c) == UTF8PROC_CATEGORY_ND; }
bool is_upper(char32_t c) { return category(c) == UTF8PROC_CATEGORY_LU; }
bool is_lower(char32_t c) { return category(c) == UTF8PROC_CATEGORY_LL || c == 0xAA || c == 0xBA; }
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
