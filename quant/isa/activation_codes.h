// n floats to int8 codes with one scale: d = max|x| / 127, code = x / d to the nearest integer,
// ties to even. A block with an infinity or NaN gets d = NaN, so that it shows in the product; a
// block below 2^-118 counts as zero, where 127 / max|x| would not be finite.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace nibble::quant::NIBBLE_ISA {

// max_bits: of the largest magnitude; magnitudes order like their bits, NaN above all.
inline constexpr uint32_t kLeastMax = 0x04800000, kInfinite = 0x7f800000, kNan = 0x7fc00000;
inline bool has_codes(uint32_t max_bits) { return max_bits >= kLeastMax && max_bits < kInfinite; }

// The scale of a block that has none; its codes are zero.
inline float without_codes(uint32_t max_bits, int n, int8_t* q) {
  std::memset(q, 0, n);
  return max_bits < kLeastMax ? 0 : std::bit_cast<float>(kNan);
}

}  // namespace nibble::quant::NIBBLE_ISA
