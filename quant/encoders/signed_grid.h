// Encoders of super-blocks of 256 weights that are d * kUnit * (2 s + 1) * sign * value: a scale s
// for each group, a sign for each weight, values out of a grid of 8 or of 4. Every error that is
// compared is the least there is for a given scale: the grid is searched as a whole and, where an
// octet's signs must be even in number, together with the sign that is turned. A format F says
//   its layout (quant/layouts/grids.h), kUnit, kParity
//   kOrder          its grid in the order of quant/grid_orders.h
//   kValues         the grid's values, ascending
//   pack(Block&, const SignedParts&)
#pragma once

#include "quant/codebooks.h"
#include "quant/encoder.h"
#include "quant/encoders/grid_search.h"

namespace nibble::quant::NIBBLE_ISA {

struct SignedParts {
  Half d;
  uint8_t scale[16];   // [group]
  uint16_t entry[64];  // in the order of the weights
  uint8_t signs[32];   // [octet]: bit i is set where weight i is negative
};

inline void store_u32(uint8_t* p, uint32_t v) {
  for (int i = 0; i < 4; ++i) p[i] = static_cast<uint8_t>(v >> 8 * i);
}
// Pairs of scales, the first in the low nibble.
template <int kBytes>
void pack_nibbles(const uint8_t* scale, uint8_t (&out)[kBytes]) {
  for (int i = 0; i < kBytes; ++i)
    out[i] = static_cast<uint8_t>(scale[2 * i] | scale[2 * i + 1] << 4);
}

template <class F>
struct SignedGrid {
  using Block = typename F::Block;
  static constexpr int kGroupOctets = F::kGroup / 8;
  static constexpr int kEntryLen = sizeof F::kGrid.at[0], kPerOctet = 8 / kEntryLen;
  static constexpr int kLevels = sizeof F::kValues / sizeof F::kValues[0];
  static constexpr int kPositions = kEntryLen / 2;  // of a half
  static constexpr int kCombos = kLevels == 3 ? 81 : 64;
  static constexpr int kScaleHigh = 15, kRounds = 2;
  static constexpr float kTop = F::kValues[kLevels - 1];
  // A group's largest weight is tried as the grid's largest value times these.
  static constexpr float kFirstTry = 0.60f, kTryStep = 0.04f;
  static constexpr int kTries = 14;
  using Costs = HalfCosts<kCombos>;

  struct Part {  // half of a super-block
    Octets magnitudes;
    Floats turn[8];  // 4 weight x where the signs are odd in number, else 0
    uint8_t signs[kLanes];
  };
  struct Codes {
    alignas(64) float value[8][kLanes];  // the sign is that to the weight's own
    uint16_t entry[kPerOctet][kLanes];
    uint8_t signs[kLanes];
  };

  static void load(const float* x, const float* importance, Part (&parts)[2]) {
    Octets octets[2];
    load_octets(x, importance, octets);
    for (int h = 0; h < 2; ++h) {
      Part& p = parts[h];
      alignas(64) float odd[kLanes];
      for (int lane = 0; lane < kLanes; ++lane) {
        int bits = 0;
        for (int i = 0; i < 8; ++i) bits |= (x[128 * h + 8 * lane + i] < 0) << i;
        p.signs[lane] = static_cast<uint8_t>(bits);
        odd[lane] = F::kParity && __builtin_parity(static_cast<unsigned>(bits)) ? 4 : 0;
      }
      for (int i = 0; i < 8; ++i) {
        p.magnitudes.x[i] = magnitude(octets[h].x[i]);
        p.magnitudes.weight[i] = octets[h].weight[i];
        p.turn[i] = *reinterpret_cast<const Floats*>(odd) * octets[h].weight[i] * p.magnitudes.x[i];
      }
    }
  }

  // Of entry e of the octets, at a scale.
  NIBBLE_INLINE static void fill(const Part& p, Floats step, int e, Costs& out) {
    for (int half = 0; half < 2; ++half) {
      Floats cost[kPositions][kLevels], turn[kPositions][kLevels];
      for (int i = 0; i < kPositions; ++i)
        for (int l = 0; l < kLevels; ++l) {
          const int at = kEntryLen * e + kPositions * half + i;
          const Floats value = step * F::kValues[l], lost = p.magnitudes.x[at] - value;
          cost[i][l] = p.magnitudes.weight[at] * lost * lost;
          turn[i][l] = p.turn[at] * value;
        }
      combine(cost, out.plain[half]);
      if constexpr (F::kParity) {
        combine_least(turn, out.turned[half]);
        for (int c = 0; c < kCombos; ++c) out.turned[half][c] += out.plain[half][c];
      }
    }
  }

  // The least error of each group at a scale.
  static Floats error_at(const Part& p, Floats step) {
    Costs costs;
    Least found[kPerOctet];
    for (int e = 0; e < kPerOctet; ++e) {
      fill(p, step, e, costs);
      found[e] = least<F::kParity>(F::kOrder, costs);
    }
    Floats error = F::kParity ? found[0].turned : found[0].plain;
    if constexpr (kPerOctet == 2)
      error = F::kParity ? min(found[0].plain + found[1].turned, found[0].turned + found[1].plain)
                         : found[0].plain + found[1].plain;
    return group_sum<kGroupOctets>(error);
  }

  static float value_of(int entry, int i) {
    return static_cast<float>(F::kGrid.at[entry] >> 8 * i & 255);
  }

  // The codes of least error at a scale.
  static void choose_codes(const Part& p, Floats step, Codes& out) {
    Costs costs[kPerOctet];
    Least found[kPerOctet];
    for (int e = 0; e < kPerOctet; ++e) {
      fill(p, step, e, costs[e]);
      found[e] = least<F::kParity, true>(F::kOrder, costs[e]);
    }
    const Least &a = found[0], &b = found[kPerOctet - 1];
    const Ints in_first = less(a.turned + b.plain, a.plain + b.turned);  // the turned sign
    for (int lane = 0; lane < kLanes; ++lane) {
      const bool odd = F::kParity && __builtin_parity(p.signs[lane]);
      for (int e = 0; e < kPerOctet; ++e) {
        const bool turned = odd && (kPerOctet == 1 || (e == 0) == (in_first[lane] != 0));
        const int run = turned ? found[e].turned_run[lane] : found[e].plain_run[lane];
        out.entry[e][lane] =
            static_cast<uint16_t>(entry_of(F::kOrder, costs[e], run, lane, turned));
      }
      set_values(p, lane, odd, out);
    }
  }

  static void set_values(const Part& p, int lane, bool odd, Codes& out) {
    float least = __builtin_inff();
    int turned = 0;
    for (int i = 0; i < 8; ++i) {
      const float value = value_of(out.entry[i / kEntryLen][lane], i % kEntryLen);
      const float cost = p.turn[i][lane] * value;
      out.value[i][lane] = value;
      if (cost < least) least = cost, turned = i;
    }
    out.signs[lane] = p.signs[lane];
    if (!odd) return;
    out.value[turned][lane] = -out.value[turned][lane];
    out.signs[lane] = static_cast<uint8_t>(out.signs[lane] ^ 1 << turned);
  }

  // The scale of each group that is best if it may be any.
  static Floats search_step(const Part& p) {
    Floats most = p.magnitudes.x[0];
    for (int i = 1; i < 8; ++i) most = max(most, p.magnitudes.x[i]);
    const Floats unit = group_max<kGroupOctets>(most) * (1.0f / kTop);
    Floats best = unit, lowest = all(__builtin_inff());
    for (int t = 0; t <= kTries; ++t) {  // last of all: equal weights, each the grid's least value
      const Floats step =
          unit * (t < kTries ? kFirstTry + kTryStep * static_cast<float>(t) : kTop / F::kValues[0]);
      const Floats error = error_at(p, step);
      const Ints better = less(error, lowest);
      lowest = choose(better, error, lowest);
      best = choose(better, step, best);
    }
    return best;
  }

  // The best of three whole numbers around the one that is nearest to a step;
  // returns the error.
  static float choose_scales(const Part& p, Floats step, float d, Floats& scale) {
    const Floats nearest = round((step * (d > 0 ? 1 / d : 0.0f) - 1.0f) * 0.5f);
    Floats lowest = all(__builtin_inff());
    for (int more = -1; more <= 1; ++more) {
      const Floats s = clamp(nearest + static_cast<float>(more), 0, kScaleHigh);
      const Floats error = error_at(p, d * (2 * s + 1.0f));
      const Ints better = less(error, lowest);
      lowest = choose(better, error, lowest);
      scale = choose(better, s, scale);
    }
    return lanes_sum(lowest);
  }

  // The factor that fits the codes best which d and the scales lead to.
  static float fit_factor(const Part (&parts)[2], float d, const Floats (&scale)[2]) {
    float sum_xq = 0, sum_qq = 0;
    for (int h = 0; h < 2; ++h) {
      const Floats odd = 2 * scale[h] + 1.0f;
      Codes codes;
      choose_codes(parts[h], d * odd, codes);
      Floats xq{}, qq{};
      for (int i = 0; i < 8; ++i) {
        const Floats q = *reinterpret_cast<const Floats*>(codes.value[i]) * odd;
        const Floats wq = parts[h].magnitudes.weight[i] * q;
        xq += wq * parts[h].magnitudes.x[i];
        qq += wq * q;
      }
      sum_xq += lanes_sum(xq);
      sum_qq += lanes_sum(qq);
    }
    return sum_qq > 0 ? sum_xq / sum_qq : 0;
  }

  static void encode_block(const float* x, const float* importance, Block& out) {
    Part parts[2];
    load(x, importance, parts);
    const Floats step[2] = {search_step(parts[0]), search_step(parts[1])};
    float d = lanes_max(max(step[0], step[1])) / (2 * kScaleHigh + 1);
    float best_d = 0, lowest = __builtin_inff();
    Floats best_scale[2] = {};
    for (int r = 0; r < kRounds; ++r) {
      d = rounded_to_half(d / F::kUnit) * F::kUnit;
      Floats scale[2] = {};
      float error = 0;
      for (int h = 0; h < 2; ++h) error += choose_scales(parts[h], step[h], d, scale[h]);
      if (error < lowest) {
        lowest = error, best_d = d;
        for (int h = 0; h < 2; ++h) best_scale[h] = scale[h];
      }
      if (r + 1 < kRounds) d = fit_factor(parts, best_d, best_scale);
    }
    write(parts, best_d, best_scale, out);
  }

  static void write(const Part (&parts)[2], float d, const Floats (&scale)[2], Block& out) {
    SignedParts p;
    p.d = to_half(d / F::kUnit);
    for (int h = 0; h < 2; ++h) {
      Codes codes;
      choose_codes(parts[h], d * (2 * scale[h] + 1.0f), codes);
      for (int lane = 0; lane < kLanes; ++lane) {
        const int octet = kLanes * h + lane;
        p.signs[octet] = codes.signs[lane];
        p.scale[octet / kGroupOctets] = static_cast<uint8_t>(scale[h][lane]);
        for (int e = 0; e < kPerOctet; ++e) p.entry[kPerOctet * octet + e] = codes.entry[e][lane];
      }
    }
    F::pack(out, p);
  }

  static constexpr Encoder encoder(bool needs_importance) {
    return {F::format.gguf_type, encode_blocks<SignedGrid>, needs_importance};
  }
};

}  // namespace nibble::quant::NIBBLE_ISA
