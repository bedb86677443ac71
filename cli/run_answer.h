// Runs one answer with progress, streaming and Ctrl-C.
#pragma once

#include "cli/prompt.h"
#include "cli/run_output.h"

namespace nibble::cli {

// Ctrl-C ends the answer (kInterrupted) and leaves pending_signal() set.
Result<Answer> stream_answer(Session& session, const Prompt& prompt, const AnswerLimits& limits,
                             AnswerWriter& writer);

}  // namespace nibble::cli
