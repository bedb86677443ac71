// What the i-quants share: little-endian fields at any address, and signs put to grid entries.
#pragma once

#include <cstdint>
#include <cstring>

#include "quant/codebooks.h"

namespace nibble::quant::NIBBLE_ISA {

inline uint16_t load_u16(const uint8_t* p) { return static_cast<uint16_t>(p[0] | p[1] << 8); }
inline uint32_t load_u32(const uint8_t* p) {
  return p[0] | p[1] << 8 | p[2] << 16 | static_cast<uint32_t>(p[3]) << 24;
}

// Eight codes 2^kShift + g to 2^kShift - g where the mask has 255: x -> (2^(kShift + 1) - 1 - x)
// + 1.
template <int kShift>
inline uint64_t negate_codes(uint64_t codes, uint64_t mask) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  return (codes ^ (mask & kOnes * ((2 << kShift) - 1))) + (mask & kOnes);
}

inline void store_codes(uint8_t* q, uint64_t eight) { std::memcpy(q, &eight, 8); }

}  // namespace nibble::quant::NIBBLE_ISA
