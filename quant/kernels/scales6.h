// The eight 6-bit scales and minima that Q4_K and Q5_K keep in 12 bytes: groups 0..3 in the low six
// bits of bytes 0..3 (scales) and 4..7 (minima); groups 4..7 have their low nibbles in bytes 8..11
// and their upper bits in the two upper bits of bytes 0..7.
#pragma once

#include <cstdint>
#include <cstring>

namespace nibble::quant::NIBBLE_ISA {

// Four bytes at a time; little-endian.
inline void unpack_scales6(const uint8_t (&s)[12], int8_t* scale, int8_t* min) {
  uint32_t a, b, c;
  std::memcpy(&a, s, 4);
  std::memcpy(&b, s + 4, 4);
  std::memcpy(&c, s + 8, 4);
  constexpr uint32_t kSix = 0x3f3f3f3f, kFour = 0x0f0f0f0f, kTop = 0x30303030;
  const uint64_t scales = (a & kSix) | uint64_t{(c & kFour) | (a >> 2 & kTop)} << 32;
  const uint64_t mins = (b & kSix) | uint64_t{(c >> 4 & kFour) | (b >> 2 & kTop)} << 32;
  std::memcpy(scale, &scales, 8);
  std::memcpy(min, &mins, 8);
}

// The same of 16 rows, whose d and dmin, four bytes at rows[r] + at, stand before the 12 bytes.
template <class S>
inline void heads6_of_rows(typename S::Rows rows, size_t at, typename S::Bytes (&scale)[4],
                           typename S::Bytes (&min)[4], typename S::Floats& d,
                           typename S::Floats& dmin) {
  typename S::Bytes t[4];
  S::transpose(rows, at, t);
  d = S::template dword_halves<0>(t[0]);
  dmin = S::template dword_halves<1>(t[0]);
  scale[0] = S::template bits<0, 63>(t[1]);
  min[0] = S::template bits<0, 63>(t[2]);
  scale[1] = S::join(S::template bits<0, 15>(t[3]), S::template bits<2, 48>(t[1]));
  min[1] = S::join(S::template bits<4, 15>(t[3]), S::template bits<2, 48>(t[2]));
}

}  // namespace nibble::quant::NIBBLE_ISA
