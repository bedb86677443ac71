// Encodes MXFP4: see quant/layouts/blocks32.h. The power of two is the one of three with the least
// error: the largest weight comes to stand in 4..8, 8..16 or 16..32.
#include "quant/encoders/plain_blocks.h"
#include "quant/layouts/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

using layout::MXFP4;
constexpr float kLevels[8] = {0, 1, 2, 3, 4, 6, 8, 12};
constexpr Bins<8> kBins{kLevels, 0.25f, 0.5f};
// Powers between these keep what is computed with them normal numbers.
constexpr int kLeastE = 8, kMostE = 254;

NIBBLE_INLINE Ints bin(Floats x) {  // adding it rounds to multiples of a half
  return bits(clamp(x - 0.25f, 0, 15.5f) + 0x1.8p22f) & 31;
}
NIBBLE_INLINE Floats nearest(Floats x) {
  const Ints b = bin(x);
  return choose(less(x, lookup(kBins.boundary, b)), lookup(kBins.below, b), lookup(kBins.above, b));
}
NIBBLE_INLINE Ints code(Floats x) {
  const Floats size = magnitude(x);
  const Ints b = bin(size);
  const Ints above = less(size, lookup(kBins.boundary, b)) + 1;
  const Ints index = to_ints(lookup(kBins.index, b)) + above;
  return index | (less(x, Floats{}) & less(Ints{}, index) & 8);
}
NIBBLE_INLINE Floats power(Ints e) { return from_bits((e - 1) << 23); }
NIBBLE_INLINE Floats inverse_power(Ints e) { return from_bits((255 - e) << 23); }

Ints choose_exponent(const Groups<32>& g) {
  Floats most{};
  for (int i = 0; i < 32; ++i) most = max(most, magnitude(g.x[i]));
  const Ints exponent = (bits(most) >> 23) - 2;
  Ints best{};
  Floats least = all(__builtin_inff());
  for (int more = -1; more <= 1; ++more) {
    Ints e = exponent + more;
    e = max(e, Ints{} + kLeastE);
    e = min(e, Ints{} + kMostE);
    const Floats step = power(e), inv = inverse_power(e);
    Floats error{};
    for (int i = 0; i < 32; ++i) {
      const Floats size = magnitude(g.x[i]), lost = size - step * nearest(size * inv);
      error += g.weight[i] * lost * lost;
    }
    const Ints better = less(error, least);
    least = choose(better, error, least);
    best = choose(better, e, best);
  }
  return best;
}

void encode(const float* x, int64_t n_rows, int64_t n_cols, const float* importance,
            std::byte* blocks) {
  const Source in{x, importance, n_cols, n_rows * n_cols};
  auto* out = reinterpret_cast<MXFP4::Block*>(blocks);
  const int64_t n_blocks = in.n_weights / 32;
  for (int64_t first = 0; first < n_blocks; first += kLanes) {
    Groups<32> g;
    load_groups<32, 32>(in, first, g);
    const Ints e = choose_exponent(g);
    const Floats inv = inverse_power(e);
    Codes q[32];
    for (int i = 0; i < 32; ++i) q[i] = to_codes(code(g.x[i] * inv));
    for (int lane = 0; lane < kLanes && first + lane < n_blocks; ++lane) {
      MXFP4::Block& b = out[first + lane];
      b.e = static_cast<uint8_t>(e[lane]);
      pack_nibbles32(reinterpret_cast<const uint8_t*>(q) + lane, b.qs);
    }
  }
}

}  // namespace

extern const Encoder mxfp4_encoder;
constinit const Encoder mxfp4_encoder = {MXFP4::format.gguf_type, encode};

}  // namespace nibble::quant::NIBBLE_ISA
