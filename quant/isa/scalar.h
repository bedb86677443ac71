// The reference: plain loops for any processor. The formats' files say what a block means in plain
// loops too (codes, groups), so that no vector code is needed here and the parity tests compare two
// ways of unpacking.
#pragma once

#include "quant/isa/half.h"
#include "quant/isa/scalar_encode.h"
#include "quant/isa/scalar_multiply.h"

namespace nibble::quant::NIBBLE_ISA {

inline float to_float(Half h) { return half_bits_to_float(h.bits()); }

// The vector operations that formats unpack with: none.
struct Simd {};
inline constexpr bool kHasSimd = false;
template <class F, class... Args>
void gemv32(Args...);
template <class F, class... Args>
void gemv256(Args...);

}  // namespace nibble::quant::NIBBLE_ISA
