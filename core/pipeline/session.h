// One sequence on one engine: brings the cache to a prompt, prefilling only what is new, and
// generates an answer. Knows nothing of options, terminals or chat templates.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/function_ref.h"
#include "core/engine.h"
#include "core/pipeline/speculate.h"
#include "core/sample/sampler.h"
#include "core/text/tokenizer.h"

namespace nibble {

enum class EndReason {
  kEndToken,  // the model said so
  kStopString,
  kLength,  // as many tokens as were asked for
  kContextFull,
  kInterrupted,
};
std::string_view to_string(EndReason reason);  // "end", "stop", "length", "context", "interrupted"

struct AnswerLimits {
  int max_tokens = -1;             // < 0: none
  std::vector<std::string> stops;  // not empty ones; never shown, not even partly
  bool ignore_eos = false;         // end tokens are never drawn
};

struct Answer {
  std::string text;          // as shown
  std::vector<TokenId> ids;  // generated, an end token not included
  EndReason reason = EndReason::kEndToken;
  uint64_t seed = 0;    // that its tokens were drawn with
  int n_prompt = 0;     // tokens of the prompt
  int n_prefilled = 0;  // of these, run through the model: all that the cache did not hold, fewer
                        // only when interrupted
  double prefill_s = 0;
  double first_token_at_s = 0;  // steady clock; 0: none
  int n_decoded = 0;            // tokens run after the prompt
  double decode_s = 0;          // that this took, sampling included
  std::optional<SpeculationStats> speculation;

  double prefill_speed() const;  // tokens per second; 0 where there is nothing to measure
  double decode_speed() const;
  bool ended_in_prompt() const { return reason == EndReason::kInterrupted && ids.empty(); }
};

// What an answer tells while it grows; both return false to stop it (kInterrupted).
struct AnswerEvents {
  Engine::Progress prefill;
  // text: what is safe to show since the last call, whole characters; id: -1 when only held-back
  // text comes at the end.
  FunctionRef<Result<bool>(TokenId id, std::string_view text)> token;
};

class Session {
 public:
  // All but the drafter must outlive the session. settings.seed seeds the first answer; each
  // one counts it on. drafter: null for no speculation; it changes no answer.
  Session(const Tokenizer& tokenizer, Engine& engine, const SamplerSettings& settings, int n_vocab,
          std::unique_ptr<Drafter> drafter = nullptr);

  // Fails with kContextFull when the prompt does not fit, and as Engine does. After a failure or an
  // interruption the session is as usable as before.
  Result<Answer> answer(std::span<const TokenId> prompt, const AnswerLimits& limits,
                        const AnswerEvents& events);
  SamplerSettings& settings() { return settings_; }  // for the answers to come
  int n_cached() const { return engine_.n_past(); }
  int n_ctx() const { return engine_.n_ctx(); }

 private:
  std::optional<EndReason> end_before_next(const AnswerLimits& limits, const Answer& answer) const;
  Result<std::span<const float>> decode(const AnswerLimits& limits, Answer& answer);
  Result<void> generate(std::span<const float> logits, Sampler& sampler, const AnswerLimits& limits,
                        const AnswerEvents& events, Answer& answer);
  Sampler make_sampler(std::span<const TokenId> prompt, bool ignore_eos);

  const Tokenizer& tokenizer_;
  Engine& engine_;
  Speculator speculator_;
  SamplerSettings settings_;
  int n_vocab_;
  std::vector<TokenId> text_;  // prompt and answer, as far as the model has read them
};

}  // namespace nibble
