#include "quant/isa/peak.h"

namespace nibble::kernels::NIBBLE_ISA {

int64_t peak_multiply_adds(int64_t rounds) { return quant::NIBBLE_ISA::peak_multiply_adds(rounds); }

}  // namespace nibble::kernels::NIBBLE_ISA
