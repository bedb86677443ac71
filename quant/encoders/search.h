// Searches for scales: try many, keep for each lane the one with the least
// weighted error after its codes were rounded and the scale was fitted to them
// by least squares.
#pragma once

#include "quant/encoders/levels.h"

namespace nibble::quant::NIBBLE_ISA {

// x ~= scale * q - min, q in 0..kMax.
struct Affine {
  Floats scale{}, min{};
};

// free_min: min may be negative too.
template <int kLen, int kMax>
Affine search_affine(const Groups<kLen>& g, bool free_min) {
  constexpr int kSteps = kMax == 3 ? 24 : 40;
  constexpr float kFirst = kMax == 3 ? -0.9f : -1.2f, kStep = kMax == 3 ? 0.075f : 0.06f;
  Floats low = g.x[0], high = g.x[0], sum_w{}, sum_x{}, sum_xx{};
  for (int i = 0; i < kLen; ++i) {
    low = min(low, g.x[i]);
    high = max(high, g.x[i]);
    const Floats wx = g.weight[i] * g.x[i];
    sum_w += g.weight[i];
    sum_x += wx;
    sum_xx += wx * g.x[i];
  }
  if (!free_min) low = min(low, Floats{});
  const Floats range = inverse(high - low);
  Affine best{(high - low) * (1.0f / kMax), -low};
  Floats least = all(__builtin_inff());
  for (int step = 0; step <= kSteps; ++step) {
    const Floats inv = range * (kMax + kFirst + kStep * static_cast<float>(step));
    Floats sum_q{}, sum_qq{}, sum_xq{};
    for (int i = 0; i < kLen; ++i) {
      const Floats q = clamp(round((g.x[i] - low) * inv), 0, kMax);
      const Floats wq = g.weight[i] * q;
      sum_q += wq;
      sum_qq += wq * q;
      sum_xq += wq * g.x[i];
    }
    const Floats det = inverse(max(sum_w * sum_qq - sum_q * sum_q, Floats{}));
    Floats scale = (sum_w * sum_xq - sum_x * sum_q) * det;
    Floats offset = (sum_qq * sum_x - sum_q * sum_xq) * det;
    if (!free_min) {
      const Ints above = less(Floats{}, offset);
      scale = choose(above, sum_xq * inverse(sum_qq), scale);
      offset = choose(above, Floats{}, offset);
    }
    const Floats error = sum_xx - scale * sum_xq - offset * sum_x;
    const Ints better = less(error, least) & less(Floats{}, scale);
    least = choose(better, error, least);
    best.scale = choose(better, scale, best.scale);
    best.min = choose(better, -offset, best.min);
  }
  return best;
}

// x ~= scale * q, q one of Levels; scale may be negative where that suits a
// lopsided range.
template <int kLen, class Levels>
Floats search_symmetric(const Groups<kLen>& g) {
  Floats extreme = g.x[0], most = magnitude(extreme);
  for (int i = 1; i < kLen; ++i) {
    const Floats size = magnitude(g.x[i]);
    const Ints larger = less(most, size);
    most = choose(larger, size, most);
    extreme = choose(larger, g.x[i], extreme);
  }
  const Floats unit = inverse(extreme);
  Floats best = extreme * (1.0f / Levels::kLow), most_gain{};
  // the largest weight at the low end and then, where that is another matter, at the high end
  constexpr int kEnds = Levels::kLow == -Levels::kHigh ? 1 : 2;
  constexpr float kTurned = static_cast<float>(Levels::kHigh) / Levels::kLow;
  for (int step = 0; step < kEnds * Levels::kTries; ++step) {
    const int n = step % Levels::kTries;
    const float place = Levels::kFirstTry + Levels::kTryStep * static_cast<float>(n);
    const Floats inv = unit * (n == step ? place : place * kTurned);
    Floats sum_qq{}, sum_xq{};
    for (int i = 0; i < kLen; ++i) {
      const Floats q = Levels::nearest(g.x[i] * inv);
      const Floats wq = g.weight[i] * q;
      sum_qq += wq * q;
      sum_xq += wq * g.x[i];
    }
    const Floats scale = sum_xq * inverse(sum_qq);
    const Floats gain = scale * sum_xq;  // what the error falls by, from all codes zero
    const Ints better = less(most_gain, gain);
    most_gain = choose(better, gain, most_gain);
    best = choose(better, scale, best);
  }
  return best;
}

}  // namespace nibble::quant::NIBBLE_ISA
