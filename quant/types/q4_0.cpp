// Q4_0 (quant/layouts/blocks32.h): the codes are q.
#include "quant/kernels/block32.h"
#include "quant/kernels/half_factors.h"
#include "quant/kernels/nibbles32.h"
#include "quant/layouts/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q4_0 : Nibbles32<HalfFactors<layout::Q4_0>> {
  static constexpr int kMaxCode = 15, kOffsetShift = 3;
};

}  // namespace

extern const Kernels q4_0_kernels;
constinit const Kernels q4_0_kernels = Block32<Q4_0>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
