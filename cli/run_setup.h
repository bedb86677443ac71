// What one-shot runs and chats share: the model and its defaults made ready.
#pragma once

#include <memory>
#include <optional>

#include "cli/input.h"
#include "cli/run.h"
#include "cli/run_draft.h"
#include "core/base/thread_pool.h"
#include "core/models/model.h"
#include "core/pipeline/session.h"

namespace nibble::cli {

// Options over what the model declares (general.sampling.* of a GGUF file, generation_config.json
// of a folder) over SamplerSettings' own. A seed that was not given is drawn from the system.
Result<SamplerSettings> sampler_settings(const SamplingOptions& options, const TextSource& source);

// Tokens that the context holds. n_prompt: of the prompt, as far as it is known. Fails with
// kContextFull, telling the numbers and what to pass, when the prompt does not fit.
Result<int> context_size(const RunOptions& options, const Model& model, size_t n_prompt);

// Tokens that a prompt may have with --truncate: what -n asks for, or else a quarter of the
// context, is left for the answer.
size_t most_prompt_tokens(const RunOptions& options, const Model& model);

// A model that is ready to answer. The parts refer to one another.
struct ReadyModel {
  std::unique_ptr<Model> model;
  WeightsMemory weights;
  std::unique_ptr<ThreadPool> pool;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<DraftModel> draft;
  std::unique_ptr<Session> session;
};
// source must outlive the model.
Result<std::unique_ptr<Model>> load_model(const RunOptions& options, const TextSource& source);
Result<ReadyModel> make_ready(const RunOptions& options, TextSource& source,
                              std::unique_ptr<Model> model, const SamplerSettings& settings,
                              size_t n_prompt);

AnswerLimits answer_limits(const RunOptions& options);

}  // namespace nibble::cli
