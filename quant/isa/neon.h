// ARM's NEON with the dot products of ARMv8.2: what formats unpack their blocks with. Bytes are 64
// unsigned bytes in four quarters; in a panel a quarter is four consecutive codes of each of four
// rows, in a row product 16 codes of one row.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstring>

#include "quant/format.h"
#include "quant/isa/half.h"

namespace nibble::quant::NIBBLE_ISA {

inline float to_float(Half h) {
  float16_t x;
  std::memcpy(&x, &h, sizeof x);
  return static_cast<float>(x);
}

inline uint8x16_t load16(const void* p) { return vld1q_u8(static_cast<const uint8_t*>(p)); }
// (byte >> kShift) & kMask; a negative shift goes left.
template <int kShift, int kMask>
inline uint8x16_t bits16(uint8x16_t v) {
  if constexpr (kShift > 0) v = vshrq_n_u8(v, kShift);
  if constexpr (kShift < 0) v = vshlq_n_u8(v, -kShift);
  constexpr int kLeft = kShift < 0 ? 255 << -kShift & 255 : 255 >> kShift;  // may be set by now
  return (kLeft & ~kMask) == 0 ? v : vandq_u8(v, vdupq_n_u8(kMask));
}
// Bit i % 8 in byte i; bit i % 4 or 4 + i % 4.
inline uint8x16_t bit_of_8() { return vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201)); }
inline uint8x16_t bit_of_4(bool high) {
  return vreinterpretq_u8_u32(vdupq_n_u32(high ? 0x80402010 : 0x08040201));
}
// q + value in the bytes of which bit of spread is set.
inline uint8x16_t add_where(uint8x16_t q, uint8x16_t spread, uint8x16_t bit, int value) {
  const uint8x16_t set = vtstq_u8(spread, bit);
  return vaddq_u8(q, vandq_u8(set, vdupq_n_u8(static_cast<uint8_t>(value))));
}
inline float32x4_t halves_to_floats(const uint16_t* p) {
  return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}

struct Simd {
  struct Bytes {
    uint8x16_t v[4];
  };
  struct Floats {
    float32x4_t v[4];
  };
  struct Factors {  // of four blocks
    float32x4_t scales, minima;
  };
  using Rows = const std::byte* const (&)[kPanelRows];

  // op of each quarter, of each pair of quarters.
  template <class Op>
  static Bytes each(Bytes a, Op op) {
    return {op(a.v[0]), op(a.v[1]), op(a.v[2]), op(a.v[3])};
  }
  template <class Op>
  static Bytes each(Bytes a, Bytes b, Op op) {
    return {op(a.v[0], b.v[0]), op(a.v[1], b.v[1]), op(a.v[2], b.v[2]), op(a.v[3], b.v[3])};
  }

  static Bytes load(const void* p) { return load_halves(p, static_cast<const std::byte*>(p) + 32); }
  static Bytes load_halves(const void* low, const void* high) {
    return {load16(low), load16(static_cast<const std::byte*>(low) + 16), load16(high),
            load16(static_cast<const std::byte*>(high) + 16)};
  }
  static Bytes twice(const void* p) { return load_halves(p, p); }
  static Bytes table16(const void* p) {
    const uint8x16_t t = load16(p);
    return {t, t, t, t};
  }
  static Floats load_floats(const float* p) {
    return {vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)};
  }
  static void store(void* p, Bytes b) {
    for (int i = 0; i < 4; ++i) vst1q_u8(static_cast<uint8_t*>(p) + 16 * i, b.v[i]);
  }
  static void store(float* p, Floats f) {
    for (int i = 0; i < 4; ++i) vst1q_f32(p + 4 * i, f.v[i]);
  }
  static Bytes join(Bytes a, Bytes b) {
    return each(a, b, [](uint8x16_t x, uint8x16_t y) { return vorrq_u8(x, y); });
  }
  static Bytes plus(Bytes a, int number) {
    const uint8x16_t n = vdupq_n_u8(static_cast<uint8_t>(number));
    return each(a, [n](uint8x16_t x) { return vaddq_u8(x, n); });
  }
  static Bytes flip(Bytes a, int mask) {
    const uint8x16_t m = vdupq_n_u8(static_cast<uint8_t>(mask));
    return each(a, [m](uint8x16_t x) { return veorq_u8(x, m); });
  }
  template <int kShift, int kMask>
  static Bytes bits(Bytes b) {
    return each(b, bits16<kShift, kMask>);
  }
  // The same with one shift for the first 32 bytes and another for the rest.
  template <int kFirst, int kSecond, int kMask>
  static Bytes split_bits(Bytes b) {
    return {bits16<kFirst, kMask>(b.v[0]), bits16<kFirst, kMask>(b.v[1]),
            bits16<kSecond, kMask>(b.v[2]), bits16<kSecond, kMask>(b.v[3])};
  }
  // Quarters 0 0 2 2 and 1 1 3 3 of two vectors, alternating between them.
  static void weave(Bytes a, Bytes b, Bytes& even, Bytes& odd) {
    even = {a.v[0], b.v[0], a.v[2], b.v[2]};
    odd = {a.v[1], b.v[1], a.v[3], b.v[3]};
  }
  // Eight or 16 entries of a grid.
  template <class At>
  static Bytes entries(const uint64_t* grid, At at) {
    const auto two = [&](int i) {
      return vcombine_u8(vcreate_u8(grid[at(i)]), vcreate_u8(grid[at(i + 1)]));
    };
    return {two(0), two(2), two(4), two(6)};
  }
  template <class At>
  static Bytes entries(const uint32_t* grid, At at) {
    const auto four = [&](int i) {
      const uint32x4_t v = {grid[at(i)], grid[at(i + 1)], grid[at(i + 2)], grid[at(i + 3)]};
      return vreinterpretq_u8_u32(v);
    };
    return {four(0), four(4), four(8), four(12)};
  }
  // Octets in the places of eight bytes each. low, high: four of them.
  static Bytes spread_octets(const uint8_t* low, const uint8_t* high) {
    const auto two = [](const uint8_t* p) { return vcombine_u8(vdup_n_u8(p[0]), vdup_n_u8(p[1])); };
    return {two(low), two(low + 2), two(high), two(high + 2)};
  }
  // kTo + byte, or kTo - byte where its bit is set. low, high: bits of 32 bytes each.
  template <int kTo>
  static Bytes add_with_signs(Bytes b, const uint8_t* low, const uint8_t* high) {
    return each(b, spread_octets(low, high), [](uint8x16_t v, uint8x16_t bits) {
      const uint8x16_t to = vdupq_n_u8(kTo);
      return vbslq_u8(vtstq_u8(bits, bit_of_8()), vsubq_u8(to, v), vaddq_u8(to, v));
    });
  }
  // kTo + byte + a number for eight bytes each.
  template <int kTo>
  static Bytes add_octets(Bytes b, const uint8_t* low, const uint8_t* high) {
    return each(b, spread_octets(low, high), [](uint8x16_t v, uint8x16_t octet) {
      return vaddq_u8(v, vaddq_u8(octet, vdupq_n_u8(kTo)));
    });
  }
  static Bytes lookup(Bytes table, Bytes index) { return each(table, index, vqtbl1q_u8); }

  // Panels. 16 bytes at rows[r] + at -> out[k]: bytes 4k..4k+3 of each row.
  static void transpose(Rows rows, size_t at, Bytes (&out)[4]) {
#pragma GCC unroll 4
    for (int h = 0; h < 4; ++h) {
      const auto row = [&](int j) { return vreinterpretq_u32_u8(load16(rows[4 * h + j] + at)); };
      const uint32x4_t z0 = row(0), z1 = row(1), z2 = row(2), z3 = row(3);
      const auto a = vreinterpretq_u64_u32(vzip1q_u32(z0, z1));
      const auto b = vreinterpretq_u64_u32(vzip2q_u32(z0, z1));
      const auto c = vreinterpretq_u64_u32(vzip1q_u32(z2, z3));
      const auto d = vreinterpretq_u64_u32(vzip2q_u32(z2, z3));
      out[0].v[h] = vreinterpretq_u8_u64(vzip1q_u64(a, c));
      out[1].v[h] = vreinterpretq_u8_u64(vzip2q_u64(a, c));
      out[2].v[h] = vreinterpretq_u8_u64(vzip1q_u64(b, d));
      out[3].v[h] = vreinterpretq_u8_u64(vzip2q_u64(b, d));
    }
  }
  static Bytes dwords(Rows rows, size_t at) {
    uint32_t v[kPanelRows];
#pragma GCC unroll 16
    for (int r = 0; r < kPanelRows; ++r) std::memcpy(&v[r], rows[r] + at, 4);
    return load(v);
  }
  static Floats halves(Rows rows, size_t at) {
    uint16_t v[kPanelRows];
#pragma GCC unroll 16
    for (int r = 0; r < kPanelRows; ++r) std::memcpy(&v[r], rows[r] + at, 2);
    return {halves_to_floats(v), halves_to_floats(v + 4), halves_to_floats(v + 8),
            halves_to_floats(v + 12)};
  }
  // Half kHalf of each row's dword.
  template <int kHalf>
  static Floats dword_halves(Bytes dwords) {
    const auto quarter = [](uint8x16_t v) {
      return vcvt_f32_f16(vreinterpret_f16_u16(
          vmovn_u32(vshlq_u32(vreinterpretq_u32_u8(v), vdupq_n_s32(-16 * kHalf)))));
    };
    return {quarter(dwords.v[0]), quarter(dwords.v[1]), quarter(dwords.v[2]), quarter(dwords.v[3])};
  }
  // Each row's dword: (v >> kShift) & kMask, and (v | v << kLeft) & kMask.
  template <int kShift, uint32_t kMask>
  static Bytes dword_bits(Bytes b) {
    return each(b, [](uint8x16_t v) {
      return vreinterpretq_u8_u32(vshlq_u32(vreinterpretq_u32_u8(v), vdupq_n_s32(-kShift)) &
                                  vdupq_n_u32(kMask));
    });
  }
  template <int kLeft, uint32_t kMask>
  static Bytes dword_spread(Bytes b) {
    return each(b, [](uint8x16_t v) {
      const uint32x4_t rows = vreinterpretq_u32_u8(v);
      return vreinterpretq_u8_u32((rows | vshlq_n_u32(rows, kLeft)) & vdupq_n_u32(kMask));
    });
  }
  // q + value in byte i of each row where bit 4 k + i of the row's dword is set.
  template <int k>
  static Bytes add_row_bits(Bytes q, Bytes dwords, int value) {
    return each(q, dwords, [value](uint8x16_t codes, uint8x16_t rows) {
      const uint8x16_t byte = {0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12};
      return add_where(codes, vqtbl1q_u8(rows, byte + static_cast<uint8_t>(k / 2)), bit_of_4(k % 2),
                       value);
    });
  }
  // Byte kByte of each row's dword, sign-extended.
  template <int kByte>
  static Floats byte_floats(Bytes b) {
    const auto quarter = [](uint8x16_t v) {
      const int32x4_t top = vshlq_n_s32(vreinterpretq_s32_u8(v), 24 - 8 * kByte);
      return vcvtq_f32_s32(vshrq_n_s32(top, 24));
    };
    return {quarter(b.v[0]), quarter(b.v[1]), quarter(b.v[2]), quarter(b.v[3])};
  }
  // Bytes 2 kPair and 2 kPair + 1 of each row's dword as unsigned 16-bit pairs.
  template <int kPair>
  static Bytes byte_pairs(Bytes b) {
    return each(b, [](uint8x16_t v) {
      const uint8x16_t place = {0, 255, 1, 255, 4, 255, 5, 255, 8, 255, 9, 255, 12, 255, 13, 255};
      return vqtbl1q_u8(v, vqaddq_u8(place, vdupq_n_u8(2 * kPair)));  // 255: a zero
    });
  }
  static Floats mul(Floats a, Floats b) {
    return {a.v[0] * b.v[0], a.v[1] * b.v[1], a.v[2] * b.v[2], a.v[3] * b.v[3]};
  }

  // Row products of 32-weight blocks: four consecutive blocks of kStride bytes.
  template <int kStride>
  struct Four {
    const std::byte* p;
    explicit Four(const std::byte* at) : p(at) {}

    template <int kAt>  // 16 bytes of each block
    Bytes field16() const {
      return {load16(p + kAt), load16(p + kStride + kAt), load16(p + 2 * kStride + kAt),
              load16(p + 3 * kStride + kAt)};
    }
    template <int kAt>  // 32 bytes of each block
    void field32(Bytes& lo, Bytes& hi) const {
      lo = field16<kAt>();
      hi = field16<kAt + 16>();
    }
    template <int kAt>
    float32x4_t floats() const {
      uint16_t v[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) std::memcpy(&v[i], p + i * kStride + kAt, 2);
      return halves_to_floats(v);
    }
    template <int kAt>  // a half-precision number of each block
    Factors halves() const {
      return {floats<kAt>(), vdupq_n_f32(0)};
    }
    template <int kFirst, int kSecond>  // one of each block, then another of each
    Factors halves() const {
      return {floats<kFirst>(), floats<kSecond>()};
    }
    template <int kAt>  // 2^(byte - 128) of a byte of each block
    Factors powers() const {
      const auto byte = [this](int i) { return static_cast<uint32_t>(p[i * kStride + kAt]); };
      const uint32x4_t e = {byte(0), byte(1), byte(2), byte(3)}, one = vdupq_n_u32(1);
      const uint32x4_t normal = vshlq_n_u32(vsubq_u32(e, one), 23);
      const uint32x4_t subnormal = vshlq_u32(vdupq_n_u32(0x200000), vreinterpretq_s32_u32(e));
      const uint32x4_t bits = vbslq_u32(vcgtq_u32(e, one), normal, subnormal);
      return {vreinterpretq_f32_u32(bits), vdupq_n_f32(0)};
    }
    // With 16 where the bit of 32 at kAt is set.
    template <int kAt>
    void add_fifth_bits(Bytes& lo, Bytes& hi) const {
      const uint8x16_t first = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1};
      const uint8x16_t second = first + static_cast<uint8_t>(2);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        uint32_t four;
        std::memcpy(&four, p + i * kStride + kAt, 4);
        const uint8x16_t bits = vreinterpretq_u8_u32(vdupq_n_u32(four));
        lo.v[i] = add_where(lo.v[i], vqtbl1q_u8(bits, first), bit_of_8(), 16);
        hi.v[i] = add_where(hi.v[i], vqtbl1q_u8(bits, second), bit_of_8(), 16);
      }
    }
  };
};
inline constexpr bool kHasSimd = true;

}  // namespace nibble::quant::NIBBLE_ISA

#include "quant/isa/neon_encode.h"
#include "quant/isa/neon_gemv.h"
#include "quant/isa/neon_multiply.h"
