// The reference: plain loops for any processor. It says what the shims of the vector instruction sets compute.
#pragma once

#include "quant/isa/half.h"
#include "quant/isa/scalar_multiply.h"

namespace nibble::quant::NIBBLE_ISA {

inline float to_float(Half h) { return half_bits_to_float(h.bits()); }

}  // namespace nibble::quant::NIBBLE_ISA
