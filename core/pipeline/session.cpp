#include "core/pipeline/session.h"

#include <algorithm>

#include "core/base/clock.h"
#include "core/pipeline/text_stream.h"

namespace nibble {
namespace {

double per_second(int n, double seconds) { return n > 0 && seconds > 0 ? n / seconds : 0; }

void take_time(Answer& answer) {
  const double now = now_s();
  if (answer.first_token_at_s == 0) answer.first_token_at_s = now;
  answer.decode_s = now - answer.first_token_at_s;
}

}  // namespace

std::string_view to_string(EndReason reason) {
  constexpr std::string_view kNames[] = {"end", "stop", "length", "context", "interrupted"};
  return kNames[static_cast<size_t>(reason)];
}

double Answer::prefill_speed() const { return per_second(n_prefilled, prefill_s); }
double Answer::decode_speed() const { return per_second(n_decoded, decode_s); }

Session::Session(const Tokenizer& tokenizer, Engine& engine, const SamplerSettings& settings,
                 int n_vocab, std::unique_ptr<Drafter> drafter)
    : tokenizer_(tokenizer),
      engine_(engine),
      speculator_(engine, std::move(drafter)),
      settings_(settings),
      n_vocab_(n_vocab) {}

Sampler Session::make_sampler(std::span<const TokenId> prompt, bool ignore_eos) {
  SamplerSettings settings = settings_;
  ++settings_.seed;                                                           // of the next answer
  if (settings.repeat_last_n > engine_.n_ctx()) settings.repeat_last_n = -1;  // which is the same
  Sampler sampler(settings, n_vocab_);
  if (ignore_eos) sampler.ban(tokenizer_.end_tokens());
  for (const TokenId id : prompt) sampler.accept(id);
  return sampler;
}

Result<Answer> Session::answer(std::span<const TokenId> prompt, const AnswerLimits& limits,
                               const AnswerEvents& events) {
  if (prompt.empty()) return invalid_input("the prompt has no tokens");
  if (prompt.size() > static_cast<size_t>(engine_.n_ctx()))
    return fail(ErrorKind::kContextFull, "the prompt has {} tokens, the context holds {}",
                prompt.size(), engine_.n_ctx());
  // The last token is run whether cached or not: its logits are wanted.
  const int n_kept = engine_.keep_prefix(prompt.first(prompt.size() - 1));
  const auto fresh = prompt.subspan(static_cast<size_t>(n_kept));
  Answer answer;
  answer.seed = settings_.seed;
  answer.n_prompt = static_cast<int>(prompt.size());
  answer.n_prefilled = static_cast<int>(fresh.size());
  int n_read = 0;
  const auto progress = [&](int done, int total) {
    n_read = done;
    return events.prefill(done, total);
  };
  const double start = now_s();
  const auto logits = engine_.prefill(fresh, progress);
  answer.prefill_s = now_s() - start;
  if (!logits && logits.error().kind == ErrorKind::kInterrupted) {
    answer.n_prefilled = n_read;
    answer.reason = EndReason::kInterrupted;
    return answer;
  }
  if (!logits) return std::unexpected(logits.error());
  text_.assign(prompt.begin(), prompt.end());
  Sampler sampler = make_sampler(prompt, limits.ignore_eos);
  const auto generated = generate(*logits, sampler, limits, events, answer);
  NIBBLE_CHECK(speculator_.settle(text_.size()));
  NIBBLE_CHECK(generated);
  if (speculator_.active()) answer.speculation = speculator_.take_stats();
  return answer;
}

// Where the answer ends with what has been generated, before one more token is asked for.
std::optional<EndReason> Session::end_before_next(const AnswerLimits& limits,
                                                  const Answer& answer) const {
  if (std::cmp_equal(answer.ids.size(), limits.max_tokens)) return EndReason::kLength;
  if (!answer.ids.empty() && std::cmp_greater_equal(text_.size(), engine_.n_ctx()))
    return EndReason::kContextFull;
  return std::nullopt;
}

// The logits behind the answer so far.
Result<std::span<const float>> Session::decode(const AnswerLimits& limits, Answer& answer) {
  const int n_left =
      limits.max_tokens < 0 ? -1 : limits.max_tokens - static_cast<int>(answer.ids.size());
  text_.push_back(answer.ids.back());
  auto logits = speculator_.decode(text_, n_left);
  if (logits)
    ++answer.n_decoded;
  else
    text_.pop_back();
  return logits;
}

Result<void> Session::generate(std::span<const float> logits, Sampler& sampler,
                               const AnswerLimits& limits, const AnswerEvents& events,
                               Answer& answer) {
  TextStream stream(limits.stops);
  const auto show = [&](TokenId id, const std::string& text) {
    answer.text += text;
    return events.token(id, text);
  };
  auto end = end_before_next(limits, answer);
  while (!end) {
    if (!answer.ids.empty()) {
      NIBBLE_TRY(logits, decode(limits, answer));
    }
    const TokenId id = sampler.sample(logits);
    take_time(answer);
    if (tokenizer_.is_end(id) && !limits.ignore_eos) {
      end = EndReason::kEndToken;
      break;
    }
    sampler.accept(id);
    answer.ids.push_back(id);
    NIBBLE_TRY(const bool go_on, show(id, stream.add(tokenizer_.piece(id))));
    end = stream.stopped() ? EndReason::kStopString
          : go_on          ? end_before_next(limits, answer)
                           : EndReason::kInterrupted;
  }
  answer.reason = *end;
  if (const std::string rest = stream.finish(); !rest.empty()) NIBBLE_CHECK(show(-1, rest));
  return {};
}

}  // namespace nibble
