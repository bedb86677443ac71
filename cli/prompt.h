// From what a user wrote to the tokens that a model reads: through its chat template, or as it
// stands.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/input.h"
#include "cli/run.h"
#include "core/text/chat.h"

namespace nibble::cli {

struct Prompt {
  std::string text;  // as the model gets it
  std::vector<TokenId> ids;
};

class PromptMaker {
 public:
  // The template of --chat-template-file, or the model's own, or none: with --raw, and for a base
  // model. source must outlive the maker.
  static Result<PromptMaker> create(const RunOptions& options, const TextSource& source);

  bool has_template() const { return format_.has_value(); }
  // messages: [{"role": .., "content": ..}, ..], the next one is the assistant's.
  Result<Prompt> conversation(const Json& messages) const;
  Result<Prompt> plain(const std::string& text) const;

 private:
  explicit PromptMaker(const Tokenizer& tokenizer) : tokenizer_(&tokenizer) {}
  const Tokenizer* tokenizer_;
  std::optional<ChatFormat> format_;
  Json extra_ = Json::object();  // template variables: --think off
};

// The model's own template; nullopt: a base model.
Result<std::optional<std::string>> find_chat_template(const TextSource& source, bool with_tools);
Json message(std::string_view role, std::string_view content);

}  // namespace nibble::cli
