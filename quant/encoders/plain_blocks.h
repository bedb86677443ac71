// Encoders of blocks with a scale, and perhaps a minimum, of their own: 16 blocks side by side. A
// format F says
//   its layout (quant/layouts)
//   kLow, kHigh, nearest, code_of     its levels: see levels.h
//   kPositive     only where scales must not be negative; the levels are then the same both ways
//   pack(Block&, Half d, Half m, const uint8_t* q)   q[kLanes * i]: code i
#pragma once

#include "quant/encoder.h"
#include "quant/encoders/search.h"

namespace nibble::quant::NIBBLE_ISA {

// q[kLanes * i], the lower four bits of it: those of codes 0..15 in the low nibbles, of the others
// in the high ones.
inline void pack_nibbles32(const uint8_t* q, uint8_t (&qs)[16]) {
  for (int i = 0; i < 16; ++i)
    qs[i] = static_cast<uint8_t>((q[kLanes * i] & 15) | q[kLanes * (16 + i)] << 4);
}
inline void pack_fifth_bits(const uint8_t* q, uint8_t (&qh)[4]) {
  for (uint8_t& bits : qh) bits = 0;
  for (int i = 0; i < 32; ++i)
    qh[i / 8] = static_cast<uint8_t>(qh[i / 8] | q[kLanes * i] >> 4 << i % 8);
}

template <class F>
struct PlainBlocks {
  static constexpr int kLen = F::format.block_len;

  static Affine search(const Groups<kLen>& g) {
    Affine fit;
    if constexpr (F::kHasMin)
      fit = search_affine<kLen, F::kHigh>(g, true);
    else
      fit.scale = search_symmetric<kLen, F>(g);
    if constexpr (requires { F::kPositive; }) fit.scale = magnitude(fit.scale);
    return {as_halves(fit.scale), as_halves(fit.min)};
  }

  static void encode(const float* x, int64_t n_rows, int64_t n_cols, const float* importance,
                     std::byte* blocks) {
    const Source in{x, importance, n_cols, n_rows * n_cols};
    auto* out = reinterpret_cast<typename F::Block*>(blocks);
    const int64_t n_blocks = in.n_weights / kLen;
    for (int64_t first = 0; first < n_blocks; first += kLanes) {
      Groups<kLen> g;
      load_groups<kLen, kLen>(in, first, g);
      const Affine fit = search(g);
      const Floats inv = inverse(fit.scale);
      Codes q[kLen];
      for (int i = 0; i < kLen; ++i) {
        const Floats level = F::nearest((g.x[i] + fit.min) * inv);
        q[i] = to_codes(F::code_of(level));
      }
      const int64_t n = n_blocks - first < kLanes ? n_blocks - first : kLanes;
      for (int lane = 0; lane < n; ++lane)
        F::pack(out[first + lane], to_half(fit.scale[lane]), to_half(-fit.min[lane]),
                reinterpret_cast<const uint8_t*>(q) + lane);
    }
  }

  static constexpr Encoder encoder() { return {F::format.gguf_type, encode}; }
};

}  // namespace nibble::quant::NIBBLE_ISA
