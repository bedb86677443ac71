// YaRN: Peng 2023, arXiv:2309.00071. llama3: Meta's published reference code.
#include "core/models/rope_scaling.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nibble {
namespace {

// The pair that makes `rotations` turns within the trained length, as a real number.
double yarn_pair(const RopeHparams& h, double rotations) {
  return h.n_rot * std::log(h.n_ctx_orig / (rotations * 2 * std::numbers::pi)) /
         (2 * std::log(h.base));
}

// Fast pairs keep their frequency, slow ones are interpolated, those between are mixed.
void apply_yarn(const RopeHparams& h, std::vector<double>& inv_freq) {
  double low = yarn_pair(h, h.beta_fast), high = yarn_pair(h, h.beta_slow);
  if (h.truncate) low = std::floor(low), high = std::ceil(high);
  low = std::max(low, 0.0);
  high = std::min(high, h.n_rot - 1.0);
  const double width = std::max(0.001, high - low);
  for (size_t i = 0; i < inv_freq.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / width, 0.0, 1.0);
    const double keep = (1 - ramp) * h.ext_factor;
    inv_freq[i] = inv_freq[i] / h.factor * (1 - keep) + inv_freq[i] * keep;
  }
}

}  // namespace

std::vector<double> llama3_factors(const RopeHparams& h) {
  std::vector<double> factors(h.n_rot / 2);
  for (size_t i = 0; i < factors.size(); ++i) {
    const double wavelength = 2 * std::numbers::pi * std::pow(h.base, 2.0 * i / h.n_rot);
    const double turns = h.n_ctx_orig / wavelength;
    const double smooth = std::clamp((turns - h.low_freq) / (h.high_freq - h.low_freq), 0.0, 1.0);
    factors[i] = 1 / ((1 - smooth) / h.factor + smooth);
  }
  return factors;
}

RopeHparams longer_rope(const RopeHparams& h, int n) {
  RopeHparams longer = h;
  longer.factors = h.long_factors;
  const double stretch = n > 0 ? static_cast<double>(n) / h.n_ctx_orig : h.factor;
  if (h.scaling == RopeScaling::kDynamic && h.n_rot > 2)
    longer.base *= std::pow(h.factor * stretch - h.factor + 1, h.n_rot / (h.n_rot - 2.0));
  return longer;
}

Rope make_rope(const RopeHparams& h, const float* factors) {
  Rope rope{.pairs = h.pairs,
            .n_rot = h.n_rot,
            .first = h.first,
            .inv_freq = {},
            .magnitude = static_cast<float>(h.magnitude)};
  rope.inv_freq.resize(h.n_rot / 2);
  for (int i = 0; i < h.n_rot / 2; ++i) rope.inv_freq[i] = std::pow(h.base, -2.0 * i / h.n_rot);
  std::vector<double> divisors = h.factors;
  if (factors)
    divisors.assign(factors, factors + h.n_rot / 2);
  else if (h.scaling == RopeScaling::kLlama3)
    divisors = llama3_factors(h);
  if (!divisors.empty())
    for (int i = 0; i < h.n_rot / 2; ++i) rope.inv_freq[i] /= divisors[i];
  if (h.scaling == RopeScaling::kLinear)
    for (double& f : rope.inv_freq) f /= h.factor;
  if (h.scaling == RopeScaling::kYarn) apply_yarn(h, rope.inv_freq);
  return rope;
}

}  // namespace nibble
