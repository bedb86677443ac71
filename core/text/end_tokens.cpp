#include "core/text/end_tokens.h"

#include <algorithm>

namespace nibble::text {
namespace {
// Texts that mean nothing else, whatever type the file gives them.
constexpr std::string_view kMarkers[] = {"<|eot_id|>",
                                         "<|im_end|>",
                                         "<|end|>",
                                         "<|return|>",
                                         "<|call|>",
                                         "<|flush|>",
                                         "<|calls|>",
                                         "<end_of_turn>",
                                         "<|endoftext|>",
                                         "<|end_of_text|>",
                                         "<EOT>",
                                         "_<EOT>",
                                         "[EOT]",
                                         "[EOS]",
                                         "<|eom_id|>",
                                         "<turn|>",
                                         "<｜end▁of▁sentence｜>",
                                         "<end_of_utterance>",
                                         "<|fim_pad|>",
                                         "<fim-pad>",
                                         "<fim_pad>",
                                         "<|fim_repo|>",
                                         "<|repo_name|>",
                                         "<fim-repo>",
                                         "<repo_name>",
                                         "<reponame>",
                                         "<|file_sep|>",
                                         "<file_sep>"};
// Texts that may stand in an answer (markup) unless the file makes them control tokens.
constexpr std::string_view kControlOnly[] = {"</s>", "<eos>"};
}  // namespace

std::vector<TokenId> end_tokens_by_text(const Vocabulary& vocabulary,
                                        FunctionRef<bool(TokenId)> special,
                                        FunctionRef<bool(TokenId)> added) {
  std::vector<TokenId> out;
  for (const std::string_view text : kMarkers)
    if (const TokenId id = vocabulary.find(text); id != kNoToken && added(id)) out.push_back(id);
  for (const std::string_view text : kControlOnly)
    if (const TokenId id = vocabulary.find(text); id != kNoToken && special(id)) out.push_back(id);
  // Harmony (gpt-oss): <|end|> closes one message of several; the answer goes on.
  const auto has = [&](std::string_view text) {
    const TokenId id = vocabulary.find(text);
    return id != kNoToken && added(id);
  };
  if (has("<|return|>") && has("<|call|>")) std::erase(out, vocabulary.find("<|end|>"));
  return out;
}

}  // namespace nibble::text
