// Encoders of super-blocks of 256 weights that are d * (2 s + 1) * (grid +- 1/8), grid -1, 0 or 1:
// a scale s for each group; the sign of 1/8 for each group or for each octet. A format F says
//   its layout (quant/layouts/grids.h)
//   kShiftOctets    octets that share the sign of 1/8: 1 or as many as are in a group
//   pack(Block&, const Iq1Parts&)
#pragma once

#include "quant/codebooks.h"
#include "quant/encoder.h"
#include "quant/encoders/grid_search.h"

namespace nibble::quant::NIBBLE_ISA {

struct Iq1Parts {
  Half d;
  uint8_t scale[16];   // [group]
  uint16_t entry[32];  // [octet]
  uint8_t below[32];   // [octet]: 1 where 1/8 is taken away
};

template <class F>
struct Iq1Grid {
  using Block = typename F::Block;
  static constexpr int kGroupOctets = F::kGroup / 8;
  static constexpr int kLevels = 3, kPositions = 4, kCombos = 81, kScaleHigh = 7, kRounds = 2;
  static constexpr float kShift = 0.125f;
  // The step is tried between these shares of a group's root mean square and
  // largest magnitude.
  static constexpr float kLeast = 0.8f, kMost = 1.0f;
  static constexpr int kTries = 16;
  using Costs = HalfCosts<kCombos>;
  struct Codes {
    alignas(64) float value[8][kLanes];
    uint16_t entry[kLanes];
    uint8_t below[kLanes];
  };

  NIBBLE_INLINE static void fill(const Octets& o, Floats step, float shift, Costs& out) {
    for (int half = 0; half < 2; ++half) {
      Floats cost[kPositions][kLevels];
      for (int i = 0; i < kPositions; ++i)
        for (int l = 0; l < kLevels; ++l) {
          const int at = kPositions * half + i;
          const Floats lost = o.x[at] - step * (static_cast<float>(l - 1) + shift);
          cost[i][l] = o.weight[at] * lost * lost;
        }
      combine(cost, out.plain[half]);
    }
  }
  // The errors of what shares a sign of 1/8, from those of its octets.
  NIBBLE_INLINE static Floats shared(Floats error) {
    if constexpr (F::kShiftOctets == 1)
      return error;
    else
      return group_sum<F::kShiftOctets>(error);
  }

  // The codes of least error at a scale.
  static void choose_codes(const Octets& o, Floats step, Codes& out) {
    Costs costs[2];  // 1/8 above, 1/8 below
    fill(o, step, kShift, costs[0]);
    fill(o, step, -kShift, costs[1]);
    const Least found[2] = {least<false, true>(kIq1Order, costs[0]),
                            least<false, true>(kIq1Order, costs[1])};
    const Ints lower = less(shared(found[1].plain), shared(found[0].plain));
    for (int lane = 0; lane < kLanes; ++lane) {
      const int below = lower[lane] ? 1 : 0;
      out.below[lane] = static_cast<uint8_t>(below);
      const int entry =
          entry_of(kIq1Order, costs[below], found[below].plain_run[lane], lane, false);
      out.entry[lane] = static_cast<uint16_t>(entry);
      for (int i = 0; i < 8; ++i) {
        const auto code = static_cast<int>(kIq1Grid.at[entry] >> 8 * i & 255);
        out.value[i][lane] = kShift * static_cast<float>(code - 16) + (below ? -kShift : kShift);
      }
    }
  }

  // What error_at() gives if every combination of values were in the grid:
  // near, and cheap.
  NIBBLE_INLINE static Floats free_error_at(const Octets& o, Floats step) {
    Floats above{}, below{};
    for (int i = 0; i < 8; ++i) {
      const Floats a = o.x[i] - kShift * step, b = o.x[i] + kShift * step;
      const Floats lost_a = min(magnitude(a), magnitude(magnitude(a) - step));
      const Floats lost_b = min(magnitude(b), magnitude(magnitude(b) - step));
      above += o.weight[i] * lost_a * lost_a;
      below += o.weight[i] * lost_b * lost_b;
    }
    const Floats error = min(shared(above), shared(below));
    return F::kShiftOctets == 1 ? group_sum<kGroupOctets>(error) : error;
  }

  // The scale of each group that is best if it may be any.
  static Floats search_step(const Octets& o) {
    Floats squares{}, most{};
    for (int i = 0; i < 8; ++i) {
      squares += o.x[i] * o.x[i];
      most = max(most, magnitude(o.x[i]));
    }
    alignas(64) float root[kLanes];
    *reinterpret_cast<Floats*>(root) =
        group_sum<kGroupOctets>(squares) * (1.0f / (8 * kGroupOctets));
    for (float& r : root) r = __builtin_sqrtf(r);
    const Floats first = kLeast * *reinterpret_cast<const Floats*>(root);
    const Floats last = kMost * group_max<kGroupOctets>(most);
    Floats best = first, lowest = all(__builtin_inff());
    for (int t = 0; t < kTries; ++t) {
      const Floats step = first + (last - first) * (static_cast<float>(t) / (kTries - 1));
      const Floats error = free_error_at(o, step);
      const Ints better = less(error, lowest);
      lowest = choose(better, error, lowest);
      best = choose(better, step, best);
    }
    return best;
  }

  struct Fit {
    float d = 0, error = __builtin_inff();
    Floats scale[2] = {};
    Codes codes[2];
  };

  // The codes of least error for a factor, each group's scale being the one
  // nearest to its step; returns the factor that fits these codes best.
  static float fit(const Octets (&octets)[2], const Floats (&step)[2], float d, Fit& out) {
    float sum_xx = 0, sum_xq = 0, sum_qq = 0;
    for (int h = 0; h < 2; ++h) {
      const Floats exact = (step[h] * (d > 0 ? 1 / d : 0.0f) - 1.0f) * 0.5f;
      out.scale[h] = clamp(round(exact), 0, kScaleHigh);
      const Floats odd = 2 * out.scale[h] + 1.0f;
      choose_codes(octets[h], d * odd, out.codes[h]);
      Floats xx{}, xq{}, qq{};
      for (int i = 0; i < 8; ++i) {
        const Floats q = *reinterpret_cast<const Floats*>(out.codes[h].value[i]) * odd;
        const Floats wq = octets[h].weight[i] * q, wx = octets[h].weight[i] * octets[h].x[i];
        xx += wx * octets[h].x[i];
        xq += wq * octets[h].x[i];
        qq += wq * q;
      }
      sum_xx += lanes_sum(xx);
      sum_xq += lanes_sum(xq);
      sum_qq += lanes_sum(qq);
    }
    out.d = d;
    out.error = sum_xx - d * (2 * sum_xq - d * sum_qq);
    return sum_qq > 0 && sum_xq > 0 ? sum_xq / sum_qq : 0;
  }

  static void encode_block(const float* x, const float* importance, Block& out) {
    Octets octets[2];
    load_octets(x, importance, octets);
    const Floats step[2] = {search_step(octets[0]), search_step(octets[1])};
    float d = lanes_max(max(step[0], step[1])) / (2 * kScaleHigh + 1);
    Fit fits[2];
    int best = 0;
    for (int r = 0; r < kRounds; ++r) {
      Fit& next = fits[r == 0 ? 0 : 1 - best];
      d = fit(octets, step, rounded_to_half(d), next);
      if (next.error <= fits[best].error) best = static_cast<int>(&next - fits);
    }
    write(fits[best], out);
  }

  static void write(const Fit& fit, Block& out) {
    Iq1Parts p;
    p.d = to_half(fit.d);
    for (int octet = 0; octet < 32; ++octet) {
      const int h = octet / kLanes, lane = octet % kLanes;
      p.scale[octet / kGroupOctets] = static_cast<uint8_t>(fit.scale[h][lane]);
      p.entry[octet] = fit.codes[h].entry[lane];
      p.below[octet] = fit.codes[h].below[lane];
    }
    F::pack(out, p);
  }

  static constexpr Encoder encoder() { return {F::format.gguf_type, encode_blocks<Iq1Grid>, true}; }
};

}  // namespace nibble::quant::NIBBLE_ISA
