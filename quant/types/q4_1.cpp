// Q4_1 (quant/layouts/blocks32.h): the codes are q.
#include "quant/kernels/block32.h"
#include "quant/kernels/half_factors.h"
#include "quant/kernels/nibbles32.h"
#include "quant/layouts/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct Q4_1 : Nibbles32<HalfFactors<layout::Q4_1>> {
  static constexpr int kMaxCode = 15, kOffsetShift = -1;
};

}  // namespace

extern const Kernels q4_1_kernels;
constinit const Kernels q4_1_kernels = Block32<Q4_1>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
