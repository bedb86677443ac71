// Rules as jinja2's lexer has them with trim_blocks and lstrip_blocks on and keep_trailing_newline
// off.
#include "core/text/template/lexer.h"

#include <algorithm>
#include <charconv>

#include "core/text/template/characters.h"
#include "core/text/template/literals.h"

namespace nibble::jinja {
namespace {

constexpr size_t kMaxSource = 16u << 20;

// "\r\n" and "\r" are "\n"; one newline at the very end is dropped.
std::string normalize(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n') continue;
    out += source[i] == '\r' ? '\n' : source[i];
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         uint8_t(c) >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  Result<std::vector<Token>> run() {
    while (at_ < source_.size()) NIBBLE_CHECK(data());
    push(Tok::kEof, at_);
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return source_.substr(at_); }
  bool starts(std::string_view text) const { return rest().starts_with(text); }

  // Line and column of a byte; asked in ascending order but for errors.
  std::pair<int, int> place(size_t at) {
    if (at < counted_) counted_ = line_begin_ = 0, line_ = 1;
    for (; counted_ < at; ++counted_)
      if (source_[counted_] == '\n') ++line_, line_begin_ = counted_ + 1;
    return {line_, int(at - line_begin_) + 1};
  }
  Token& push(Tok type, size_t at, std::string text = {}) {
    const auto [line, column] = place(at);
    tokens_.push_back({type, line, column, std::move(text)});
    return tokens_.back();
  }
  std::unexpected<Error> error(size_t at, std::string_view message) {
    const auto [line, column] = place(at);
    return invalid_input("template line {}, column {}: {}", line, column, message);
  }

  // Text up to the next tag, then that tag.
  Result<void> data() {
    const size_t begin = at_;
    size_t tag = source_.find('{', at_);
    while (tag != source_.npos && !is_tag(tag)) tag = source_.find('{', tag + 1);
    if (tag == source_.npos) {
      push(Tok::kData, begin, std::string(rest()));
      at_ = source_.size();
      return {};
    }
    const char kind = source_[tag + 1];
    const char sign = tag + 2 < source_.size() ? source_[tag + 2] : '\0';
    const auto text = before_tag(source_.substr(begin, tag - begin), kind, sign);
    if (!text.empty()) push(Tok::kData, begin, std::string(text));
    at_ = tag + 2 + (sign == '-' || sign == '+');
    if (kind == '#') return comment(tag);
    if (kind == '{') return tag_tokens(tag, Tok::kPrintBegin, Tok::kPrintEnd, "}}");
    if (const size_t end = word_tag("raw", false); end != source_.npos) return raw(tag, end);
    return tag_tokens(tag, Tok::kBlockBegin, Tok::kBlockEnd, "%}");
  }

  bool is_tag(size_t at) const {
    return at + 1 < source_.size() &&
           (source_[at + 1] == '{' || source_[at + 1] == '%' || source_[at + 1] == '#');
  }

  // The text before a tag without the white space that the tag takes away.
  std::string_view before_tag(std::string_view text, char kind, char sign) const {
    if (sign == '-') return strip_right(text);
    if (sign == '+' || kind == '{') return text;
    const size_t newline = text.rfind('\n');
    const size_t line = newline == text.npos ? 0 : newline + 1;
    if (newline == text.npos && !line_starting_) return text;
    return strip(text.substr(line)).empty() ? text.substr(0, line) : text;
  }

  // After a closing mark at at_: takes the white space that belongs to it.
  void after_tag(bool minus, bool plus, bool print) {
    const size_t before = at_;
    if (minus)
      at_ = source_.size() - strip_left(rest()).size();
    else if (!plus && !print && starts("\n"))
      ++at_;
    line_starting_ = at_ > before && source_[at_ - 1] == '\n';
  }

  Result<void> comment(size_t tag) {
    // `{#-` has eaten its sign, which in "{#-#}" is not the closing one too.
    const size_t end = source_.find("#}", at_);
    if (end == source_.npos) return error(tag, "Missing end of comment tag");
    const char sign = end > at_ ? source_[end - 1] : '\0';
    at_ = end + 2;
    after_tag(sign == '-', sign == '+', false);
    return {};
  }

  // "  word  %}" at at_ (with "-%}" and, where allowed, "+%}"): the end of it, else npos.
  size_t word_tag(std::string_view word, bool plus) const {
    std::string_view text = strip_left(rest());
    if (!text.starts_with(word)) return source_.npos;
    text = strip_left(text.substr(word.size()));
    const size_t signs = text.starts_with('-') || (plus && text.starts_with('+'));
    if (!text.substr(signs).starts_with("%}")) return source_.npos;
    return source_.size() - text.size() + signs + 2;
  }

  Result<void> raw(size_t tag, size_t end) {
    const bool minus = source_[end - 3] == '-';
    at_ = end;
    // No trim_blocks after {% raw %}.
    if (minus) at_ = source_.size() - strip_left(rest()).size();
    line_starting_ = source_[at_ - 1] == '\n';
    const size_t begin = at_;
    for (size_t close = source_.find("{%", begin); close != source_.npos;
         close = source_.find("{%", close + 1)) {
      const char sign = close + 2 < source_.size() ? source_[close + 2] : '\0';
      at_ = close + 2 + (sign == '-' || sign == '+');
      const size_t after = word_tag("endraw", true);
      if (after == source_.npos) continue;
      const auto text = before_tag(source_.substr(begin, close - begin), '%', sign);
      if (!text.empty()) push(Tok::kData, begin, std::string(text));
      at_ = after;
      after_tag(source_[after - 3] == '-', source_[after - 3] == '+', false);
      return {};
    }
    return error(tag, "Missing end of raw directive");
  }

  Result<void> tag_tokens(size_t tag, Tok begin, Tok end, std::string_view close) {
    push(begin, tag);
    open_.clear();
    const bool print = begin == Tok::kPrintBegin;
    while (true) {
      at_ = source_.size() - strip_left(rest()).size();
      if (at_ >= source_.size())
        return error(tag,
                     print ? "print statement is not closed" : "statement block is not closed");
      const bool signed_close = (source_[at_] == '-' || (source_[at_] == '+' && !print)) &&
                                source_.substr(at_ + 1).starts_with(close);
      if (open_.empty() && (signed_close || starts(close))) {
        push(end, at_);
        const char sign = signed_close ? source_[at_] : '\0';
        at_ += close.size() + signed_close;
        after_tag(sign == '-', sign == '+', print);
        return {};
      }
      NIBBLE_CHECK(token());
    }
  }

  Result<void> token() {
    const char c = source_[at_];
    if (is_digit(c)) return number();
    if (is_word(c)) return name();
    if (c == '\'' || c == '"') return string();
    return op();
  }

  Result<void> name() {
    const size_t begin = at_;
    while (at_ < source_.size() && is_word(source_[at_])) ++at_;
    push(Tok::kName, begin, std::string(source_.substr(begin, at_ - begin)));
    return {};
  }

  Result<void> string() {
    const size_t begin = at_;
    const char mark = source_[at_++];
    while (at_ < source_.size() && source_[at_] != mark) at_ += source_[at_] == '\\' ? 2 : 1;
    if (at_ >= source_.size()) return error(begin, "string is not closed");
    auto text = unescape(source_.substr(begin + 1, at_ - begin - 1));
    ++at_;
    if (!text) return error(begin, text.error().message);
    push(Tok::kString, begin, std::move(*text));
    return {};
  }

  Result<void> number() {
    const bool after_dot = at_ > 0 && source_[at_ - 1] == '.';
    const auto literal = scan_number(rest(), !after_dot);
    if (!literal) return error(at_, literal.error().message);
    Token& t = push(literal->is_float ? Tok::kFloat : Tok::kInt, at_);
    t.integer = literal->integer;
    t.number = literal->number;
    at_ += literal->n_bytes;
    return {};
  }

  Result<void> op() {
    static constexpr std::string_view kTwo[] = {"//", "**", "==", "!=", ">=", "<="};
    static constexpr std::string_view kOne = "+-/*%~[](){}><=.:|,;";
    const size_t begin = at_;
    const std::string_view two = source_.substr(at_, 2);
    const size_t n = std::ranges::find(kTwo, two) != std::end(kTwo) ? 2 : 1;
    if (n == 1 && kOne.find(source_[at_]) == kOne.npos)
      return error(at_, fmt::format("unexpected character '{}'",
                                    source_.substr(at_, char_bytes(source_, at_))));
    if (n == 1) NIBBLE_CHECK(balance(source_[at_]));
    at_ += n;
    push(Tok::kOp, begin, std::string(source_.substr(begin, n)));
    return {};
  }

  Result<void> balance(char c) {
    if (c == '(')
      open_ += ')';
    else if (c == '[')
      open_ += ']';
    else if (c == '{')
      open_ += '}';
    else if (c == ')' || c == ']' || c == '}') {
      if (open_.empty()) return error(at_, fmt::format("unexpected '{}'", c));
      if (open_.back() != c)
        return error(at_, fmt::format("unexpected '{}', expected '{}'", c, open_.back()));
      open_.pop_back();
    }
    return {};
  }

  std::string_view source_;
  size_t at_ = 0;
  bool line_starting_ = true;  // what was consumed last ended in a newline, or nothing was
  std::string open_;           // closing brackets that are due
  std::vector<Token> tokens_;
  size_t counted_ = 0, line_begin_ = 0;
  int line_ = 1;
};

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view source) {
  if (source.size() > kMaxSource)
    return invalid_input("template: {} bytes, at most {} are read", source.size(), kMaxSource);
  const std::string text = normalize(source);
  return Lexer(text).run();
}

}  // namespace nibble::jinja
