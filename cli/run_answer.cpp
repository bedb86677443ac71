#include "cli/run_answer.h"

#include "cli/progress.h"

namespace nibble::cli {

Result<Answer> stream_answer(Session& session, const Prompt& prompt, const AnswerLimits& limits,
                             AnswerWriter& writer) {
  Progress progress;
  auto prefill = [&](int done, int total) {
    return progress.show("prompt", done, total, "tokens");
  };
  auto token = [&](TokenId id, std::string_view text) -> Result<bool> {
    progress.wipe();
    NIBBLE_CHECK(writer.token(id, text));
    return progress.go_on();
  };
  NIBBLE_CHECK(writer.begin(prompt.ids.size()));
  NIBBLE_TRY(Answer done, session.answer(prompt.ids, limits, {prefill, token}));
  progress.wipe();
  NIBBLE_CHECK(writer.end(done));
  return done;
}

}  // namespace nibble::cli
