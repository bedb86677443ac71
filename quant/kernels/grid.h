// What the i-quants share: codes from a grid of eight (or twice four) weights, magnitudes that get
// signs or codes to which a number is added. The format F has its
// layout's kGrid and says
//   index(block, i) which entry is number i of the block's
//   kHasSigns, store_octets(block, uint8_t[32])
//                   a byte for each eight weights: their signs, bit i for weight i; or what is
//                   added to each code, with the offset taken off
// and, where it takes more than a load, all indices at once:
//   store_indices(block, uint16_t[])
#pragma once

#include <cstdint>
#include <cstring>

#include "quant/codebooks.h"
#include "quant/kernels/bytes8.h"
#include "quant/kernels/vectors.h"

namespace nibble::quant::NIBBLE_ISA {

// 16 bytes as words.
[[gnu::always_inline]] inline Words16 widen(const uint8_t* p) {
  return __builtin_convertvector(load_vector<Bytes16>(p), Words16);
}
// The low byte of each word.
[[gnu::always_inline]] inline Bytes32 low_bytes(Words16 a, Words16 b) {
  return __builtin_shuffle(reinterpret_cast<Bytes32>(a), reinterpret_cast<Bytes32>(b),
                           Bytes32{0,  2,  4,  6,  8,  10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30,
                                   32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62});
}
// Word i of the result: byte kFirst + i / kTimes of the eight at p, in both its bytes.
template <int kFirst, int kTimes>
[[gnu::always_inline]] inline Words16 repeat(const uint8_t* p) {
  const uint64_t x = load_bytes8(p);
  const Eights4 each = {x, x, x, x};
  Bytes32 place;
  for (int i = 0; i < 32; ++i)
    place[i] = static_cast<uint8_t>(i / 16 * 16 + kFirst + i / 2 / kTimes);
  return reinterpret_cast<Words16>(__builtin_shuffle(reinterpret_cast<Bytes32>(each), place));
}
// Of each of the four words at p four fields of three bits, the lowest first, in bits 9 to 11 of a
// word; the other bits are anything.
[[gnu::always_inline]] inline Words16 threes(const uint8_t* p) {
  const uint64_t x = load_bytes8(p);
  const Eights4 each = {x, x, x, x};
  const Words16 place = {0, 0, 0, 0, 1, 1, 1, 1, 10, 10, 10, 10, 11, 11, 11, 11};
  const Words16 left = {512, 64, 8, 1, 512, 64, 8, 1, 512, 64, 8, 1, 512, 64, 8, 1};
  return __builtin_shuffle(reinterpret_cast<Words16>(each), place) * left;
}

// 2 x + 1 of each, as bytes.
[[gnu::always_inline]] inline void store_odds(int8_t* p, Fours8 x) {
  const Fours8 lowest = reinterpret_cast<Fours8>(
      __builtin_shuffle(reinterpret_cast<Bytes32>(x << 1 | 1),
                        Bytes32{0,  4,  8,  12, 0,  4,  8,  12, 0,  4,  8,  12, 0,  4,  8,  12,
                                16, 20, 24, 28, 16, 20, 24, 28, 16, 20, 24, 28, 16, 20, 24, 28}));
  const Fours8 bytes = __builtin_shuffle(lowest, Fours8{0, 4, 0, 4, 0, 4, 0, 4});
  std::memcpy(p, &bytes, 8);
}
[[gnu::always_inline]] inline void store_odds(int8_t* p, Words16 x) {
  const auto bytes = __builtin_convertvector((x << 1) | 1, Bytes16);
  std::memcpy(p, &bytes, sizeof bytes);
}
// 2 x + 1 of the 16 nibbles of eight bytes.
[[gnu::always_inline]] inline void store_odd_nibbles(int8_t* p, const uint8_t* bytes) {
  const auto words = __builtin_convertvector(load_vector<Bytes8>(bytes), Words8);
  const Words8 odds = (((words | words << 4) & 0x0f0f) << 1) | 0x0101;
  std::memcpy(p, &odds, sizeof odds);
}

// Signs of eight weights each from seven bits of each byte of x: the eighth sign makes their number
// even.
template <class T>
[[gnu::always_inline]] inline T even_signs(T x) {
  T odd = x ^ x >> 4;
  odd ^= odd >> 2;
  odd ^= odd >> 1;
  return x | (odd & kOnes8) << 7;
}
// The same from four times seven bits in both halves of each number.
template <class T>
[[gnu::always_inline]] inline T even_signs_of_28(T x) {
  x = (x & 0x00003fff00003fff) | (x << 2 & 0x3fff00003fff0000);
  return even_signs<T>((x & 0x007f007f007f007f) | (x << 1 & 0x7f007f007f007f00));
}

// What is computed of a whole block of F at once, in memory, from where loads take it.
template <class F>
struct GridNumbers {
  static constexpr bool kStoresIndices = requires(const typename F::Block& block, uint16_t* at) {
    F::store_indices(block, at);
  };
  static constexpr int kPerRun = 32 / sizeof F::kGrid.at[0];  // entries
  alignas(32) uint16_t indices[kStoresIndices ? 8 * kPerRun : 1];
  alignas(32) uint8_t octets[32];

  void take(const typename F::Block& block) {
    if constexpr (kStoresIndices) F::store_indices(block, indices);
    F::store_octets(block, octets);
  }
  [[gnu::always_inline]] unsigned index(const typename F::Block& block, int i) const {
    if constexpr (kStoresIndices) return indices[i];
    return F::index(block, i);
  }
};

template <class F>
struct GridCodes {
  static constexpr bool kHasMin = false;
  static constexpr int offset() { return 1 << F::kOffsetShift; }

  template <class Block>
  static void codes(const Block& block, uint8_t* q) {
    constexpr int kLen = sizeof F::kGrid.at[0];
    uint8_t octets[32];
    F::store_octets(block, octets);
    for (int i = 0; i < 256; ++i) {
      const int value = F::kGrid.at[F::index(block, i / kLen)] >> 8 * (i % kLen) & 255;
      const int octet = octets[i / 8];
      const int weight = !F::kHasSigns ? value + octet : octet >> i % 8 & 1 ? -value : value;
      q[i] = static_cast<uint8_t>(offset() + weight);
    }
  }

  // Runs g and h of 32.
  template <class S, class Block>
  static typename S::Bytes two_runs(const Block& block, const GridNumbers<F>& numbers, int g,
                                    int h) {
    constexpr int kPerRun = GridNumbers<F>::kPerRun;
    const auto entries = S::entries(
        F::kGrid.at, [&](int i) __attribute__((always_inline)) {
          return numbers.index(block, i < kPerRun ? kPerRun * g + i : kPerRun * (h - 1) + i);
        });
    const uint8_t *low = numbers.octets + 4 * g, *high = numbers.octets + 4 * h;
    if constexpr (F::kHasSigns)
      return S::template add_with_signs<offset()>(entries, low, high);
    else
      return S::template add_octets<offset()>(entries, low, high);
  }
  template <class S, class Block>
  static void unpack_row(const Block& block, typename S::Bytes (&q)[4]) {
    GridNumbers<F> numbers;
    numbers.take(block);
    q[0] = two_runs<S>(block, numbers, 0, 2);
    q[1] = two_runs<S>(block, numbers, 1, 3);
    q[2] = two_runs<S>(block, numbers, 4, 6);
    q[3] = two_runs<S>(block, numbers, 5, 7);
  }
};

}  // namespace nibble::quant::NIBBLE_ISA
