#include "cli/prompt.h"

#include "cli/output.h"
#include "core/base/json.h"

namespace nibble::cli {

Json message(std::string_view role, std::string_view content) {
  return {{"role", role}, {"content", content}};
}

Result<std::optional<std::string>> find_chat_template(const TextSource& source, bool with_tools) {
  std::error_code error;
  if (std::filesystem::is_directory(source.path, error))
    return chat_template_of(source.path, with_tools);
  return chat_template_of(source.file->metadata(), with_tools);
}

Result<PromptMaker> PromptMaker::create(const RunOptions& o, const TextSource& source) {
  PromptMaker maker(*source.tokenizer);
  if (o.raw) return maker;
  std::optional<std::string> text;
  if (!o.chat_template_file.empty()) {
    NIBBLE_TRY(text, read_text(o.chat_template_file));
  } else {
    NIBBLE_TRY(text, find_chat_template(source, false));
  }
  if (!text) return maker;
  auto parsed = ChatTemplate::parse(*text);
  if (!parsed) return fail(parsed.error().kind, "chat template: {}", parsed.error().message);
  maker.format_.emplace(std::move(*parsed), *source.tokenizer);
  if (o.think == "off") {
    if (text->find("thinking") == std::string::npos)
      notice("--think off: this chat template has no switch for it");
    maker.extra_ = {{"enable_thinking", false}, {"thinking", false}};
  }
  return maker;
}

Result<Prompt> PromptMaker::conversation(const Json& messages) const {
  ChatRequest request;
  request.messages = messages;
  request.extra = extra_;
  request.now = present_time();
  auto rendered = format_->prompt(std::move(request));
  if (!rendered) return fail(rendered.error().kind, "chat template: {}", rendered.error().message);
  Prompt prompt;
  NIBBLE_TRY(prompt.ids, format_->encode(*rendered));
  prompt.text = std::move(rendered->text);
  return prompt;
}

Result<Prompt> PromptMaker::plain(const std::string& text) const {
  Prompt prompt{.text = text, .ids = {}};
  NIBBLE_TRY(prompt.ids, tokenizer_->encode(text));
  return prompt;
}

}  // namespace nibble::cli
