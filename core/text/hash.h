// A fast hash of short byte strings and of pairs, for tables in memory; nothing stored depends on
// it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace nibble::text {

// The high and low half of a 128-bit product folded together: every input bit reaches every output
// bit.
inline uint64_t mix(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline constexpr uint64_t kHashA = 0x9E3779B97F4A7C15u,
                          kHashB = 0xD6E8FEB86659FD93u;  // odd, half the bits set

inline uint64_t hash_pair(uint64_t a, uint64_t b) { return mix(a ^ kHashA, b ^ kHashB); }

inline uint64_t hash_bytes(std::string_view s) {
  const auto load = [](const char* p, size_t n) {
    uint64_t v = 0;
    std::memcpy(&v, p, n);
    return v;
  };
  const char* p = s.data();
  size_t n = s.size();
  uint64_t h = n * kHashB;
  for (; n > 16; n -= 16, p += 16) h = mix(load(p, 8) ^ kHashA, load(p + 8, 8) ^ h);
  if (n >= 8) return mix(load(p, 8) ^ kHashA ^ h, load(p + n - 8, 8) ^ kHashB);
  if (n >= 4) return mix(load(p, 4) << 32 ^ load(p + n - 4, 4) ^ kHashA, h ^ kHashB);
  if (n == 0) return mix(kHashA, h ^ kHashB);
  const auto at = [p](size_t i) { return static_cast<uint64_t>(static_cast<unsigned char>(p[i])); };
  return mix((at(0) << 16 | at(n >> 1) << 8 | at(n - 1)) ^ kHashA, h ^ kHashB);
}

}  // namespace nibble::text
