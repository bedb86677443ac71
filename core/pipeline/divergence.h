// How far a model's predictions are from those of a reference, a quantized model's from its
// source's: both run over the same windows side by side, and of their logits only one piece of a
// window is kept.
#pragma once

#include "core/base/json.h"
#include "core/pipeline/evaluate.h"

namespace nibble {

// Over the scored positions: KL divergence of the reference's distribution p from the model's q,
// sum of p * log(p / q), in nats.
struct Divergence {
  Perplexity model, reference;
  double kl_mean = 0;
  double kl_std_error = 0;  // of the mean
  double kl_median = 0, kl_p99 = 0, kl_p999 = 0, kl_max = 0;
  double top1 = 0;  // share of positions where both find the same token most likely
  double top1_std_error = 0;
};
Json to_json(const Divergence& d);  // but for the perplexities

// progress(windows done, windows, mean KL so far); false: kInterrupted.
using DivergenceProgress = FunctionRef<bool(int done, int total, double so_far)>;
// Both engines' contexts must hold a window. Fails (kInvalidInput) when the vocabularies' sizes
// differ.
Result<Divergence> eval_divergence(Engine& model, Engine& reference, const EvalWindows& windows,
                                   ThreadPool& pool, DivergenceProgress progress);

// KL divergence of softmax(reference) from softmax(model).
double kl_divergence(std::span<const float> reference, std::span<const float> model);

}  // namespace nibble
