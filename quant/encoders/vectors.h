// Sixteen numbers side by side, in the widest registers there are: one of 64 bytes, two of 32 or
// four of 16. With the same order of operations on every instruction set, so that all of them write
// the same file. (A compiler's own vectors of 64 bytes would go through memory, or lane by lane,
// where the registers are narrower.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "quant/isa/lanes.h"

#pragma GCC diagnostic ignored "-Wpsabi"  // nothing here is called across instruction sets

namespace nibble::quant::NIBBLE_ISA {

inline constexpr int kLanes = 16;
#define NIBBLE_INLINE [[gnu::always_inline]] inline

using FloatRegister = kernels::NIBBLE_ISA::F;
using IntRegister = kernels::NIBBLE_ISA::I;

// What one register has: the compiler's operators, and these.
//   less    all bits of a lane where a < b        choose   a where the bits are set, else b
//   max, min   b where one of them is no number   lane_xor   lane i holds what lane i ^ kBit held,
//   kBit 1 or 2
NIBBLE_INLINE IntRegister less(FloatRegister a, FloatRegister b) { return a < b; }
NIBBLE_INLINE FloatRegister choose(IntRegister where, FloatRegister a, FloatRegister b) {
  return where ? a : b;
}
NIBBLE_INLINE FloatRegister max(FloatRegister a, FloatRegister b) {
#if defined(NIBBLE_ISA_avx512)
  return _mm512_max_ps(a, b);  // compilers do not see it in a > b ? a : b
#elif defined(NIBBLE_ISA_avx2)
  return _mm256_max_ps(a, b);
#else
  return a > b ? a : b;
#endif
}
NIBBLE_INLINE FloatRegister min(FloatRegister a, FloatRegister b) {
#if defined(NIBBLE_ISA_avx512)
  return _mm512_min_ps(a, b);
#elif defined(NIBBLE_ISA_avx2)
  return _mm256_min_ps(a, b);
#else
  return a < b ? a : b;
#endif
}
NIBBLE_INLINE IntRegister bits(FloatRegister x) { return reinterpret_cast<IntRegister>(x); }
NIBBLE_INLINE FloatRegister from_bits(IntRegister x) { return reinterpret_cast<FloatRegister>(x); }
NIBBLE_INLINE IntRegister to_ints(FloatRegister x) {
  return __builtin_convertvector(x, IntRegister);
}
template <int kBit, int... lanes>
NIBBLE_INLINE FloatRegister lane_xor(FloatRegister x, std::integer_sequence<int, lanes...>) {
  return __builtin_shufflevector(x, x, (lanes ^ kBit)...);
}
template <int kBit>
NIBBLE_INLINE FloatRegister lane_xor(FloatRegister x) {
  static_assert(kBit == 1 || kBit == 2);
  return lane_xor<kBit>(x, std::make_integer_sequence<int, sizeof(x) / 4>{});
}

// Two of them, or two pairs.
template <class T>
struct Pair {
  T low, high;
  NIBBLE_INLINE auto operator[](int lane) const {
    constexpr int kHalf = sizeof(T) / 4;
    return lane < kHalf ? low[lane] : high[lane - kHalf];
  }
};
#define NIBBLE_PAIRWISE(OP)                                                \
  template <class T>                                                       \
  NIBBLE_INLINE Pair<T> operator OP(Pair<T> a, Pair<T> b) {                \
    return {a.low OP b.low, a.high OP b.high};                             \
  }                                                                        \
  template <class T>                                                       \
  NIBBLE_INLINE Pair<T> operator OP(Pair<T> a, decltype(a[0]) b) {         \
    return {a.low OP b, a.high OP b};                                      \
  }                                                                        \
  template <class T>                                                       \
  NIBBLE_INLINE Pair<T> operator OP(decltype(Pair<T>{}[0]) a, Pair<T> b) { \
    return {a OP b.low, a OP b.high};                                      \
  }
NIBBLE_PAIRWISE(+)
NIBBLE_PAIRWISE(-)
NIBBLE_PAIRWISE(*)
NIBBLE_PAIRWISE(/)
NIBBLE_PAIRWISE(&)
NIBBLE_PAIRWISE(|)
NIBBLE_PAIRWISE(<<)
NIBBLE_PAIRWISE(>>)
#undef NIBBLE_PAIRWISE
template <class T>
NIBBLE_INLINE Pair<T>& operator+=(Pair<T>& a, Pair<T> b) {
  return a = a + b;
}
template <class T>
NIBBLE_INLINE Pair<T> operator-(Pair<T> a) {
  return {-a.low, -a.high};
}
template <class T>
NIBBLE_INLINE Pair<T> operator~(Pair<T> a) {
  return {~a.low, ~a.high};
}
template <class T>
NIBBLE_INLINE auto less(Pair<T> a, Pair<T> b) {
  return Pair{less(a.low, b.low), less(a.high, b.high)};
}
template <class M, class T>
NIBBLE_INLINE Pair<T> choose(Pair<M> where, Pair<T> a, Pair<T> b) {
  return {choose(where.low, a.low, b.low), choose(where.high, a.high, b.high)};
}
template <class T>
NIBBLE_INLINE Pair<T> max(Pair<T> a, Pair<T> b) {
  return {max(a.low, b.low), max(a.high, b.high)};
}
template <class T>
NIBBLE_INLINE Pair<T> min(Pair<T> a, Pair<T> b) {
  return {min(a.low, b.low), min(a.high, b.high)};
}
template <class T>
NIBBLE_INLINE auto bits(Pair<T> x) {
  return Pair{bits(x.low), bits(x.high)};
}
template <class T>
NIBBLE_INLINE auto from_bits(Pair<T> x) {
  return Pair{from_bits(x.low), from_bits(x.high)};
}
template <class T>
NIBBLE_INLINE auto to_ints(Pair<T> x) {
  return Pair{to_ints(x.low), to_ints(x.high)};
}
template <int kBit, class T>
NIBBLE_INLINE Pair<T> lane_xor(Pair<T> x) {
  return {lane_xor<kBit>(x.low), lane_xor<kBit>(x.high)};
}

#if defined(NIBBLE_ISA_avx512)
using Floats = FloatRegister;
using Ints = IntRegister;
#elif defined(NIBBLE_ISA_avx2)
using Floats = Pair<FloatRegister>;
using Ints = Pair<IntRegister>;
#else
using Floats = Pair<Pair<FloatRegister> >;
using Ints = Pair<Pair<IntRegister> >;
#endif
static_assert(sizeof(Floats) == kLanes * sizeof(float) && sizeof(Ints) == sizeof(Floats));

NIBBLE_INLINE Floats all(float x) { return Floats{} + x; }
NIBBLE_INLINE Floats clamp(Floats x, float low, float high) {
  return min(max(x, all(low)), all(high));
}
NIBBLE_INLINE Floats magnitude(Floats x) { return from_bits(bits(x) & 0x7fffffff); }
// To the nearest whole number, ties to even; |x| below 2^22.
NIBBLE_INLINE Floats round(Floats x) { return (x + 0x1.8p23f) - 0x1.8p23f; }
NIBBLE_INLINE Floats inverse(Floats x) {  // 0 of 0
  return choose(less(Floats{}, magnitude(x)), 1.0f / x, Floats{});
}
NIBBLE_INLINE Ints choose(Ints where, Ints a, Ints b) { return (where & a) | (~where & b); }
// Of whole numbers whose difference fits 31 bits.
NIBBLE_INLINE Ints less(Ints a, Ints b) { return (a - b) >> 31; }
NIBBLE_INLINE Ints max(Ints a, Ints b) { return choose(less(a, b), b, a); }
NIBBLE_INLINE Ints min(Ints a, Ints b) { return choose(less(a, b), a, b); }

struct Codes {
  uint8_t at[kLanes];
};
NIBBLE_INLINE Codes to_codes(Ints x) {
  alignas(64) int32_t lanes[kLanes];
  *reinterpret_cast<Ints*>(lanes) = x;
  Codes codes;
  for (int lane = 0; lane < kLanes; ++lane) codes.at[lane] = static_cast<uint8_t>(lanes[lane]);
  return codes;
}

}  // namespace nibble::quant::NIBBLE_ISA
