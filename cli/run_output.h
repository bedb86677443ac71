// How an answer is told: as text while it grows, as JSON lines, or as one JSON document; statistics
// behind it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/output.h"
#include "cli/run.h"
#include "core/base/json.h"
#include "core/pipeline/session.h"
#include "core/pipeline/think_stream.h"

namespace nibble::cli {

struct RunFacts {
  std::string model;  // path
  uint64_t seed = 0;  // of the first answer
  int n_ctx = 0;
  std::optional<size_t> n_dropped = {};  // tokens, where --truncate was given
  bool thought_open = false;             // the prompt ends inside of a thought
  double start_s = 0;                    // from when the first token is timed
  WeightsMemory weights = {};
  WeightFile* file = nullptr;  // of the weights; null: JSON does not tell of them
};

// "prompt 31 tokens in 0.02 s ..., 8 tokens in 0.05 s ..., seed 7"
std::string statistics(const Answer& answer, const RunFacts& facts);
Json to_json(const Answer& answer, const RunFacts& facts);

class AnswerWriter {
 public:
  AnswerWriter(const RunOptions& options, const RunFacts& facts)
      : options_(options),
        facts_(facts),
        split_(options.think == "hide" || options.think == "only-stderr"),
        thought_(facts.thought_open) {}
  Result<void> begin(size_t n_prompt);
  Result<void> token(TokenId id, std::string_view text);
  Result<void> end(const Answer& answer);

 private:
  Result<void> text(std::string_view text);
  Result<void> parts(TokenId id, const ThinkStream::Parts& parts);
  Result<void> line(const Json& event) { return write_out(dump_json(event) + "\n"); }
  const RunOptions& options_;
  const RunFacts& facts_;
  const bool split_;  // thoughts are not shown with the answer
  ThinkStream thought_;
  bool at_line_start_ = true;
};

}  // namespace nibble::cli
