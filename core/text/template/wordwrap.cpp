// The filter wordwrap: Python's textwrap.wrap of each line.
#include <algorithm>

#include "core/text/template/characters.h"
#include "core/text/template/text_methods.h"
#include "core/text/unicode_case.h"

namespace nibble::jinja {
namespace {

bool is_blank(char32_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_word(char32_t c) { return c == '_' || is_alnum(c); }
bool is_wordlike(char32_t c) { return is_word(c) || std::u32string_view(U"!\"'&.,?").contains(c); }
bool is_letterlike(char32_t c) { return is_word(c) && !is_decimal(c); }

// A line in code points, and where lines may break in it.
class Line {
 public:
  explicit Line(std::string_view text) {
    for (size_t at = 0; at < text.size(); at += char_bytes(text, at))
      chars_.push_back(char_at(text, at));
  }
  size_t size() const { return chars_.size(); }

  // The end of what begins at `at` and no line breaks in: white space, or a word or part of one.
  size_t unbroken(size_t at, bool hyphens) const {
    const bool blank = is_blank(chars_[at]);
    if (!blank && hyphens && begins_dash(at)) return dash_end(at);
    for (++at; at < size() && is_blank(chars_[at]) == blank; ++at) {
      if (blank || !hyphens) continue;
      if (breaks_at_hyphen(at)) return at + 1;
      if (begins_dash(at)) return at;
    }
    return at;
  }

 private:
  char32_t at(size_t i) const { return i < size() ? chars_[i] : 0; }
  char32_t before(size_t i, size_t n) const { return i >= n ? chars_[i - n] : 0; }
  size_t dash_end(size_t i) const {
    while (at(i) == '-') ++i;
    return i;
  }
  // Two hyphens or more between words.
  bool begins_dash(size_t i) const {
    return at(i) == '-' && at(i + 1) == '-' && is_wordlike(before(i, 1)) &&
           is_word(at(dash_end(i)));
  }
  // Behind two letters, or a letter, a hyphen and a letter; two letters follow.
  bool breaks_at_hyphen(size_t i) const {
    if (at(i) != '-' || !is_letterlike(before(i, 1))) return false;
    const bool behind =
        is_letterlike(before(i, 2)) || (before(i, 2) == '-' && is_letterlike(before(i, 3)));
    return behind && is_letterlike(at(i + 1)) &&
           is_letterlike(at(i + 1 + (at(i + 2) == '-' ? 2 : 1)));
  }

  std::u32string chars_;
};

struct Chunk {
  std::string_view text;
  size_t n_chars;
  bool blank() const { return strip(text).empty(); }
  Chunk take(size_t n) {  // the first n characters, which it loses
    const size_t bytes = char_offset(text, n);
    const Chunk head = {text.substr(0, bytes), std::min(n, n_chars)};
    text.remove_prefix(bytes);
    n_chars -= head.n_chars;
    return head;
  }
};

std::vector<Chunk> chunks_of(std::string_view text, bool hyphens) {
  const Line line(text);
  std::vector<Chunk> out;
  Chunk rest = {text, line.size()};
  for (size_t at = 0; at < line.size();) {
    const size_t end = line.unbroken(at, hyphens);
    out.push_back(rest.take(end - at));
    at = end;
  }
  return out;
}

// How much of a word that is longer than a line goes on the `room` characters that are left.
size_t long_word_part(std::string_view word, size_t room, bool hyphens) {
  if (!hyphens) return room;
  const std::string_view head = word.substr(0, char_offset(word, room));
  const size_t hyphen = head.rfind('-');
  const bool after_more = hyphen != head.npos && head.find_first_not_of('-') < hyphen;
  return after_more ? count_chars(head.substr(0, hyphen + 1)) : room;
}

struct Wrap {
  size_t width;
  bool break_long_words, break_on_hyphens;
};

void wrap_line(std::string_view text, const Wrap& how, std::vector<std::string>& lines) {
  std::vector<Chunk> chunks = chunks_of(text, how.break_on_hyphens);
  const size_t before = lines.size();
  for (size_t at = 0; at < chunks.size();) {
    std::vector<Chunk> line;
    size_t n = 0;
    if (lines.size() > before && chunks[at].blank()) ++at;
    for (; at < chunks.size() && n + chunks[at].n_chars <= how.width; ++at) {
      n += chunks[at].n_chars;
      line.push_back(chunks[at]);
    }
    if (at < chunks.size() && chunks[at].n_chars > how.width) {
      if (how.break_long_words)
        line.push_back(
            chunks[at].take(long_word_part(chunks[at].text, how.width - n, how.break_on_hyphens)));
      else if (line.empty())
        line.push_back(chunks[at++]);
    }
    if (!line.empty() && line.back().blank()) line.pop_back();
    if (line.empty()) continue;
    lines.emplace_back();
    for (const Chunk& chunk : line) lines.back() += chunk.text;
  }
}

}  // namespace

Result<Value> wordwrap(Interpreter& in, const Value& self, const Params& p) {
  if (self.is_undefined()) return invalid_input("{}", undefined_message(self));
  if (!self.is(Kind::kString))
    return invalid_input("wordwrap: text wanted, got {}", type_name(self));
  NIBBLE_TRY(const Integer width, p.integer(0, 79));
  NIBBLE_TRY(const std::string_view separator, p.text(2, "\n"));
  if (width <= 0 && !self.str().empty())
    return invalid_input("invalid width {} (must be > 0)", int64_t(std::max<Integer>(width, -1)));
  const Wrap how = {size_t(std::min<Integer>(width, INT64_MAX)), p.flag(1, true), p.flag(3, true)};
  std::vector<std::string> lines;
  for (const std::string_view line : split_lines(self.str())) {
    NIBBLE_CHECK(in.spend_chars(line));
    const size_t before = lines.size();
    wrap_line(line, how, lines);
    if (lines.size() == before) lines.emplace_back();
  }
  std::string out;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += separator;
    out += lines[i];
    if (out.size() > in.max_bytes()) NIBBLE_CHECK(in.spend_bytes(out.size()));
  }
  return in.text(std::move(out));
}

}  // namespace nibble::jinja
