// Small fields as eight bytes in one 64-bit number, the first in the lowest byte: how group scales
// are unpacked. They go to memory eight at a time, so that the loads behind get them without
// waiting.
#pragma once

#include <cstdint>
#include <cstring>

namespace nibble::quant::NIBBLE_ISA {

inline constexpr uint64_t kOnes8 = 0x0101010101010101;  // times x: x in every byte

inline uint16_t load_u16(const uint8_t* p) {
  uint16_t v;
  std::memcpy(&v, p, 2);
  return v;
}
inline uint32_t load_u32(const uint8_t* p) {
  uint32_t v;
  std::memcpy(&v, p, 4);
  return v;
}
inline uint64_t load_bytes8(const uint8_t* p) {
  uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}
inline void store_bytes8(void* p, uint64_t v) { std::memcpy(p, &v, 8); }
// In one piece: a load of all sixteen would wait for two stores of eight.
inline void store_bytes16(void* p, uint64_t low, uint64_t high) {
  using Two [[gnu::vector_size(16)]] = uint64_t;
  const Two both = {low, high};
  std::memcpy(p, &both, 16);
}

// The eight nibbles of x, the lowest first.
inline uint64_t nibbles8(uint64_t x) {
  x = (x | x << 16) & 0x0000ffff0000ffff;
  x = (x | x << 8) & 0x00ff00ff00ff00ff;
  return (x | x << 4) & 15 * kOnes8;
}
// The eight 2-bit fields of the 16 bits x.
inline uint64_t pairs8(uint64_t x) {
  x = (x | x << 24) & 0x000000ff000000ff;
  x = (x | x << 12) & 0x000f000f000f000f;
  return (x | x << 6) & 3 * kOnes8;
}
// x - 32 in every byte; bytes in 0..63.
inline uint64_t minus_32(uint64_t x) { return ((x | 128 * kOnes8) - 32 * kOnes8) ^ 128 * kOnes8; }
// 2 x + 1 in every byte; bytes in 0..127.
inline uint64_t odd8(uint64_t x) { return x << 1 | kOnes8; }

}  // namespace nibble::quant::NIBBLE_ISA
