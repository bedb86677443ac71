#include "quant/isa/peak.h"

namespace nibble::kernels::NIBBLE_ISA {

int64_t peak_multiply_adds(int64_t rounds) { return quant::NIBBLE_ISA::peak_multiply_adds(rounds); }
uint64_t peak_read(const std::byte* data, size_t n_bytes) {
  return quant::NIBBLE_ISA::peak_read(data, n_bytes);
}

}  // namespace nibble::kernels::NIBBLE_ISA
