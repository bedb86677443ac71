// Q5_0 (quant/layouts/blocks32.h): the codes are q.
#include "quant/kernels/block32.h"
#include "quant/kernels/half_factors.h"
#include "quant/kernels/nibbles32.h"
#include "quant/layouts/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q5_0 : FiveBits32<HalfFactors<layout::Q5_0>> {
  static constexpr int kMaxCode = 31, kOffsetShift = 4;
};

}  // namespace

extern const Kernels q5_0_kernels;
constinit const Kernels q5_0_kernels = Block32<Q5_0>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
