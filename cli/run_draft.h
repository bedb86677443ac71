// Speculation of `nibble run`: --lookup and --draft.
#pragma once

#include <memory>

#include "cli/input.h"
#include "cli/run.h"
#include "core/base/thread_pool.h"
#include "core/models/model.h"
#include "core/pipeline/drafter.h"

namespace nibble::cli {

// The model of --draft. The parts refer to one another.
struct DraftModel {
  TextSource source;
  std::unique_ptr<Model> model;
  std::unique_ptr<Engine> engine;
};

// Fails (kInvalidInput), telling the first token that differs, where the draft model's vocabulary
// is not that of `tokenizer`; tokens that fill up the longer one do not count.
Result<void> check_same_vocabulary(const Tokenizer& tokenizer, const Tokenizer& draft);

// pool must outlive it. Null where the options have no --draft.
Result<std::unique_ptr<DraftModel>> load_draft(const RunOptions& options,
                                               const Tokenizer& tokenizer, ThreadPool& pool,
                                               const EngineOptions& engine_options);

// What guesses for a model of n_vocab tokens: draft, where there is one, else lookup, else null.
std::unique_ptr<Drafter> make_drafter(const RunOptions& options, DraftModel* draft, int n_vocab);

}  // namespace nibble::cli
