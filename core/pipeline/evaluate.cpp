// See evaluate.h. Perplexity as llama.cpp's tools/perplexity computes it, so that figures can be
// compared.
#include "core/pipeline/evaluate.h"

#include <algorithm>
#include <cmath>

namespace nibble {

Result<void> eval_logits(Engine& engine, std::span<const TokenId> tokens, Engine::LogitsSink sink) {
  NIBBLE_CHECK(engine.rewind(0));
  return engine.prefill_all(tokens, 0, sink);
}

Result<std::vector<TokenId>> eval_greedy(Engine& engine, std::span<const TokenId> tokens, int n) {
  NIBBLE_CHECK(engine.rewind(0));
  std::vector<TokenId> out;
  NIBBLE_TRY(auto logits, engine.prefill(tokens));
  while (n-- > 0) {
    out.push_back(static_cast<TokenId>(std::ranges::max_element(logits) - logits.begin()));
    if (n == 0) break;
    NIBBLE_TRY(logits, engine.decode(out.back()));
  }
  return out;
}

Result<EvalWindows> make_windows(const Tokenizer& tokenizer, std::string_view text, int n) {
  if (n < 4) return fail(ErrorKind::kUsage, "a window of {} tokens, expected at least 4", n);
  EvalWindows windows{.n = n, .n_windows = 0, .tokens = {}};
  NIBBLE_TRY(windows.tokens, tokenizer.encode(text, {.add_special = true, .parse_special = false}));
  windows.n_windows = static_cast<int>(windows.tokens.size() / n);
  if (windows.n_windows < 2)
    return invalid_input("the text has {} tokens, expected two windows of {} at least",
                         windows.tokens.size(), n);
  windows.tokens.resize(static_cast<size_t>(windows.n_windows) * n);
  if (tokenizer.adds_bos() && tokenizer.bos())
    for (int w = 0; w < windows.n_windows; ++w)
      windows.tokens[static_cast<size_t>(w) * n] = *tokenizer.bos();
  return windows;
}

Result<void> eval_windows(Engine& engine, const EvalWindows& windows, PredictionSink sink,
                          FunctionRef<bool()> go_on) {
  for (int w = 0; w < windows.n_windows; ++w) {
    NIBBLE_CHECK(engine.rewind(0));
    const auto tokens =
        std::span(windows.tokens).subspan(static_cast<size_t>(w) * windows.n, windows.n);
    const auto score = [&](int i, std::span<const float> logits) {
      return i + 1 == windows.n || sink({w, i, tokens[i + 1], logits});
    };
    const auto progress = [&](int, int) { return go_on(); };
    NIBBLE_CHECK(engine.prefill_all(tokens, windows.first_scored(), score, progress));
  }
  return {};
}

double negative_log_probability(std::span<const float> logits, TokenId id) {
  const float top = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float x : logits) sum += std::exp(x - top);
  return std::log(sum) - (static_cast<double>(logits[id]) - top);
}

void PerplexitySum::add(double nll) {
  nll_ += nll;
  squares_ += nll * nll;
  ++sum_.n_scored;
}

double PerplexitySum::so_far() const {
  return sum_.n_scored ? std::exp(nll_ / static_cast<double>(sum_.n_scored)) : 0;
}

Perplexity PerplexitySum::result() const {
  Perplexity out = sum_;
  const double n = static_cast<double>(out.n_scored), mean = nll_ / n;
  out.perplexity = std::exp(mean);
  out.std_error = out.perplexity * std::sqrt(std::max(0.0, squares_ / n - mean * mean) / (n - 1));
  return out;
}

Result<Perplexity> eval_perplexity(Engine& engine, const EvalWindows& windows,
                                   PerplexityProgress progress) {
  PerplexitySum sum(windows.n_windows);
  int done = 0;
  const auto go_on = [&] { return progress(done, windows.n_windows, sum.so_far()); };
  const auto score = [&](const Prediction& p) {
    sum.add(negative_log_probability(p.logits, p.next));
    if (p.position + 2 < windows.n) return true;
    done = p.window + 1;
    return go_on();
  };
  NIBBLE_CHECK(eval_windows(engine, windows, score, go_on));
  return sum.result();
}

}  // namespace nibble
