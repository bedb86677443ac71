// Conversations to prompts: a chat template rendered as transformers renders it, and encoded so
// that only the template can write special tokens, never the text of a message.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/base/json.h"
#include "core/text/template/jinja.h"
#include "core/text/tokenizer.h"

namespace nibble {

struct ChatRequest {
  Json messages = Json::array();      // [{"role": .., "content": ..}, ..]
  Json tools;                         // null: none
  bool add_generation_prompt = true;  // ends where the model's answer begins
  std::optional<std::string> bos_token, eos_token;
  int64_t now = 0;              // seconds since 1970, what strftime_now formats
  Json extra = Json::object();  // further template variables; they win over those above
};

// {"messages": [..], "tools": [..], "add_generation_prompt": true, "bos_token": "..",
//  "eos_token": "..", "now": "2026-01-02T00:00:00", "extra": {..}}
// All but messages may be missing, now is the present then. Fails with kCorrupt (no JSON) or
// kInvalidInput (naming the member).
Result<ChatRequest> parse_chat_case(std::string_view text);
// bos_token and eos_token as the tokenizer has them, where the request leaves them out.
void add_token_texts(ChatRequest& request, const Tokenizer& tokenizer);
int64_t present_time();

class ChatTemplate {
 public:
  // Fails (kInvalidInput) with line and column.
  static Result<ChatTemplate> parse(std::string_view source);
  // The prompt, to the byte. Fails (kInvalidInput) with the template's own message and line.
  Result<std::string> render(const ChatRequest& request) const;

 private:
  explicit ChatTemplate(jinja::Template parsed) : template_(std::move(parsed)) {}
  jinja::Template template_;
};

struct ChatPrompt {
  std::string text;              // what render() gives
  std::vector<size_t> plain_at;  // see EncodeOptions
};

// A template and the tokenizer that its prompts are for, which must outlive it.
class ChatFormat {
 public:
  ChatFormat(ChatTemplate parsed, const Tokenizer& tokenizer);

  // Where a message or tool holds the text of a special token, it stays text. bos_token and
  // eos_token are the tokenizer's unless the request has them.
  Result<ChatPrompt> prompt(ChatRequest request) const;
  // With BOS exactly once where the tokenizer or the template puts it, and nothing else added.
  Result<std::vector<TokenId>> encode(const ChatPrompt& prompt) const;

 private:
  // value with `mark` inside of every special token's text; true when there was any.
  bool mark(Json& value, std::string_view mark) const;
  bool mark_text(std::string& text, std::string_view mark) const;
  size_t special_bytes(std::string_view text) const;  // of the longest at its beginning, or 0

  ChatTemplate template_;
  const Tokenizer& tokenizer_;
  std::unordered_set<std::string> specials_;
  std::vector<size_t> special_sizes_;  // that occur, largest first
  bool may_begin_[256] = {};
};

// The template that a model brings along; nothing for a base model. Of several the one named
// "default", or "tool_use" for a request with tools.
Result<std::optional<std::string>> chat_template_of(const Metadata& metadata, bool with_tools);
// All templates of a folder by name, "default" first where there is one: of tokenizer_config.json
// or chat_template.json, over which go chat_template.jinja and
// additional_chat_templates/NAME.jinja.
struct NamedTemplate {
  std::string name, source;
};
Result<std::vector<NamedTemplate>> chat_templates_of(const std::filesystem::path& folder);
// Of these the one for a request, as above.
Result<std::optional<std::string>> chat_template_of(const std::filesystem::path& folder,
                                                    bool with_tools);

}  // namespace nibble
