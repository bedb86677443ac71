// Regular expressions of tokenizer files: what is translated compiles or is refused with a word,
// and matches inside of the text, from where it was asked to.
#include <cstdlib>
#include <string>

#include "core/text/regex.h"
#include "core/text/regex_translate.h"

using namespace nibble;
using namespace nibble::text;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static constexpr std::string_view kText =
      "Hello, w\u00f6rld\u2019s 12345 \u4e16\u754c\t\r\n  x\u0301 \u0663\u2167 _a-b's \U0001f600";
  const std::string_view pattern(reinterpret_cast<const char*>(data), size);
  const auto translated = oniguruma_to_pcre2(pattern);
  const auto regex = Regex::compile(pattern);
  if (!translated && regex) std::abort();
  if (!regex) return regex.error().message.empty() ? std::abort(), 0 : 0;
  RegexScratch scratch;
  for (size_t from = 0; from <= kText.size();) {
    Regex::Match match{};
    if (regex->find(kText, from, scratch, match) != Regex::Outcome::kMatch) break;
    if (match.begin < from || match.end < match.begin || match.end > kText.size()) std::abort();
    from = match.end > match.begin ? match.end : match.end + 1;
    while (from < kText.size() && (static_cast<unsigned char>(kText[from]) & 0xC0) == 0x80) ++from;
  }
  return 0;
}
