// Encoders of blocks of 32 weights with a scale, and perhaps a minimum, of
// their own: 16 blocks side by side. A format F says
//   Block, gguf_type, kHasMin
//   kLow, kHigh, nearest, code_of     its levels: see levels.h
//   pack(Block&, Half d, Half m, const uint8_t* q)   q[kLanes * i]: code i
#pragma once

#include "quant/encoder.h"
#include "quant/encoders/search.h"

namespace nibble::quant::NIBBLE_ISA {

template <class F>
struct Blocks32 {
  static void encode(const float* x, int64_t n_rows, int64_t n_cols, const float* importance,
                     std::byte* blocks) {
    const Source in{x, importance, n_cols, n_rows * n_cols};
    auto* out = reinterpret_cast<typename F::Block*>(blocks);
    const int64_t n_blocks = in.n_weights / 32;
    for (int64_t first = 0; first < n_blocks; first += kLanes) {
      Groups<32> g;
      load_groups<32, 32>(in, first, g);
      Affine fit;
      if constexpr (F::kHasMin)
        fit = search_affine<32, F::kHigh>(g, true);
      else
        fit.scale = search_symmetric<32, F>(g);
      fit = {as_halves(fit.scale), as_halves(fit.min)};
      const Floats inv = inverse(fit.scale);
      Codes q[32];
      for (int i = 0; i < 32; ++i) {
        const Floats level = F::nearest((g.x[i] + fit.min) * inv);
        q[i] = to_codes(F::code_of(level));
      }
      const int64_t n = n_blocks - first < kLanes ? n_blocks - first : kLanes;
      for (int lane = 0; lane < n; ++lane)
        F::pack(out[first + lane], to_half(fit.scale[lane]), to_half(-fit.min[lane]),
                reinterpret_cast<const uint8_t*>(q) + lane);
    }
  }

  static constexpr Encoder encoder() { return {F::gguf_type, encode}; }
};

}  // namespace nibble::quant::NIBBLE_ISA
