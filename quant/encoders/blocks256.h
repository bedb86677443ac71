// Encoders of blocks of 256 weights whose groups have small integer scales that share one
// half-precision factor (and small integer minima that share another). First each group's best
// scale is searched, then the shared factors are fitted and each group's integers chosen again
// around them, as long as that lowers the block's error. A format F says
//   its layout (quant/layouts/blocks256.h)
//   kLow, kHigh, nearest, code_of  its levels: see levels.h
//   kScaleLow, kScaleHigh      its groups' scales; minima 0..kScaleHigh
//   pack(Block&, const Parts&)     Parts: below
#pragma once

#include "quant/encoder.h"
#include "quant/encoders/search.h"

namespace nibble::quant::NIBBLE_ISA {

// Integers of the groups, as whole numbers in floats, and the shared factors,
// each in every lane of its block.
struct Shared {
  Floats d{}, dmin{};
  Floats scale{}, min{};
  Floats error{};  // of each group
};

// What a block is packed from. Groups of one block stand in neighbouring lanes.
struct Parts {
  Half d, dmin;
  const int32_t *scale, *min;  // [group]
  const uint8_t* q;            // q[kLanes * (i % kGroup) + i / kGroup]: code i
};

template <class F>
struct Blocks256 {
  static constexpr int kGroups = 256 / F::kGroup;     // of a block: 8 or 16
  static constexpr int kTogether = kLanes / kGroups;  // blocks searched side by side
  // Factors are fitted from kStarts first guesses, at which the largest of the groups' integers is
  // the highest there is, half a step less, one step less.
  static constexpr int kStarts = 3, kRounds = 2;
  static constexpr float kStartStep = 0.5f / F::kScaleHigh;
  static constexpr int kReach = F::kHasMin ? 1 : 2;  // from the nearest integers
  static_assert(F::kScaleHigh < 256);
  using G = Groups<F::kGroup>;

  // lanes -> what `combine` makes of the lanes of each block, in every lane of
  // it
  template <class Combine>
  NIBBLE_INLINE static Floats per_block(Floats v, Combine combine) {
    alignas(64) float lanes[kLanes];
    *reinterpret_cast<Floats*>(lanes) = v;
    for (int b = 0; b < kTogether; ++b) {
      float made = lanes[b * kGroups];
      for (int k = 1; k < kGroups; ++k) made = combine(made, lanes[b * kGroups + k]);
      for (int k = 0; k < kGroups; ++k) lanes[b * kGroups + k] = made;
    }
    return *reinterpret_cast<const Floats*>(lanes);
  }
  NIBBLE_INLINE static Floats block_sum(Floats v) {
    return per_block(v, [](float a, float b) { return a + b; });
  }
  NIBBLE_INLINE static Floats block_max(Floats v) {
    return per_block(v, [](float a, float b) { return a > b ? a : b; });
  }
  NIBBLE_INLINE static Floats block_extreme(Floats v) {
    return per_block(
        v, [](float a, float b) { return __builtin_fabsf(b) > __builtin_fabsf(a) ? b : a; });
  }
  NIBBLE_INLINE static Floats halves(Floats v) {
    alignas(64) float lanes[kLanes];
    *reinterpret_cast<Floats*>(lanes) = v;
    for (int b = 0; b < kLanes; b += kGroups) {
      const float h = rounded_to_half(lanes[b]);
      for (int k = 0; k < kGroups; ++k) lanes[b + k] = h;
    }
    return *reinterpret_cast<const Floats*>(lanes);
  }

  NIBBLE_INLINE static Floats error_of(const G& g, Floats step, Floats offset) {
    const Floats inv = inverse(step);
    Floats error{};
    for (int i = 0; i < F::kGroup; ++i) {
      const Floats q = F::nearest((g.x[i] + offset) * inv);
      const Floats e = g.x[i] + offset - step * q;
      error += g.weight[i] * e * e;
    }
    return error;
  }

  // The best integers of each group for given d and dmin, within one of the
  // nearest ones.
  static void choose_integers(const G& g, const Affine& fit, Shared& s) {
    const Floats scale = round(fit.scale * inverse(s.d)), min = round(fit.min * inverse(s.dmin));
    s.error = all(__builtin_inff());
    for (int ds = -kReach; ds <= kReach; ++ds)
      for (int dm = F::kHasMin ? -1 : 0; dm <= (F::kHasMin ? 1 : 0); ++dm) {
        const Floats a = clamp(scale + static_cast<float>(ds), F::kScaleLow, F::kScaleHigh);
        const Floats m = clamp(min + static_cast<float>(dm), 0, F::kScaleHigh);
        const Floats error = error_of(g, s.d * a, s.dmin * m);
        const Ints better = less(error, s.error);
        s.error = choose(better, error, s.error);
        s.scale = choose(better, a, s.scale);
        s.min = choose(better, m, s.min);
      }
  }

  // d and dmin that fit the codes best which the integers lead to.
  static void fit_factors(const G& g, const Shared& s, Floats& d, Floats& dmin) {
    const Floats step = s.d * s.scale, offset = s.dmin * s.min, inv = inverse(step);
    Floats qq{}, qm{}, mm{}, xq{}, xm{};
    for (int i = 0; i < F::kGroup; ++i) {
      const Floats q = s.scale * F::nearest((g.x[i] + offset) * inv);
      const Floats wq = g.weight[i] * q;
      qq += wq * q;
      xq += wq * g.x[i];
      if constexpr (F::kHasMin) {
        const Floats wm = g.weight[i] * s.min;
        qm += wq * s.min;
        mm += wm * s.min;
        xm += wm * g.x[i];
      }
    }
    qq = block_sum(qq), xq = block_sum(xq);
    d = xq * inverse(qq);
    if constexpr (F::kHasMin) {
      qm = block_sum(qm), mm = block_sum(mm), xm = block_sum(xm);
      const Floats det = qq * mm - qm * qm;
      const Ints both = less(1e-6f * qq * mm, det);
      d = choose(both, (xq * mm - xm * qm) / det, d);
      dmin = choose(both, (xq * qm - xm * qq) / det, dmin);
      dmin = max(dmin, Floats{});
    }
  }

  static Shared search(const G& g) {
    Affine fit;
    if constexpr (F::kHasMin)
      fit = search_affine<F::kGroup, F::kHigh>(g, false);
    else
      fit.scale = search_symmetric<F::kGroup, F>(g);
    Floats d, dmin{};
    if constexpr (F::kScaleLow < 0)
      d = block_extreme(fit.scale) * (1.0f / F::kScaleLow);
    else
      d = block_max(fit.scale) * (1.0f / F::kScaleHigh);
    if constexpr (F::kHasMin) dmin = block_max(fit.min) * (1.0f / F::kScaleHigh);
    Shared best;
    Floats least = all(__builtin_inff());
    for (int start = 0; start < kStarts; ++start) {
      Floats next = d * (1 + kStartStep * static_cast<float>(start)), next_min = dmin;
      if constexpr (F::kHasMin) next_min = dmin * (1 + kStartStep * static_cast<float>(start));
      for (int round = 0; round < kRounds; ++round) {
        Shared s;
        s.d = halves(next);
        s.dmin = halves(next_min);
        choose_integers(g, fit, s);
        const Floats error = block_sum(s.error);
        const Ints better = less(error, least);
        least = choose(better, error, least);
        best.d = choose(better, s.d, best.d);
        best.dmin = choose(better, s.dmin, best.dmin);
        best.scale = choose(better, s.scale, best.scale);
        best.min = choose(better, s.min, best.min);
        if (round + 1 < kRounds) fit_factors(g, s, next, next_min);
      }
    }
    return best;
  }

  static void encode(const float* x, int64_t n_rows, int64_t n_cols, const float* importance,
                     std::byte* blocks) {
    const Source in{x, importance, n_cols, n_rows * n_cols};
    auto* out = reinterpret_cast<typename F::Block*>(blocks);
    const int64_t n_blocks = in.n_weights / 256;
    for (int64_t first = 0; first < n_blocks; first += kTogether) {
      G g;
      load_groups<F::kGroup, 256>(in, first * kGroups, g);
      const Shared s = search(g);
      const Floats offset = s.dmin * s.min, inv = inverse(s.d * s.scale);
      Codes q[F::kGroup];
      for (int i = 0; i < F::kGroup; ++i) {
        const Floats level = F::nearest((g.x[i] + offset) * inv);
        q[i] = to_codes(F::code_of(level));
      }
      const Ints scale = to_ints(s.scale);
      const Ints min = to_ints(s.min);
      for (int b = 0; b < kTogether && first + b < n_blocks; ++b) {
        const int lane = b * kGroups;
        F::pack(out[first + b], {to_half(s.d[lane]), to_half(s.dmin[lane]),
                                 reinterpret_cast<const int32_t*>(&scale) + lane,
                                 reinterpret_cast<const int32_t*>(&min) + lane,
                                 reinterpret_cast<const uint8_t*>(q) + lane});
      }
    }
  }

  static constexpr Encoder encoder() { return {F::format.gguf_type, encode}; }
};

// Code i of a block.
template <int kGroup>
NIBBLE_INLINE uint8_t code(const Parts& p, int i) {
  return p.q[kLanes * (i % kGroup) + i / kGroup];
}

}  // namespace nibble::quant::NIBBLE_ISA
