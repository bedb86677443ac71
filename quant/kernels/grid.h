// What the i-quants share: codes from a grid of eight (or twice four) weights, magnitudes that get
// signs or codes to which a number is added. The format F says
//   kGrid           the table of entries
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
[[gnu::always_inline]] inline void store_words(uint16_t* p, Words16 v) {
  std::memcpy(p, &v, sizeof v);
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
// Word i of the result: word i / 4 of the four at p.
[[gnu::always_inline]] inline Words16 repeat_words(const uint8_t* p) {
  const uint64_t x = load_bytes8(p);
  const Eights4 each = {x, x, x, x};
  const Words16 place = {0, 0, 0, 0, 1, 1, 1, 1, 10, 10, 10, 10, 11, 11, 11, 11};
  return __builtin_shuffle(reinterpret_cast<Words16>(each), place);
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

template <class F>
struct GridCodes {
  // Of weights 8 i .. 8 i + 7: their magnitudes where they have signs, else their codes.
  template <class Block>
  static uint64_t eight(const Block& block, const uint8_t* octets, int i) {
    if constexpr (sizeof(F::kGrid.at[0]) == 8) {
      const uint64_t entry = F::kGrid.at[F::index(block, i)];
      if constexpr (F::kHasSigns) return entry;
      return entry +
             static_cast<uint64_t>(static_cast<int8_t>(octets[i]) + (1 << F::kOffsetShift)) *
                 kOnes8;
    } else {
      return F::kGrid.at[F::index(block, 2 * i)] | uint64_t{F::kGrid.at[F::index(block, 2 * i + 1)]}
                                                       << 32;
    }
  }

  template <class Block>
  static void codes(const Block& block, uint8_t* q) {
    alignas(32) uint8_t octets[32];
    F::store_octets(block, octets);
    for (int i = 0; i < 32; ++i) {
      store_bytes8(q + 8 * i, eight(block, octets, i));
      if constexpr (F::kHasSigns)
        for (int j = 8 * i; j < 8 * i + 8; ++j)
          q[j] = static_cast<uint8_t>((1 << F::kOffsetShift) +
                                      (octets[i] >> j % 8 & 1 ? -q[j] : q[j]));
    }
  }

  // Runs g and h of 32.
  template <class S, class Block>
  static typename S::Bytes two_runs(const Block& block, const uint8_t* octets, int g, int h) {
    const auto of = [&](int i) { return eight(block, octets, i); };
    const auto q = S::eights(of(4 * g), of(4 * g + 1), of(4 * g + 2), of(4 * g + 3), of(4 * h),
                             of(4 * h + 1), of(4 * h + 2), of(4 * h + 3));
    if constexpr (F::kHasSigns)
      return S::template add_with_signs<(1 << F::kOffsetShift)>(
          q, load_u32(octets + 4 * g) | uint64_t{load_u32(octets + 4 * h)} << 32);
    else
      return q;
  }
  template <class S, class Block>
  static void unpack_row(const Block& block, typename S::Bytes (&q)[4]) {
    alignas(32) uint8_t octets[32];
    F::store_octets(block, octets);
    q[0] = two_runs<S>(block, octets, 0, 2);
    q[1] = two_runs<S>(block, octets, 1, 3);
    q[2] = two_runs<S>(block, octets, 4, 6);
    q[3] = two_runs<S>(block, octets, 5, 7);
  }
};

}  // namespace nibble::quant::NIBBLE_ISA
