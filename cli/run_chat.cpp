// Starts a chat, where a terminal and a chat template allow it.
#include <unistd.h>

#include "cli/chat.h"

namespace nibble::cli {

Result<void> run_chat(const RunOptions& o) {
  if (!is_terminal(STDERR_FILENO))
    return fail(
        ErrorKind::kUsage,
        "a chat needs a terminal on standard error too; pass -p TEXT or -f FILE for one answer");
  NIBBLE_TRY(TextSource source, open_text_source(o.model));
  NIBBLE_CHECK(open_weights(source));
  NIBBLE_TRY(const PromptMaker maker, PromptMaker::create(o, source));
  if (!maker.has_template())
    return fail(o.raw ? ErrorKind::kUsage : ErrorKind::kInvalidInput,
                "{}: {}; pass -p TEXT to continue a text, or --chat-template-file FILE to chat",
                source.path.string(),
                o.raw ? "--raw leaves no chat template" : "no chat template (a base model)");
  NIBBLE_TRY(const SamplerSettings settings, sampler_settings(o.sampling, source));
  NIBBLE_TRY(auto model, load_model(o, source));
  NIBBLE_TRY(ReadyModel ready, make_ready(o, source, std::move(model), settings, 0));
  notice("{}, context of {} tokens, seed {}; /help lists commands, Ctrl-D leaves",
         source.path.filename().string(), ready.engine->n_ctx(), settings.seed);
  return Chat(o, source, maker, std::move(ready), settings).run();
}

}  // namespace nibble::cli
