// Encoders of blocks of 256 weights that are -d, 0 or d: 16 blocks side by
// side. A format F says
//   Block, gguf_type
//   pack(Block&, Half d, const uint8_t* q)   q[kLanes * i]: 0, 1 or 2 for weight i
#pragma once

#include "quant/encoder.h"
#include "quant/encoders/search.h"

namespace nibble::quant::NIBBLE_ISA {

// Weights that are ternary already are met exactly by the first scale, normal
// ones best by a d of about 1.2 standard deviations, which is 0.4 of the
// largest of 256.
struct Ternary : Uniform<-1, 1> {
  static constexpr float kFirstTry = -1, kTryStep = -0.125f;
  static constexpr int kTries = 25;
};

template <class F>
struct TernaryBlocks {
  static void encode(const float* x, int64_t n_rows, int64_t n_cols, const float* importance,
                     std::byte* blocks) {
    const Source in{x, importance, n_cols, n_rows * n_cols};
    auto* out = reinterpret_cast<typename F::Block*>(blocks);
    const int64_t n_blocks = in.n_weights / 256;
    for (int64_t first = 0; first < n_blocks; first += kLanes) {
      Groups<256> g;
      load_groups<256, 256>(in, first, g);
      const Floats d = as_halves(magnitude(search_symmetric<256, Ternary>(g)));
      const Floats inv = inverse(d);
      Codes q[256];
      for (int i = 0; i < 256; ++i)
        q[i] = to_codes(Ternary::code_of(Ternary::nearest(g.x[i] * inv)));
      const int64_t n = n_blocks - first < kLanes ? n_blocks - first : kLanes;
      for (int lane = 0; lane < n; ++lane)
        F::pack(out[first + lane], to_half(d[lane]), reinterpret_cast<const uint8_t*>(q) + lane);
    }
  }

  static constexpr Encoder encoder() { return {F::gguf_type, encode}; }
};

}  // namespace nibble::quant::NIBBLE_ISA
