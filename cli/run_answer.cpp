#include "cli/run_answer.h"

#include "cli/signals.h"

namespace nibble::cli {

Result<Answer> stream_answer(Session& session, const Prompt& prompt, const AnswerLimits& limits,
                             AnswerWriter& writer) {
  const SignalWatch watch;
  ProgressLine progress;
  auto prefill = [&](int done, int total) {
    progress.show("prompt", done, total, "tokens");
    return pending_signal() == 0;
  };
  auto token = [&](TokenId id, std::string_view text) -> Result<bool> {
    progress.wipe();
    NIBBLE_CHECK(writer.token(id, text));
    return pending_signal() == 0;
  };
  NIBBLE_CHECK(writer.begin(prompt.ids.size()));
  NIBBLE_TRY(Answer done, session.answer(prompt.ids, limits, {prefill, token}));
  progress.wipe();
  NIBBLE_CHECK(writer.end(done));
  return done;
}

}  // namespace nibble::cli
