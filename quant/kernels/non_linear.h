// The sixteen values of IQ4_NL and IQ4_XS, -127 -104 -83 -65 -49 -35 -22 -10 1 13 25 38 53 69 89
// 113, as codes: value + 128.
#pragma once

#include <cstdint>

namespace nibble::quant::NIBBLE_ISA {

inline constexpr uint8_t kNonLinear[16] = {1,   24,  45,  63,  79,  93,  106, 118,
                                           129, 141, 153, 166, 181, 197, 217, 241};

}  // namespace nibble::quant::NIBBLE_ISA
