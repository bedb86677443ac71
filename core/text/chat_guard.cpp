// Keeps what messages say apart from what the template says. Inside of every special token's text
// in a message, after its first character, goes a mark: a private-use character that occurs nowhere
// else. Templates pass it on like any letter, so the rendered prompt shows where text of a message
// looks like a special token; the marks are then taken out again.
#include <algorithm>

#include "core/text/chat.h"
#include "core/text/template/characters.h"
#include "core/text/utf8.h"

namespace nibble {
namespace {

struct Marks {
  std::string character;  // as UTF-8
  std::string escaped;    // as tojson(ensure_ascii=true) and repr write it
};

// A private-use character that neither form of occurs in any of the texts.
std::optional<Marks> unused_character(std::initializer_list<std::string_view> texts) {
  for (char32_t c = 0xE000; c <= 0xF8FF; ++c) {
    Marks marks;
    text::append_utf8(marks.character, c);
    marks.escaped = fmt::format("\\u{:04x}", static_cast<uint32_t>(c));
    const bool used = std::ranges::any_of(texts, [&](std::string_view text) {
      return text.find(marks.character) != text.npos || text.find(marks.escaped) != text.npos;
    });
    if (!used) return marks;
  }
  return std::nullopt;
}

// The text without marks, and where they stood.
ChatPrompt without_marks(std::string_view text, const Marks& marks) {
  ChatPrompt prompt;
  while (true) {
    const size_t plain = text.find(marks.character), escaped = text.find(marks.escaped);
    const size_t at = std::min(plain, escaped);
    prompt.text += text.substr(0, at);
    if (at == text.npos) return prompt;
    prompt.plain_at.push_back(prompt.text.size());
    text.remove_prefix(at + (plain < escaped ? marks.character : marks.escaped).size());
  }
}

}  // namespace

ChatFormat::ChatFormat(ChatTemplate parsed, const Tokenizer& tokenizer)
    : template_(std::move(parsed)), tokenizer_(tokenizer) {
  for (TokenId id = 0; id < tokenizer.n_vocab(); ++id) {
    if (!tokenizer.is_control(id)) continue;
    const std::string text(tokenizer.token_text(id));
    if (text.empty() || !specials_.insert(text).second) continue;
    special_sizes_.push_back(text.size());
    may_begin_[static_cast<unsigned char>(text[0])] = true;
  }
  std::ranges::sort(special_sizes_, std::greater());
  const auto repeated = std::ranges::unique(special_sizes_);
  special_sizes_.erase(repeated.begin(), repeated.end());
}

size_t ChatFormat::special_bytes(std::string_view text) const {
  if (!may_begin_[static_cast<unsigned char>(text[0])]) return 0;
  for (const size_t n : special_sizes_)
    if (n <= text.size() && specials_.contains(std::string(text.substr(0, n)))) return n;
  return 0;
}

bool ChatFormat::mark_text(std::string& text, std::string_view mark) const {
  std::string out;
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = std::string_view(text).substr(at);
    const size_t n = special_bytes(rest);
    if (n > 0) {
      const size_t first = jinja::char_bytes(rest, 0);
      const size_t cut = at + (first < n ? first : 0);
      out += std::string_view(text).substr(done, cut - done);
      out += mark;
      done = cut;
    }
    at += std::max<size_t>(n, 1);
  }
  if (done == 0 && out.empty()) return false;
  out += std::string_view(text).substr(done);
  text = std::move(out);
  return true;
}

bool ChatFormat::mark(Json& value, std::string_view mark) const {
  if (value.is_string()) return mark_text(value.get_ref<std::string&>(), mark);
  bool any = false;
  if (value.is_structured())
    for (Json& inner : value) any = this->mark(inner, mark) || any;
  return any;
}

Result<ChatPrompt> ChatFormat::prompt(ChatRequest request) const {
  add_token_texts(request, tokenizer_);
  NIBBLE_TRY(std::string plain, template_.render(request));
  const std::string said =
      dump_json(request.messages) + dump_json(request.tools) + dump_json(request.extra);
  const auto marks = unused_character({plain, said});
  if (!marks) return invalid_input("the conversation uses every private-use character");
  ChatPrompt marked;
  // A template may look for special tokens in the model's own answers (</think>); when marks there
  // change what it writes, answers are left as they are.
  for (const bool answers_too : {true, false}) {
    ChatRequest changed = request;
    bool any = mark(changed.tools, marks->character);
    for (Json& message : changed.messages) {
      const bool answer = message.is_object() && message.value("role", Json()) == "assistant";
      if (!answer || answers_too) any = mark(message, marks->character) || any;
    }
    if (!any) return ChatPrompt{std::move(plain), {}};
    NIBBLE_TRY(const std::string text, template_.render(changed));
    marked = without_marks(text, *marks);
    if (marked.text == plain) return marked;
  }
  return marked;  // what the template makes of the text when nothing in it is a special token
}

}  // namespace nibble
