// The values that a code stands for, and how the nearest one is found.
#pragma once

#include "quant/encoders/lanes.h"

namespace nibble::quant::NIBBLE_ISA {

// Whole numbers from Low to High; the code is what is above Low.
template <int Low, int High>
struct Uniform {
  static constexpr int kLow = Low, kHigh = High;
  // A search puts the largest weight at kFirstTry, kFirstTry + kTryStep, ...
  static constexpr float kFirstTry = Low - 1.2f, kTryStep = 0.1f;
  static constexpr int kTries = 22;
  NIBBLE_INLINE static Floats nearest(Floats x) { return clamp(round(x), kLow, kHigh); }
  NIBBLE_INLINE static Ints code_of(Floats level) { return to_ints(level) - Low; }
};

// Weights that are ternary already are met exactly by the first scale, normal ones best by a d of
// about 1.2 standard deviations, which is 0.4 of the largest of 256.
struct Ternary : Uniform<-1, 1> {
  static constexpr bool kPositive = true;
  static constexpr float kFirstTry = -1, kTryStep = -0.125f;
  static constexpr int kTries = 25;
};

template <int kEntries>
struct FloatTable {
  alignas(64) float at[kEntries];
};

#if defined(NIBBLE_ISA_avx2)
// Of eight lanes. The bits of the index above the third choose between permutations: faster than a
// gather.
template <int kEntries>
NIBBLE_INLINE FloatRegister lookup8(const float* table, IntRegister index) {
  const auto i = reinterpret_cast<__m256i>(index);
  const __m256 bit3 = _mm256_castsi256_ps(_mm256_slli_epi32(i, 28));
  const __m256 bit4 = _mm256_castsi256_ps(_mm256_slli_epi32(i, 27));
  __m256 found[kEntries / 16];
  for (int k = 0; k < kEntries / 16; ++k)
    found[k] =
        _mm256_blendv_ps(_mm256_permutevar8x32_ps(_mm256_load_ps(table + 16 * k), i),
                         _mm256_permutevar8x32_ps(_mm256_load_ps(table + 16 * k + 8), i), bit3);
  return kEntries == 16 ? found[0] : _mm256_blendv_ps(found[0], found[kEntries / 16 - 1], bit4);
}
#endif

// table[index % 16 or 32] of each lane.
template <int kEntries>
NIBBLE_INLINE Floats lookup(const FloatTable<kEntries>& table, Ints index) {
  static_assert(kEntries == 16 || kEntries == 32);
#if defined(NIBBLE_ISA_avx512)
  const __m512 low = _mm512_load_ps(table.at);
  const auto i = reinterpret_cast<__m512i>(index);
  if constexpr (kEntries == 16)
    return _mm512_permutexvar_ps(i, low);
  else
    return _mm512_permutex2var_ps(low, i, _mm512_load_ps(table.at + 16));
#elif defined(NIBBLE_ISA_avx2)
  return {lookup8<kEntries>(table.at, index.low), lookup8<kEntries>(table.at, index.high)};
#else
  alignas(64) float found[kLanes];
  for (int lane = 0; lane < kLanes; ++lane) found[lane] = table.at[index[lane] & (kEntries - 1)];
  return *reinterpret_cast<const Floats*>(found);
#endif
}

// Uneven levels, found through 32 bins of equal width in each of which lies one
// boundary between neighbouring levels at most.
template <int kLevels>
struct Bins {
  FloatTable<32> boundary{}, below{}, above{}, index{};  // index of `below` among the levels

  // Bin b is centred on first + b * width.
  constexpr Bins(const float (&levels)[kLevels], float first, float width) {
    for (int b = 0; b < 32; ++b) {
      const float from = first + width * (static_cast<float>(b) - 0.5f);
      int k = 0;
      while (k + 2 < kLevels && (levels[k] + levels[k + 1]) / 2 < from) ++k;
      boundary.at[b] = (levels[k] + levels[k + 1]) / 2;
      below.at[b] = levels[k];
      above.at[b] = levels[k + 1];
      index.at[b] = static_cast<float>(k);
    }
  }
};

// IQ4_NL and IQ4_XS.
struct NonLinear {
  static constexpr int kLow = -127, kHigh = 113;
  static constexpr float kFirstTry = -141.4f, kTryStep = 1.6f;
  static constexpr int kTries = 19;
  static constexpr float kLevels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                        1,    13,   25,  38,  53,  69,  89,  113};
  static constexpr Bins<16> kBins{kLevels, -124, 8};

  NIBBLE_INLINE static Ints bin(
      Floats x) {  // adding it rounds to multiples of 8: the low bits count
    return bits(clamp(x + 124.0f, 0, 31 * 8) + 0x1.8p26f) & 31;
  }
  NIBBLE_INLINE static Floats nearest(Floats x) {
    const Ints b = bin(x);
    return choose(less(x, lookup(kBins.boundary, b)), lookup(kBins.below, b),
                  lookup(kBins.above, b));
  }
  NIBBLE_INLINE static Ints code_of(Floats level) {
    const Ints b = bin(level);
    const Ints above = less(level, lookup(kBins.boundary, b)) + 1;
    return to_ints(lookup(kBins.index, b)) + above;
  }
};

}  // namespace nibble::quant::NIBBLE_ISA
