// The parts of `nibble eval`, one for each thing it measures.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/threads.h"
#include "cli/weights_memory.h"
#include "core/base/thread_pool.h"
#include "core/engine.h"
#include "core/models/model.h"
#include "formats/weight_file.h"

namespace nibble::cli {

struct EvalOptions : ThreadOptions {
  std::string model, text, against, questions, token_ids, logits;
  std::vector<std::string> lora;  // of the model, not of the reference
  std::optional<int> greedy;
  std::optional<std::string> kv_type;  // of the model, not of the reference
  bool exact = false, fast = false, json = false;
  int n_ctx = 512;
  int n_batch = 512;
  WeightsOptions weights;
};

// A model and an engine for it; they refer to one another.
struct Evaluation {
  std::unique_ptr<WeightFile> file;
  std::unique_ptr<Model> model;
  std::unique_ptr<Engine> engine;
};
// pool must outlive the evaluation.
Result<Evaluation> prepare(const EvalOptions& options, std::unique_ptr<WeightFile> file,
                           ThreadPool& pool, int n_ctx, bool exact);

Result<void> eval_tokens(const EvalOptions& options);     // --token-ids
Result<void> eval_text(const EvalOptions& options);       // --text
Result<void> eval_against(const EvalOptions& options);    // --text --against
Result<void> eval_questions(const EvalOptions& options);  // --multiple-choice

}  // namespace nibble::cli
