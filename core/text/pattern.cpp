#include "core/text/pattern.h"

#include "core/base/json.h"
#include "core/text/utf8.h"

namespace nibble::text {

Result<Pattern> Pattern::read(const Json& json, std::string_view where) {
  Pattern out;
  if (json.is_string()) {
    out.string_ = json.get<std::string>();
    return out;
  }
  NIBBLE_TRY(const Fields fields, Fields::of(json, where));
  if (fields.find("Regex")) {
    NIBBLE_TRY(const std::string source, fields.need_string("Regex"));
    auto regex = Regex::compile(source);
    if (!regex) return fail(regex.error().kind, "{}: {}", where, regex.error().message);
    out.regex_ = std::move(*regex);
    return out;
  }
  NIBBLE_TRY(out.string_, fields.need_string("String"));
  return out;
}

Regex::Outcome Pattern::find(std::string_view text, size_t from, RegexScratch& scratch,
                             Regex::Match& match) const {
  if (regex_) return regex_->find(text, from, scratch, match);
  const size_t begin = string_.empty() ? std::string_view::npos : text.find(string_, from);
  if (begin == std::string_view::npos) return Regex::Outcome::kNone;
  match = {begin, begin + string_.size()};
  return Regex::Outcome::kMatch;
}

std::optional<std::string_view> Pattern::literal() const {
  if (regex_) return std::nullopt;
  return string_;
}

Result<void> replace_all(const Pattern& pattern, std::string_view content, std::string& text,
                         RegexScratch& scratch, WorkBudget& budget) {
  std::string out;
  size_t copied = 0;
  bool any = false;
  Regex::Match m{};
  for (size_t from = 0; from <= text.size();) {
    const auto outcome = pattern.find(text, from, scratch, m);
    if (outcome == Regex::Outcome::kOverBudget)
      return invalid_input("the tokenizer gave up on replacing in a text of {} bytes", text.size());
    if (outcome == Regex::Outcome::kNone) break;
    from = m.end;
    if (m.begin == m.end) {
      from += m.end < text.size() ? utf8_length(static_cast<unsigned char>(text[m.end])) : 1;
      if (any && m.begin == copied) continue;  // an empty match right behind a match
    }
    any = true;
    NIBBLE_CHECK(budget.spend(m.begin - copied + content.size()));
    out += std::string_view(text).substr(copied, m.begin - copied);
    out += content;
    copied = m.end;
  }
  NIBBLE_CHECK(budget.spend(text.size() - copied));
  if (!any) return {};
  out += std::string_view(text).substr(copied);
  text = std::move(out);
  return {};
}

}  // namespace nibble::text
