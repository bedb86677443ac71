// Q8_0: d * q, d = max|x| / 127. With 255 levels a search finds nothing worth its time.
#include "quant/encoder.h"
#include "quant/encoders/lanes.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Block {
  Half d;
  int8_t qs[32];
};
typedef int8_t Bytes __attribute__((vector_size(16)));

NIBBLE_INLINE Floats load(const float* x) {
  Floats v;
  __builtin_memcpy(&v, x, sizeof v);
  return v;
}

NIBBLE_INLINE float largest(Floats v) {
  typedef float Eight __attribute__((vector_size(32)));
  typedef float Four __attribute__((vector_size(16)));
  const Eight a = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
  const Eight b = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  const Eight c = a > b ? a : b;
  const Four d = __builtin_shufflevector(c, c, 0, 1, 2, 3);
  const Four e = __builtin_shufflevector(c, c, 4, 5, 6, 7);
  const Four f = d > e ? d : e;
  const float g = f[0] > f[1] ? f[0] : f[1], h = f[2] > f[3] ? f[2] : f[3];
  return g > h ? g : h;
}

void encode(const float* x, int64_t n_rows, int64_t n_cols, const float*, std::byte* blocks) {
  auto* out = reinterpret_cast<Block*>(blocks);
  for (int64_t b = 0; b < n_rows * n_cols / 32; ++b, x += 32) {
    const Floats low = load(x), high = load(x + 16);
    const float d = largest(max(magnitude(low), magnitude(high))) / 127;
    const float inv = d != 0 ? 1 / d : 0;
    const auto code = [&](Floats v) {
      return __builtin_convertvector(__builtin_convertvector(round(v * inv), Ints), Bytes);
    };
    const Bytes q[2] = {code(low), code(high)};
    out[b].d = to_half(d);
    __builtin_memcpy(out[b].qs, q, sizeof q);
  }
}

}  // namespace

extern const Encoder q8_0_encoder;
constinit const Encoder q8_0_encoder = {8, encode};

}  // namespace nibble::quant::NIBBLE_ISA
