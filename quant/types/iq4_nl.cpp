// IQ4_NL (quant/layouts/blocks32.h): the codes are T + 128.
#include "quant/kernels/block32.h"
#include "quant/kernels/half_factors.h"
#include "quant/kernels/nibbles32.h"
#include "quant/kernels/non_linear.h"
#include "quant/layouts/blocks32.h"

namespace nibble::quant::NIBBLE_ISA {
namespace {

struct IQ4_NL : Table32<HalfFactors<layout::IQ4_NL>, kNonLinear> {
  static constexpr int kMaxCode = 241, kOffsetShift = 7;
};

}  // namespace

extern const Kernels iq4_nl_kernels;
constinit const Kernels iq4_nl_kernels = Block32<IQ4_NL>::kernels();

}  // namespace nibble::quant::NIBBLE_ISA
