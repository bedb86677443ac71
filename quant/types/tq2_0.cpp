// TQ2_0 (quant/layouts/blocks256.h): the codes are q, 0..2.
#include "quant/kernels/block256.h"
#include "quant/kernels/half_factors.h"
#include "quant/layouts/blocks256.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct TQ2_0 : HalfFactors<layout::TQ2_0> {
  static constexpr int kMaxCode = 3, kOffsetShift = 0, kGroup = 32;
  static constexpr bool kOneScale = true;
  static void groups(const Block&, int8_t* scale, int8_t*) {
    for (int g = 0; g < 8; ++g) scale[g] = 1;
  }
  static void codes(const Block& b, uint8_t* q) {
    for (int h = 0; h < 2; ++h)
      for (int j = 0; j < 4; ++j)
        for (int i = 0; i < 32; ++i) q[128 * h + 32 * j + i] = b.qs[32 * h + i] >> 2 * j & 3;
  }
};

}  // namespace

extern const Kernels tq2_0_kernels;
constinit const Kernels tq2_0_kernels = Block256<TQ2_0>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
