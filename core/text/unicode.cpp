#include "core/text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "core/text/unicode_differences.h"
#include "core/text/utf8.h"

namespace nibble::text {
namespace {
utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

bool ascii_alphanumeric(char32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool between(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

// Whether the canonical form can change where c stands: anything but a starter that no form takes
// apart or joins to what stands before it. The ranges are the common scripts whose characters are
// all of that kind.
bool inert_in_nfc(char32_t c) {
  if (c < 0x300) return true;
  if (between(c, 0x400, 0x482) || between(c, 0x4E00, 0x9FFF) || between(c, 0xAC00, 0xD7A3) ||
      between(c, 0x3030, 0x3098) || between(c, 0x309B, 0x30FF))
    return true;
  if (between(c, 0x1100, 0x11FF)) return false;
  const utf8proc_property_t* p = utf8proc_get_property(static_cast<utf8proc_int32_t>(c));
  const bool joins_before = p->comb_index != UINT16_MAX && (p->comb_index & 0x8000) != 0;
  const bool comes_apart = p->decomp_seqindex != UINT16_MAX && p->decomp_type == 0;
  return p->combining_class == 0 && !joins_before && !comes_apart;
}

utf8proc_option_t options_of(NormalForm form) {
  int options = UTF8PROC_STABLE;
  const bool composed = form == NormalForm::kNfc || form == NormalForm::kNfkc;
  options |= composed ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  if (form == NormalForm::kNfkc || form == NormalForm::kNfkd) options |= UTF8PROC_COMPAT;
  return static_cast<utf8proc_option_t>(options);
}

void append_whole(std::string& out, NormalForm form, std::string_view text) {
  utf8proc_uint8_t* result = nullptr;
  const utf8proc_ssize_t n =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &result, options_of(form));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(result, &std::free);
  if (n < 0) {
    out += text;
    return;
  }
  out.append(reinterpret_cast<const char*>(result), static_cast<size_t>(n));
}

// Only the stretches that can change are put into the form: each from the starter before it to the
// next inert one.
void append_nfc(std::string& out, std::string_view text) {
  size_t copied = 0, starter = 0;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0xCC || inert_in_nfc(decode_utf8(text.data() + i))) {  // 0xCC: U+0300
      starter = i;
      i += utf8_length(lead);
      continue;
    }
    size_t end = i;
    while (end < text.size() && !inert_in_nfc(decode_utf8(text.data() + end)))
      end += utf8_length(static_cast<unsigned char>(text[end]));
    const size_t begin = std::max(copied, starter);
    out += text.substr(copied, begin - copied);
    append_whole(out, NormalForm::kNfc, text.substr(begin, end - begin));
    copied = starter = i = end;
  }
  out += text.substr(copied);
}

void append_form(std::string& out, NormalForm form, std::string_view text) {
  if (text.empty()) return;
  form == NormalForm::kNfc ? append_nfc(out, text) : append_whole(out, form, text);
}
}  // namespace

bool is_space(char32_t c) {
  if (c < 0x85) return c == ' ' || between(c, '\t', '\r');
  return c == 0x85 || c == 0xA0 || c == 0x1680 || between(c, 0x2000, 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_number(char32_t c) {
  const auto k = category(c);
  return k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_NL || k == UTF8PROC_CATEGORY_NO;
}

bool is_mark(char32_t c) {
  const auto k = category(c);
  const bool mark = k >= UTF8PROC_CATEGORY_MN && k <= UTF8PROC_CATEGORY_ME;
  return mark != in_ranges(kMarkDiffers, c);
}

bool is_nonspacing_mark(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_MN && !in_ranges(kMarkDiffers, c);
}

bool is_punctuation(char32_t c) {
  if (c < 0x80) return c > 0x20 && c < 0x7F && !ascii_alphanumeric(c);
  const auto k = category(c);
  const bool punctuation = k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO;
  return punctuation != in_ranges(kPunctuationDiffers, c);
}

bool is_control(char32_t c) {
  const auto k = category(c);
  return k == UTF8PROC_CATEGORY_CC || k == UTF8PROC_CATEGORY_CF || k == UTF8PROC_CATEGORY_CO;
}

bool is_word(char32_t c) {
  if (c < 0x80) return ascii_alphanumeric(c) || c == '_';
  const auto k = category(c);
  return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_NL) || k == UTF8PROC_CATEGORY_PC ||
         between(c, 0x24B6, 0x24E9) || between(c, 0x1F130, 0x1F149) ||
         between(c, 0x1F150, 0x1F169) || between(c, 0x1F170, 0x1F189) || c == 0x200C || c == 0x200D;
}

bool is_ideograph(char32_t c) {
  return between(c, 0x4E00, 0x9FFF) || between(c, 0x3400, 0x4DBF) || between(c, 0x20000, 0x2A6DF) ||
         between(c, 0x2A700, 0x2B73F) || between(c, 0x2B740, 0x2B81F) ||
         between(c, 0x2B920, 0x2CEAF) || between(c, 0xF900, 0xFAFF) || between(c, 0x2F800, 0x2FA1F);
}

std::string normal_form(NormalForm form, std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  size_t done = 0;  // what is unknown there stands between stretches that have their forms alone
  for (size_t i = 0, next; i < text.size(); i = next) {
    next = i + utf8_length(static_cast<unsigned char>(text[i]));
    if (static_cast<unsigned char>(text[i]) < 0xDF ||  // 0xDF: U+07C0
        !in_ranges(kUnknownToForms, decode_utf8(text.data() + i)))
      continue;
    append_form(out, form, text.substr(done, i - done));
    out += text.substr(i, next - i);
    done = next;
  }
  append_form(out, form, text.substr(done));
  return out;
}

}  // namespace nibble::text
