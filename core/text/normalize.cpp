#include "core/text/normalize.h"

#include <vector>

#include "core/base/json.h"
#include "core/text/byte_level.h"
#include "core/text/fields.h"
#include "core/text/pattern.h"
#include "core/text/unicode.h"
#include "core/text/unicode_case.h"
#include "core/text/utf8.h"

namespace nibble::text {
namespace {
// A normalizer that makes a few times the text at most, from a function (std::string& text, bool
// begins_text).
template <class F>
class Simple final : public Normalizer {
 public:
  explicit Simple(F function) : function_(std::move(function)) {}
  Result<void> apply(std::string& text, bool begins_text, RegexScratch&,
                     WorkBudget& budget) const override {
    function_(text, begins_text);
    return budget.spend(text.size());
  }

 private:
  F function_;
};
template <class F>
std::unique_ptr<Normalizer> simple(F function) {
  return std::make_unique<Simple<F>>(std::move(function));
}

// One that looks at single code points: each(c, out) appends what becomes of c.
template <class F>
std::unique_ptr<Normalizer> each_code_point(F each) {
  return simple([each](std::string& text, bool) {
    std::string out;
    out.reserve(text.size());
    for (size_t i = 0; i < text.size(); i += utf8_length(static_cast<unsigned char>(text[i])))
      each(decode_utf8(text.data() + i), out);
    text = std::move(out);
  });
}

class Replace final : public Normalizer {
 public:
  Replace(Pattern pattern, std::string content)
      : pattern_(std::move(pattern)), content_(std::move(content)) {}
  Result<void> apply(std::string& text, bool, RegexScratch& scratch,
                     WorkBudget& budget) const override {
    return replace_all(pattern_, content_, text, scratch, budget);
  }

 private:
  Pattern pattern_;
  std::string content_;
};

class Sequence final : public Normalizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<Normalizer>> parts) : parts_(std::move(parts)) {}
  Result<void> apply(std::string& text, bool begins_text, RegexScratch& scratch,
                     WorkBudget& budget) const override {
    for (const auto& part : parts_) NIBBLE_CHECK(part->apply(text, begins_text, scratch, budget));
    return {};
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> parts_;
};

std::unique_ptr<Normalizer> form(NormalForm form) {
  return simple([form](std::string& text, bool) { text = normal_form(form, text); });
}

std::unique_ptr<Normalizer> lowercase() {
  return each_code_point([](char32_t c, std::string& out) { append_lower(out, c); });
}

std::unique_ptr<Normalizer> strip_accents() {
  return each_code_point([](char32_t c, std::string& out) {
    if (!is_mark(c)) append_utf8(out, c);
  });
}

void strip(std::string& text, bool left, bool right) {
  size_t begin = 0, end = text.size();
  while (left && begin < end && is_space(decode_utf8(text.data() + begin)))
    begin += utf8_length(static_cast<unsigned char>(text[begin]));
  for (size_t i; right && end > begin; end = i) {
    i = previous_utf8(text, end);
    if (!is_space(decode_utf8(text.data() + i))) break;
  }
  text = text.substr(begin, end - begin);
}

// SentencePiece's "nmt" rules: some controls go, the odd spaces become plain ones.
void append_nmt(char32_t c, std::string& out) {
  const bool gone = (c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F ||
                    c == 0x8F || c == 0x9F;
  if (gone) return;
  const bool space = c == 9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 ||
                     (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
                     c == 0xFEFF || c == 0xFFFD;
  append_utf8(out, space ? U' ' : c);
}

// BERT's clean-up: no controls, plain spaces, ideographs between spaces.
std::unique_ptr<Normalizer> bert_clean(bool clean, bool split_ideographs) {
  return each_code_point([clean, split_ideographs](char32_t c, std::string& out) {
    const bool kept_space = c == '\t' || c == '\n' || c == '\r';
    if (clean && (c == 0 || c == 0xFFFD || (is_control(c) && !kept_space))) return;
    if (clean && is_space(c)) {
      out += ' ';
    } else if (split_ideographs && is_ideograph(c)) {
      out += ' ';
      append_utf8(out, c);
      out += ' ';
    } else {
      append_utf8(out, c);
    }
  });
}

Result<std::unique_ptr<Normalizer>> read_bert(const Fields& fields) {
  NIBBLE_TRY(const bool clean, fields.boolean("clean_text", true));
  NIBBLE_TRY(const bool ideographs, fields.boolean("handle_chinese_chars", true));
  NIBBLE_TRY(const bool lower, fields.boolean("lowercase", true));
  NIBBLE_TRY(const bool strip_marks, fields.boolean("strip_accents", lower));
  std::vector<std::unique_ptr<Normalizer>> parts;
  parts.push_back(bert_clean(clean, ideographs));
  if (strip_marks) {
    parts.push_back(form(NormalForm::kNfd));
    parts.push_back(each_code_point([](char32_t c, std::string& out) {
      if (!is_nonspacing_mark(c)) append_utf8(out, c);
    }));
  }
  if (lower) parts.push_back(lowercase());
  return std::make_unique<Sequence>(std::move(parts));
}

Result<std::unique_ptr<Normalizer>> read_sequence(const Fields& fields) {
  NIBBLE_TRY(const Json* list, fields.need_array("normalizers"));
  std::vector<std::unique_ptr<Normalizer>> parts;
  for (const Json& item : *list) {
    NIBBLE_TRY(auto part, read_normalizer(item));
    parts.push_back(std::move(part));
  }
  return std::make_unique<Sequence>(std::move(parts));
}

Result<std::unique_ptr<Normalizer>> read_replace(const Fields& fields) {
  const Json* pattern = fields.find("pattern");
  if (!pattern) return corrupt("normalizer Replace: 'pattern' is missing");
  NIBBLE_TRY(Pattern read, Pattern::read(*pattern, "normalizer Replace"));
  NIBBLE_TRY(std::string content, fields.need_string("content"));
  return std::make_unique<Replace>(std::move(read), std::move(content));
}

Result<std::unique_ptr<Normalizer>> read_prepend(const Fields& fields) {
  NIBBLE_TRY(std::string prefix, fields.need_string("prepend"));
  return simple([prefix](std::string& text, bool begins_text) {
    if (begins_text && !text.empty()) text.insert(0, prefix);
  });
}

Result<std::unique_ptr<Normalizer>> read_strip(const Fields& fields) {
  NIBBLE_TRY(const bool left, fields.boolean("strip_left", true));
  NIBBLE_TRY(const bool right, fields.boolean("strip_right", true));
  return simple([left, right](std::string& text, bool) { strip(text, left, right); });
}
}  // namespace

Result<std::unique_ptr<Normalizer>> read_normalizer(const Json& json) {
  NIBBLE_TRY(const Fields fields, Fields::of(json, "normalizer"));
  NIBBLE_TRY(const std::string_view type, fields.type());
  if (type == "Sequence") return read_sequence(fields);
  if (type == "NFC") return form(NormalForm::kNfc);
  if (type == "NFD") return form(NormalForm::kNfd);
  if (type == "NFKC") return form(NormalForm::kNfkc);
  if (type == "NFKD") return form(NormalForm::kNfkd);
  if (type == "Lowercase") return lowercase();
  if (type == "StripAccents") return strip_accents();
  if (type == "Nmt") return each_code_point(append_nmt);
  if (type == "Strip") return read_strip(fields);
  if (type == "Prepend") return read_prepend(fields);
  if (type == "Replace") return read_replace(fields);
  if (type == "BertNormalizer") return read_bert(fields);
  if (type == "ByteLevel")
    return simple([](std::string& text, bool) {
      std::string out;
      append_byte_level(out, text);
      text = std::move(out);
    });
  return unsupported("normalizer '{}' is not built in", type);
}

}  // namespace nibble::text
